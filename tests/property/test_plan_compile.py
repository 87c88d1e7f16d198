"""Laws of the compiler, for any sound plan; each is read off the compiled definition, not off its text."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from remit.core.definition import GateStep, ToolStep
from remit.core.expressions import compile_expression
from remit.core.program import LOOP_ROOTS
from remit.plans.kinds import check_document
from remit.plans.plan import Plan, RiskClass, TaskKind, TaskState
from tests.property.compiled_plans import (
    REGISTRY,
    SETTINGS,
    Reading,
    change_of,
    compiled,
    read_back,
    rendered,
    sound_plans,
)
from tests.property.plan_graphs import closure, pairs_of

LAWS = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
HIGH = {RiskClass.HIGH, RiskClass.CRITICAL}


def reading_of(plan: Plan) -> Reading:
    compilation, _ = compiled(plan)
    assert compilation is not None
    return read_back(compilation.definition)


@LAWS
@given(sound_plans())
def test_compiled_plan_passes_the_check(plan: Plan) -> None:
    """
    The document and the remit file are accepted by `remit check`, together; nothing but notes is found of them.
    """
    compilation, diagnostics = compiled(plan)
    assert compilation is not None, [finding.message for finding in diagnostics]
    remit = check_document(compilation.remit_text.encode(), path="remit.yaml", contracts=REGISTRY)
    checked = check_document(
        compilation.text.encode(), path="orchestration.yaml", contracts=REGISTRY, policy=compilation.remit
    )

    assert compilation.remit == remit.compiled
    assert compilation.definition == checked.compiled
    assert [] == [
        finding for finding in checked.diagnostics if finding.code not in {"DEFINITION_UNRUNNABLE", "TEMPLATE_FOREIGN"}
    ]
    assert [] == list(remit.diagnostics)


@LAWS
@given(sound_plans())
def test_order_is_that_of_the_plan(plan: Plan) -> None:
    """
    Of two tasks that are worked on, one comes before the other if it does in the plan. Otherwise it does only if both
    change one path, or only one task may run at a time; and then one of them does.
    """
    reading = reading_of(plan)
    names = [task.id for task in plan.tasks]
    said = pairs_of(plan)
    found = {
        (one, other)
        for one, first in reading.works.items()
        for other, second in reading.works.items()
        if first.id in reading.before[second.id]
    }
    changed = {task.id: {claim.path for claim in (*task.owns, *task.touches)} for task in plan.tasks}
    is_single = plan.level is not None and plan.level < 3
    apart = {
        (one, other)
        for one in reading.works
        for other in reading.works
        if one != other and (is_single or changed[one] & changed[other])
    }
    expected = {pair for pair in closure(names, said | (found & apart)) if set(pair) <= reading.works.keys()}

    assert expected == found
    assert all((one, other) in found or (other, one) in found for one, other in apart)
    assert {
        task.id for task in plan.tasks if task.state is not TaskState.DONE and task.kind is not TaskKind.HUMAN_GATE
    } == (reading.works.keys())


@LAWS
@given(sound_plans())
def test_scope_is_what_is_owned_and_touched(plan: Plan) -> None:
    """
    A task may change what it owns and touches and nothing else; without either the run's input has to say it.
    """
    reading = reading_of(plan)
    for task in plan.tasks:
        if task.id not in reading.works:
            continue
        loop = reading.works[task.id]
        order = change_of(loop).input
        claimed = {claim.path for claim in (*task.owns, *task.touches)}

        if claimed:
            assert claimed == set(rendered(order["write"]))  # type: ignore[arg-type]  # a list of paths
        else:
            assert f"${{{{ input.write.{loop.id} }}}}" == order["write"]
        assert [claim.path for claim in task.denied] == [*dict.fromkeys(rendered(order["denied"]))] or task.denied  # type: ignore[arg-type]
        assert task.files_max == order.get("files_max")


@LAWS
@given(sound_plans())
def test_dangerous_task_is_behind_a_gate_of_its_own(plan: Plan) -> None:
    """
    A task of high or critical risk, one that is stuck and one marked for a decision cannot begin before a gate about it
    has passed: the gate is among what its step waits for, has no condition, and fails the run when it is refused.
    """
    reading = reading_of(plan)
    for task in plan.tasks:
        if task.id not in reading.works:
            continue
        loop = reading.works[task.id]
        gates = [
            gate for gate in reading.gates_before(loop.id) if gate.question.startswith(f"May task {task.id} begin: ")
        ]
        needs_one = task.risk in HIGH or task.state is TaskState.STUCK or bool(task.decisions)

        assert needs_one == bool(gates)
        for gate in gates:
            assert (None, "fail", ("ada", "role:owner")) == (gate.condition, gate.on_failure, gate.approvers)
            assert gate.id == loop.depends_on[0]


@LAWS
@given(sound_plans())
def test_everything_waits_for_open_decisions_and_gates_of_phases(plan: Plan) -> None:
    """
    Every decision of the plan stands before every task, every gate of a phase before every task of later phases.
    """
    reading = reading_of(plan)
    positions = {phase.id: place for place, phase in enumerate(plan.phases)}
    phased = [phase for phase in plan.phases if phase.gate is not None]
    for task in plan.tasks:
        if task.id not in reading.works:
            continue
        gates = reading.gates_before(reading.works[task.id].id)
        earlier = 0 if task.phase is None else sum(positions[phase.id] < positions[task.phase] for phase in phased)

        assert len(plan.decisions) == sum(gate.options == ("continue", "narrow", "stop") for gate in gates)
        assert earlier == sum(gate.id.startswith("gate") for gate in gates)
    assert len(phased) == sum(step_id.startswith("gate") for step_id in reading.steps)


@LAWS
@given(sound_plans())
def test_change_is_judged_by_another_before_the_loop_ends(plan: Plan) -> None:
    """
    In each loop the change comes first, everything else after it and in the other's name, and all of it has to pass.
    """
    reading = reading_of(plan)
    for task in plan.tasks:
        if task.id not in reading.works:
            continue
        loop = reading.works[task.id]
        change, *judges = loop.body
        until = compile_expression(loop.until, roots=LOOP_ROOTS)
        pair = (SETTINGS.builder, SETTINGS.tester)
        changer, other = reversed(pair) if task.kind is TaskKind.TEST else pair

        assert changer == change_of(loop).principal
        assert judges
        for before, judge in zip(loop.body, judges, strict=False):
            assert (before.id,) == judge.depends_on
            assert isinstance(judge, ToolStep)
            assert other == judge.principal
        assert {("steps", judge.id, "output", "passed") for judge in judges} == until.references
        assert {judge.id for judge in judges} == set(loop.feedback or {})  # type: ignore[call-overload]  # a mapping
        assert (task.iterations_max or 5) == loop.iterations_max
        assert not change.depends_on


@LAWS
@given(sound_plans())
def test_what_a_person_verifies_is_seen_by_one(plan: Plan) -> None:
    """
    Whatever waits for a task that is verified by review waits for a gate of its own behind it.
    """
    reading = reading_of(plan)
    reviewed = {task.id for task in plan.tasks if task.verification == "Review"} & reading.works.keys()
    for task in plan.tasks:
        if task.id not in reading.works:
            continue
        gates = {gate.question for gate in reading.gates_before(reading.works[task.id].id)}
        for name in reviewed & {dependency.id for dependency in task.depends_on}:
            assert any(question.startswith(f"Task {name} is done: ") for question in gates)


@LAWS
@given(sound_plans())
def test_whole_plan_of_level_three_ends_in_one_gate(plan: Plan) -> None:
    """
    From level 3 on one gate waits for everything, and nothing comes after it; below there is none.
    """
    reading = reading_of(plan)
    last = [step for step in reading.steps.values() if step.id.startswith("release")]

    assert ((plan.level or 0) >= 3) == (1 == len(last))
    for gate in last:
        assert isinstance(gate, GateStep)
        assert reading.steps.keys() - {gate.id} == reading.before[gate.id]
