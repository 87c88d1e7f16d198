"""What is still to be done follows from the state alone, and so do its deadlines and its words."""

from remit.core.commands import CallTool
from remit.core.definition import SignalStep
from remit.core.outstanding import describe_wait, next_due_us, outstanding
from remit.testing.definitions import define, tool_step
from remit.testing.events import failed, intended
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
