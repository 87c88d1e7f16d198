"""decide: what is asked of people before a call, and what their answer covers."""

from typing import Literal

import pytest

from remit.core.commands import AwaitApproval
from remit.core.events import ApprovalDecided, ApprovalVoided, CancelAsked, EffectResolved
from remit.core.facts import (
    ApprovalDenied,
    ApprovalExpired,
    ApprovalGiven,
    ApprovalWithdrawn,
    EffectParked,
    StepFailed,
)
from remit.core.states import RunStatus, StepStatus
from remit.testing.definitions import PAY_TOOL, define, tool_step
from remit.testing.events import failed, intended, refused, succeeded, suspended
from remit.testing.rehearsal import Rehearsal
from tests.unit.core.situations import APPROVAL_ID, SITUATIONS, snapshot

Answer = Literal["approved", "denied", "expired"]


def answered(run: Rehearsal, answer: Answer, *, digest: str | None = None, reason: str = "") -> ApprovalDecided:
    request = run.state.steps["a"].request
    assert request is not None
    return ApprovalDecided(
        approval_id=APPROVAL_ID,
        decision=answer,
        digest=request.digest if digest is None else digest,
        decided_by=None if answer == "expired" else "approver",
        reason=reason,
    )


def test_suspended_call_waits_for_a_person() -> None:
    """
    A call that a rule holds back is no call in flight: the run waits, and says until when.
    """
    run = SITUATIONS["calling"]()
    event = suspended(run.call("a"), APPROVAL_ID, now_us=run.now_us)

    facts = run.send(event)

    command = run.open[0]
    assert [event.request] == facts
    assert isinstance(command, AwaitApproval)
    assert (APPROVAL_ID, event.request.expires_us) == (command.approval_id, command.due_us)
    assert RunStatus.WAITING is run.state.status


def test_approved_call_goes_on_with_the_same_bytes() -> None:
    """
    What was approved is, byte for byte, what runs; the call carries the approval.
    """
    run = SITUATIONS["asking"]()
    before = run.open[0]
    assert isinstance(before, AwaitApproval)

    facts = run.send(answered(run, "approved"))

    call = run.call("a")
    assert ["ApprovalGiven"] == [type(fact).__name__ for fact in facts]
    assert before.call.arguments == call.arguments
    assert call.approval == facts[0]


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [("denied", ApprovalDenied, "APPROVAL_DENIED"), ("expired", ApprovalExpired, "APPROVAL_EXPIRED")],
)
def test_call_that_is_not_approved_fails_its_step(answer: Answer, kind: type, reason: str) -> None:
    """
    Denied and expired requests end the step with a reason of their own.
    """
    run = SITUATIONS["asking"]()

    ended, step_failed, _ = run.send(answered(run, answer, reason="too much"))

    assert isinstance(ended, kind)
    assert isinstance(step_failed, StepFailed)
    assert reason == step_failed.reason
    assert RunStatus.FAILED is run.state.status


def test_approval_of_another_digest_denies() -> None:
    """
    An approval of something else is no approval: the step fails, and the record says why, not that somebody denied it.
    """
    run = SITUATIONS["asking"]()

    ended, step_failed, _ = run.send(answered(run, "approved", digest="0" * 64))

    assert isinstance(ended, ApprovalDenied)
    assert isinstance(step_failed, StepFailed)
    assert "what approver approved is not what would run" == ended.reason == step_failed.message


def test_decision_on_an_unknown_request_is_ignored() -> None:
    """
    A decision about a request that this run does not wait for changes nothing.
    """
    run = SITUATIONS["asking"]()
    before = snapshot(run.state)
    event = ApprovalDecided(approval_id="approval-9", decision="approved", digest="0" * 64)

    assert [] == run.send(event)
    assert before == snapshot(run.state)


@pytest.mark.parametrize("late", ["approved", "denied", "expired"])
@pytest.mark.parametrize("first", ["approved", "denied", "expired"])
def test_second_decision_is_ignored(first: Answer, late: Answer) -> None:
    """
    A request is decided once: whatever comes later, and however late, is not heard.
    """
    run = SITUATIONS["asking"]()
    second = answered(run, late)
    run.send(answered(run, first))
    before = snapshot(run.state)

    assert [] == run.send(second)
    assert before == snapshot(run.state)


def test_void_approval_is_asked_for_again() -> None:
    """
    When a given approval no longer covers what would run, it is withdrawn, and the same call is checked again.
    """
    run = SITUATIONS["approved"]()
    void = ApprovalVoided(step="a", slot=1, approval_id=APPROVAL_ID, reason="the policy changed")

    withdrawn = run.send(void)
    call = run.call("a")
    run.send(suspended(call, "approval-2"))

    assert [ApprovalWithdrawn(step="a", slot=1, approval_id=APPROVAL_ID, reason="the policy changed")] == withdrawn
    assert call.approval is None
    assert [("a", 1)] == run.state.fresh[-1:]
    assert "approval-2" == run.open[0].approval_id


def test_void_of_a_former_approval_is_ignored() -> None:
    """
    A late word that the first approval is void does not touch the second one.
    """
    run = SITUATIONS["approved"]()
    void = ApprovalVoided(step="a", slot=1, approval_id=APPROVAL_ID, reason="the policy changed")
    run.send(void)
    run.send(suspended(run.call("a"), "approval-2"))
    run.approve("a")

    assert [] == run.send(void)
    assert run.call("a").approval is not None


def test_void_after_the_intent_is_ignored() -> None:
    """
    From the intent on the call may have been sent: nothing takes its approval back.
    """
    run = SITUATIONS["approved"]()
    void = ApprovalVoided(step="a", slot=1, approval_id=APPROVAL_ID, reason="the policy changed")
    run.send(intended(run.call("a"), tool=PAY_TOOL))

    assert [] == run.send(void)
    assert run.call("a").approval is not None


def test_request_is_asked_once() -> None:
    """
    A request that was answered is not asked again under its old id, neither at once nor after another one.
    """
    run = SITUATIONS["calling"]()
    first = suspended(run.call("a"), APPROVAL_ID)
    run.send(first)
    run.approve("a")
    assert [] == run.send(first)
    run.send(suspended(run.call("a"), "approval-2"))
    run.approve("a")

    assert [] == run.send(first)


def test_approval_covers_later_attempts_of_the_call() -> None:
    """
    Another attempt sends the same bytes, so the same approval covers it.
    """
    run = SITUATIONS["approved"]()
    approval = run.call("a").approval
    run.send(failed(run.call("a")))
    run.wait_until_due()

    assert approval == run.call("a").approval
    assert 2 == run.call("a").attempt


def test_intent_is_recorded_before_the_call_acts() -> None:
    """
    The intent fixes key and bytes; the same call goes on with it, once.
    """
    run = SITUATIONS["approved"]()
    event = intended(run.call("a"), tool=PAY_TOOL)

    assert [event.intent] == run.send(event)
    assert event.intent == run.call("a").intent
    assert [] == run.send(event)


def test_approval_given_while_the_run_stops_starts_nothing() -> None:
    """
    The decision is on record, but what has had no effect yet must not have one.
    """
    run = SITUATIONS["stopping_ask"]()

    given, closed = run.send(answered(run, "approved"))

    assert isinstance(given, ApprovalGiven)
    assert isinstance(closed, StepFailed)
    assert "RUN_STOPPING" == closed.reason
    assert ["z"] == [command.step for command in run.open]


def test_stopping_run_withdraws_its_requests_at_the_end() -> None:
    """
    Nobody is asked to decide about a run that is over.
    """
    run = SITUATIONS["stopping_ask"]()

    facts = run.send(succeeded(run.call("z")))

    assert ["StepCompleted", "ApprovalWithdrawn", "RunCancelled"] == [type(fact).__name__ for fact in facts]


@pytest.mark.parametrize("answer", ["denied", "expired"])
@pytest.mark.parametrize("is_stopping", [False, True])
def test_answer_does_not_hide_an_unknown_effect(answer: Answer, is_stopping: bool) -> None:
    """
    When a second attempt is not approved, the first one may still have had its effect: a person settles it.
    """
    run = SITUATIONS["asking_unknown"]()
    if is_stopping:
        run.send(CancelAsked(requested_by="operator"))

    facts = run.send(answered(run, answer))

    assert isinstance(facts[-1], EffectParked)
    assert StepStatus.UNKNOWN is run.state.steps["a"].status
    assert not run.state.is_terminal


def test_approved_attempt_goes_on_in_a_stopping_run_to_clear_up_the_one_before() -> None:
    """
    A call that may have had its effect is followed up, also when the run is to stop.
    """
    run = SITUATIONS["asking_unknown"]()
    run.send(CancelAsked(requested_by="operator"))

    run.send(answered(run, "approved"))

    assert 2 == run.call("a").attempt
    assert ["StepCompleted", "RunCancelled"] == [type(f).__name__ for f in run.send(succeeded(run.call("a")))]


def test_approval_of_a_former_request_does_not_come_back() -> None:
    """
    Asked again, denied, parked and settled as absent, the call starts over without the approval it once had.
    """
    run = SITUATIONS["approved"]()
    run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))
    run.wait_until_due()
    run.send(suspended(run.call("a"), "approval-2"))
    run.send(ApprovalDecided(approval_id="approval-2", decision="denied", digest="", decided_by="approver"))
    run.send(EffectResolved(step="a", slot=1, outcome="absent", decided_by="approver"))

    assert run.call("a").approval is None


def test_void_approval_does_not_come_back() -> None:
    """
    A retry of a call whose approval was taken back does not carry it.
    """
    run = SITUATIONS["approved"]()
    run.send(ApprovalVoided(step="a", slot=1, approval_id=APPROVAL_ID, reason="the policy changed"))
    run.send(failed(run.call("a")))
    run.wait_until_due()

    assert run.call("a").approval is None


def test_refusal_after_approval_fails_the_step() -> None:
    """
    The pipeline checks again what was approved; its no counts.
    """
    run = SITUATIONS["approved"]()

    assert isinstance(run.send(refused(run.call("a")))[0], StepFailed)


def test_two_requests_at_once_are_told_apart() -> None:
    """
    Each decision reaches the step that asked.
    """
    run = Rehearsal.of(define(tool_step("a", tool=PAY_TOOL), tool_step("c", tool=PAY_TOOL)))
    run.send(suspended(run.call("c"), "approval-c"))
    run.send(suspended(run.call("a"), "approval-a"))

    run.approve("a")

    assert run.call("a").approval is not None
    assert isinstance(run.state.open["c", 1], AwaitApproval)
