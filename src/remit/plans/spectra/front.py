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
from remit.plans.spectra.reading import read_spectra
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
    start = text.text[:_LOOKED_AT]
    if not start.strip():
        return 0
    score = 40 * bool(_TITLE.search(start))
    if _TASK.search(start):
        score += 25 + 15 * bool(_CHECKBOX.search(start))
    return score + 20 * bool(_FIELD.search(start)) * bool(score or _CHECKBOX.search(start))


def read(text: PlanText, reporter: PlanReporter, options: PlanOptions) -> Plan | None:
    """Return the common plan of a text; whatever is wrong is reported."""
    reading = read_spectra(text, reporter, level=options.level)
    check_spectra(reading, reporter)
    return to_plan(reading.plan, level=reading.level)
