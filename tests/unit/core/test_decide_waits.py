"""decide: timers, signals and inbound events, before and after somebody waits for them."""

from typing import Literal

import pytest

from remit.core.commands import AwaitMessage, AwaitTimer
from remit.core.definition import EventStep, SignalStep, TimerStep
from remit.core.events import EffectResolved, MessageArrived
from remit.core.facts import Fact, MessageReceived, RunFailed, StepCompleted, StepFailed, TimerStarted, WaitStarted
from remit.core.limits import Policy
from remit.core.outstanding import next_due_us
from remit.core.state import state_hash
from remit.core.states import RunStatus
from remit.testing.definitions import define, tool_step
from remit.testing.events import succeeded
from remit.testing.rehearsal import START_US, Rehearsal
from tests.unit.core.situations import SITUATIONS

TIMER = TimerStep(id="t", duration_ms=1_500)
SIGNAL = SignalStep(id="w", signal="go")
EVENT = EventStep(id="w", event="shop.paid", correlation="${{ input.order }}", match="event.amount >= input.amount")
AFTER = tool_step("b", "w")
UNSAFE_INTEGER = 2**53


def names(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def expecting() -> Rehearsal:
    return Rehearsal.of(define(EVENT, AFTER), {"order": "o-1", "amount": 5})


def test_timer_is_due_after_its_duration() -> None:
    """
    A timer counts from the decision that started it, and is over at its instant, not before.
    """
    run = Rehearsal.of(define(TIMER))
    due_us = START_US + 1_500_000

    assert TimerStarted(step="t", due_us=due_us) == run.facts[-1]
    assert (AwaitTimer(step="t", due_us=due_us),) == run.open
    assert RunStatus.WAITING is run.state.status
    assert [] == run.wait(1_499)
    assert ["StepCompleted", "RunCompleted"] == names(run.wait(1))


def test_deadlines_of_several_waits_are_met_together() -> None:
    """
    One word that time has passed ends every wait that is due, and no other.
    """
    short, long = TimerStep(id="short", duration_ms=1), TimerStep(id="long", duration_ms=9_000)
    run = Rehearsal.of(define(TIMER, short, long))

    assert START_US + 1_000 == next_due_us(run.state)
    assert ["StepCompleted", "StepCompleted"] == names(run.wait(1_500))
    assert ["long"] == [command.step for command in run.open]


def test_signal_after_the_wait_began_completes_the_step() -> None:
    """
    The payload of the signal is the output of the step, and its followers start.
    """
    run = Rehearsal.of(define(SIGNAL, AFTER))

    received, completed, _ = run.send(
        MessageArrived(source="signal", name="go", message_id="m-1", payload={"by": "me"}, sent_by="operator")
    )

    assert isinstance(received, MessageReceived)
    assert "operator" == received.sent_by
    assert StepCompleted(step="w", output={"by": "me"}, message_id="m-1") == completed
    assert [] == run.state.messages


def test_signal_before_the_wait_is_kept() -> None:
    """
    A signal that nobody waits for yet is not lost: the wait takes it when it begins.
    """
    run = Rehearsal.of(define(tool_step("a"), SignalStep(id="w", depends_on=("a",), signal="go")))
    early = run.signal("go", {"n": 1})

    facts = run.send(succeeded(run.call("a")))

    assert ["MessageReceived"] == names(early)
    assert ["StepCompleted", "WaitStarted", "StepCompleted", "RunCompleted"] == names(facts)
    assert {"n": 1} == run.state.results["w"]["output"]


def test_kept_signals_are_taken_oldest_first() -> None:
    """
    Two waits for one name get two signals, in the order in which those came.
    """
    first = SignalStep(id="first", signal="go")
    second = SignalStep(id="second", depends_on=("first",), signal="go")
    run = Rehearsal(define(first, second))
    run.signal("go", 1)
    run.signal("go", 2)
    run.signal("other", 3)
    run.send(Rehearsal.of(define(first, second)).events[0])

    assert [1, 2] == [run.state.results[step]["output"] for step in ("first", "second")]
    assert ["other"] == [message.name for message in run.state.messages]


def test_signal_of_another_name_is_kept_and_wakes_nobody() -> None:
    """
    A wait takes its own name only.
    """
    run = Rehearsal.of(define(SIGNAL))

    assert ["MessageReceived"] == names(run.signal("stop"))
    assert ["w"] == [command.step for command in run.open]


def test_event_does_not_pass_for_a_signal() -> None:
    """
    An inbound event and a signal of one name are not the same: a person's word cannot be forged by a webhook.
    """
    run = Rehearsal.of(define(SIGNAL))

    assert ["MessageReceived"] == names(run.inbound("go"))


def test_one_message_wakes_one_step() -> None:
    """
    Of two steps that wait for the same, the one that began first gets it.
    """
    run = Rehearsal.of(define(SIGNAL, SignalStep(id="x", signal="go")))

    run.signal("go")

    assert ["x"] == [command.step for command in run.open]


def test_message_heard_twice_is_kept_once() -> None:
    """
    The same id is heard once, whether it still waits or was taken.
    """
    run = Rehearsal.of(define(tool_step("a"), SignalStep(id="w", depends_on=("a",), signal="go")))
    run.signal("go", message_id="m-1")

    assert [] == run.signal("go", message_id="m-1")
    run.send(succeeded(run.call("a")))
    assert [] == run.signal("go", message_id="m-1")


def test_kept_messages_are_limited() -> None:
    """
    A run holds so many messages that nobody took, and no more.
    """
    run = Rehearsal.of(define(tool_step("a")), policy=Policy(messages_max=2))

    assert [1, 1, 0] == [len(run.signal("go")) for _ in range(3)]


def test_event_wait_says_what_it_can_be_found_by() -> None:
    """
    The correlation is computed when the wait begins, and recorded.
    """
    run = expecting()
    wait = WaitStarted(step="w", source="event", name="shop.paid", correlation="o-1")

    assert wait == run.facts[-1]
    assert (AwaitMessage(step="w", source="event", name="shop.paid", correlation="o-1"),) == run.open


def test_correlation_that_is_no_text_is_canonical() -> None:
    """
    Any value can be a correlation; what is no string is written as canonical JSON.
    """
    step = EventStep(id="w", event="shop.paid", correlation={"id": "${{ input.id }}", "a": 1})
    run = Rehearsal.of(define(step), {"id": 7.0})

    assert '{"a":1,"id":7}' == run.open[0].correlation


def test_correlation_that_cannot_be_computed_fails_the_step() -> None:
    """
    A wait that nothing could ever find does not begin.
    """
    run = Rehearsal.of(define(EVENT), {"amount": 5})

    assert ["RunStarted", "StepFailed", "RunFailed"] == names(run.facts)


@pytest.mark.parametrize(
    ("payload", "is_taken"), [({"amount": 7}, True), ({"amount": 3}, False), ({}, False), (None, False)]
)
def test_event_is_taken_if_it_matches(payload: object, is_taken: bool) -> None:
    """
    A match expression sees the event and the run; an event that it cannot be asked of is not the one.
    """
    run = expecting()

    facts = run.inbound("shop.paid", payload)

    assert is_taken is (names(facts) == ["MessageReceived", "StepCompleted", "StepStarted"])
    assert is_taken is not bool(run.state.messages)


def test_event_that_does_not_match_lets_the_next_one_through() -> None:
    """
    The wait goes on until the right one comes.
    """
    run = expecting()
    run.inbound("shop.paid", {"amount": 1})

    assert "StepCompleted" in names(run.inbound("shop.paid", {"amount": 9}))


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
@pytest.mark.parametrize("kind", [SignalStep, EventStep])
def test_wait_that_times_out_ends_as_its_step_says(
    kind: type[SignalStep] | type[EventStep], on_timeout: Literal["fail", "continue"]
) -> None:
    """
    A time-out fails the step, or completes it with no output.
    """
    name = {"signal": "go"} if kind is SignalStep else {"event": "go"}
    run = Rehearsal.of(define(kind(id="w", timeout_ms=1_000, on_timeout=on_timeout, **name), AFTER))
    assert [] == run.wait(999)

    facts = run.wait(1)

    if on_timeout == "continue":
        assert [StepCompleted(step="w"), "StepStarted"] == [facts[0], type(facts[1]).__name__]
    else:
        assert ["StepFailed", "RunFailed"] == names(facts)
        assert isinstance(facts[0], StepFailed)
        assert "WAIT_TIMED_OUT" == facts[0].reason


def test_message_after_the_time_out_is_kept() -> None:
    """
    What comes too late for one wait may be for the next.
    """
    run = Rehearsal.of(define(SignalStep(id="w", signal="go", timeout_ms=1, on_timeout="continue"), AFTER))
    run.wait(1)

    assert ["MessageReceived"] == names(run.signal("go"))


def test_message_that_cannot_be_an_output_fails_the_wait() -> None:
    """
    A payload without canonical form could never be hashed: the step that takes it says so, and the run can end.
    """
    run = Rehearsal.of(define(SIGNAL))

    _, step_failed, run_failed = run.signal("go", {"id": UNSAFE_INTEGER}, message_id="m-1")

    assert isinstance(step_failed, StepFailed)
    assert isinstance(run_failed, RunFailed)
    assert ("MESSAGE_INVALID", "m-1") == (step_failed.reason, step_failed.message_id)
    assert 64 == len(state_hash(run.state))


def test_settled_output_that_cannot_be_hashed_is_replaced() -> None:
    """
    What a person says the call returned is checked like what a message brings; the settlement itself stays on record.
    """
    run = SITUATIONS["parked"]()
    run.send(EffectResolved(step="a", slot=1, outcome="happened", decided_by="approver", output={"id": UNSAFE_INTEGER}))

    assert ["output_error"] == list(run.state.results["a"]["output"])
    assert 64 == len(state_hash(run.state))


def correlated(message_id: str, *correlations: str) -> MessageArrived:
    """Return an event that may be found by these."""
    return MessageArrived(
        source="event", name="shop.paid", message_id=message_id, payload=message_id, correlations=correlations
    )


def waiting_for_two() -> Rehearsal:
    """Return a run of which two steps wait for events of one name, each about something else."""
    steps = (EventStep(id=name, event="shop.paid", correlation=f"o-{name}") for name in ("1", "2"))
    return Rehearsal.of(define(*steps))


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")], ids=["as they wait", "the other way round"])
def test_event_goes_to_the_step_that_it_is_about(order: tuple[str, str]) -> None:
    """
    Of two steps that wait for events of one name, each takes the one with its correlation, in whatever order they come.
    """
    run = waiting_for_two()

    for number in order:
        run.send(correlated(f"m{number}", "something else", f"o-{number}"))

    assert RunStatus.COMPLETED is run.state.status
    assert {"1": "m1", "2": "m2"} == {step: result["output"] for step, result in run.state.results.items()}


def test_event_about_something_else_is_kept_and_taken_by_nobody() -> None:
    """
    An event that came for another step of the run does not pass for what a step waits for.
    """
    run = waiting_for_two()

    facts = run.send(correlated("m3", "o-3"))

    assert ["MessageReceived"] == names(facts)
    assert ["1", "2"] == [command.step for command in run.open]


def test_event_of_an_older_kernel_goes_to_the_first_step() -> None:
    """
    A message that says nothing of its correlations, as old ones do, is taken as it always was.
    """
    run = waiting_for_two()

    assert ["MessageReceived", "StepCompleted"] == names(run.inbound("shop.paid", "m4"))
