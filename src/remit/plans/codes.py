"""All finding codes: those of reading texts and those of the compile checks.

Owns: the joined table and its reference page.
Does not know: the checks. ``docs/reference/finding-codes.md`` is the page; a test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.diagnostics import CODES, Explanation
from remit.governance.findings import CHECK_CODES

_CHECKS: Final = "Graph, tools and policy"


def _joined() -> dict[str, Explanation]:
    checks = {
        code: Explanation(code=code, group=_CHECKS, severity=severity, text=text)
        for code, (severity, text) in CHECK_CODES.items()
    }
    # What both know, the reader explains: it has seen the text.
    return {**CODES, **{code: explanation for code, explanation in checks.items() if code not in CODES}}


ALL_CODES: Final[Mapping[str, Explanation]] = MappingProxyType(_joined())
"""Every code that a finding may have."""


def explain(code: str) -> Explanation | None:
    """Return the explanation of a code, in any case, or ``None`` for an unknown one."""
    return ALL_CODES.get(code.upper())


def codes_page() -> str:
    """Return the reference page of all codes, as Markdown."""
    lines = [
        "# Finding codes",
        "",
        "What `remit check` may find in a file. Each finding has a place, a code and a message that says what was",
        "expected, what was found and what to do. An **error** blocks, a **warning** is likely a mistake, a **note**",
        "only informs. Codes keep their meaning. This page is made from `remit.plans.codes`.",
    ]
    for group in dict.fromkeys(explanation.group for explanation in ALL_CODES.values()):
        rows = [explanation for explanation in ALL_CODES.values() if explanation.group == group]
        lines += ["", f"## {group}", "", "| Code | Severity | Meaning |", "|---|---|---|"]
        lines += [f"| `{row.code}` | {row.severity.value} | {row.text} |" for row in rows]
    return "\n".join(lines) + "\n"
