"""The entrance of the format: does a text look like a delivery plan, and reading it.

Owns: likeness, and text → plan.
Does not know: other formats.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.delivery.lines import phase_heading
from remit.plans.delivery.planning import plan_of
from remit.plans.delivery.reading import read_paired
from remit.plans.options import PlanOptions
from remit.plans.plan import Plan
from remit.plans.texts import PlanReporter, PlanText

_ITEM: Final = re.compile(
    r"\s{0,12}(?:[-*+•] {0,3}|\d{1,3}[.)] {1,3})"
    r"(?:\[[^\]\n]{0,3}\] {0,3}(?P<role>\*{0,2}[(\[][BTHbth](?:/[BTH]){0,2}[)\]])?"
    r"|[^\w\s\[(]{1,2} {1,3}(?P<other>\*{0,2}\([BTH](?:/[BTH]){0,2}\)))"
)
_UNDERLINE: Final = re.compile(r" {0,3}(?:={3,}|-{3,})\s*")
_HEADING: Final = re.compile(r" {0,3}#{1,6} {1,4}(?P<text>\S.{0,200})")


def likeness(text: PlanText) -> int:
    """Return from 0 to 100 how much a text looks like a delivery plan: phases, and items for builder and tester."""
    phases = items = with_roles = 0
    is_code = False
    above = ""
    for line in text.lines:
        if line.text.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        if is_code:
            continue
        if above and _UNDERLINE.fullmatch(line.text):
            phases += phase_heading(above, 0) is not None
        above = line.text.strip()[:200]
        heading = _HEADING.match(line.text)
        if heading is not None:
            phases += phase_heading(heading["text"], 0) is not None
            continue
        item = _ITEM.match(line.text)
        if item is not None:
            items += 1
            with_roles += item["role"] is not None or item["other"] is not None
    if with_roles:
        return 95 if phases else 30
    return 40 if items and phases else 0


def read(text: PlanText, reporter: PlanReporter, _options: PlanOptions) -> Plan | None:
    """Return the plan of a text; what is wrong is reported."""
    found = read_paired(text, reporter)
    return None if found is None else plan_of(*found)
