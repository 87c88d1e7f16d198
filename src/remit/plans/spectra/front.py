"""The front-end of SPECTRA execution plans.

Owns: telling them from other formats, and the order of work: record, checks, common plan.
Does not know: grammar or checks.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.options import PlanOptions
from remit.plans.plan import Plan
from remit.plans.spectra.checks import check_spectra
from remit.plans.spectra.conversion import to_plan
from remit.plans.spectra.exported import is_exported, read_exported
from remit.plans.spectra.exported import likeness as exported_likeness
from remit.plans.spectra.exported.words import FIELD_NAMES
from remit.plans.spectra.reading import LEVEL_DEFAULT, SpectraReading, read_spectra
from remit.plans.texts import PlanReporter, PlanText

_TITLE: Final = re.compile(r"^#[ \t]+.{0,80}\bSPECTRA\b.{0,40}\bplan\b", re.IGNORECASE | re.MULTILINE)
_TASK: Final = re.compile(r"^#{2,4}[ \t]+Task[ \t]+[A-Za-z0-9][A-Za-z0-9._-]{0,30}[ \t]*[:.-]", re.MULTILINE)
_CHECKBOX: Final = re.compile(r"^- \[.?\] [A-Za-z0-9][A-Za-z0-9._-]{0,30}: ", re.MULTILINE)
_FIELD: Final = re.compile(
    r"^[-*] (?:\*\*)?(?:AC|Verify|Max[- ]iterations|File[- ]ownership|Wiring[- ]proof)(?:\*\*)?:", re.MULTILINE
)
_LOOKED_AT: Final = 200_000
"""So many characters tell what a text looks like."""


def likeness(text: PlanText) -> int:
    """Return how much a text looks like a SPECTRA plan: by its title, its task headers, check marks and fields."""
    if is_exported(text):
        return exported_likeness(text)
    start = text.text[:_LOOKED_AT]
    if not start.strip():
        return 0
    score = 40 * bool(_TITLE.search(start))
    if _TASK.search(start):
        score += 25 + 15 * bool(_CHECKBOX.search(start))
    return score + 20 * bool(_FIELD.search(start)) * bool(score or _CHECKBOX.search(start))


def read(text: PlanText, reporter: PlanReporter, options: PlanOptions) -> Plan | None:
    """Return the common plan of a text; whatever is wrong is reported."""
    reading = read_any(text, reporter, level=options.level)
    if reading is None:
        return None
    check_spectra(reading, reporter)
    return to_plan(reading.plan, level=reading.level)


def read_any(text: PlanText, reporter: PlanReporter, *, level: int | None = None) -> SpectraReading | None:
    """Return the record of a plan in either form, Markdown or ``plan.json``; ``None`` if it is JSON without a plan.

    Args:
        text: The document.
        reporter: Where findings go.
        level: The level that counts, whatever the document says; without it the document's, or 1.
    """
    if not is_exported(text):
        return read_spectra(text, reporter, level=level)
    found = read_exported(text, reporter)
    if found is None:
        return None
    used = found.plan.level if level is None else level
    return SpectraReading(
        plan=found.plan,
        level=LEVEL_DEFAULT if used is None else used,
        assessment_at=None if found.plan.parallelism is None else found.plan.parallelism.at,
        field_names=FIELD_NAMES,
    )
