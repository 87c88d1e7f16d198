"""``python -m tests.integration.faults.page``: write the matrix as a page for readers.

Owns: the page's text, made of the table that the matrix is compared with. Does not know: how a run comes to its end.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from remit_commerce.simulators.faults import BEFORE, STRIPE_ONLY, FaultKind
from tests.integration.faults.expected import expected
from tests.integration.faults.scenarios import ATTEMPTS_MAX, SCENARIOS

PAGE: Final = Path(__file__).parents[3] / "docs" / "assurance" / "provider-faults.md"
CLASSES: Final = ("pure", "local", "keyed", "keyed, past the window", "queryable", "opaque")

HEAD: Final = """# What becomes of a call when its provider fails

This page is written by `python -m tests.integration.faults.page`, and a test compares it with the table that the
matrix of faults and tools is run against (`tests/integration/faults/test_matrix.py`): every cell below is a run of the
real kernel on PostgreSQL against simulated providers with books of their own. Afterwards an auditor that shares no code
with the kernel compares books and receipts, one row each way: no effect twice, none without a receipt or a parked step
that names it.

- **done**: the step completed. Its effect is in the provider's book once, and has one receipt.
- **failed**: proven to have had no effect, and trying again is of no use.
- **unknown**: nobody can tell, so it waits for a person, with this reason.

A fault is met once; a call has at most {attempts} attempts, with the same key. `Executed` says whether the provider did
the work. A cell holds for all tools of its class but those that are named in it.
"""

TAIL: Final = """
Two faults in a row end as the last one says; a worker that dies right after a fault leaves the same ends, but that
every opaque call in flight is `unknown: EFFECT_UNKNOWN` (`test_combinations.py`). What the matrix would find is in
`test_planted_bugs.py`. Sequences at random, with their figures: `campaigns/provider-faults.json`.

Not promised, so not in the table: a provider that executes a request after its caller gave up (`late`), de-duplicates
nothing and is looked up in between. The look-up is truthful when it is made and wrong a moment later.

## Tools by class

"""


def page() -> str:
    """Return the page's text."""
    lines = [HEAD.format(attempts=ATTEMPTS_MAX), f"| Fault | Executed | {' | '.join(CLASSES)} |"]
    lines.append("|---" * (len(CLASSES) + 2) + "|")
    for kind in FaultKind:
        executed = "no" if kind in BEFORE or kind is FaultKind.STORED_ERROR_BEFORE else "yes"
        only = " (Stripe)" if kind in STRIPE_ONLY else ""
        cells = [_cell(delivery, kind) for delivery in CLASSES]
        lines.append(f"| `{kind.value}`{only} | {executed} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n" + TAIL
    return text + "\n".join(f"- **{delivery}**: {_tools(delivery)}" for delivery in CLASSES) + "\n"


def _cell(delivery: str, kind: FaultKind) -> str:
    """Return what becomes of a class's tools under a fault: what most of them do, then those that differ."""
    found = {
        scenario.tool: expected(scenario, kind)
        for scenario in SCENARIOS
        if scenario.delivery == delivery and kind in scenario.kinds()
    }
    if not found:
        return "-"
    outcomes = list(found.values())
    usual = max(dict.fromkeys(outcomes), key=outcomes.count)
    others = [f"`{tool}`: {outcome}" for tool, outcome in found.items() if outcome != usual]
    return "; ".join([usual, *others])


def _tools(delivery: str) -> str:
    return ", ".join(f"`{scenario.tool}`" for scenario in SCENARIOS if scenario.delivery == delivery)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"written: {PAGE}\n")
