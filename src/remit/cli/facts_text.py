"""Facts as lines that people read: what ``--follow`` and ``runs show`` tell of a journal.

Owns: the wording, one line for each kind of fact; a new kind does not type-check until it has one.
"""

from __future__ import annotations

from typing import assert_never

from remit.cli.output import clock_time, duration, short_receipt
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
)
from remit.governance.redaction import redact_text
from remit.runtime.rows import instant_of

Line = tuple[str, str, str]
"""Subject (a step or ``run``), what happened (a word that has a style), and details."""


def line_of(fact: Fact) -> Line:
    """Return a fact as a line; what people and providers wrote is redacted."""
    subject, word, details = _line_of(fact)
    return subject, word, redact_text(details)


def _line_of(fact: Fact) -> Line:
    match fact:
        case RunStarted() | RunCompleted() | RunFailed() | RunCancelled() | CancelRequested() | MessageReceived():
            return _about_run(fact)
        case (
            ApprovalRequested()
            | ApprovalGiven()
            | ApprovalDenied()
            | ApprovalExpired()
            | ApprovalWithdrawn()
            | EffectParked()
            | EffectSettled()
        ):
            return _about_people(fact)
        case StepStarted() | AttemptStarted() | IntentRecorded() | TimerStarted() | WaitStarted():
            return _about_step(fact)
        case StepCompleted() | AttemptFailed() | StepFailed() | StepSkipped():
            return _about_outcome(fact)
        case _:
            assert_never(fact)


def _about_run(
    fact: RunStarted | RunCompleted | RunFailed | RunCancelled | CancelRequested | MessageReceived,
) -> Line:
    match fact:
        case RunStarted():
            return (
                "run",
                "started",
                f"by {fact.principal_id}" + (f", triggered by {fact.trigger}" if fact.trigger else ""),
            )
        case RunCompleted():
            return "run", "completed", ""
        case RunFailed():
            return "run", "failed", f"{fact.reason}: {fact.message}"
        case RunCancelled():
            return "run", "cancelled", f"by {fact.requested_by}{_because(fact.reason)}"
        case CancelRequested():
            return "run", "cancelling", f"asked by {fact.requested_by}{_because(fact.reason)}"
        case MessageReceived():
            return "run", "received", f"{fact.source} {fact.name}" + (f" from {fact.sent_by}" if fact.sent_by else "")
        case _:
            assert_never(fact)


def _about_people(
    fact: ApprovalRequested
    | ApprovalGiven
    | ApprovalDenied
    | ApprovalExpired
    | ApprovalWithdrawn
    | EffectParked
    | EffectSettled,
) -> Line:
    match fact:
        case ApprovalRequested():
            return fact.step, "waiting", f"for approval {fact.approval_id[:8]}: {fact.reason or fact.rule_id}"
        case ApprovalGiven():
            return fact.step, "approved", f"by {fact.decided_by}{_because(fact.reason)}"
        case ApprovalDenied():
            return fact.step, "denied", f"by {fact.decided_by}{_because(fact.reason)}"
        case ApprovalExpired():
            return fact.step, "expired", "nobody decided in time"
        case ApprovalWithdrawn():
            return fact.step, "withdrawn", fact.reason
        case EffectParked():
            return fact.step, "unknown", f"{fact.reason}: {fact.message}; settle it with remit runs resolve"
        case EffectSettled():
            return fact.step, "settled", f"{fact.outcome}, says {fact.decided_by}{_because(fact.reason)}"
        case _:
            assert_never(fact)


def _about_step(fact: StepStarted | AttemptStarted | IntentRecorded | TimerStarted | WaitStarted) -> Line:
    match fact:
        case StepStarted():
            return fact.step, "started", ""
        case AttemptStarted():
            return fact.step, "started", f"attempt {fact.attempt}"
        case IntentRecorded():
            return fact.step, "sending", f"{fact.tool} ({fact.delivery_class}), key …{fact.external_key[-8:]}"
        case TimerStarted():
            return fact.step, "waiting", f"until {clock_time(instant_of(fact.due_us))}"
        case WaitStarted():
            return fact.step, "waiting", f"for {fact.source} {fact.name}"
        case _:
            assert_never(fact)


def _about_outcome(fact: StepCompleted | AttemptFailed | StepFailed | StepSkipped) -> Line:
    match fact:
        case StepCompleted():
            took = duration(fact.usage.duration_ms / 1000) if fact.usage.duration_ms else ""
            return fact.step, "completed", ", ".join(part for part in (took, _receipt(fact), _published(fact)) if part)
        case AttemptFailed():
            again = clock_time(instant_of(fact.retry_us))
            return fact.step, "retrying", f"{fact.reason}: {fact.message}; again at {again}"
        case StepFailed():
            return fact.step, "failed", f"{fact.reason}: {fact.message}"
        case StepSkipped():
            return fact.step, "skipped", "its condition is false" if fact.reason == "condition" else fact.reason
        case _:
            assert_never(fact)


def _receipt(fact: StepCompleted) -> str:
    if fact.adopted_from is not None:
        return f"outcome of receipt {short_receipt(fact.adopted_from)}: done before, not done again"
    return "" if fact.receipt is None else f"receipt {short_receipt(fact.receipt.receipt_id)}"


def _published(fact: StepCompleted) -> str:
    topics = ", ".join(dict.fromkeys(message.topic for message in fact.outbox))
    return f"published {topics}" if topics else ""


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
