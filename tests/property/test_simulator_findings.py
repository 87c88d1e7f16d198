"""What the simulator found wrong with the kernel, each in the smallest setting that shows it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from remit.core import facts
from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, Definition, RetryPolicy, Step, TimerStep
from remit.core.events import CancelAsked
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ToolError
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.policy import ApprovalRule
from remit.ports.tool import ToolContext
from remit.runtime.rows import instant_of, rows_of
from remit.testing.definitions import define, tool_step
from remit.testing.events import failed, intended
from remit.testing.rehearsal import Rehearsal
from remit.testing.simulator import Fault, Outcome, Setting, open_config, simulate

OBJECT: dict[str, JsonValue] = {"type": "object", "additionalProperties": True}
KEYED = ToolContract(
    name="shop.pay",
    input_schema=OBJECT,
    side_effect_level=SideEffectLevel.HARD_WRITE,
    delivery_class=DeliveryClass.KEYED,
)
QUERYABLE = msgspec.structs.replace(KEYED, name="shop.ship", delivery_class=DeliveryClass.QUERYABLE)
PAY = msgspec.structs.replace(KEYED, name="shop.wire")
READ = ToolContract(
    name="shop.read", input_schema=OBJECT, delivery_class=DeliveryClass.PURE, idempotency=Idempotency.NONE
)


def step_of(contract: ToolContract, step_id: str, *depends_on: str, attempts: int = 1) -> Step:
    step = tool_step(step_id, *depends_on, tool=contract.name, retry=RetryPolicy(attempts_max=attempts))
    return msgspec.structs.replace(step, contract_digest=contract_digest(contract))


def busy_at_first(arguments: Mapping[str, JsonValue], context: ToolContext) -> JsonValue:
    if context.attempt == 1:
        raise ToolError("busy", retryable=True, reason="BUSY")
    return {"ok": True}


def test_key_of_a_step_that_waits_is_freed_when_its_run_ends() -> None:
    """
    A run that is cancelled while a step waits for another attempt frees the key that the step reserved.
    """
    run = Rehearsal.of(define(tool_step("a", tool="shop.pay", retry=RetryPolicy(attempts_max=3))))
    intent = msgspec.structs.replace(intended(run.call("a"), tool="shop.pay").intent, reserves_key=True)
    run.send(msgspec.structs.replace(intended(run.call("a"), tool="shop.pay"), intent=intent))
    run.send(failed(run.call("a")))

    ended = run.send(CancelAsked(requested_by="operator"))

    rows = rows_of(run.state, ended, at=instant_of(run.now_us))
    assert [("release", intent.idempotency_key)] == [(change.action, change.key) for change in rows.keys]


def test_another_attempt_is_held_against_the_bounds() -> None:
    """
    A call that failed without effect and has an intent on record is not made again beyond the limit of calls.
    """
    definition = define(step_of(KEYED, "a", attempts=3))
    bounds = Bounds(tool_calls_max=1)
    setting = Setting(config=open_config([KEYED], bounds=bounds), faults=())

    def check(outcome: Outcome) -> None:
        reasons = [fact.reason for fact in outcome.facts if isinstance(fact, facts.StepFailed)]
        assert ["BOUND_EXCEEDED"] == reasons
        assert () == outcome.effects

    simulate(
        definition, tools=[KEYED], acts={KEYED.name: busy_at_first}, setting=setting, seeds=range(5), check=check
    ).require_clean()


@pytest.mark.parametrize("contract", [KEYED, QUERYABLE], ids=["keyed", "queryable"])
def test_run_is_not_handed_back_while_its_calls_are_under_way(contract: ToolContract) -> None:
    """
    A worker whose entry is refused while a call is in flight lets it end first: nobody sends it again.
    """
    definition = define(step_of(contract, "a"), step_of(READ, "b"), step_of(READ, "c"))

    def check(outcome: Outcome) -> None:
        assert 1 == len(outcome.effects)
        assert "completed" == outcome.status

    setting = Setting(faults=(Fault.CONFLICT, Fault.BUSY))
    simulate(definition, tools=[contract, READ], setting=setting, seeds=range(300), check=check).require_clean()


def test_timer_fires_while_a_call_is_in_flight() -> None:
    """
    What is due does not wait for a slow call beside it.
    """
    definition: Definition = define(TimerStep(id="t", duration_ms=100), step_of(READ, "slow"))
    orders: set[tuple[str, ...]] = set()

    def note(outcome: Outcome) -> None:
        orders.add(tuple(fact.step for fact in outcome.facts if isinstance(fact, facts.StepCompleted)))

    simulate(definition, tools=[READ], setting=Setting(faults=()), seeds=range(20), check=note).require_clean()

    assert ("t", "slow") in orders


def test_run_that_goes_on_is_kept_although_its_inbox_could_not_be_read() -> None:
    """
    A claimed run that was moved on by a message, while its worker waited for the database, keeps its calls.
    """
    config = msgspec.structs.replace(
        open_config([QUERYABLE]), approval_rules=(ApprovalRule(id="ask", tool=PAY.name, timeout_seconds=30),)
    )
    first = msgspec.structs.replace(step_of(PAY, "a"), on_failure="continue")
    definition = define(first, step_of(QUERYABLE, "b", "a"))
    setting = Setting(
        config=msgspec.structs.replace(config, scopes=open_config([PAY, QUERYABLE]).scopes),
        words={"a": "ignore"},
        faults=(Fault.OUTAGE,),
    )

    def check(outcome: Outcome) -> None:
        assert 1 == len(outcome.effects)

    simulate(definition, tools=[PAY, QUERYABLE], setting=setting, seeds=range(600), check=check).require_clean()
