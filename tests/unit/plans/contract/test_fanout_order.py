"""The one order of a fanout: features come before what verifies them."""

from __future__ import annotations

import json

from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import Plan, PlanFormat
from tests.property.compiled_plans import compiled


def fanout(*roles: str) -> Plan:
    tasks = [
        {
            "title": f"Implement part {number} in internal/store/", "role": role, "acceptance": ["stored"],
            "risk_class": "low", "max_diff_scope": 9, "invariants": ["cursor_monotonic"],
        }
        for number, role in enumerate(roles)
    ]  # fmt: skip
    raw = json.dumps({"tasks": tasks}).encode()
    reading = read_plan(raw, path="fanout.json", options=PlanOptions(format=PlanFormat.FANOUT))
    assert reading.plan is not None
    assert reading.analysis is not None
    return reading.plan


def test_what_is_built_comes_before_what_verifies_it() -> None:
    """
    QA tasks wait for all that is built, wherever they stand, and compiling says so.
    """
    compilation, diagnostics = compiled(fanout("qa", "developer", "planner", "qa"))
    assert compilation is not None
    shape = {step.id: step.depends_on for step in compilation.definition.steps}
    works = {name for name in shape if name.startswith(("task_developer", "task_planner"))}
    tests = {name for name in shape if name.startswith("task_qa")}

    assert works == set(shape["end_of_build"])
    assert {("end_of_build",)} == {shape[name] for name in tests}
    assert {2} == {len(works), len(tests)}
    assert "COMPILE_ORDERED" in {finding.code for finding in diagnostics}


def test_fanout_of_one_kind_has_no_order() -> None:
    """
    Where a fanout only builds, or only verifies, there is nothing to order and nothing to say.
    """
    for role in ("developer", "qa"):
        made = fanout(role, role)
        compilation, diagnostics = compiled(made)
        assert compilation is not None

        assert () == made.phases
        assert {()} == {step.depends_on for step in compilation.definition.steps}
        assert "COMPILE_ORDERED" not in {finding.code for finding in diagnostics}
