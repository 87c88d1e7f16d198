"""``decide``: what follows from an event.

Owns: what each event means to a run. Answers with facts; the caller records them and folds them.
Does not know: tools, policies of businesses, stores, clocks (``now_us`` is given).

``advance`` decides and folds in place, for the run's single owner; ``decide`` is the same on a copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, cast

import msgspec

from remit.core.canonical import JsonValue
from remit.core.commands import AwaitApproval, AwaitMessage, AwaitRetry, AwaitSettlement, AwaitTimer, CallTool
from remit.core.definition import EventStep, RetryPolicy, SignalStep, ToolStep
from remit.core.events import (
    ActionFailed,
    ActionIntended,
    ActionRefused,
    ActionSucceeded,
    ActionSuspended,
    ActionUnknown,
    ApprovalDecided,
    ApprovalVoided,
    CancelAsked,
    DeadlineReached,
    EffectResolved,
    Event,
    MessageArrived,
    RunSubmitted,
)
from remit.core.expressions import Template
from remit.core.facts import (
    ApprovalDenied,
    ApprovalExpired,
    ApprovalGiven,
    ApprovalWithdrawn,
    AttemptFailed,
    AttemptStarted,
    CancelRequested,
    EffectParked,
    EffectSettled,
    Fact,
    MessageReceived,
    RunStarted,
    StepCompleted,
    StepFailed,
)
from remit.core.limits import DEFAULT_POLICY, Policy
from remit.core.progress import Progress
from remit.core.state import RunState, StepState
from remit.core.states import RunStatus
from remit.errors import EvaluationError

__all__ = ["CLOSED_CODE", "DEFAULT_POLICY", "Decision", "Policy", "advance", "decide", "retry_delay_ms"]

CLOSED_CODE: Final = "RUN_STOPPING"
"""Reason of a step that was not let go because its run is stopping."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The facts to record, in order; empty when the event changes nothing (late, duplicate or not expected)."""

    facts: tuple[Fact, ...]


def decide(state: RunState, event: Event, *, policy: Policy = DEFAULT_POLICY, now_us: int) -> Decision:
    """Return what follows from an event; the given state is not changed.

    The same state, event, policy and instant give the same facts, on every machine.
    """
    return Decision(facts=tuple(advance(state.copy(), event, policy=policy, now_us=now_us)))


def advance(state: RunState, event: Event, *, policy: Policy = DEFAULT_POLICY, now_us: int) -> list[Fact]:
    """Decide and fold in place; for the state's single owner. Like ``decide``, without the copy."""
    if state.is_terminal:
        return []
    progress = Progress(state, policy, now_us)
    _HANDLERS[type(event)](progress, event)
    return progress.facts


def retry_delay_ms(retry: RetryPolicy, event: ActionFailed) -> int:
    """Return the pause before the next attempt, at least what the provider asked for."""
    try:
        grown = retry.delay_initial_ms * retry.multiplier ** (event.attempt - 1)
    except OverflowError:
        grown = math.inf
    delay = min(float(retry.delay_max_ms), grown)
    delay *= 1 + retry.jitter_ratio * event.jitter
    return max(int(delay), event.retry_after_ms or 0)


# --- the run ----------------------------------------------------------------------------------------------------------


def _submit(progress: Progress, event: RunSubmitted) -> None:
    if progress.state.status is not RunStatus.PENDING:
        return
    progress.emit(
        RunStarted(
            definition_digest=event.definition_digest,
            policy_digest=event.policy_digest,
            principal_id=event.principal_id,
            input=event.input,
            bounds=event.bounds,
            trigger=event.trigger,
        )
    )
    progress.start_roots()
    progress.go_on()


def _cancel(progress: Progress, event: CancelAsked) -> None:
    if progress.state.is_stopping:
        return
    progress.emit(CancelRequested(requested_by=event.requested_by, reason=event.reason))
    progress.end_if_done()


# --- actions ----------------------------------------------------------------------------------------------------------


def _expected(state: RunState, step_id: str, *, attempt: int, slot: int) -> StepState | None:
    """Return the step if this very attempt is in flight; late and duplicate outcomes answer ``None``."""
    command = state.open.get((step_id, slot))
    if isinstance(command, CallTool) and command.attempt == attempt:
        return state.steps[step_id]
    return None


def _succeed(progress: Progress, event: ActionSucceeded) -> None:
    if _expected(progress.state, event.step, attempt=event.attempt, slot=event.slot) is None:
        return
    _finish_call(
        progress,
        StepCompleted(
            step=event.step,
            attempt=event.attempt,
            output=event.output,
            checks=event.checks,
            policy_digest=event.policy_digest,
            usage=event.usage,
            receipt=event.receipt,
            adopted_from=event.adopted_from,
            outbox=event.outbox,
        ),
    )


def _finish_call(progress: Progress, fact: StepCompleted) -> None:
    mapping = progress.state.program.steps[fact.step].output_mapping
    if mapping is not None:
        fact = msgspec.structs.replace(fact, output=_map_output(progress, mapping, fact.output))
    progress.complete_step(fact)
    progress.go_on()


def _map_output(progress: Progress, mapping: Template, output: JsonValue) -> JsonValue:
    """Return the mapped output. The call happened and its receipt stays on record, also when only the mapping fails."""
    try:
        mapped = mapping.render({**progress.state.scope(), "output": output})
    except EvaluationError as error:
        problem: str | None = error.message
    else:
        problem = progress.problem_of(mapped)
        if problem is None:
            return mapped
    return {"mapping_error": problem, "output": output}


def _fail(progress: Progress, event: ActionFailed) -> None:
    step = _expected(progress.state, event.step, attempt=event.attempt, slot=event.slot)
    if step is None:
        return
    retry = _retry_of(progress.state, event.step)
    if _may_retry(progress, event, retry=retry, step=step):
        progress.emit(
            AttemptFailed(
                step=event.step,
                attempt=event.attempt,
                reason=event.reason,
                message=event.message,
                retry_us=progress.now_us + retry_delay_ms(retry, event) * 1000,
                effect=event.effect,
                checks=event.checks,
                usage=event.usage,
            )
        )
        progress.end_if_done()
    elif event.effect == "unknown" or (step.effect == "unknown" and event.effect != "absent"):
        _park(progress, event)
    else:
        progress.fail_step(
            StepFailed(
                step=event.step,
                attempt=event.attempt,
                reason=event.reason,
                message=event.message,
                checks=event.checks,
                usage=event.usage,
            )
        )
        progress.go_on()


def _retry_of(state: RunState, step_id: str) -> RetryPolicy:
    step = state.program.steps[step_id].step
    return step.retry if isinstance(step, ToolStep) else RetryPolicy()


def _may_retry(progress: Progress, event: ActionFailed, *, retry: RetryPolicy, step: StepState) -> bool:
    if not event.retryable:
        return False
    if event.effect == "unknown":
        return event.attempt < max(retry.attempts_max, progress.policy.recovery_attempts_max)
    if progress.state.is_stopping and step.effect != "unknown":
        return False
    matches = not retry.reasons or event.reason in retry.reasons
    return matches and event.attempt < retry.attempts_max


def _refuse(progress: Progress, event: ActionRefused) -> None:
    if _expected(progress.state, event.step, attempt=event.attempt, slot=event.slot) is None:
        return
    fact = StepFailed(
        step=event.step,
        attempt=event.attempt,
        reason=event.reason,
        message=event.message,
        checks=event.checks,
        evidence=event.evidence,
    )
    _give_up(progress, fact, slot=event.slot)


def _give_up(progress: Progress, fact: StepFailed, *, slot: int) -> None:
    """Fail a step whose attempt is not made; park it if the effect may have happened before: nothing hides that."""
    if _may_have_acted(progress.state.steps[fact.step], attempt=fact.attempt):
        progress.emit(
            EffectParked(step=fact.step, attempt=fact.attempt, slot=slot, reason=fact.reason, message=fact.message)
        )
    else:
        progress.fail_step(fact)
    progress.go_on()


def _may_have_acted(step: StepState, *, attempt: int) -> bool:
    """Whether the effect may have happened: an earlier attempt left it open, or this one's intent is on record.

    With its intent on record a call may have been sent by a worker that is gone, whatever is said about it now.
    """
    return step.effect == "unknown" or (step.intent is not None and step.intent.attempt == attempt)


def _close_instead(progress: Progress, step_id: str, *, attempt: int, slot: int) -> None:
    """The run is stopping: what has had no effect yet must not have one."""
    message = "not started: the run is stopping"
    fact = StepFailed(step=step_id, attempt=attempt, reason=CLOSED_CODE, message=message)
    _give_up(progress, fact, slot=slot)


def _suspend(progress: Progress, event: ActionSuspended) -> None:
    request = event.request
    step = _expected(progress.state, request.step, attempt=request.attempt, slot=request.slot)
    if step is None or request.approval_id in step.asked:
        return
    if progress.state.is_stopping:
        _close_instead(progress, request.step, attempt=request.attempt, slot=request.slot)
        return
    progress.emit(request)


def _intend(progress: Progress, event: ActionIntended) -> None:
    intent = event.intent
    step = _expected(progress.state, intent.step, attempt=intent.attempt, slot=intent.slot)
    if step is None or (step.intent is not None and step.intent.attempt >= intent.attempt):
        return
    if progress.state.is_stopping:
        _close_instead(progress, intent.step, attempt=intent.attempt, slot=intent.slot)
        return
    progress.emit(intent)


def _lose_sight(progress: Progress, event: ActionUnknown) -> None:
    if _expected(progress.state, event.step, attempt=event.attempt, slot=event.slot) is not None:
        _park(progress, event)


def _park(progress: Progress, event: ActionFailed | ActionUnknown) -> None:
    progress.emit(
        EffectParked(
            step=event.step, attempt=event.attempt, slot=event.slot, reason=event.reason, message=event.message
        )
    )


def _settle(progress: Progress, event: EffectResolved) -> None:
    command = progress.state.open.get((event.step, event.slot))
    if not isinstance(command, AwaitSettlement):
        return
    step = progress.state.steps[event.step]
    progress.emit(
        EffectSettled(
            step=event.step,
            slot=event.slot,
            outcome=event.outcome,
            decided_by=event.decided_by,
            reason=event.reason,
            released_key=_reserved_key(step) if event.outcome == "absent" else None,
        )
    )
    if event.outcome == "happened":
        problem = progress.problem_of(event.output)
        output: JsonValue = event.output if problem is None else {"output_error": problem}
        fact = StepCompleted(step=event.step, attempt=step.attempt, output=output, receipt=event.receipt)
        _finish_call(progress, fact)
    elif progress.state.is_stopping:
        _close_instead(progress, event.step, attempt=step.attempt, slot=event.slot)


def _reserved_key(step: StepState) -> str | None:
    return step.intent.idempotency_key if step.intent is not None and step.intent.reserves_key else None


# --- approvals --------------------------------------------------------------------------------------------------------


def _hear_decision(progress: Progress, event: ApprovalDecided) -> None:
    command = _find_approval(progress.state, event.approval_id)
    if command is None:
        return
    request = progress.state.steps[command.step].request
    assert request is not None
    if event.decision == "approved" and event.digest == request.digest:
        _allow(progress, command, event)
        return
    step, slot, approval_id = command.step, command.slot, command.approval_id
    if event.decision == "expired":
        progress.emit(ApprovalExpired(step=step, slot=slot, approval_id=approval_id))
        reason, message = "APPROVAL_EXPIRED", "nobody decided in time"
    else:
        decided_by = event.decided_by or ""
        why = event.reason
        if event.decision == "approved":
            why = f"what {decided_by} approved is not what would run"
        progress.emit(ApprovalDenied(step=step, slot=slot, approval_id=approval_id, decided_by=decided_by, reason=why))
        reason, message = "APPROVAL_DENIED", why or f"denied by {decided_by}"
    fact = StepFailed(step=step, attempt=request.attempt, reason=reason, message=message)
    _give_up(progress, fact, slot=slot)


def _allow(progress: Progress, command: AwaitApproval, event: ApprovalDecided) -> None:
    progress.emit(
        ApprovalGiven(
            step=command.step,
            slot=command.slot,
            approval_id=command.approval_id,
            digest=event.digest,
            decided_by=event.decided_by or "",
            reason=event.reason,
        )
    )
    step = progress.state.steps[command.step]
    if progress.state.is_stopping and step.effect != "unknown":
        _close_instead(progress, command.step, attempt=step.attempt, slot=command.slot)


def _find_approval(state: RunState, approval_id: str) -> AwaitApproval | None:
    for command in state.open.values():
        if isinstance(command, AwaitApproval) and command.approval_id == approval_id:
            return command
    return None


def _void_approval(progress: Progress, event: ApprovalVoided) -> None:
    command = progress.state.open.get((event.step, event.slot))
    if not isinstance(command, CallTool) or command.approval is None:
        return
    if _may_have_acted(progress.state.steps[event.step], attempt=command.attempt):
        return  # it may have been sent: what was approved is what ran
    if command.approval.approval_id == event.approval_id:
        progress.emit(
            ApprovalWithdrawn(step=event.step, slot=event.slot, approval_id=event.approval_id, reason=event.reason)
        )


# --- messages and deadlines -------------------------------------------------------------------------------------------


def _hear_message(progress: Progress, event: MessageArrived) -> None:
    state = progress.state
    if len(state.messages) >= progress.policy.messages_max:
        return
    if event.message_id in state.taken or any(held.message_id == event.message_id for held in state.messages):
        return
    message = MessageReceived(
        source=event.source,
        name=event.name,
        message_id=event.message_id,
        payload=event.payload,
        sent_by=event.sent_by,
        correlations=event.correlations,
    )
    progress.emit(message)
    if state.is_stopping:
        return
    for command in list(state.open.values()):
        if isinstance(command, AwaitMessage) and progress.take(command.step, message):
            progress.go_on()
            return


def _reach_deadlines(progress: Progress, event: DeadlineReached) -> None:
    del event
    for command in list(progress.state.open.values()):
        match command:
            case AwaitRetry() if command.due_us <= progress.now_us:
                if not progress.state.is_stopping or progress.is_in_flight(command):
                    progress.emit(AttemptStarted(step=command.step, attempt=command.attempt))
            case AwaitTimer() if command.due_us <= progress.now_us:
                progress.complete_step(StepCompleted(step=command.step))
            case AwaitMessage() if command.due_us is not None and command.due_us <= progress.now_us:
                _end_wait(progress, command)
            case _:
                # An approval's row expires in the database first and then tells the run.
                pass
    progress.go_on()


def _end_wait(progress: Progress, command: AwaitMessage) -> None:
    step = progress.state.program.steps[command.step].step
    assert isinstance(step, SignalStep | EventStep)
    if step.on_timeout == "continue":
        progress.complete_step(StepCompleted(step=command.step))
        return
    message = f"no {command.source} {command.name!r} arrived in time"
    progress.fail_step(StepFailed(step=command.step, attempt=1, reason="WAIT_TIMED_OUT", message=message))


_HANDLERS: Final = cast(
    "dict[type[Event], Callable[[Progress, Event], None]]",
    {
        RunSubmitted: _submit,
        ActionSucceeded: _succeed,
        ActionFailed: _fail,
        ActionRefused: _refuse,
        ActionSuspended: _suspend,
        ActionIntended: _intend,
        ActionUnknown: _lose_sight,
        ApprovalDecided: _hear_decision,
        ApprovalVoided: _void_approval,
        MessageArrived: _hear_message,
        EffectResolved: _settle,
        CancelAsked: _cancel,
        DeadlineReached: _reach_deadlines,
    },
)
