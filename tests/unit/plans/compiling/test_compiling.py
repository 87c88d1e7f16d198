"""Compiling plans: what is refused, what is told, and what each part of a plan becomes."""

from __future__ import annotations

from typing import Any

import pytest

from remit.core.definition import GateStep, LoopStep, ToolStep
from remit.errors import InputInvalidError
from remit.plans.compiling import CompileSettings
from remit.plans.plan import (
    Dependency,
    HumanGate,
    PathClaim,
    PlanPhase,
    RiskClass,
    TaskKind,
    TaskState,
    Text,
)
from tests.property.compiled_plans import compiled, rendered
from tests.unit.plans.compiling.building import OWNED, claims, codes_of, plan, shape_of, task


def test_exit_criteria_without_a_gate_are_told_of() -> None:
    """
    A phase with criteria that no person is asked about is named, unless nothing of it is left to do.
    """
    criteria = (Text(text="Demo seen."),)
    phases = (
        PlanPhase(id="1", title="One", exit_criteria=criteria),
        PlanPhase(id="2", title="Two", exit_criteria=criteria, gate=HumanGate(id="A", title="Demo")),
        PlanPhase(id="3", title="Three", exit_criteria=criteria),
    )
    tasks = [task("1", phase="1", state=TaskState.DONE), task("2", phase="2"), task("3", phase="3")]
    _, findings = compiled(plan(*tasks, phases=phases))

    (said,) = [finding.message for finding in findings if finding.code == "COMPILE_CRITERIA_UNREAD"]
    assert "of phase 3," in said


def test_gate_names_every_reason_once() -> None:
    """
    A task that is of high risk and marked for a decision is asked about once, with both reasons.
    """
    made = plan(task("1", risk=RiskClass.HIGH, decisions=(Text(text="decision/major"),)))
    compilation, _ = compiled(made)
    assert compilation is not None
    (gate,) = [step for step in compilation.definition.steps if isinstance(step, GateStep)]

    assert ("Its risk is high.", "It is marked decision/major.", "It may change: src/a.ts.") == gate.criteria


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"owns": (), "files": OWNED}, ["COMPILE_SCOPE_FROM_FILES"]),
        ({"owns": ()}, ["COMPILE_SCOPE_OPEN"]),
        ({"verify": ()}, ["COMPILE_VERIFY_OPEN"]),
        ({"state": TaskState.DONE}, ["COMPILE_NOTHING_LEFT"]),
        ({"iterations_max": 0}, ["COMPILE_ITERATIONS"]),
        ({"iterations_max": 101}, ["COMPILE_ITERATIONS"]),
        ({"reads": (PathClaim(path="/etc/passwd", written="/etc/passwd"),)}, ["COMPILE_PATH_OUTSIDE"]),
        ({"owns": (PathClaim(path="a/../../b", written="a/../../b"),)}, ["COMPILE_PATH_OUTSIDE"]),
        ({"depends_on": (Dependency(id="1"), Dependency(id="2"))}, ["COMPILE_REFUSED"]),
        ({"objective": "Use Bearer abcdefghijklmnopqrstuvwxyz"}, ["COMPILE_REFUSED"]),
        ({"objective": "x" * 20_001}, ["COMPILE_REFUSED"]),
    ],
    ids=["files", "paths", "verify", "done", "none", "many", "absolute", "upwards", "cycle", "secret", "long"],
)
def test_compiler_says_what_it_decides_and_refuses(changes: dict[str, Any], expected: list[str]) -> None:
    """
    Everything that is not in the plan, and everything that cannot be compiled, is said once.
    """
    other = task("2", "1") if "depends_on" in changes else None
    made = plan(*(one for one in (task("1", **changes), other) if one is not None))

    assert expected == codes_of(made)


def test_gate_shows_all_of_what_is_agreed_to() -> None:
    """
    Nothing that a person agrees to is cut off: not the hundredth criterion, not the last path, not a long decision.
    """
    paths = claims(*(f"src/{'x' * 40}/{number}.ts" for number in range(60)))
    criteria = tuple(Text(text=f"criterion {number}") for number in range(250))
    made = plan(
        task("1", owns=paths, risk=RiskClass.HIGH),
        task("2", kind=TaskKind.HUMAN_GATE, criteria=criteria),
        decisions=(Text(text="whether " * 100),),
    )
    compilation, _ = compiled(made)
    assert compilation is not None
    decision, approval, human = (step for step in compilation.definition.steps if isinstance(step, GateStep))

    assert all(path.path in " ".join(approval.criteria) for path in paths)
    assert 100 == len(human.criteria)
    assert all(f"criterion {number}" in " ".join(human.criteria) for number in range(250))
    assert ("whether " * 100).strip() in decision.criteria[0]


def test_every_call_fits_into_the_bounds_of_the_run() -> None:
    """
    A run in which each call takes as long as it may is not stopped by the run's own bounds.
    """
    made = plan(
        task("1", iterations_max=3, verify=(Text(text="a"), Text(text="b"))),
        task("2", "1", assertions=(Text(text='GREP a "x" EXISTS'),), wiring_commands=(Text(text="make e2e"),)),
    )
    compilation, _ = compiled(made)
    assert compilation is not None
    loops = [step for step in compilation.definition.steps if isinstance(step, LoopStep)]
    longest = sum(
        loop.iterations_max * (call.timeout_ms or 0)
        for loop in loops
        for call in loop.body
        if isinstance(call, ToolStep)
    )

    assert longest == compilation.definition.bounds.active_seconds_max * 1_000 > 0
    assert 3 * 3 + 5 * 4 == compilation.definition.bounds.tool_calls_max


def test_text_of_a_plan_is_never_evaluated() -> None:
    """
    What looks like an expression, in this language or another, arrives as it stands in the plan.
    """
    odd = "${{ input.workspace }} $${{ a }} $$${{ b }} {{ steps.x.output }} $.a.b ${{ unclosed"
    made = plan(
        task(
            odd,
            title=odd,
            objective=odd,
            criteria=(Text(text=odd),),
            owns=claims("a/${{ x }}"),
            verify=(Text(text=odd),),
            assertions=(Text(text=odd),),
            wiring=(Text(text=odd),),
            risk=RiskClass.HIGH,
        ),
        title=odd,
        objective=odd,
        decisions=(Text(text=odd),),
    )
    compilation, findings = compiled(made)
    assert compilation is not None, [finding.message for finding in findings]
    (loop,) = [step for step in compilation.definition.steps if isinstance(step, LoopStep)]
    change, verify, judge, wiring = (step.input for step in loop.body if isinstance(step, ToolStep))

    assert [odd] * 3 == [rendered(change[name]) for name in ("task", "title", "objective")]
    assert (odd, [odd], [odd]) == (
        rendered(verify["command"]),
        rendered(judge["assertions"]),
        rendered(wiring["integration"]),
    )
    assert ["a/${{ x }}"] == rendered(change["write"])


def test_principals_get_the_tools_that_they_call() -> None:
    """
    Without test tasks the tester has no scope that changes code, and the builder none that verifies: each verifies what
    the other changed.
    """
    work, _ = compiled(plan(task("1")))
    both, _ = compiled(plan(task("1"), task("2", "1", kind=TaskKind.TEST)))
    assert work is not None
    assert both is not None

    assert {("code.change", ("build-agent",)), ("code.verify", ("test-agent",))} == {
        (scope.tool, scope.principals) for scope in work.remit.scopes
    }
    assert {("code.change", ("build-agent", "test-agent")), ("code.verify", ("build-agent", "test-agent"))} == {
        (scope.tool, scope.principals) for scope in both.remit.scopes
    }


def test_ids_that_look_alike_stay_apart() -> None:
    """
    Ids of a plan become ids that expressions can use, and none is another's.
    """
    ids = ("P1-01", "P1.01", "p1 01", "任务", "タスク", "1_change", "1")
    made = plan(*(task(name, *(["P1-01"] if name == "p1 01" else []), owns=()) for name in ids))
    shape = shape_of(made)

    assert ["task_p1_01", "task_p1_01_2", "task_p1_01_3", "task", "task_2", "task_1_change", "task_1"] == list(shape)
    assert ("task_p1_01",) == shape["task_p1_01_3"]


def test_every_proof_is_asked_for() -> None:
    """
    Commands, assertions and proofs of wiring all judge a change, commands first.
    """
    proofs = (Text(text="make e2e"), Text(text="handler -> publisher"))
    made = plan(
        task(
            "1",
            verify=(Text(text="`make test`"), Text(text="make lint"), Text(text="make test")),
            assertions=(Text(text='GREP a.ts "x" EXISTS'),),
            wiring=proofs,
            wiring_commands=proofs[:1],
        )
    )
    compilation, _ = compiled(made)
    assert compilation is not None
    (loop,) = compilation.definition.steps
    assert isinstance(loop, LoopStep)
    calls = [(step.tool, step.input) for step in loop.body if isinstance(step, ToolStep)][1:]

    assert ["code.verify", "code.verify", "code.assert", "code.prove_wiring"] == [tool for tool, _ in calls]
    assert ["make test", "make lint"] == [given["command"] for _, given in calls[:2]]
    assert (["make e2e"], ["handler -> publisher"], ["src/a.ts"]) == tuple(
        calls[3][1][name] for name in ("cli", "integration", "owns")
    )


def test_same_plan_gives_the_same_bytes() -> None:
    """
    Compiling is a function: nothing of when or where it runs is in the document.
    """
    made = plan(task("2", risk=RiskClass.HIGH), task("1", "2"), level=3)

    assert compiled(made)[0] == compiled(made)[0]


def test_plan_of_hundreds_of_tasks_compiles() -> None:
    """
    Its document is larger than people write, and accepted all the same.
    """
    made = plan(*(task(str(number), owns=claims(f"{number}.ts")) for number in range(300)), level=3)
    compilation, findings = compiled(made)

    assert compilation is not None
    assert [] == list(findings)
    assert len(compilation.text) > 256 * 1024


def test_plan_too_large_for_an_orchestration_is_refused() -> None:
    """
    A plan of thousands of tasks is refused in a sentence that says what to do, in time that grows with it.
    """
    criteria = tuple(Text(text="word " * 4_000) for _ in range(10))
    made = plan(*(task(str(number), owns=claims(f"{number}.ts"), criteria=criteria) for number in range(25)), level=3)
    compilation, findings = compiled(made)

    assert compilation is None
    assert ["COMPILE_REFUSED"] == [finding.code for finding in findings]
    assert "split the plan" in next(iter(findings)).message


@pytest.mark.parametrize(
    "changes",
    [
        {"builder": "same", "tester": "same"},
        {"approvers": ()},
        {"approvers": ("ada", "builder")},
        {"approvers": ("tester",)},
        {"builder": "role:builder"},
        {"tester": "no name"},
        {"approvers": ("role:",)},
        {"name": "No Name"},
    ],
    ids=[
        "one-principal",
        "nobody-decides",
        "builder-decides",
        "tester-decides",
        "role-acts",
        "tester-unnamed",
        "role-unnamed",
        "name-unusable",
    ],
)
def test_settings_keep_work_and_judgement_apart(changes: dict[str, Any]) -> None:
    """
    Nobody verifies their own work, and nobody decides about it.
    """
    with pytest.raises(InputInvalidError):
        CompileSettings(**changes)
