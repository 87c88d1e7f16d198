"""Every situation that step ``a`` of a run can be in, and every fact and event that could hit it there.

Owns: how each situation comes about, and one plausible instance of each fact and event, aimed at step ``a``.
Does not know: what is legal. ``test_evolve`` and ``test_decide_matrix`` say that, for each pair.
"""

from collections.abc import Callable

import msgspec

from remit.core import events, facts
from remit.core.commands import AwaitRetry, CallTool
from remit.core.definition import Bounds, EventStep, RetryPolicy, SignalStep, Step, TimerStep
from remit.core.state import RunState
from remit.testing.definitions import PAY_TOOL, define, tool_step
from remit.testing.events import failed, intended, lost, refused, submitted, succeeded, suspended
from remit.testing.rehearsal import Rehearsal

APPROVAL_ID = "approval-1"
RETRY = RetryPolicy(attempts_max=3, delay_initial_ms=1_000, jitter_ratio=0.0)


def rehearse(first: Step) -> Rehearsal:
    """Return a run whose step ``a`` has begun, with ``b`` after it."""
    return Rehearsal.of(define(first, tool_step("b", "a")))


def calling() -> Rehearsal:
    return rehearse(tool_step("a", tool=PAY_TOOL, retry=RETRY))


def intending() -> Rehearsal:
    run = calling()
    run.send(intended(run.call("a"), tool=PAY_TOOL))
    return run


def asking() -> Rehearsal:
    run = calling()
    run.send(suspended(run.call("a"), APPROVAL_ID))
    return run


def approved() -> Rehearsal:
    run = asking()
    run.approve("a")
    return run


def retrying() -> Rehearsal:
    run = calling()
    run.send(failed(run.call("a")))
    return run


def retrying_unknown() -> Rehearsal:
    run = intending()
    run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))
    return run


def asking_unknown() -> Rehearsal:
    """A second attempt is held for approval while the first one may have had its effect."""
    run = retrying_unknown()
    run.wait_until_due()
    run.send(suspended(run.call("a"), APPROVAL_ID))
    return run


def parked() -> Rehearsal:
    run = intending()
    run.send(lost(run.call("a")))
    return run


def timing() -> Rehearsal:
    return rehearse(TimerStep(id="a", duration_ms=1_000))


def listening() -> Rehearsal:
    return rehearse(SignalStep(id="a", signal="go", timeout_ms=1_000))


def expecting() -> Rehearsal:
    return rehearse(EventStep(id="a", event="shop.paid", match="event.ok"))


def passed() -> Rehearsal:
    """Step ``a`` is finished and ``b`` is in flight."""
    run = calling()
    run.send(succeeded(run.call("a"), {"n": 1}))
    return run


def stopping_call() -> Rehearsal:
    run = calling()
    run.send(events.CancelAsked(requested_by="operator"))
    return run


def stopping_ask() -> Rehearsal:
    """Step ``a`` waits for a person, the run is stopping, and a call of ``z`` is still in flight."""
    run = Rehearsal.of(define(tool_step("a", tool=PAY_TOOL, retry=RETRY), tool_step("b", "a"), tool_step("z")))
    run.send(suspended(run.call("a"), APPROVAL_ID))
    run.send(events.CancelAsked(requested_by="operator"))
    return run


def stopping_parked() -> Rehearsal:
    run = parked()
    run.send(events.CancelAsked(requested_by="operator"))
    return run


def completed() -> Rehearsal:
    run = passed()
    run.send(succeeded(run.call("b")))
    return run


def failed_for_good() -> Rehearsal:
    run = calling()
    run.send(refused(run.call("a")))
    return run


def cancelled() -> Rehearsal:
    run = retrying()
    run.send(events.CancelAsked(requested_by="operator"))
    return run


def unsubmitted() -> Rehearsal:
    return Rehearsal(define(tool_step("a"), tool_step("b", "a")))


SITUATIONS: dict[str, Callable[[], Rehearsal]] = {
    make.__name__: make
    for make in (
        unsubmitted,
        calling,
        intending,
        asking,
        approved,
        retrying,
        retrying_unknown,
        asking_unknown,
        parked,
        timing,
        listening,
        expecting,
        passed,
        stopping_call,
        stopping_ask,
        stopping_parked,
        completed,
        failed_for_good,
        cancelled,
    )
}


def snapshot(state: RunState) -> str:
    """Return everything in a state as text, in order; states with equal snapshots are equal in all that counts."""
    parts = {name: getattr(state, name) for name in RunState.__slots__ if name != "program"}
    return repr(parts | {"taken": sorted(state.taken)})


def call_in(run: Rehearsal) -> CallTool:
    """Return the call that step ``a`` has in flight, or what it would look like if there is none."""
    command = run.state.open.get(("a", 1))
    if isinstance(command, CallTool):
        return command
    step = run.state.steps.get("a")
    attempt = 1 if step is None else step.attempt
    return CallTool(
        step="a", attempt=attempt, slot=1, arguments=b"{}", call_number=1, call_number_of_tool=1, step_number=1
    )


def events_for(run: Rehearsal) -> dict[str, events.Event]:
    """Return one event of each kind, aimed at step ``a`` as it stands; all deadlines are long past."""
    call = call_in(run)
    step = run.state.steps.get("a")
    digest = step.request.digest if step is not None and step.request is not None else "d" * 64
    run.now_us += 3_600_000_000
    every: list[events.Event] = [
        submitted(run.program),
        succeeded(call, {"n": 1}),
        failed(call),
        refused(call),
        suspended(call, "approval-2"),
        intended(call, tool=PAY_TOOL),
        lost(call),
        events.ApprovalDecided(approval_id=APPROVAL_ID, decision="approved", digest=digest, decided_by="approver"),
        events.ApprovalVoided(step="a", slot=1, approval_id=APPROVAL_ID, reason="the policy changed"),
        events.MessageArrived(source="signal", name="go", message_id="m1"),
        events.EffectResolved(step="a", slot=1, outcome="absent", decided_by="approver"),
        events.CancelAsked(requested_by="operator"),
        events.DeadlineReached(),
    ]
    return {type(event).__name__: event for event in every}


def facts_for(run: Rehearsal) -> dict[str, facts.Fact]:
    """Return one fact of each kind, aimed at step ``a`` as it stands."""
    call = call_in(run)
    step = run.state.steps.get("a")
    digest = step.request.digest if step is not None and step.request is not None else "d" * 64
    command = run.state.open.get(("a", 1))
    next_attempt = command.attempt if isinstance(command, AwaitRetry) else call.attempt + 1
    every: list[facts.Fact] = [
        facts.RunStarted(
            definition_digest=run.program.digest, policy_digest="", principal_id="x", input=None, bounds=Bounds()
        ),
        facts.StepStarted(step="a", arguments=msgspec.Raw(b"{}")),
        facts.AttemptStarted(step="a", attempt=next_attempt),
        intended(call, tool=PAY_TOOL).intent,
        suspended(call, "approval-2").request,
        facts.ApprovalGiven(step="a", slot=1, approval_id=APPROVAL_ID, digest=digest, decided_by="approver"),
        facts.ApprovalDenied(step="a", slot=1, approval_id=APPROVAL_ID, decided_by="approver"),
        facts.ApprovalExpired(step="a", slot=1, approval_id=APPROVAL_ID),
        facts.ApprovalWithdrawn(step="a", slot=1, approval_id=APPROVAL_ID, reason="the run ends"),
        facts.StepCompleted(step="a", attempt=call.attempt),
        facts.AttemptFailed(step="a", attempt=call.attempt, reason="FLAKY", message="", retry_us=1),
        facts.StepFailed(step="a", attempt=call.attempt, reason="FLAKY", message=""),
        facts.StepSkipped(step="a"),
        facts.EffectParked(step="a", attempt=call.attempt, slot=1, reason="EFFECT_UNKNOWN"),
        facts.EffectSettled(step="a", slot=1, outcome="absent", decided_by="approver"),
        facts.TimerStarted(step="a", due_us=1),
        facts.WaitStarted(step="a", source="signal", name="go"),
        facts.MessageReceived(source="signal", name="go", message_id="m1"),
        facts.CancelRequested(requested_by="operator"),
        facts.RunCompleted(),
        facts.RunFailed(reason="FLAKY", message=""),
        facts.RunCancelled(requested_by="operator"),
    ]
    return {type(fact).__name__: fact for fact in every}
