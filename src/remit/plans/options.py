"""How plan documents are read: what the user says beside the file.

Owns: the options; formats read them and ``formats`` passes them on.
Does not know: any format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.plans.plan import PlanFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How to read.

    ``level`` replaces a SPECTRA plan's own; ``format`` replaces what the file looks like; ``invariants`` are the ids
    that contracts may name, instead of the known ones.
    """

    level: int | None = None
    format: PlanFormat | None = None
    invariants: frozenset[str] | None = None


AS_WRITTEN: Final = PlanOptions()
"""Read what stands in the file, against what is known."""
