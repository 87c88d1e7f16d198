"""Compiling plans: what is refused, what is told, and what each part of a plan becomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remit.core.definition import GateStep, LoopStep, TimerStep, ToolStep
from remit.errors import InputInvalidError
from remit.plans.compiling import CompileSettings
from remit.plans.plan import (
    Dependency,
    HumanGate,
    PathClaim,
    Plan,
    PlanFormat,
    PlanPhase,
    PlanTask,
    RiskClass,
    TaskKind,
    TaskState,
    Text,
)
from tests.property.compiled_plans import change_of, compiled, read_back

OWNED = (PathClaim(path="src/a.ts", written="src/a.ts"),)


def task(task_id: str, *before: str, **changes: Any) -> PlanTask:
    fields: dict[str, Any] = {
        "title": f"Do {task_id}",
        "depends_on": tuple(Dependency(id=name) for name in before),
        "owns": OWNED,
        "verify": (Text(text="make test"),),
    }
    return PlanTask(id=task_id, **(fields | changes))


def plan(*tasks: PlanTask, **changes: Any) -> Plan:
    fields: dict[str, Any] = {"format": PlanFormat.SPECTRA, "title": "A plan"}
    return Plan(tasks=tasks, **(fields | changes))


def codes_of(made: Plan) -> list[str]:
    """Return the codes of what the compiler says of a plan."""
    return [finding.code for finding in compiled(made)[1]]


def shape_of(made: Plan) -> dict[str, tuple[str, ...]]:
    """Return the steps of a compiled plan with what they wait for."""
    compilation, _ = compiled(made)
    assert compilation is not None
    return {step.id: step.depends_on for step in compilation.definition.steps}


def test_done_task_is_passed_over() -> None:
    """
    What waited for a task that is done waits for what came before it, and it says so.
    """
    made = plan(task("1"), task("2", "1", state=TaskState.DONE), task("3", "2"))

    assert {"task_1": (), "task_3": ("task_1",)} == shape_of(made)
    assert ["COMPILE_DONE_SKIPPED"] == codes_of(made)


def test_done_task_between_many_is_a_join() -> None:
    """
    A done task with many before and many behind it takes one step, not one dependency for each pair.
    """
    first = [task(f"a{number}") for number in range(40)]
    middle = task("m", *(one.id for one in first), state=TaskState.DONE)
    last = [task(f"b{number}", "m") for number in range(40)]
    shape = shape_of(plan(*first, middle, *last))

    assert 81 == len(shape)
    assert 40 == len(shape["done_m"])
    assert {("done_m",)} == {shape[f"task_b{number}"] for number in range(40)}


def test_phases_meet_in_one_step() -> None:
    """
    Between phases of many tasks there is one step: dependencies grow with the tasks, not with their pairs.
    """
    tasks = [task(f"{phase}{number}", phase=phase) for phase in "abc" for number in range(30)]
    phases = tuple(PlanPhase(id=name, title=name) for name in "abc")
    compilation, _ = compiled(plan(*tasks, phases=phases))
    assert compilation is not None
    shape = {step.id: step.depends_on for step in compilation.definition.steps}

    assert 92 == len(shape)
    assert 30 + 30 + 30 + 30 == sum(map(len, shape.values()))
    assert isinstance(next(step for step in compilation.definition.steps if step.id == "end_of_a"), TimerStep)


def test_gate_of_a_finished_phase_is_asked_all_the_same() -> None:
    """
    That every task of a phase is done does not mean that somebody agreed.
    """
    gate = HumanGate(id="A", title="Demo", criteria=(Text(text="It runs."),))
    phases = (PlanPhase(id="1", title="One", gate=gate), PlanPhase(id="2", title="Two"))
    made = plan(task("1", phase="1", state=TaskState.DONE), task("2", phase="2"), phases=phases)

    assert {"gate_a": (), "task_2": ("gate_a",)} == shape_of(made)


def test_stuck_task_waits_for_a_person() -> None:
    """
    A stuck task is compiled behind a gate, and a warning says so.
    """
    made = plan(task("1", state=TaskState.STUCK))

    assert {"approve_1": (), "task_1": ("approve_1",)} == shape_of(made)
    assert ["COMPILE_STUCK_GATED"] == codes_of(made)


def test_gate_names_every_reason_once() -> None:
    """
    A task that is of high risk and marked for a decision is asked about once, with both reasons.
    """
    made = plan(task("1", risk=RiskClass.HIGH, decisions=(Text(text="decision/major"),)))
    compilation, _ = compiled(made)
    assert compilation is not None
    (gate,) = [step for step in compilation.definition.steps if isinstance(step, GateStep)]

    assert ("Its risk is high.", "It is marked decision/major.", "It may change: src/a.ts.") == gate.criteria


def test_task_of_a_person_is_a_gate() -> None:
    """
    What only a person can do is asked of one, and its criteria are what they look at.
    """
    made = plan(task("1"), task("2", "1", kind=TaskKind.HUMAN_GATE, criteria=(Text(text="It reads well."),)))
    compilation, _ = compiled(made)
    assert compilation is not None
    gate = compilation.definition.steps[-1]
    assert isinstance(gate, GateStep)

    assert ("decide_2", ("task_1",), ("It reads well.",)) == (gate.id, gate.depends_on, gate.criteria)


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


def test_files_are_a_write_scope_in_spectra_only() -> None:
    """
    In other formats a file that is mentioned need not be one that is changed.
    """
    made = plan(task("1", owns=(), files=OWNED))
    spectra, _ = compiled(made)
    other, _ = compiled(replace(made, format=PlanFormat.DELIVERY_PLAN))
    assert spectra is not None
    assert other is not None

    assert ["src/a.ts"] == change_of(read_back(spectra.definition).works["1"]).input["write"]
    assert "${{ input.write.task_1 }}" == change_of(read_back(other.definition).works["1"]).input["write"]
    assert ("whole-workspace",) == tuple(rule.id for rule in other.remit.approval_rules)
    assert () == spectra.remit.approval_rules


def test_principals_get_the_tools_that_they_call() -> None:
    """
    Without test tasks the tester has no scope that changes code; the builder never verifies.
    """
    work, _ = compiled(plan(task("1")))
    both, _ = compiled(plan(task("1"), task("2", "1", kind=TaskKind.TEST)))
    assert work is not None
    assert both is not None

    assert {("code.change", ("build-agent",)), ("code.verify", ("test-agent",))} == {
        (scope.tool, scope.principals) for scope in work.remit.scopes
    }
    assert {("code.change", ("build-agent", "test-agent")), ("code.verify", ("test-agent",))} == {
        (scope.tool, scope.principals) for scope in both.remit.scopes
    }


def test_ids_that_look_alike_stay_apart() -> None:
    """
    Ids of a plan become ids that expressions can use, and none is another's.
    """
    made = plan(
        task("P1-01"), task("P1.01"), task("p1 01", "P1-01"), task("任务"), task("タスク"), task("1_change"), task("1")
    )
    shape = shape_of(made)

    assert ["task_p1_01", "task_p1_01_2", "task", "task_2", "task_1_change", "task_1", "task_p1_01_3"] == list(shape)
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


def test_plan_too_large_for_a_document_is_refused() -> None:
    """
    A plan of thousands of tasks is refused in a sentence, in time that grows with it.
    """
    made = plan(*(task(str(number)) for number in range(5_000)))
    compilation, findings = compiled(made)

    assert compilation is None
    assert ["COMPILE_REFUSED"] == [finding.code for finding in findings]
    assert "DOCUMENT_TOO_LARGE" in next(iter(findings)).message


@pytest.mark.parametrize(
    "changes",
    [
        {"builder": "same", "tester": "same"},
        {"approvers": ()},
        {"approvers": ("ada", "builder")},
        {"approvers": ("tester",)},
    ],
    ids=["one-principal", "nobody-decides", "builder-decides", "tester-decides"],
)
def test_settings_keep_work_and_judgement_apart(changes: dict[str, Any]) -> None:
    """
    Nobody verifies their own work, and nobody decides about it.
    """
    with pytest.raises(InputInvalidError):
        CompileSettings(**changes)
