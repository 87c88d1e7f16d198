"""The tree of a plan in the terminal."""

from __future__ import annotations

import re

from remit.plans.plan import PlanTask
from remit.plans.showing import tree_text
from tests.unit.plans.showing.plans import after, payments, plan_of, random_plan, view_of

TREE = """\
Payments audit
plan.md

Wave 1  2 tasks
├─ [x] 001  Define the `contract`  ◆ critical path  high risk
│      1\N{EN DASH}2 d
│      owns contracts/audit.ts
└─ [ ] 005  Write the runbook  low risk
       2.5 d slack
       touches contracts/audit.ts

Wave 2  1 task
└─ [~] 002  Emit events  ◆ critical path  medium risk
       0.5 d · after 001
       touches contracts/audit.ts

Wave 3  1 task
└─ [!] 003  Retry failures  ◆ critical path  critical risk
       after 002

Wave 4  1 task
└─ [ ] 004  Cover all of it  ◆ critical path
       test · tester · after 001, 003

"""


def test_tree_tells_state_risk_estimate_and_order() -> None:
    """
    A plan without phases is told by waves, each task with what decides about it.
    """
    text = tree_text(view_of(payments()))

    assert TREE == text[: len(TREE)]


def test_tree_ends_with_what_follows() -> None:
    """
    The last lines are waves, critical path, parallelism, coverage, sums and findings.
    """
    lines = tree_text(view_of(payments())).splitlines()
    facts = {line[:22].strip(): line[24:] for line in lines[lines.index("") :] if line[:1].isupper()}

    assert "4  at most 2 tasks in one" == facts["Waves"]
    assert "4 tasks  001 → 002 → 003 → 004" == facts["Critical path by count"]
    assert facts["Parallelism"].startswith(("TEAM_ELIGIBLE  ", "SEQUENTIAL_ONLY  "))
    assert "1.5\N{EN DASH}2.5 d of work  3 tasks without estimate" == facts["Estimate"]
    assert "no findings" == facts["Findings"]


def test_tree_of_phases_tells_gates() -> None:
    """
    A plan with phases is told by phases; a gate stands at the end of its own.
    """
    lines = tree_text(view_of(random_plan(12, phase_count=3))).splitlines()

    assert ["Phase 0  4 tasks", "Phase 1  4 tasks", "Phase 2  4 tasks"] == [
        line for line in lines if line.startswith("Phase ")
    ]
    assert "└─ human gate G1  Somebody agrees" == lines[lines.index("Phase 2  4 tasks") - 2]


def test_tree_is_harmless_to_terminals() -> None:
    """
    Escapes, line breaks and marks that turn text around are replaced or become spaces.
    """
    text = "a\x1b[31m\nb\u202ec\x07"
    tree = tree_text(view_of(plan_of(PlanTask(id=text, title=text, role=text, depends_on=after(text)), title=text)))

    assert [] == re.findall(r"[\x00-\x09\x0b-\x1f\u202e]", tree)
    assert "a\N{REPLACEMENT CHARACTER}[31m b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}" in tree
