"""Codes of findings about what all plans share: texts, tasks and their graph.

Owns: the rows. A code, once released, keeps its meaning.
Does not know: the checks.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_NOTE: Final = Severity.NOTE

ROWS: Final[tuple[tuple[str, Severity, str], ...]] = (
    (
        "PLAN_FORMAT_UNKNOWN",
        _ERROR,
        "Nothing tells which kind of plan the file is. `--kind` says it.",
    ),
    (
        "MOJIBAKE_REPAIRED",
        _WARNING,
        (
            "Characters that were UTF-8, were read as another encoding and saved again, such as `â€”` for a dash. The "
            "text is read as it was meant; changes to the file leave the characters as they stand."
        ),
    ),
)
