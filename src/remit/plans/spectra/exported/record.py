"""What ``plan.json`` says beside the plan: of which document it was made.

Owns: the records.
Does not know: texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from remit.plans.spectra.record import SpectraPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The document that a plan was exported from.

    ``source_hash`` is the SHA-256 of its bytes in hexadecimal digits, ``None`` if it is not known; ``lines`` has the
    number of the line of each task's check mark, of a task without one that of its header.
    """

    source_hash: str | None
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPlan:
    """A plan as it was read from ``plan.json``."""

    plan: SpectraPlan
    origin: Origin
