"""All finding codes: those of reading texts, those of plans, and those of the compile checks.

Owns: the joined table.
Does not know: the checks. ``docs/reference/diagnostics.md`` is the page, with an example of each code; a test compares
both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.diagnostics import CODES, Explanation
from remit.governance.findings import CHECK_CODES
from remit.plans.codes import compiling, contract, delivery, graph, spectra, task_table

_CHECKS: Final = "Graph, tools and policy"

_PLANS: Final = (
    ("Plans: texts, tasks and their graph", graph.ROWS),
    ("SPECTRA execution plans", spectra.ROWS),
    ("Task tables", task_table.ROWS),
    ("Delivery plans", delivery.ROWS),
    ("Planning contracts, fanout files, issue contracts", contract.ROWS),
    ("Compiling plans", compiling.ROWS),
)

PLAN_GROUPS: Final = frozenset(group for group, _ in _PLANS)
"""The groups whose codes plan documents may have."""


def _joined() -> dict[str, Explanation]:
    checks = {
        code: Explanation(code=code, group=_CHECKS, severity=severity, text=text)
        for code, (severity, text) in CHECK_CODES.items()
    }
    plans = [
        Explanation(code=code, group=group, severity=severity, text=text)
        for group, rows in _PLANS
        for code, severity, text in rows
    ]
    # What both know, the reader explains: it has seen the text.
    readers = {**CODES, **{explanation.code: explanation for explanation in plans}}
    assert len(readers) == len(CODES) + len(plans), "a code stands twice"
    return {**readers, **{code: explanation for code, explanation in checks.items() if code not in readers}}


ALL_CODES: Final[Mapping[str, Explanation]] = MappingProxyType(_joined())
"""Every code that a finding may have."""


def explain(code: str) -> Explanation | None:
    """Return the explanation of a code, in any case, or ``None`` for an unknown one."""
    return ALL_CODES.get(code.upper())
