"""Compile checks of loops, gates and acting principals: each mistake has its code and its place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from remit.core.definition import Bounds, Definition, GateStep, LoopStep, RunnableStep, Step, TimerStep, ToolStep
from remit.core.states import Idempotency, SideEffectLevel
from remit.governance.compile_checks import check_definition
from remit.governance.contracts import ToolContract
from remit.governance.findings import Pointer
from remit.governance.policy import BusinessConfig, Scope

ASK = ToolContract(
    name="shop.ask",
    input_schema={"type": "object", "properties": {"id": {}}},
    side_effect_level=SideEffectLevel.READ,
)
POST = ToolContract(
    name="shop.post",
    input_schema={"type": "object", "properties": {"id": {}}},
    side_effect_level=SideEffectLevel.SOFT_WRITE,
    idempotency=Idempotency.ARGUMENTS,
)
CONTRACTS = {contract.name: contract for contract in (ASK, POST)}


def call(step_id: str, *depends_on: str, tool: str = "shop.ask", **changes: Any) -> ToolStep:
    return ToolStep(id=step_id, depends_on=depends_on, tool=tool, tool_version="1.0.0", contract_digest="", **changes)


def loop(*body: RunnableStep, **changes: Any) -> LoopStep:
    fields: dict[str, Any] = {"id": "l", "until": "steps.a.output.done", "iterations_max": 3}
    return LoopStep(body=body, **(fields | changes))


def gate(**changes: Any) -> GateStep:
    fields: dict[str, Any] = {"id": "g", "question": "Go on?", "approvers": ("ada",)}
    return GateStep(**(fields | changes))


def found(*steps: Step, policy: BusinessConfig | None = None, **changes: Any) -> list[tuple[str, Pointer]]:
    definition = Definition(name="d", version="1.0.0", steps=steps, **changes)
    return [
        (finding.code, finding.pointer) for finding in check_definition(definition, contracts=CONTRACTS, policy=policy)
    ]


def test_sound_loop_and_gate_have_no_findings() -> None:
    """
    A loop that uses its own steps, what came before it and its feedback is not complained about.
    """
    steps = (
        call("before"),
        loop(
            call(
                "a",
                input={"id": ["${{ steps.before.output }}", "${{ iteration.feedback }}", "${{ iteration.number }}"]},
            ),
            call("b", "a", input={"id": "${{ steps.a.output }}"}, condition="iteration.number > 1"),
            depends_on=("before",),
            until="steps.a.output.done && steps.b.output.ok",
            feedback={"why": "${{ steps.b.output }}"},
            output="${{ steps.a.output }}",
        ),
        gate(depends_on=("l",), approvers=("ada", "role:approver"), approvers_required=5),
        call("after", "g", input={"id": ["${{ steps.l.output }}", "${{ steps.g.output }}"]}),
    )

    assert [] == found(*steps)


BODY: Pointer = ("steps", 0, "body")
CASES: dict[str, tuple[list[Step], list[tuple[str, Pointer]]]] = {
    "empty-body": ([loop()], [("LOOP_EMPTY", BODY), ("REFERENCE_UNKNOWN", ("steps", 0, "until"))]),
    "no-iteration": ([loop(call("a"), iterations_max=0)], [("VALUE_INVALID", ("steps", 0, "iterations_max"))]),
    "until-not-boolean": (
        [loop(call("a"), until="size(steps.a.output)")],
        [("LOOP_UNTIL_INVALID", ("steps", 0, "until"))],
    ),
    "until-fixed": ([loop(call("a"), until="input.x == 1")], [("LOOP_UNTIL_INVALID", ("steps", 0, "until"))]),
    "until-syntax": ([loop(call("a"), until="steps.a.output ==")], [("EXPRESSION_INVALID", ("steps", 0, "until"))]),
    "id-twice": (
        [loop(call("a")), call("a")],
        [("STEP_DUPLICATE", ("steps", 1, "id"))],
    ),
    "id-of-the-loop": ([loop(call("a"), call("l"))], [("STEP_DUPLICATE", (*BODY, 1, "id"))]),
    "body-depends-outside": (
        [loop(call("a", "x")), call("x")],
        [("DEPENDENCY_UNKNOWN", (*BODY, 0, "depends_on", 0))],
    ),
    "outside-depends-inside": (
        [loop(call("a")), call("x", "a")],
        [("DEPENDENCY_UNKNOWN", ("steps", 1, "depends_on", 0))],
    ),
    "cycle-inside": (
        [loop(call("a", "b"), call("b", "a"))],
        [("DEPENDENCY_CYCLE", (*BODY, 0, "depends_on", 0))],
    ),
    "race-inside": (
        [loop(call("a", input={"id": "${{ steps.b.output }}"}), call("b"))],
        [("REFERENCE_RACE", (*BODY, 0, "input", "id"))],
    ),
    "race-with-outside": (
        [loop(call("a", input={"id": "${{ steps.x.output }}"})), call("x")],
        [("REFERENCE_RACE", (*BODY, 0, "input", "id"))],
    ),
    "sees-into-loop": (
        [loop(call("a")), call("x", "l", input={"id": "${{ steps.a.output }}"})],
        [("REFERENCE_UNKNOWN", ("steps", 1, "input", "id"))],
    ),
    "iteration-outside": (
        [call("x", input={"id": "${{ iteration.number }}"})],
        [("EXPRESSION_INVALID", ("steps", 0, "input", "id"))],
    ),
    "loop-field": (
        [loop(call("a", input={"id": "${{ iteration.turn }}"}))],
        [("REFERENCE_UNKNOWN", (*BODY, 0, "input", "id"))],
    ),
    "same-call-each-time": (
        [loop(call("a"), call("p", tool="shop.post", input={"id": "x"}))],
        [("IDEMPOTENCY_REPEATED", (*BODY, 1, "input"))],
    ),
    "unknown-tool-inside": ([loop(call("a", tool="shop.asks"))], [("TOOL_UNKNOWN", (*BODY, 0, "tool"))]),
    "negative-timer-inside": (
        [loop(call("a"), TimerStep(id="t", duration_ms=-1))],
        [("VALUE_INVALID", (*BODY, 1, "duration_ms"))],
    ),
    "nobody-decides": ([gate(approvers=())], [("GATE_APPROVER_MISSING", ("steps", 0, "approvers"))]),
    "worker-decides": (
        [gate(approvers=("ada", "builder")), call("x", principal="builder")],
        [("GATE_APPROVER_ACTS", ("steps", 0, "approvers", 1))],
    ),
    "too-few-people": ([gate(approvers_required=2)], [("GATE_INVALID", ("steps", 0, "approvers_required"))]),
    "approver-twice": ([gate(approvers=("ada", "ada"))], [("GATE_INVALID", ("steps", 0, "approvers"))]),
    "nothing-passes": ([gate(passing=())], [("GATE_INVALID", ("steps", 0, "passing"))]),
    "nothing-refuses": ([gate(passing=("approve", "deny"))], [("GATE_INVALID", ("steps", 0, "options"))]),
    "unknown-option-passes": (
        [gate(passing=("approve", "yes"))],
        [("GATE_INVALID", ("steps", 0, "passing", 1))],
    ),
    "no-time": ([gate(timeout_ms=0)], [("VALUE_INVALID", ("steps", 0, "timeout_ms"))]),
}


@pytest.mark.parametrize("case", CASES)
def test_mistake_is_found_at_its_place(case: str) -> None:
    """
    Each mistake gives its own finding, and nothing else.
    """
    steps, expected = CASES[case]

    assert expected == found(*steps)


def test_body_may_use_the_same_content_with_what_differs() -> None:
    """
    A tool that happens once per content may be repeated when its arguments come from the iteration.
    """
    varying = call("p", "a", tool="shop.post", input={"id": "${{ steps.a.output }}"})

    assert [] == found(loop(call("a"), varying))
    assert [] == found(loop(call("a"), call("p", tool="shop.post", input={"id": "${{ iteration.number }}"})))


@pytest.mark.parametrize(
    ("tool_calls_max", "expected"),
    [
        (1, ["BOUNDS_TOO_SMALL"]),
        (2, ["BOUNDS_TOO_SMALL"]),
        (3, ["BOUNDS_BELOW_ITERATIONS"]),
        (6, ["BOUNDS_BELOW_ITERATIONS"]),
        (7, []),
    ],
)
def test_bounds_count_every_iteration(tool_calls_max: int, expected: list[str]) -> None:
    """
    Less than one iteration needs is an error, less than all of them a warning: one call and three times two.
    """
    steps = (call("x"), loop(call("a"), call("b"), iterations_max=3))
    bounds = Bounds(tool_calls_max=tool_calls_max)

    assert expected == [code for code, _ in found(*steps, bounds=bounds)][:1]


def test_acting_principal_needs_a_scope_of_its_own() -> None:
    """
    A scope for others does not cover a step that acts as somebody, and a name that no scope has is a misspelling.
    """
    others = BusinessConfig(
        name="b", version="1.0.0", bounds=Bounds(), scopes=(Scope(tool="shop.*", principals=("tester",)),)
    )
    both = msgspec.structs.replace(others, scopes=(*others.scopes, Scope(tool="shop.*", principals=("builder",))))
    anyone = msgspec.structs.replace(others, scopes=(Scope(tool="shop.*"),))

    assert [("PRINCIPAL_UNKNOWN", ("steps", 0, "principal")), ("SCOPE_MISSING", ("steps", 0, "tool"))] == found(
        call("x", principal="builder"), policy=others
    )
    assert [] == found(call("x", principal="builder"), policy=both)
    assert [("PRINCIPAL_UNKNOWN", ("steps", 0, "principal"))] == found(call("x", principal="builder"), policy=anyone)
    assert ["PRINCIPAL_UNKNOWN", "SCOPE_MISSING"] == [
        code for code, _ in found(loop(call("a", principal="builder")), policy=others)
    ]
