"""decide, for every situation of a step and every event that could hit it there."""

import pytest

from remit.core.decide import decide
from remit.core.states import RunStatus
from tests.unit.core.situations import SITUATIONS, events_for, snapshot

RECEIVED = ["MessageReceived"]
ENDS_CANCELLED = ["CancelRequested", "RunCancelled"]
NEXT = ["StepCompleted", "StepStarted"]
FAILS = ["StepFailed", "RunFailed"]
OF_A_CALL = {
    "ActionSucceeded": NEXT,
    "ActionFailed": ["AttemptFailed"],
    "ActionRefused": FAILS,
    "ActionSuspended": ["ApprovalRequested"],
    "ActionIntended": ["IntentRecorded"],
    "ActionUnknown": ["EffectParked"],
    "MessageArrived": RECEIVED,
    "CancelAsked": ["CancelRequested"],
}
STOPPED = ["StepFailed", "RunCancelled"]

# Situation → event → the facts that follow. What is not listed is late, a duplicate or not expected: nothing follows.
FOLLOWS: dict[str, dict[str, list[str]]] = {
    "unsubmitted": {
        "RunSubmitted": ["RunStarted", "StepStarted"],
        "MessageArrived": RECEIVED,
        "CancelAsked": ENDS_CANCELLED,
    },
    "calling": OF_A_CALL,
    "intending": {
        **{kind: kinds for kind, kinds in OF_A_CALL.items() if kind != "ActionIntended"},
        "ActionRefused": ["EffectParked"],
    },
    "approved": {**OF_A_CALL, "ApprovalVoided": ["ApprovalWithdrawn"]},
    "asking": {
        "ApprovalDecided": ["ApprovalGiven"],
        "MessageArrived": RECEIVED,
        "CancelAsked": ["CancelRequested", "ApprovalWithdrawn", "RunCancelled"],
    },
    "retrying": {"DeadlineReached": ["AttemptStarted"], "MessageArrived": RECEIVED, "CancelAsked": ENDS_CANCELLED},
    "retrying_unknown": {
        "DeadlineReached": ["AttemptStarted"],
        "MessageArrived": RECEIVED,
        "CancelAsked": ["CancelRequested"],
    },
    "asking_unknown": {
        "ApprovalDecided": ["ApprovalGiven"],
        "MessageArrived": RECEIVED,
        "CancelAsked": ["CancelRequested"],
    },
    "parked": {
        "EffectResolved": ["EffectSettled"],
        "MessageArrived": RECEIVED,
        "CancelAsked": ["CancelRequested"],
    },
    "timing": {"DeadlineReached": NEXT, "MessageArrived": RECEIVED, "CancelAsked": ENDS_CANCELLED},
    "listening": {
        "DeadlineReached": FAILS,
        "MessageArrived": ["MessageReceived", "StepCompleted", "StepStarted"],
        "CancelAsked": ENDS_CANCELLED,
    },
    "expecting": {"MessageArrived": RECEIVED, "CancelAsked": ENDS_CANCELLED},
    "passed": {"MessageArrived": RECEIVED, "CancelAsked": ["CancelRequested"]},
    "stopping_call": {
        "ActionSucceeded": ["StepCompleted", "RunCancelled"],
        "ActionFailed": STOPPED,
        "ActionRefused": STOPPED,
        "ActionSuspended": STOPPED,
        "ActionIntended": STOPPED,
        "ActionUnknown": ["EffectParked"],
        "MessageArrived": RECEIVED,
    },
    "stopping_ask": {"ApprovalDecided": ["ApprovalGiven", "StepFailed"], "MessageArrived": RECEIVED},
    "stopping_parked": {
        "EffectResolved": ["EffectSettled", "StepFailed", "RunCancelled"],
        "MessageArrived": RECEIVED,
    },
    "completed": {},
    "failed_for_good": {},
    "cancelled": {},
}
EVENTS = list(events_for(SITUATIONS["unsubmitted"]()))


def test_matrix_knows_every_situation() -> None:
    """
    Each situation has its row.
    """
    assert set(SITUATIONS) == set(FOLLOWS)


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_event_has_the_facts_of_the_matrix(situation: str, kind: str) -> None:
    """
    An event has exactly the facts that the matrix names for its situation; decide leaves the state as it was.
    """
    run = SITUATIONS[situation]()
    event = events_for(run)[kind]
    before = snapshot(run.state)

    decision = decide(run.state, event, policy=run.policy, now_us=run.now_us)

    assert FOLLOWS[situation].get(kind, []) == [type(fact).__name__ for fact in decision.facts]
    assert before == snapshot(run.state)


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_event_heard_twice_counts_once(situation: str, kind: str) -> None:
    """
    The same event again has no facts: whatever it brought about is not brought about again.
    """
    run = SITUATIONS[situation]()
    event = events_for(run)[kind]
    run.send(event)
    before = snapshot(run.state)

    again = run.send(event)

    assert [] == again
    assert before == snapshot(run.state)


@pytest.mark.parametrize("situation", ["completed", "failed_for_good", "cancelled"])
def test_ended_run_has_nothing_outstanding(situation: str) -> None:
    """
    A terminal run absorbs: nothing is open, and its status stays.
    """
    run = SITUATIONS[situation]()

    assert () == run.open
    assert run.state.is_terminal
    assert run.state.status in {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}
