"""What the exit code of a command says."""

from __future__ import annotations

from typing import Final

OK: Final = 0
NEGATIVE: Final = 1
"""The command worked; what it tells is bad news: a run failed, a replay does not agree."""
USAGE: Final = 2
"""The caller's fault (``UsageError``): nothing was stored or run."""
OPERATION: Final = 3
"""The world's fault (``OperationError``)."""
INVARIANT: Final = 4
"""A bug of ours, or damaged data (``InvariantViolated``)."""
INTERRUPTED: Final = 130
