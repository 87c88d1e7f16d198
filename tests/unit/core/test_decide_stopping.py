"""decide: runs that end early, because a step failed, somebody asked, or nobody knows what happened."""

import msgspec
import pytest

from remit.core.definition import RetryPolicy, SignalStep, TimerStep
from remit.core.events import CancelAsked, EffectResolved
from remit.core.facts import CancelRequested, EffectSettled, Fact, RunCancelled, RunFailed, StepCompleted, StepFailed
from remit.core.states import RunStatus, StepStatus
from remit.testing.definitions import PAY_TOOL, WRITE_TOOL, define, tool_step
from remit.testing.events import failed, intended, lost, receipt_of, refused, submitted, succeeded, suspended
from remit.testing.rehearsal import Rehearsal
from tests.unit.core.situations import RETRY, SITUATIONS

CANCEL = CancelAsked(requested_by="operator", reason="no longer wanted")


def names(facts: list[Fact]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


def in_flight_beside_failure() -> Rehearsal:
    """Return a run in which ``a`` has failed for good while ``z`` is in flight."""
    run = Rehearsal.of(define(tool_step("a"), tool_step("b", "a"), tool_step("z"), tool_step("y", "z")))
    run.send(refused(run.call("a")))
    return run


def test_failure_ends_the_run_with_the_steps_own_reason() -> None:
    """
    The run fails for the reason that its step failed, and says which step it was.
    """
    run = Rehearsal.of(define(tool_step("a"), tool_step("b", "a")))

    step_failed, run_failed = run.send(refused(run.call("a")))

    assert isinstance(step_failed, StepFailed)
    assert RunFailed(reason="PERMISSION_DENIED", message="no scope covers this call", step="a") == run_failed
    assert "b" not in run.state.steps


def test_failure_lets_calls_in_flight_end_first() -> None:
    """
    A run does not end while a call may still have its effect, and starts nothing in the meantime.
    """
    run = in_flight_beside_failure()
    assert RunStatus.RUNNING is run.state.status

    facts = run.send(succeeded(run.call("z"), "kept"))

    assert ["StepCompleted", "RunFailed"] == names(facts)
    assert ("y" not in run.state.steps, "kept") == (True, run.state.results["z"]["output"])


def test_failure_in_flight_is_not_tried_again_when_the_run_stops() -> None:
    """
    A stopping run has no further attempts, unless it must find out what became of one.
    """
    run = Rehearsal.of(define(tool_step("a"), tool_step("z", retry=RETRY)))
    run.send(refused(run.call("a")))

    assert ["StepFailed", "RunFailed"] == names(run.send(failed(run.call("z"))))


def test_first_failure_names_the_run() -> None:
    """
    Of several failures the first is the reason of the run.
    """
    run = in_flight_beside_failure()

    last = run.send(failed(run.call("z"), "DECLINED", retryable=False))[-1]

    assert isinstance(last, RunFailed)
    assert ("a", "PERMISSION_DENIED") == (last.step, last.reason)


def test_failure_that_may_be_passed_over_satisfies_followers() -> None:
    """
    With ``on_failure: continue`` the followers start, and see a null output.
    """
    definition = define(tool_step("a", on_failure="continue"), tool_step("b", "a", arguments={"was": "${{ steps.a }}"}))
    run = Rehearsal.of(definition)

    run.send(refused(run.call("a")))

    assert b'{"was":{"output":null,"status":"failed"}}' == run.call("b").arguments
    assert "RunCompleted" == names(run.send(succeeded(run.call("b"))))[-1]


@pytest.mark.parametrize("situation", ["asking", "retrying", "timing", "listening", "expecting"])
def test_cancel_of_a_run_that_only_waits_ends_it_at_once(situation: str) -> None:
    """
    Nothing can come of a wait that is given up.
    """
    run = SITUATIONS[situation]()

    facts = run.send(CANCEL)

    assert CancelRequested(requested_by="operator", reason="no longer wanted") == facts[0]
    assert RunCancelled(requested_by="operator", reason="no longer wanted") == facts[-1]
    assert () == run.open


def test_cancel_before_the_run_began_ends_it() -> None:
    """
    A run that nobody took up yet can be cancelled, and is not begun afterwards.
    """
    run = Rehearsal(define(tool_step("a")))

    assert ["CancelRequested", "RunCancelled"] == names(run.send(CANCEL))
    assert [] == run.send(submitted(run.program))


def test_cancel_waits_for_calls_in_flight() -> None:
    """
    What was sent is awaited; its outcome stays on record, and nothing follows from it.
    """
    run = SITUATIONS["calling"]()
    assert ["CancelRequested"] == names(run.send(CANCEL))
    assert RunStatus.RUNNING is run.state.status

    completed, cancelled = run.send(succeeded(run.call("a"), "kept"))

    assert isinstance(completed, StepCompleted)
    assert isinstance(cancelled, RunCancelled)
    assert "b" not in run.state.steps


def test_second_cancel_is_ignored() -> None:
    """
    Who asked first is on record.
    """
    run = SITUATIONS["calling"]()
    run.send(CANCEL)

    assert [] == run.send(CancelAsked(requested_by="somebody-else"))


def test_cancel_of_a_failing_run_is_ignored() -> None:
    """
    A run that is failing already ends as failed.
    """
    run = in_flight_beside_failure()

    assert [] == run.send(CANCEL)
    assert "RunFailed" == names(run.send(succeeded(run.call("z"))))[-1]


@pytest.mark.parametrize("outcome", ["failed", "refused", "suspended", "intended"])
def test_cancelled_run_ends_as_cancelled_whatever_its_calls_say(outcome: str) -> None:
    """
    Somebody asked first: a step that fails, or is not let go, while the run stops is not the reason of its end.
    """
    run = SITUATIONS["calling"]()
    run.send(CANCEL)
    call = run.call("a")
    event = {
        "failed": failed(call, retryable=False),
        "refused": refused(call),
        "suspended": suspended(call, "approval-1"),
        "intended": intended(call, tool=PAY_TOOL),
    }

    facts = run.send(event[outcome])

    assert ["StepFailed", "RunCancelled"] == names(facts)
    assert RunStatus.CANCELLED is run.state.status
    assert run.state.failure is None


def test_stopping_run_starts_no_effect() -> None:
    """
    A call that was about to act when the run began to stop is closed with a reason of its own.
    """
    run = SITUATIONS["stopping_call"]()

    closed = run.send(intended(run.call("a"), tool=PAY_TOOL))[0]

    assert isinstance(closed, StepFailed)
    assert "RUN_STOPPING" == closed.reason


def test_refusal_after_the_intent_does_not_hide_an_effect() -> None:
    """
    A call whose intent is on record may have been sent by a worker that died: a kill switch that a new one finds thrown
    does not make it not have happened.
    """
    run = SITUATIONS["intending"]()

    assert ["EffectParked"] == names(run.send(refused(run.call("a"))))
    assert not run.state.is_terminal


def test_refusal_after_an_intent_that_is_cleared_up_fails_the_step() -> None:
    """
    The intent of an earlier attempt, which is known to have had no effect, leaves nothing in doubt.
    """
    run = SITUATIONS["intending"]()
    run.send(failed(run.call("a")))
    run.wait_until_due()

    assert ["StepFailed", "RunFailed"] == names(run.send(refused(run.call("a"))))


def test_retry_with_unknown_effect_survives_a_cancel() -> None:
    """
    The attempt that would find out what happened is made, although the run is to stop.
    """
    run = SITUATIONS["retrying_unknown"]()
    assert ["CancelRequested"] == names(run.send(CANCEL))

    assert ["AttemptStarted"] == names(run.wait_until_due())
    assert ["StepCompleted", "RunCancelled"] == names(run.send(succeeded(run.call("a"))))


def test_retry_with_unknown_effect_survives_a_failure_beside_it() -> None:
    """
    The same holds when the run stops because another step failed.
    """
    run = Rehearsal.of(define(tool_step("a", tool=WRITE_TOOL), tool_step("z")))
    run.send(intended(run.call("a"), tool=WRITE_TOOL))
    run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))
    run.send(refused(run.call("z")))
    assert not run.state.is_terminal

    run.wait_until_due()

    assert ["StepCompleted", "RunFailed"] == names(run.send(succeeded(run.call("a"))))


@pytest.mark.parametrize("outcome", ["suspended", "intended"])
def test_attempt_that_is_not_made_does_not_hide_an_unknown_effect(outcome: str) -> None:
    """
    A stopping run closes no step whose earlier attempt may have had its effect: it parks it.
    """
    run = SITUATIONS["retrying_unknown"]()
    run.send(CANCEL)
    run.wait_until_due()
    call = run.call("a")
    event = {"suspended": suspended(call, "approval-1"), "intended": intended(call, tool=PAY_TOOL)}

    assert ["EffectParked"] == names(run.send(event[outcome]))
    assert not run.state.is_terminal


def test_pause_without_effect_is_given_up_when_the_run_stops() -> None:
    """
    A retry that would only try again is not waited for.
    """
    run = Rehearsal.of(define(tool_step("a", retry=RETRY), tool_step("z")))
    run.send(failed(run.call("a")))
    run.send(CANCEL)

    assert [] == run.wait(60_000)
    assert ["StepCompleted", "RunCancelled"] == names(run.send(succeeded(run.call("z"))))


def test_parked_effect_keeps_the_run_from_ending() -> None:
    """
    Nobody may forget an effect that may have happened: the run waits for a person, cancelled or not.
    """
    run = SITUATIONS["parked"]()

    assert ["CancelRequested"] == names(run.send(CANCEL))
    assert RunStatus.WAITING is run.state.status
    assert [] == run.wait(3_600_000)


def settled(outcome: str, **fields: object) -> EffectResolved:
    return EffectResolved(step="a", slot=1, outcome=outcome, decided_by="approver", **fields)


def test_effect_that_happened_completes_the_step() -> None:
    """
    The person's word stands for the lost answer: the output and receipt are recorded with it, and the run goes on.
    """
    run = SITUATIONS["intending"]()
    receipt = receipt_of(run.call("a"), tool=PAY_TOOL)
    run.send(lost(run.call("a")))

    by_hand, completed, _ = run.send(settled("happened", output={"id": "ch_1"}, receipt=receipt, reason="seen it"))

    assert EffectSettled(step="a", slot=1, outcome="happened", decided_by="approver", reason="seen it") == by_hand
    assert StepCompleted(step="a", output={"id": "ch_1"}, receipt=receipt) == completed
    assert "b" == run.call("b").step


def test_effect_that_is_absent_is_tried_again_with_a_new_intent() -> None:
    """
    Proven absent, the call starts over: next attempt, no intent, nothing unknown.
    """
    run = SITUATIONS["parked"]()

    run.send(settled("absent"))

    call = run.call("a")
    assert (2, None) == (call.attempt, call.intent)
    assert "none" == run.state.steps["a"].effect
    assert ["IntentRecorded"] == names(run.send(intended(call, tool=PAY_TOOL)))


@pytest.mark.parametrize(("reserves_key", "outcome"), [(True, "absent"), (False, "absent"), (True, "happened")])
def test_key_of_an_absent_effect_is_released(reserves_key: bool, outcome: str) -> None:
    """
    The settlement names the key that it frees, because the intent that held it is gone from the state.
    """
    run = SITUATIONS["calling"]()
    intent = intended(run.call("a"), tool=PAY_TOOL)
    run.send(msgspec.structs.replace(intent, intent=msgspec.structs.replace(intent.intent, reserves_key=reserves_key)))
    run.send(lost(run.call("a")))

    by_hand = run.send(settled(outcome))[0]

    assert isinstance(by_hand, EffectSettled)
    is_released = reserves_key and outcome == "absent"
    assert (intent.intent.idempotency_key if is_released else None) == by_hand.released_key


def test_effect_that_was_cleared_up_is_not_in_doubt_any_more() -> None:
    """
    Once a person says that nothing happened, a later failure is a failure: it is not parked again.
    """
    run = SITUATIONS["retrying_unknown"]()
    run.wait_until_due()
    run.send(lost(run.call("a")))
    run.send(settled("absent"))

    assert ["StepFailed", "RunFailed"] == names(run.send(failed(run.call("a"), retryable=False)))


def test_effect_that_is_absent_is_not_tried_again_in_a_stopping_run() -> None:
    """
    Nothing happened, and nothing is to happen any more.
    """
    run = SITUATIONS["stopping_parked"]()

    assert ["EffectSettled", "StepFailed", "RunCancelled"] == names(run.send(settled("absent")))


def test_effect_that_happened_is_kept_in_a_stopping_run() -> None:
    """
    The run ends as cancelled, with the step completed: that is what happened.
    """
    run = SITUATIONS["stopping_parked"]()

    assert ["EffectSettled", "StepCompleted", "RunCancelled"] == names(run.send(settled("happened")))
    assert StepStatus.COMPLETED is run.state.steps["a"].status


def test_settlement_of_what_is_not_parked_is_ignored() -> None:
    """
    Only a parked effect can be settled, and only once.
    """
    run = SITUATIONS["calling"]()
    assert [] == run.send(settled("happened"))
    parked = SITUATIONS["parked"]()
    parked.send(settled("happened"))

    assert [] == parked.send(settled("absent"))


def test_waits_of_a_stopping_run_end_with_it() -> None:
    """
    Timers and signals do not keep a run that is to stop, and are gone with it.
    """
    run = Rehearsal.of(define(TimerStep(id="t", duration_ms=9), SignalStep(id="w", signal="go"), tool_step("z")))
    run.send(CANCEL)

    assert ["StepCompleted"] == names(run.wait(9))
    assert ["MessageReceived"] == names(run.signal("go"))
    assert ["StepCompleted", "RunCancelled"] == names(run.send(succeeded(run.call("z"))))
    assert () == run.open


def test_many_attempts_to_find_out_end_in_a_stopping_run() -> None:
    """
    Also a stopping run comes to its end: attempts to find out are limited, then a person decides.
    """
    run = SITUATIONS["retrying_unknown"]()
    run.send(CANCEL)
    for _ in range(10):
        if run.state.parked_count:
            break
        run.wait_until_due()
        run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))

    assert 6 == run.state.steps["a"].attempt
    assert "RunCancelled" == names(run.send(settled("happened")))[-1]


def test_retry_policy_of_a_stopping_run_still_limits_known_failures() -> None:
    """
    An attempt that follows an unknown one and fails in a known way uses up the step's own attempts.
    """
    step = tool_step("a", tool=WRITE_TOOL, retry=RetryPolicy(attempts_max=2))
    run = Rehearsal.of(define(step))
    run.send(intended(run.call("a"), tool=WRITE_TOOL))
    run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))
    run.wait_until_due()

    assert ["EffectParked"] == names(run.send(failed(run.call("a"), "FLAKY")))
