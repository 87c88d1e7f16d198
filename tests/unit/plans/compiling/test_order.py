"""The order of compiled steps: what waits for what, and for whom."""

from __future__ import annotations

from typing import Any

import pytest

from remit.core.definition import GateStep, TimerStep
from remit.plans.plan import (
    DeclaredParallelism,
    HumanGate,
    PlanFormat,
    PlanPhase,
    TaskKind,
    TaskState,
    Text,
)
from tests.property.compiled_plans import compiled
from tests.unit.plans.compiling.building import claims, codes_of, plan, shape_of, task


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
    first = [task(f"a{number}", owns=()) for number in range(40)]
    middle = task("m", *(one.id for one in first), state=TaskState.DONE)
    last = [task(f"b{number}", "m", owns=()) for number in range(40)]
    shape = shape_of(plan(*first, middle, *last))

    assert 81 == len(shape)
    assert 40 == len(shape["done_m"])
    assert {("done_m",)} == {shape[f"task_b{number}"] for number in range(40)}


def test_phases_meet_in_one_step() -> None:
    """
    Between phases of many tasks there is one step: dependencies grow with the tasks, not with their pairs.
    """
    tasks = [task(f"{phase}{number}", phase=phase, owns=()) for phase in "abc" for number in range(30)]
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


def test_tasks_that_change_one_file_never_run_together() -> None:
    """
    The plan gives them no order, so it is that of the document; folders and globs count, and it says so once.
    """
    made = plan(
        task("1", owns=claims("src/")),
        task("2", owns=claims("docs/a.md")),
        task("3", owns=(), touches=claims("src/x/y.ts")),
        task("4", owns=claims("**/*.ts")),
        task("5", "2", owns=claims("src/x/y.ts")),
        level=3,
    )

    assert {
        "task_1": (),
        "task_2": (),
        "task_3": ("task_1",),
        "task_4": ("task_3",),
        "task_5": ("task_2", "task_4"),
    } == {name: waits for name, waits in shape_of(made).items() if name != "release"}
    assert ["COMPILE_ORDERED"] == codes_of(made)


@pytest.mark.parametrize(
    "changes",
    [{"level": 2}, {"level": 3, "parallelism": DeclaredParallelism(recommendation="SEQUENTIAL_ONLY")}],
    ids=["level", "recommendation"],
)
def test_plan_for_one_worker_runs_one_task_at_a_time(changes: dict[str, Any]) -> None:
    """
    Below level 3, and where the plan says so, tasks follow one another as they stand in the document.
    """
    made = plan(*(task(name, owns=claims(f"{name}.ts")) for name in "123"), task("4", "1", owns=claims("4")), **changes)
    shape = shape_of(made)

    assert [(), ("task_1",), ("task_2",), ("task_1", "task_3")] == [shape[f"task_{name}"] for name in "1234"]
    assert ["COMPILE_ORDERED"] == codes_of(made)


def test_what_builds_on_work_waits_for_its_tests() -> None:
    """
    Work counts as done when its test passes; a test of two tasks cannot come before the second of them.
    """
    made = plan(
        task("build", owns=()),
        task("use", "build", owns=()),
        task("test build", "build", owns=(), kind=TaskKind.TEST),
        task("test both", "build", "use", owns=(), kind=TaskKind.TEST),
        task("sign off", "build", owns=(), kind=TaskKind.HUMAN_GATE),
    )

    assert {
        "task_build": (),
        "task_test_build": ("task_build",),
        "task_use": ("task_build", "task_test_build"),
        "task_test_both": ("task_build", "task_use", "task_test_build"),
        "decide_sign_off": ("task_build", "task_test_build"),
    } == shape_of(made)


def test_done_work_is_built_on_when_its_test_has_passed() -> None:
    """
    That work is marked as done says nothing of its test.
    """
    made = plan(
        task("1", state=TaskState.DONE, tests=("2",), owns=()),
        task("2", "1", kind=TaskKind.TEST, owns=()),
        task("3", "1", owns=()),
    )

    assert {"task_2": (), "task_3": ("task_2",)} == shape_of(made)


def test_issue_that_waits_for_other_files_waits_for_a_person() -> None:
    """
    Whether an issue of another file is done no run can see: somebody says so before the task begins.
    """
    made = plan(task("I-2", "I-1"), format=PlanFormat.ISSUE_CONTRACT)
    compilation, _ = compiled(made)
    assert compilation is not None
    (gate,) = [step for step in compilation.definition.steps if isinstance(step, GateStep)]

    assert {"approve_i_2": (), "task_i_2": ("approve_i_2",)} == shape_of(made)
    assert "It waits for I-1, which this plan does not have: that has to be done." == gate.criteria[0]


def test_mark_in_a_title_asks_the_owner() -> None:
    """
    Formats without labels can mark a decision too.
    """
    made = plan(task("1", title="decision/major: choose the database"), task("2", title="Read docs/decision/major.md"))

    assert ["approve_1", "task_1", "task_2"] == list(shape_of(made))


def test_stuck_task_waits_for_a_person() -> None:
    """
    A stuck task is compiled behind a gate, and a warning says so.
    """
    made = plan(task("1", state=TaskState.STUCK))

    assert {"approve_1": (), "task_1": ("approve_1",)} == shape_of(made)
    assert ["COMPILE_STUCK_GATED"] == codes_of(made)


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


def test_what_a_person_verifies_waits_for_one() -> None:
    """
    A command shows that something runs, not that somebody has seen it: what waits for the task waits for the review.
    """
    made = plan(task("1", verification="REVIEW", owns=()), task("2", "1", verification="TEST", owns=()))

    assert {"task_1": (), "review_1": ("task_1",), "task_2": ("review_1",)} == shape_of(made)
