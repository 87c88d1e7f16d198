"""Limits of the core itself, beside those of a definition or a business config.

Owns: ``Policy``. Does not know: who set it; a worker passes the same one to every decision of a run.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What one run may hold at most, whatever its definition says.

    ``recovery_attempts_max`` is how often an action whose effect is unknown, but which is safe to ask for again (it has
    a key or a look-up), is attempted before it is parked, whatever the step's own retry policy says.
    """

    arguments_bytes_max: int = 1_000_000
    output_bytes_max: int = 1_000_000
    recovery_attempts_max: int = 6
    messages_max: int = 1_000


DEFAULT_POLICY: Final = Policy()
