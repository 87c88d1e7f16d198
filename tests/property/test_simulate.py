"""What users get from the simulator: their definition, their tools, their law, and a failure that can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from remit import tool
from remit.core.canonical import JsonValue
from remit.core.states import SideEffectLevel
from remit.errors import DefinitionInvalidError, InputInvalidError, NotFoundError, ToolError
from remit.ports.tool import ToolContext
from remit.testing.simulator import (
    ALL,
    Fault,
    Outcome,
    Setting,
    random_scenario,
    read_orchestration,
    run_seed,
    simulate,
    timeline,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "simulator.md"

FLOW = """
name: order
version: 1.0.0
steps:
  - id: pay
    tool: shop.charge
    input: {amount: "${{ input.amount }}"}
  - id: go
    depends_on: [pay]
    wait: {signal: packed}
"""


@tool("shop.charge", side_effect="HARD_WRITE", delivery="keyed")
async def charge(amount: int) -> dict[str, str]:
    """Charge a customer."""
    raise AssertionError("the simulator calls no tool")


def always_broke(arguments: Mapping[str, JsonValue], context: ToolContext) -> JsonValue:
    raise ToolError("no money", reason="DECLINED")


def test_promises_hold_for_a_definition_of_ones_own() -> None:
    """
    A definition is run with acts in place of tools, messages for its waits, and the caller's law for each outcome.
    """
    seen: list[Outcome] = []
    report = simulate(
        read_orchestration(FLOW, tools=[charge]),
        tools=[charge],
        acts={"shop.charge": lambda arguments, context: {"paid": str(arguments["amount"])}},
        setting=Setting(run_input={"amount": 12}, messages={"packed": {"boxes": 2}}),
        seeds=range(200),
        check=seen.append,
    )

    report.require_clean()
    completed = [outcome for outcome in seen if outcome.status == "completed"]
    assert 200 == report.seed_count == len(seen)
    assert completed
    assert {"pay": {"paid": "12"}, "go": {"boxes": 2}} == completed[0].outputs
    assert all(1 == len(outcome.effects) for outcome in completed)


def test_act_that_refuses_fails_its_step() -> None:
    """
    What an act raises is what the tool said.
    """
    setting = Setting(run_input={"amount": 12}, faults=())
    statuses: set[str] = set()
    simulate(
        read_orchestration(FLOW, tools=[charge]),
        tools=[charge],
        acts={"shop.charge": always_broke},
        setting=setting,
        seeds=range(3),
        check=lambda outcome: statuses.add(outcome.status),
    ).require_clean()

    assert {"failed"} == statuses


def test_failing_check_is_reduced_to_its_faults_and_can_be_read() -> None:
    """
    A broken law comes with its seed, the one kind of fault that it takes, and everything that happened.
    """

    def never_twice(outcome: Outcome) -> None:
        assert outcome.faults.get(Fault.LOST_ANSWER, 0) == 0, "an answer got lost"

    report = simulate(
        read_orchestration(FLOW, tools=[charge]),
        tools=[charge],
        setting=Setting(run_input={"amount": 12}),
        seeds=range(400),
        check=never_twice,
    )

    failure = report.failures[0]
    with pytest.raises(AssertionError, match=f"seed {failure.seed} breaks a promise, given lost-answer"):
        report.require_clean()
    assert (Fault.LOST_ANSWER,) == failure.faults
    assert failure.findings[0].startswith("check: an answer got lost")
    assert any("shop.charge did its work for pay" in line for line in failure.lines)


def test_what_is_not_switched_on_does_not_strike() -> None:
    """
    Without faults nothing strikes, and a seed without faults is quiet.
    """
    report = simulate(
        read_orchestration(FLOW, tools=[charge]),
        tools=[charge],
        setting=Setting(run_input={"amount": 12}, faults=()),
        seeds=range(10),
    )

    assert {"completed"} == set(report.tally.endings)
    assert set(report.tally.faults) <= {Fault.STRAY}


def test_every_fault_has_a_place_in_the_page() -> None:
    """
    The page names every kind of fault, and no other.
    """
    table = PAGE.read_text(encoding="utf-8").partition("## Faults")[2].partition("##")[0]

    assert set(ALL) == set(re.findall(r"`([a-z]+(?:-[a-z]+)+|[a-z]+)`", table))


def test_example_of_the_page_runs() -> None:
    """
    The test that the page shows passes.
    """
    block = PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    names: dict[str, object] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    example = names["test_customer_is_charged_once"]
    assert callable(example)

    example()


def test_tool_that_is_not_given_is_named() -> None:
    """
    A definition with a tool that is not among those given is refused before anything runs.
    """
    definition = read_orchestration(FLOW, tools=[charge])

    with pytest.raises(NotFoundError, match=r"shop\.charge"):
        simulate(definition)


def test_output_schema_that_has_no_plain_example_is_refused() -> None:
    """
    A tool whose schema cannot be answered by example needs an act, and the error says so.
    """
    subtle = msgspec.structs.replace(
        charge.contract,
        output_schema={"type": "string", "pattern": "^ch_[0-9]{9}$"},
        side_effect_level=SideEffectLevel.HARD_WRITE,
    )

    with pytest.raises(InputInvalidError, match="acts"):
        simulate(read_orchestration(FLOW, tools=[subtle]), tools=[subtle])


def test_document_with_findings_is_refused() -> None:
    """
    The findings of a document are in the error.
    """
    with pytest.raises(DefinitionInvalidError, match=r"shop\.charge"):
        read_orchestration(FLOW, tools=[])


def test_timeline_tells_the_same_of_the_same_seed() -> None:
    """
    Two executions of one seed have the same lines.
    """
    first = timeline(run_seed(random_scenario(7), 7))

    assert timeline(run_seed(random_scenario(7), 7)) == first
    assert any("journal   entry 1" in line for line in first)
