"""evolve folds what can have happened, and refuses the rest without a trace."""

import pytest

from remit.core.commands import AwaitApproval
from remit.core.evolve import FINGERPRINTS_MAX, apply_fact, evolve, evolve_many
from remit.core.facts import ApprovalGiven, StepCompleted, StepSkipped
from remit.core.state import RunState, state_hash
from remit.core.states import RunStatus, StepStatus
from remit.errors import IllegalTransitionError
from remit.testing.definitions import define, sequence, tool_step
from remit.testing.events import failed, succeeded, suspended
from remit.testing.rehearsal import Rehearsal
from tests.unit.core.situations import RETRY, SITUATIONS, facts_for, snapshot

ANYTIME = {"MessageReceived", "CancelRequested", "RunCompleted", "RunFailed", "RunCancelled"}
OF_A_CALL = {
    "IntentRecorded",
    "ApprovalRequested",
    "ApprovalWithdrawn",
    "StepCompleted",
    "AttemptFailed",
    "StepFailed",
    "EffectParked",
}
OF_A_REQUEST = {"ApprovalGiven", "ApprovalDenied", "ApprovalExpired", "ApprovalWithdrawn"}
POSSIBLE = {
    "unsubmitted": {"RunStarted", "MessageReceived", "CancelRequested", "RunCancelled"},
    "calling": ANYTIME | OF_A_CALL,
    "intending": ANYTIME | OF_A_CALL,
    "asking": ANYTIME | OF_A_REQUEST,
    "approved": ANYTIME | OF_A_CALL,
    "retrying": ANYTIME | {"AttemptStarted"},
    "retrying_unknown": ANYTIME | {"AttemptStarted"},
    "asking_unknown": ANYTIME | OF_A_REQUEST,
    "parked": ANYTIME | {"EffectSettled"},
    "timing": ANYTIME | {"StepCompleted"},
    "listening": ANYTIME | {"StepCompleted", "StepFailed"},
    "expecting": ANYTIME | {"StepCompleted", "StepFailed"},
    "passed": ANYTIME,
    "stopping_call": ANYTIME | OF_A_CALL,
    "stopping_ask": ANYTIME | OF_A_REQUEST,
    "stopping_parked": ANYTIME | {"EffectSettled"},
    "completed": set(),
    "failed_for_good": set(),
    "cancelled": set(),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_fact_that_cannot_happen_is_refused_unfolded(situation: str) -> None:
    """
    In each situation exactly the possible facts are folded; each other one is refused, and changes nothing.
    """
    make = SITUATIONS[situation]
    accepted = set()
    for kind, fact in facts_for(make()).items():
        state = make().state
        before = snapshot(state)
        try:
            apply_fact(state, fact)
        except IllegalTransitionError:
            assert before == snapshot(state), kind
        else:
            accepted.add(kind)

    assert POSSIBLE[situation] == accepted


@pytest.mark.parametrize("situation", SITUATIONS)
def test_evolve_leaves_its_argument_unchanged(situation: str) -> None:
    """
    evolve answers with a new state, and the given one stays as it was.
    """
    run = SITUATIONS[situation]()
    before = snapshot(run.state)
    for kind, fact in facts_for(run).items():
        if kind in POSSIBLE[situation]:
            evolve(run.state, fact)

    assert before == snapshot(run.state)


def test_fact_about_an_unknown_step_is_refused() -> None:
    """
    A step that the definition does not have cannot begin, end or be skipped.
    """
    run = Rehearsal.of(define(tool_step("a")))
    before = snapshot(run.state)

    for fact in (StepSkipped(step="zzz"), StepCompleted(step="zzz")):
        with pytest.raises(IllegalTransitionError):
            apply_fact(run.state, fact)

    assert before == snapshot(run.state)


@pytest.mark.parametrize(("approval_id", "digest"), [("approval-1", "0" * 64), ("approval-2", None)])
def test_approval_of_something_else_is_refused(approval_id: str, digest: str | None) -> None:
    """
    Only the approval that was asked for, with the digest that was asked about, lets a call go on.
    """
    run = Rehearsal.of(define(tool_step("a")))
    run.send(suspended(run.call("a"), "approval-1"))
    request = run.state.steps["a"].request
    assert request is not None
    before = snapshot(run.state)
    fact = ApprovalGiven(
        step="a", slot=1, approval_id=approval_id, digest=digest or request.digest, decided_by="approver"
    )

    with pytest.raises(IllegalTransitionError):
        apply_fact(run.state, fact)

    assert before == snapshot(run.state)


def test_evolve_many_equals_one_fact_at_a_time() -> None:
    """
    Folding a journal at once gives what folding each of its facts gives.
    """
    run = SITUATIONS["completed"]()
    start = RunState(run.program, tenant_id=run.state.tenant_id, run_id=run.state.run_id)
    stepwise = start
    for fact in run.facts:
        stepwise = evolve(stepwise, fact)

    assert state_hash(run.state) == state_hash(evolve_many(start, run.facts)) == state_hash(stepwise)
    assert RunStatus.PENDING is start.status


def test_call_keeps_its_numbers_when_approved() -> None:
    """
    A call that waited for a person is the same call: bounds count it where it began, not after those begun meanwhile.
    """
    run = Rehearsal.of(define(tool_step("a"), tool_step("b"), tool_step("c")))
    began = run.call("a")
    run.send(suspended(began, "approval-1"))

    run.approve("a")

    resumed = run.call("a")
    assert began == resumed.without_approval()
    assert resumed.approval is not None
    assert 3 == run.state.usage.tool_calls


def test_retry_counts_as_a_call_but_not_as_a_step() -> None:
    """
    Another attempt is another call to the bounds, and still the same step, whatever began meanwhile.
    """
    run = Rehearsal.of(define(tool_step("a", retry=RETRY), tool_step("z", tool="other")))
    run.send(failed(run.call("a")))

    run.wait_until_due()

    call = run.call("a")
    assert (2, 3, 2, 1) == (call.attempt, call.call_number, call.call_number_of_tool, call.step_number)
    assert (2, 3) == (run.state.usage.steps, run.state.usage.tool_calls)
    assert {"tests.read": 2, "other": 1} == run.state.usage.calls_by_tool


def test_intent_stays_with_later_attempts() -> None:
    """
    Another attempt knows the intent before it: the key is fixed before the first try.
    """
    run = SITUATIONS["retrying_unknown"]()

    run.wait_until_due()

    intent = run.call("a").intent
    assert intent is not None
    assert 1 == intent.attempt


def test_suspended_call_is_what_goes_on() -> None:
    """
    The request holds the call that runs if a person agrees; the approval that a former request got is gone.
    """
    run = SITUATIONS["approved"]()

    run.send(suspended(run.call("a"), "approval-2"))

    command = run.state.open["a", 1]
    assert isinstance(command, AwaitApproval)
    assert command.call.approval is None
    assert run.state.steps["a"].approval is None


def test_finished_step_holds_no_arguments() -> None:
    """
    A finished step keeps what is needed to hash and to report it, not the bytes that were sent.
    """
    run = SITUATIONS["passed"]()

    assert b"" == run.state.steps["a"].arguments
    assert StepStatus.COMPLETED is run.state.steps["a"].status
    assert {"status": "completed", "output": {"n": 1}} == run.state.results["a"]


def test_fingerprints_are_bounded_and_recent() -> None:
    """
    Loop detection sees the latest calls, and a run of any length holds a bounded number of them.
    """
    run = Rehearsal.of(sequence(1_000, arguments={"text": "same"}))
    for number in range(1, 1_001):
        run.send(succeeded(run.call(f"s{number}")))

    assert FINGERPRINTS_MAX <= len(run.state.fingerprints) <= 2 * FINGERPRINTS_MAX
    assert 1 == len(set(run.state.fingerprints))


def test_usage_adds_up_over_attempts() -> None:
    """
    What failed attempts used counts too.
    """
    run = SITUATIONS["calling"]()
    run.send(failed(run.call("a")))
    run.wait_until_due()
    run.send(succeeded(run.call("a")))

    assert 2 == run.state.usage.active_ms
