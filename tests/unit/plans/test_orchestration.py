"""Orchestrations compile to definitions: what the fields mean, and the defaults that are filled in."""

import json
from pathlib import Path

import jsonschema
import pytest

from remit.core import definition as definition_module
from remit.core.definition import (
    Bounds,
    Definition,
    EventStep,
    RetryPolicy,
    SignalStep,
    TimerStep,
    ToolStep,
    Trigger,
    decode_definition,
    encode_definition,
)
from remit.core.program import load_program
from remit.diagnostics import Diagnostics
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.policy import BusinessConfig, Scope
from remit.plans import orchestration
from remit.plans.bounds import BOUNDS
from remit.plans.documents import plain_value, read_document
from remit.plans.fields import FieldTable
from remit.plans.orchestration import CompileResult, compile_orchestration
from remit.plans.orchestration.tables import DOCUMENT, GATE, LOOP, PARAMETER, RETRY, STEP, TRIGGER, WAIT
from tests.unit.plans.reading import lines

Contracts = dict[str, ToolContract]

FULL = """\
name: order-fulfilment
version: 1.0.0
description: All that can be said.
parameters:
  - {name: order_id}
  - {name: days, type: "integer[]", required: false}
  - {name: grouping, enum: [day, week], default: day, description: How}
bounds:
  steps_max: 30
  active_time_max: 10m
  cost_usd_max: 0.25
  tool_calls_max_by_tool: {pay.refund: 1}
triggers:
  - event: shop.orders/create
    if: ${{ event.test == false }}
    key: order-${{ event.id }}
    input: {order_id: "${{ event.id }}"}
steps:
  - id: order
    name: The order
    type: tool
    tool: shop.order.get
    input: {id: "${{ input.order_id }}", only: open}
    output_mapping: {total: "${{ output.total }}", fixed: 1}
    on_failure: continue
  - id: refund
    depends_on: [order]
    if: steps.order.output.total > 0
    tool: pay.refund
    tool_version: 1.0.0
    input: {order: "${{ input.order_id }}", amount: 5}
    retry: {attempts_max: 4, delay_initial: 500ms, delay_max: 2m, multiplier: 3, jitter_ratio: 0, reasons: [busy]}
    timeout: 30s
  - id: paid
    depends_on: [refund]
    wait:
      event: pay.refunded
      correlation: ${{ input.order_id }}
      match: ${{ event.amount == 5 }}
      timeout: 14d
      on_timeout: continue
  - id: pause
    depends_on: [paid]
    wait: {timer: 2h}
  - id: release
    depends_on: [pause]
    type: wait
    wait: {signal: go, timeout: 1d}
output: {total: "${{ steps.order.output.total }}"}
"""


def compiled(text: str, contracts: Contracts, *, path: str = "a.yaml") -> Definition:
    result = compile_orchestration(text.encode(), path=path, contracts=contracts)
    assert [] == lines(result.diagnostics)
    assert result.definition is not None
    return result.definition


def step_text(step: str) -> str:
    indented = "".join(f"    {line}\n" for line in step.splitlines())
    return f"name: x\nversion: 1.0.0\nsteps:\n  - id: first\n    wait: {{timer: 1s}}\n  - id: a\n{indented}"


def test_every_field_arrives_in_the_definition(contracts: Contracts) -> None:
    """
    Durations become milliseconds, dollars millionths, parameters a schema, and tools their version and digest.
    """
    definition = compiled(FULL, contracts)
    refund = ToolStep(
        id="refund",
        depends_on=("order",),
        condition="steps.order.output.total > 0",
        tool="pay.refund",
        tool_version="1.0.0",
        contract_digest=contract_digest(contracts["pay.refund"]),
        input={"order": "${{ input.order_id }}", "amount": 5},
        retry=RetryPolicy(
            attempts_max=4, delay_initial_ms=500, delay_max_ms=120_000, multiplier=3.0, jitter_ratio=0.0,
            reasons=("busy",),
        ),
        timeout_ms=30_000,
    )  # fmt: skip

    assert refund == definition.steps[1]
    assert "1.2.0" == definition.steps[0].tool_version
    assert "continue" == definition.steps[0].on_failure
    assert TimerStep(id="pause", depends_on=("paid",), duration_ms=7_200_000) == definition.steps[3]
    assert SignalStep(id="release", depends_on=("pause",), signal="go", timeout_ms=86_400_000) == definition.steps[4]
    assert (
        Bounds(
            steps_max=30, active_seconds_max=600, cost_usd_micros_max=250_000, tool_calls_max_by_tool={"pay.refund": 1}
        )
        == definition.bounds
    )


def test_wait_for_an_event_arrives_in_the_definition(contracts: Contracts) -> None:
    """
    Conditions lose their braces, templates keep them.
    """
    definition = compiled(FULL, contracts)
    paid = EventStep(
        id="paid",
        depends_on=("refund",),
        event="pay.refunded",
        correlation="${{ input.order_id }}",
        match="event.amount == 5",
        timeout_ms=14 * 86_400_000,
        on_timeout="continue",
    )
    trigger = Trigger(
        event="shop.orders/create",
        input={"order_id": "${{ event.id }}"},
        key="order-${{ event.id }}",
        condition="event.test == false",
    )

    assert paid == definition.steps[2]
    assert (trigger,) == definition.triggers


def test_parameters_become_a_closed_schema(contracts: Contracts) -> None:
    """
    A parameter is required unless it has a default or says otherwise.
    """
    assert {
        "type": "object",
        "additionalProperties": False,
        "required": ["order_id"],
        "properties": {
            "order_id": {"type": "string"},
            "days": {"type": "array", "items": {"type": "integer"}},
            "grouping": {"type": "string", "description": "How", "enum": ["day", "week"], "default": "day"},
        },
    } == compiled(FULL, contracts).input_schema


def test_definition_can_be_stored_and_run(contracts: Contracts) -> None:
    """
    What is compiled is what is stored, and the kernel's program loads it.
    """
    definition = compiled(FULL, contracts)
    body = encode_definition(definition)

    assert definition == decode_definition(body)
    assert ["order", "refund", "paid", "pause", "release"] == list(load_program(body).steps)


def test_camel_case_and_json_give_the_same_bytes(contracts: Contracts) -> None:
    """
    The digest depends on what is said, not on spelling or syntax.
    """
    camel = FULL
    for name in ("depends_on", "output_mapping", "on_failure", "tool_version", "on_timeout", "attempts_max"):
        head, *tail = name.split("_")
        camel = camel.replace(name + ":", head + "".join(part.title() for part in tail) + ":")
    document = read_document(FULL.encode(), path="a.yaml", diagnostics=Diagnostics())
    assert document is not None
    assert document.root is not None
    as_json = json.dumps(plain_value(document.root))
    expected = encode_definition(compiled(FULL, contracts))

    assert camel != FULL
    assert expected == encode_definition(compiled(camel, contracts))
    assert expected == encode_definition(compiled(as_json, contracts, path="a.json"))


def test_names_of_the_seed_documents_are_accepted(contracts: Contracts) -> None:
    """
    Retries, bounds and conditions may be called as they were.
    """
    text = """\
name: seed
version: 1.0.0
bounds: {max_steps_per_run: 5, max_time_seconds: 60, max_tokens_per_run: 7, max_tool_calls_per_run: 8}
steps:
  - id: a
    tool: mail.send
    condition: "true"
    retry: {max_attempts: 2, base_delay: 1s, max_delay: 5s, backoff_multiplier: 1.5, retryable_errors: [x]}
"""
    definition = compiled(text, contracts)
    step = definition.steps[0]
    assert isinstance(step, ToolStep)

    assert Bounds(steps_max=5, active_seconds_max=60, tokens_max=7, tool_calls_max=8) == definition.bounds
    assert "true" == step.condition
    assert (
        RetryPolicy(attempts_max=2, delay_initial_ms=1_000, delay_max_ms=5_000, multiplier=1.5, reasons=("x",))
        == step.retry
    )


def test_defaults_are_filled_in(contracts: Contracts) -> None:
    """
    A short document compiles to a definition in which nothing is left open.
    """
    definition = compiled("name: x\nversion: 1.0.0\nsteps:\n  - {id: a, tool: mail.send}\n", contracts)

    assert (Bounds(), {}, None, "") == (
        definition.bounds,
        definition.input_schema,
        definition.output,
        definition.description,
    )
    assert RetryPolicy() == definition.steps[0].retry


def test_retry_without_number_means_three_attempts(contracts: Contracts) -> None:
    """
    Whoever writes `retry` wants more than one attempt; a first pause above the default maximum raises it.
    """
    definition = compiled(step_text("tool: mail.send\nretry: {delay_initial: 10m}"), contracts)
    retry = definition.steps[1].retry

    assert (3, 600_000, 600_000) == (retry.attempts_max, retry.delay_initial_ms, retry.delay_max_ms)


def test_boolean_conditions_are_conditions(contracts: Contracts) -> None:
    """
    `if: false` is read like the expression `false`.
    """
    assert "false" == compiled(step_text("tool: mail.send\nif: false"), contracts).steps[1].condition


def test_unknown_input_schema_accepts_anything_only_without_input(contracts: Contracts) -> None:
    """
    A schema is closed unless it says otherwise.
    """
    schema = "{type: object, properties: {a: {type: string}}}"
    text = f"name: x\nversion: 1.0.0\ninput: {schema}\nsteps: [{{id: a, tool: mail.send}}]"

    assert compiled(text, contracts).input_schema["additionalProperties"] is False


@pytest.mark.parametrize("version", ["1.2.0", "2.0.0"])
def test_tool_version_is_fixed_when_compiled(contracts: Contracts, version: str) -> None:
    """
    A catalogue of several versions gives the one asked for, or its newest.
    """

    class Two:
        def find_contract(self, name: str, version: str | None = None) -> ToolContract | None:
            known = {"1.2.0": contracts["shop.order.get"], "2.0.0": newest}
            return known.get(version or "2.0.0") if name == "shop.order.get" else None

        def names(self) -> list[str]:
            return ["shop.order.get"]

        def without_adapter(self) -> frozenset[str]:
            return frozenset()

    newest = ToolContract(
        name="shop.order.get", version="2.0.0", input_schema={"type": "object", "properties": {"id": {}}}
    )
    asked = f"\n    tool_version: {version}" if version != "2.0.0" else ""
    text = f"name: x\nversion: 1.0.0\nsteps:\n  - id: a\n    tool: shop.order.get\n    input: {{id: x}}{asked}\n"
    result = compile_orchestration(text.encode(), path="a.yaml", contracts=Two())
    assert result.definition is not None

    assert version == result.definition.steps[0].tool_version


def with_policy(contracts: Contracts, policy: BusinessConfig) -> CompileResult:
    text = "name: x\nversion: 1.0.0\nsteps:\n  - id: a\n    tool: pay.refund\n    input: {order: x, amount: 1}\n"
    return compile_orchestration(text.encode(), path="a.yaml", contracts=contracts, policy=policy)


def test_policy_is_held_against_the_tools(contracts: Contracts) -> None:
    """
    Without a scope, and for money without a rule, a definition does not compile (CC-03, CC-04).
    """
    empty = BusinessConfig(name="b", version="1.0.0", bounds=Bounds())
    scope = Scope(tool="pay.*", network=("api.pay.example",))
    scoped = BusinessConfig(name="b", version="1.0.0", bounds=Bounds(), scopes=(scope,))

    assert ["5:11 APPROVAL_MISSING", "5:11 SCOPE_MISSING"] == lines(with_policy(contracts, empty).diagnostics)
    assert ["5:11 APPROVAL_MISSING"] == lines(with_policy(contracts, scoped).diagnostics)


def test_mistake_in_one_field_hides_nothing_elsewhere(contracts: Contracts) -> None:
    """
    A step whose id is no good one is still known to those that depend on it, and a wait without time is still a step.
    """
    text = """\
name: x
version: 1.0.0
steps:
  - {id: 1st, tool: mail.send}
  - {id: b, depends_on: [1st, nowhere], wait: {timer: never}}
  - {id: c, depends_on: [b, 7, gone], agent: x}
  - {id: d, depends_on: [c], if: steps.c.output.x, tool: mail.send}
"""
    result = compile_orchestration(text.encode(), path="a.yaml", contracts=contracts)

    assert [
        "4:10 VALUE_INVALID", "5:31 DEPENDENCY_UNKNOWN", "5:55 DURATION_INVALID", "6:29 TYPE_WRONG",
        "6:32 DEPENDENCY_UNKNOWN", "6:39 KIND_UNSUPPORTED",
    ] == lines(result.diagnostics)  # fmt: skip


def test_definition_beyond_its_size_is_refused(contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Defaults make a definition larger than its text; its own limit holds, too.
    """
    monkeypatch.setattr(definition_module, "DEFINITION_BYTES_MAX", 10_000)
    steps = "".join(f"  - {{id: s{number}, wait: {{timer: 1s}}}}\n" for number in range(200))
    result = compile_orchestration(
        f"name: x\nversion: 1.0.0\nsteps:\n{steps}".encode(), path="a.yaml", contracts=contracts
    )

    assert ["1:1 DOCUMENT_TOO_LARGE"] == lines(result.diagnostics)
    assert result.definition is None


SCHEMA = json.loads((Path(orchestration.__file__).parent / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("place", "table"),
    [
        (SCHEMA, DOCUMENT), (SCHEMA["$defs"]["step"], STEP), (SCHEMA["$defs"]["retry"], RETRY),
        (SCHEMA["$defs"]["wait"], WAIT), (SCHEMA["$defs"]["trigger"], TRIGGER),
        (SCHEMA["$defs"]["parameter"], PARAMETER), (SCHEMA["$defs"]["bounds"], BOUNDS),
        (SCHEMA["$defs"]["loop"], LOOP), (SCHEMA["$defs"]["gate"], GATE),
    ],
    ids=["document", "step", "retry", "wait", "trigger", "parameter", "bounds", "loop", "gate"],
)  # fmt: skip
def test_schema_for_editors_has_the_fields(place: dict[str, dict[str, object]], table: FieldTable) -> None:
    """
    schema.json lists exactly the fields that are read.
    """
    assert table.names == set(place["properties"])
    assert place["additionalProperties"] is False


def test_schema_for_editors_accepts_what_compiles(contracts: Contracts) -> None:
    """
    A document that compiles is valid, and one with an unknown field is not.
    """
    document = read_document(FULL.encode(), path="a.yaml", diagnostics=Diagnostics())
    assert document is not None
    assert document.root is not None
    value = plain_value(document.root)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    assert isinstance(value, dict)

    assert [] == list(validator.iter_errors(value))
    assert [] != list(validator.iter_errors({**value, "stepz": []}))
