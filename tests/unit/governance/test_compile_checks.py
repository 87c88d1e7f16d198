"""Compile checks: each mistake has its code and its place, and all are found at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remit.core.definition import (
    Bounds,
    Definition,
    EventStep,
    RetryPolicy,
    SignalStep,
    Step,
    TimerStep,
    ToolStep,
    Trigger,
)
from remit.core.states import Idempotency, SideEffectLevel
from remit.governance.compile_checks import check_definition, check_policy
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.findings import CHECK_CODES, FINDINGS_MAX, Pointer
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope
from remit.governance.tool_checks import check_repeated_call

READ = ToolContract(
    name="shop.read",
    side_effect_level=SideEffectLevel.READ,
    input_schema={
        "type": "object",
        "properties": {"id": {"type": "string"}, "limit": {"$ref": "#/$defs/limit"}},
        "required": ["id"],
        "$defs": {"limit": {"type": "integer", "maximum": 10}},
    },
)
PAY = ToolContract(
    name="shop.pay",
    side_effect_level=SideEffectLevel.FINANCIAL,
    idempotency=Idempotency.ARGUMENTS,
    input_schema={"type": "object", "properties": {"amount": {"type": "integer"}}},
)
CONTRACTS = {contract.name: contract for contract in (READ, PAY)}

Found = list[tuple[str, Pointer]]


def read(step_id: str, *depends_on: str, **changes: Any) -> ToolStep:
    fields: dict[str, Any] = {"tool": "shop.read", "tool_version": "1.0.0", "contract_digest": "", "input": {"id": "x"}}
    return ToolStep(id=step_id, depends_on=depends_on, **(fields | changes))


def pay(step_id: str, *depends_on: str, **changes: Any) -> ToolStep:
    return read(step_id, *depends_on, **({"tool": "shop.pay", "input": {"amount": 5}} | changes))


def definition(*steps: Step, **changes: Any) -> Definition:
    return Definition(name="d", version="1.0.0", steps=steps, **changes)


def findings_of(checked: Definition, policy: BusinessConfig | None = None) -> Found:
    return [
        (finding.code, finding.pointer) for finding in check_definition(checked, contracts=CONTRACTS, policy=policy)
    ]


def test_sound_definition_has_no_findings() -> None:
    """
    A definition that uses everything correctly is not complained about.
    """
    checked = definition(
        read("a", input={"id": "${{ input.id }}", "limit": 10}, contract_digest=contract_digest(READ)),
        TimerStep(id="t", depends_on=("a",), duration_ms=5),
        pay("b", "t", input={"amount": "${{ steps.a.output.total }}"}, condition="steps.t.status == 'completed'"),
        EventStep(id="e", depends_on=("b",), event="paid", correlation="${{ run.id }}", match="event.id == input.id"),
        read("c", "e", output_mapping={"x": "${{ output.x + steps.e.output.y }}"}),
        input_schema={"type": "object", "properties": {"id": {"type": "string"}}},
        output={"total": "${{ steps.c.output.x }}"},
        triggers=(Trigger(event="order", input={"id": "${{ event.id }}"}, key="order-${{ event.id }}"),),
    )
    policy = BusinessConfig(
        name="b",
        version="1.0.0",
        bounds=Bounds(),
        scopes=(Scope(tool="shop.*"),),
        approval_rules=(ApprovalRule(id="r", tool="shop.pay"),),
    )

    assert [] == findings_of(checked, policy)
    assert [] == check_policy(policy, contracts=CONTRACTS)


MISTAKES: list[tuple[Definition, Found]] = [
    (definition(), [("STEP_MISSING", ("steps",))]),
    (definition(read("a"), read("a")), [("STEP_DUPLICATE", ("steps", 1, "id"))]),
    (definition(read("a", "a")), [("DEPENDENCY_SELF", ("steps", 0, "depends_on", 0))]),
    (definition(read("a", "zz")), [("DEPENDENCY_UNKNOWN", ("steps", 0, "depends_on", 0))]),
    (definition(read("a"), read("b", "a", "a")), [("DEPENDENCY_REPEATED", ("steps", 1, "depends_on", 1))]),
    (definition(read("a", tool="shop.raed")), [("TOOL_UNKNOWN", ("steps", 0, "tool"))]),
    (definition(read("a", tool_version="9.0.0")), [("TOOL_UNKNOWN", ("steps", 0, "tool_version"))]),
    (definition(read("a", contract_digest="0" * 64)), [("CONTRACT_CHANGED", ("steps", 0, "tool"))]),
    (definition(read("a", input={})), [("ARGUMENT_MISSING", ("steps", 0, "input"))]),
    (definition(read("a", input={"id": "x", "ids": 1})), [("ARGUMENT_UNKNOWN", ("steps", 0, "input", "ids"))]),
    (definition(read("a", input={"id": 5})), [("ARGUMENT_INVALID", ("steps", 0, "input", "id"))]),
    (definition(read("a", input={"id": "x", "limit": 11})), [("ARGUMENT_INVALID", ("steps", 0, "input", "limit"))]),
    (definition(read("a", condition="1 +")), [("EXPRESSION_INVALID", ("steps", 0, "condition"))]),
    (definition(read("a", input={"id": "${{ }}"})), [("EXPRESSION_INVALID", ("steps", 0, "input", "id"))]),
    (definition(read("a"), output=["${{ foo }}"]), [("EXPRESSION_INVALID", ("output", 0))]),
    (definition(read("a"), output="${{ steps.b.output }}"), [("REFERENCE_UNKNOWN", ("output",))]),
    (definition(read("a"), output="${{ steps.a.result }}"), [("REFERENCE_UNKNOWN", ("output",))]),
    (definition(read("a", condition="run.user == 'x'")), [("REFERENCE_UNKNOWN", ("steps", 0, "condition"))]),
    (definition(read("a", condition="steps.a.output")), [("REFERENCE_RACE", ("steps", 0, "condition"))]),
    (definition(read("a"), read("b", condition="steps.a.output")), [("REFERENCE_RACE", ("steps", 1, "condition"))]),
    (definition(read("a"), output="${{ steps[input.x].output }}"), [("REFERENCE_DYNAMIC", ("output",))]),
    (definition(pay("a"), pay("b", "a")), [("IDEMPOTENCY_SHARED", ("steps", 1, "input"))]),
    (definition(TimerStep(id="a", duration_ms=-1)), [("VALUE_INVALID", ("steps", 0, "duration_ms"))]),
    (definition(SignalStep(id="a", signal="s", timeout_ms=0)), [("VALUE_INVALID", ("steps", 0, "timeout_ms"))]),
    (definition(read("a", timeout_ms=0)), [("VALUE_INVALID", ("steps", 0, "timeout_ms"))]),
    (
        definition(read("a", retry=RetryPolicy(attempts_max=0, jitter_ratio=2.0))),
        [
            ("VALUE_INVALID", ("steps", 0, "retry", "attempts_max")),
            ("VALUE_INVALID", ("steps", 0, "retry", "jitter_ratio")),
        ],
    ),
    (definition(EventStep(id="a", event="paid")), [("EVENT_UNSPECIFIC", ("steps", 0, "event"))]),
    (definition(read("a"), input_schema={"type": "strin"}), [("SCHEMA_MALFORMED", ("input_schema",))]),
    (definition(read("a"), bounds=Bounds(tokens_max=0)), [("BOUNDS_ZERO", ("bounds", "tokens_max"))]),
    (
        definition(*[pay(f"p{n}", input={"amount": n}) for n in range(3)], bounds=Bounds(tool_calls_max=2)),
        [("BOUNDS_TOO_SMALL", ("bounds",))],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("checked", "expected"), MISTAKES, ids=[f"{n}-{found[0][0]}" for n, (_, found) in enumerate(MISTAKES)]
)
def test_mistake_has_its_code_and_place(checked: Definition, expected: Found) -> None:
    """
    One mistake gives its one finding, with a pointer to where it stands.
    """
    assert expected == findings_of(checked)


def test_cycle_is_named_once_with_all_its_steps() -> None:
    """
    A circle is told as such, from its first step; steps that only depend on it are not complained about.
    """
    checked = definition(read("x", "b"), read("a", "c"), read("b", "a"), read("c", "b"), read("s", "s"))

    found = check_definition(checked, contracts=CONTRACTS)

    assert ["DEPENDENCY_CYCLE", "DEPENDENCY_SELF"] == [finding.code for finding in found]
    assert "a → c → b → a" in found[0].message
    assert ("steps", 1, "depends_on", 0) == found[0].pointer
    assert ["c depends on b", "b depends on a"] == [what for what, _ in found[0].related]


def test_two_cycles_are_both_named() -> None:
    """
    One circle does not hide another.
    """
    checked = definition(read("a", "b"), read("b", "a"), read("c", "d"), read("d", "c"))

    assert [
        ("DEPENDENCY_CYCLE", ("steps", 0, "depends_on", 0)),
        ("DEPENDENCY_CYCLE", ("steps", 2, "depends_on", 0)),
    ] == (findings_of(checked))


def test_ancestor_through_other_steps_is_no_race() -> None:
    """
    What has surely finished may be used, however far back it is; a sibling may not.
    """
    checked = definition(
        read("a"), read("b", "a"), read("c", "a"), read("d", "b", condition="steps.a.output && steps.c.output")
    )

    (finding,) = check_definition(checked, contracts=CONTRACTS)

    assert "REFERENCE_RACE" == finding.code
    assert "'c'" in finding.message
    assert (("step c", ("steps", 2, "id")),) == finding.related


def test_expression_error_has_its_offset() -> None:
    """
    Inside a long text the finding says where it goes wrong.
    """
    (finding,) = check_definition(definition(read("a", input={"id": "order ${{ input. }}"})), contracts=CONTRACTS)

    assert finding.offset is not None
    assert 10 <= finding.offset <= 19


def test_input_of_closed_schema_is_known() -> None:
    """
    An expression that uses an input which the definition does not have is found, with the nearest name.
    """
    schema: Any = {"type": "object", "properties": {"order_id": {"type": "string"}}}
    checked = definition(read("a", input={"id": "${{ input.orderid }}"}), input_schema=schema)
    free = definition(
        read("a", input={"id": "${{ input.x }}"}), input_schema={"type": "object", "additionalProperties": True}
    )

    (finding,) = check_definition(checked, contracts=CONTRACTS)

    assert "REFERENCE_UNKNOWN" == finding.code
    assert "did you mean 'order_id'" in finding.message
    assert [] == findings_of(free)


def test_trigger_is_held_against_the_input() -> None:
    """
    What a trigger makes must fit the definition's input, and its key must differ from event to event.
    """
    schema: Any = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    trigger = Trigger(event="order", input={"idd": 1}, key="always", condition="event.total >")

    found = findings_of(definition(read("a"), input_schema=schema, triggers=(trigger,)))

    assert {
        ("ARGUMENT_MISSING", ("triggers", 0, "input")),
        ("ARGUMENT_UNKNOWN", ("triggers", 0, "input", "idd")),
        ("EXPRESSION_INVALID", ("triggers", 0, "condition")),
        ("TRIGGER_KEY_CONSTANT", ("triggers", 0, "key")),
    } == set(found)


def test_business_config_must_cover_each_tool() -> None:
    """
    CC-03 and CC-04: a tool without scope, and one that moves money without a rule, are found at each step.
    """
    policy = BusinessConfig(name="b", version="1.0.0", bounds=Bounds(steps_max=1), scopes=(Scope(tool="shop.pay"),))

    found = findings_of(definition(read("a"), pay("b", "a")), policy)

    assert {
        ("SCOPE_MISSING", ("steps", 0, "tool")),
        ("APPROVAL_MISSING", ("steps", 1, "tool")),
        ("BOUNDS_TOO_SMALL", ("bounds",)),
    } == set(found)


def test_findings_are_limited_and_in_order() -> None:
    """
    One mistake that is everywhere does not give ten thousand findings, and what is given is in reading order.
    """
    checked = definition(*[read(f"s{number}", input={}) for number in range(1_000)], bounds=Bounds(steps_max=1_000))

    found = check_definition(checked, contracts=CONTRACTS)

    assert FINDINGS_MAX == len(found)
    assert sorted(finding.pointer[1] for finding in found) == [finding.pointer[1] for finding in found]


def test_mistakes_of_business_config_are_found() -> None:
    """
    Scopes that cover nothing, rules that cannot work and names that nobody has, each with its place.
    """
    policy = BusinessConfig(
        name="b",
        version="1.0.0",
        bounds=Bounds(steps_max=0),
        scopes=(
            Scope(tool="*"),
            Scope(tool="shop.read", principals=(), network=("HTTPS://x",), data_cap_bytes=-1),
            Scope(tool="shop.pay"),
        ),
        approval_rules=(
            ApprovalRule(id="r", tool="shop.reed", condition="input. >", on_timeout="escalate"),
            ApprovalRule(id="r", tool="shop.read", approvers_required=0, timeout_seconds=0),
        ),
    )

    found = {(finding.code, finding.pointer) for finding in check_policy(policy, contracts=CONTRACTS)}

    assert {
        ("BOUNDS_ZERO", ("bounds", "steps_max")),
        ("SCOPE_INVALID", ("scopes", 0, "tool")),
        ("PATTERN_UNUSED", ("scopes", 0, "tool")),
        ("SCOPE_INVALID", ("scopes", 1, "principals")),
        ("SCOPE_INVALID", ("scopes", 1, "network", 0)),
        ("SCOPE_INVALID", ("scopes", 1, "data_cap_bytes")),
        ("EXPRESSION_INVALID", ("approval_rules", 0, "condition")),
        ("ESCALATION_MISSING", ("approval_rules", 0, "on_timeout")),
        ("PATTERN_UNUSED", ("approval_rules", 0, "tool")),
        ("APPROVAL_INVALID", ("approval_rules", 1, "id")),
        ("APPROVAL_INVALID", ("approval_rules", 1, "approvers_required")),
        ("APPROVAL_INVALID", ("approval_rules", 1, "timeout_seconds")),
        ("APPROVAL_MISSING", ("approval_rules",)),
    } == found


def test_repeated_call_needs_an_argument_that_differs() -> None:
    """
    A tool that happens once per content, called for each item with the same arguments, would do its work once.
    """
    same = check_repeated_call(PAY, {"amount": 5}, varying=frozenset({"item"}), pointer=("input",)).found
    differs = check_repeated_call(PAY, {"amount": "${{ item.n }}"}, varying=frozenset({"item"}), pointer=()).found
    free = check_repeated_call(READ, {"id": "x"}, varying=frozenset({"item"}), pointer=()).found

    assert ["IDEMPOTENCY_REPEATED"] == [finding.code for finding in same]
    assert [] == differs + free


def test_every_code_is_explained_in_one_line() -> None:
    """
    Codes are stable names with one line of explanation each.
    """
    assert all(code.replace("_", "").isupper() for code in CHECK_CODES)
    assert all(text.endswith(".") and len(text) < 120 for _, text in CHECK_CODES.values())


def test_large_definition_is_checked_quickly(benchmark_seconds: Callable[[Callable[[], object]], float]) -> None:
    """
    Ten thousand steps in a chain, each using the one before it, are checked in a few seconds.
    """
    steps = [
        read(f"s{n}", *([f"s{n - 1}"] if n else []), input={"id": f"${{{{ steps.s{n - 1}.output }}}}" if n else "x"})
        for n in range(10_000)
    ]
    checked = definition(*steps, bounds=Bounds(steps_max=10_000, tool_calls_max=10_000))

    assert benchmark_seconds(lambda: findings_of(checked)) < 5
