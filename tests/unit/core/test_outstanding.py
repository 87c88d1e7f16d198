"""What is still to be done follows from the state alone, and so do its deadlines and its words."""

from remit.core.commands import CallTool
from remit.core.definition import SignalStep
from remit.core.outstanding import describe_wait, next_due_us, outstanding
from remit.testing.definitions import POST_TOOL, define, tool_step
from remit.testing.events import failed, intended, lost
from remit.testing.rehearsal import Rehearsal
from tests.unit.core.situations import RETRY, SITUATIONS, snapshot

SIGNAL = SignalStep(id="w", signal="go")


def test_outstanding_lists_commands_in_the_order_they_began() -> None:
    """
    What was begun first comes first; an intent does not change a call's place, a retry begins anew.
    """
    run = Rehearsal.of(define(tool_step("a"), tool_step("b"), tool_step("c", retry=None)))
    run.send(intended(run.call("b"), tool="tests.write"))

    assert ["a", "b", "c"] == [command.step for command in outstanding(run.state)]
    assert all(isinstance(command, CallTool) for command in outstanding(run.state))


def test_asking_what_is_outstanding_changes_nothing() -> None:
    """
    It can be asked at any time, of any state, and answers the same again.
    """
    for make in SITUATIONS.values():
        state = make().state
        before = snapshot(state)

        assert outstanding(state) == outstanding(state)
        assert before == snapshot(state)


def test_waiting_run_says_what_it_waits_for() -> None:
    """
    A run in which something is in flight does not wait; one that waits says for what, in words.
    """
    signalled = Rehearsal.of(define(SIGNAL, tool_step("a", retry=RETRY)))
    assert describe_wait(signalled.state) is None
    signalled.send(failed(signalled.call("a")))

    words = {
        "asking": "approval of a",
        "retrying": "retry of a",
        "timing": "timer a",
        "listening": "signal go",
        "expecting": "event shop.paid",
        "parked": "settlement of a",
        "completed": None,
    }

    assert "signal go" == describe_wait(signalled.state)
    assert words == {name: describe_wait(SITUATIONS[name]().state) for name in words}


def test_only_what_time_ends_has_a_due_instant() -> None:
    """
    The earliest instant at which a run must be looked at again is that of its first deadline; calls have none.
    """
    due = {name: next_due_us(SITUATIONS[name]().state) is not None for name in SITUATIONS}

    timed = {"asking", "asking_unknown", "retrying", "retrying_unknown", "timing", "listening"}
    assert timed | {"stopping_ask"} == {name for name, is_due in due.items() if is_due}


def stopping_beside(unsure: str) -> Rehearsal:
    """Return a run that fails while one step is to be tried again and the effect of another one is unknown."""
    steps = (tool_step("a", retry=RETRY), tool_step("b", tool=POST_TOOL), tool_step("c"))
    run = Rehearsal.of(define(*steps))
    run.send(failed(run.call("a"), effect=unsure))
    run.send(lost(run.call("b")))
    run.send(failed(run.call("c"), retryable=False))
    return run


def test_attempt_that_will_never_be_made_is_not_due() -> None:
    """
    A run that is stopping waits for the effect that is unknown; the retry of another step does not wake it any more.
    """
    run = stopping_beside("none")

    assert run.state.is_stopping
    assert ["AwaitRetry", "AwaitSettlement"] == [type(command).__name__ for command in run.open]
    assert next_due_us(run.state) is None
    assert "settlement of b" == describe_wait(run.state)


def test_attempt_that_finds_out_what_became_of_an_effect_is_due() -> None:
    """
    A run that is stopping still makes the attempts that tell whether an effect happened.
    """
    run = stopping_beside("unknown")

    assert next_due_us(run.state) is not None
    assert "retry of a" == describe_wait(run.state)
