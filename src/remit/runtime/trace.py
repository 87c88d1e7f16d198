"""The trace of a run: what happened as spans with times, costs and verdicts, projected from its facts.

Owns: which facts begin and end a span, and what of them passes redaction on its way in: every value from outside.
Does not know: where traces go, or what is sensitive. Nothing is recorded for a trace: the journal holds everything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

import msgspec

from remit.core.definition import ToolStep
from remit.core.facts import (
    ApprovalDenied,
    ApprovalExpired,
    ApprovalGiven,
    ApprovalRequested,
    ApprovalWithdrawn,
    AttemptFailed,
    AttemptStarted,
    CancelRequested,
    EffectParked,
    EffectSettled,
    Fact,
    IntentRecorded,
    MessageReceived,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    StepCompleted,
    StepFailed,
    StepSkipped,
    StepStarted,
    TimerStarted,
    WaitStarted,
    decode_facts,
)
from remit.core.program import Program
from remit.errors import JournalCorruptError
from remit.ports.store import LoadedRun
from remit.runtime.projection import Projection, Redaction
from remit.runtime.rows import instant_of
from remit.runtime.spans import Span, Trace, TreeRow, render_tree

__all__ = ["Redaction", "Span", "Trace", "TreeRow", "project_trace", "render_tree"]


def project_trace(run: LoadedRun, program: Program, *, redact: Redaction) -> Trace:
    """Return the trace of a run as far as its journal goes.

    Raises:
        JournalCorruptError: a payload is no list of facts, or speaks of steps that the definition does not have.
    """
    projection = Projection(run, program, redact)
    erased = 0
    for entry in run.entries:
        if entry.payload is None:
            erased += 1
            continue
        for fact in decode_facts(entry.payload):
            _hear(projection, fact, entry.at)
    projection.settle_status()
    return Trace(
        tenant_id=run.tenant_id,
        run_id=run.run_id,
        correlation_id=run.run_id,
        spans=tuple(projection.in_order()),
        erased=erased,
    )


def _hear(on: Projection, fact: Fact, at: datetime) -> None:
    """Take one fact into the spans."""
    on.at = at
    step_id = getattr(fact, "step", None)
    if step_id is not None and step_id not in on.steps:
        raise JournalCorruptError(f"a fact speaks of step {step_id!r}, which the definition does not have")
    _HANDLERS[type(fact)](on, fact)


# --- the run ----------------------------------------------------------------------------------------------------------


def _run_started(on: Projection, fact: RunStarted) -> None:
    on.run.status = "running"
    on.run.attributes["input"] = on.redact.value(fact.input)


def _message_received(on: Projection, fact: MessageReceived) -> None:
    on.senders[fact.message_id] = fact.sent_by


def _cancel_requested(on: Projection, fact: CancelRequested) -> None:
    on.run.attributes["cancel_requested_by"] = fact.requested_by


def _run_completed(on: Projection, fact: RunCompleted) -> None:
    on.run.attributes["output"] = on.redact.value(fact.output)
    _end_run(on, "completed")


def _run_failed(on: Projection, fact: RunFailed) -> None:
    on.run.reason = on.redact.text(fact.reason)
    on.run.message = on.redact.text(fact.message)
    _end_run(on, "failed")


def _run_cancelled(on: Projection, fact: RunCancelled) -> None:
    on.run.message = on.redact.text(fact.reason)
    _end_run(on, "cancelled")


def _end_run(on: Projection, status: str) -> None:
    on.end(on.run, status)
    for span in on.in_order():
        if span.started_at is not None and span.ended_at is None:
            # It did not end by itself: its status says where it stood.
            span.ended_at = on.at


# --- steps ------------------------------------------------------------------------------------------------------------


def _step_started(on: Projection, fact: StepStarted) -> None:
    span = on.steps[fact.step]
    span.started_at = on.at
    step = on.program.steps[fact.step].step
    if isinstance(step, ToolStep):
        span.attributes["arguments"] = on.redact.arguments(step, msgspec.json.decode(fact.arguments))
    on.begin_attempt(fact.step, 1)


def _attempt_started(on: Projection, fact: AttemptStarted) -> None:
    on.end_wait(fact.step, "ended")
    on.begin_attempt(fact.step, fact.attempt)


def _intent_recorded(on: Projection, fact: IntentRecorded) -> None:
    span = on.attempts.get(fact.step)
    if span is not None:
        span.attributes |= {
            "delivery_class": fact.delivery_class,
            "idempotency_key": fact.idempotency_key,
            "external_key": fact.external_key,
            "intended_at": instant_of(fact.recorded_us).isoformat(),
            "policy_digest": fact.policy_digest,
        }


def _step_completed(on: Projection, fact: StepCompleted) -> None:
    on.end_wait(fact.step, "ended")
    on.use(fact.step, fact.usage)
    step = on.steps[fact.step]
    step.attributes |= {
        "output": on.redact.output(on.program.steps[fact.step].step, fact.output),
        "adopted_from": fact.adopted_from,
        "published": [message.topic for message in fact.outbox],
    }
    on.take_message(fact.step, fact.message_id)
    attempt = on.attempts.get(fact.step)
    if attempt is not None:
        attempt.attributes["policy_digest"] = fact.policy_digest or attempt.attributes["policy_digest"]
    for span in (step, attempt):
        if span is not None:
            on.end(span, "completed")
            span.verdict = fact.checks or span.verdict
            span.receipt_id = None if fact.receipt is None else fact.receipt.receipt_id
            span.reason, span.message = None, ""


def _attempt_failed(on: Projection, fact: AttemptFailed) -> None:
    on.use(fact.step, fact.usage)
    attempt = on.attempts.get(fact.step)
    if attempt is not None:
        on.fail(attempt, fact, "failed")
        attempt.attributes["effect"] = fact.effect
        attempt.verdict = fact.checks
    wait = on.begin_wait(fact.step, "wait", parent=on.steps[fact.step], name="retry")
    wait.attributes |= {"source": "retry", "due_at": instant_of(fact.retry_us).isoformat()}


def _step_failed(on: Projection, fact: StepFailed) -> None:
    on.end_wait(fact.step, "ended")
    on.use(fact.step, fact.usage)
    step = on.steps[fact.step]
    if step.started_at is None:
        step.started_at = on.at
    step.attributes["evidence"] = on.redact.value(fact.evidence)
    on.take_message(fact.step, fact.message_id)
    for span in (step, on.attempts.get(fact.step)):
        if span is not None:
            on.fail(span, fact, "failed")
            span.verdict = fact.checks


def _step_skipped(on: Projection, fact: StepSkipped) -> None:
    step = on.steps[fact.step]
    step.started_at = on.at
    step.reason = fact.reason
    on.end(step, "skipped")


# --- what is waited for -----------------------------------------------------------------------------------------------


def _approval_requested(on: Projection, fact: ApprovalRequested) -> None:
    parent = on.attempts.get(fact.step) or on.steps[fact.step]
    parent.status = "waiting"
    span = on.begin_wait(fact.step, "approval", parent=parent, name=fact.rule_id)
    span.attributes |= {
        "approval_id": fact.approval_id,
        "rule_id": fact.rule_id,
        "because": on.redact.text(fact.reason),
        "digest": fact.digest,
        "approvers_required": fact.approvers_required,
        "expires_at": instant_of(fact.expires_us).isoformat(),
    }


def _approval_given(on: Projection, fact: ApprovalGiven) -> None:
    _decide(on, fact.step, "approved", decided_by=fact.decided_by, why=fact.reason)
    for span in (on.steps[fact.step], on.attempts.get(fact.step)):
        if span is not None:
            span.status = "running"


def _approval_denied(on: Projection, fact: ApprovalDenied) -> None:
    _decide(on, fact.step, "denied", decided_by=fact.decided_by, why=fact.reason)


def _approval_expired(on: Projection, fact: ApprovalExpired) -> None:
    _decide(on, fact.step, "expired", decided_by=None, why="")


def _approval_withdrawn(on: Projection, fact: ApprovalWithdrawn) -> None:
    # An approval that was given before keeps what it says; that it is void shows in the request after it.
    _decide(on, fact.step, "withdrawn", decided_by=None, why=fact.reason)


def _decide(on: Projection, step_id: str, status: str, *, decided_by: str | None, why: str) -> None:
    span = on.end_wait(step_id, status)
    if span is not None:
        span.attributes["decided_by"] = decided_by
        span.message = on.redact.text(why)


def _effect_parked(on: Projection, fact: EffectParked) -> None:
    attempt = on.attempts.get(fact.step)
    if attempt is not None:
        on.fail(attempt, fact, "unknown")
        attempt.attributes["effect"] = "unknown"
    on.begin_wait(fact.step, "settlement", parent=on.steps[fact.step], name="settlement")


def _effect_settled(on: Projection, fact: EffectSettled) -> None:
    span = on.end_wait(fact.step, "ended")
    if span is not None:
        span.attributes |= {"outcome": fact.outcome, "decided_by": fact.decided_by}
        span.message = on.redact.text(fact.reason)
    attempt = on.attempts.pop(fact.step, None)
    if fact.outcome == "absent" and attempt is not None:
        on.begin_attempt(fact.step, cast("int", attempt.attributes["number"]) + 1)


def _timer_started(on: Projection, fact: TimerStarted) -> None:
    wait = _start_waiting(on, fact.step, name="timer")
    wait.attributes |= {"source": "timer", "due_at": instant_of(fact.due_us).isoformat()}


def _wait_started(on: Projection, fact: WaitStarted) -> None:
    wait = _start_waiting(on, fact.step, name=f"{fact.source} {fact.name}")
    wait.attributes |= {
        "source": fact.source,
        "for": fact.name,
        "correlation": on.redact.value(fact.correlation),
        "due_at": None if fact.due_us is None else instant_of(fact.due_us).isoformat(),
    }


def _start_waiting(on: Projection, step_id: str, *, name: str) -> Span:
    step = on.steps[step_id]
    step.started_at = on.at
    return on.begin_wait(step_id, "wait", parent=step, name=name)


_HANDLERS: Final = cast(
    "dict[type[Fact], Callable[[Projection, Fact], None]]",
    {
        RunStarted: _run_started,
        StepStarted: _step_started,
        AttemptStarted: _attempt_started,
        IntentRecorded: _intent_recorded,
        ApprovalRequested: _approval_requested,
        ApprovalGiven: _approval_given,
        ApprovalDenied: _approval_denied,
        ApprovalExpired: _approval_expired,
        ApprovalWithdrawn: _approval_withdrawn,
        StepCompleted: _step_completed,
        AttemptFailed: _attempt_failed,
        StepFailed: _step_failed,
        StepSkipped: _step_skipped,
        EffectParked: _effect_parked,
        EffectSettled: _effect_settled,
        TimerStarted: _timer_started,
        WaitStarted: _wait_started,
        MessageReceived: _message_received,
        CancelRequested: _cancel_requested,
        RunCompleted: _run_completed,
        RunFailed: _run_failed,
        RunCancelled: _run_cancelled,
    },
)
