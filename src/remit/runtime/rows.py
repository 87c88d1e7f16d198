"""What an entry's facts leave in rows that people query.

Owns: the mapping from facts to step rows, receipts, approvals, key changes and correlations. Pure: the rows follow from
the facts alone, so they can always be written again from the journal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import orjson

from remit.core.definition import EventStep, ToolStep
from remit.core.facts import (
    ApprovalRequested,
    ApprovalWithdrawn,
    AttemptFailed,
    EffectParked,
    Fact,
    IntentRecorded,
    Receipt,
    StepCompleted,
    StepFailed,
    StepSkipped,
    Usage,
    WaitStarted,
)
from remit.core.program import Program
from remit.core.state import RunState
from remit.ports.store import ApprovalRow, Correlation, KeyChange, ReceiptRow, StepRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EntryRows(msgspec.Struct, kw_only=True):
    """The rows of one entry, in the making."""

    steps: list[StepRow] = []
    receipts: list[ReceiptRow] = []
    approvals: list[ApprovalRow] = []
    withdrawn: list[str] = []
    keys: list[KeyChange] = []
    correlations: list[Correlation] = []


def instant_of(microseconds: int) -> datetime:
    """Return the aware instant of microseconds since the epoch, exactly."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(instant: datetime) -> int:
    """Return microseconds since the epoch, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def rows_of(state: RunState, facts: list[Fact], *, at: datetime) -> EntryRows:
    """Return the rows that follow from an entry's facts, recorded at ``at``. ``state`` is the one after them."""
    rows = EntryRows()
    for fact in facts:
        match fact:
            case StepCompleted():
                rows.steps.append(_step_row(state.program, fact, at=at))
                if fact.receipt is not None:
                    rows.receipts.append(_receipt_row(fact.step, fact.attempt, fact.receipt))
                _settle_key(rows, state, fact)
                _stop_correlation(rows, state, fact.step)
            case StepFailed():
                rows.steps.append(
                    _finished(fact.step, fact.attempt, "failed", state.program, fact.usage, fact.reason, at)
                )
                _release_key(rows, state, fact.step)
                _stop_correlation(rows, state, fact.step)
            case AttemptFailed():
                rows.steps.append(
                    _finished(fact.step, fact.attempt, "failed", state.program, fact.usage, fact.reason, at)
                )
            case StepSkipped():
                rows.steps.append(_finished(fact.step, 1, "skipped", state.program, Usage(), fact.reason, at))
            case EffectParked():
                rows.steps.append(
                    _finished(fact.step, fact.attempt, "unknown", state.program, Usage(), fact.reason, at)
                )
                _park_key(rows, state, fact)
            case ApprovalRequested():
                rows.approvals.append(_approval_row(state, fact))
            case ApprovalWithdrawn():
                rows.withdrawn.append(fact.approval_id)
            case IntentRecorded() if fact.reserves_key:
                rows.keys.append(KeyChange(action="reserve", key=fact.idempotency_key, step=fact.step, slot=fact.slot))
            case WaitStarted() if fact.source == "event":
                rows.correlations.append(
                    Correlation(action="start", step=fact.step, name=fact.name, correlation=fact.correlation)
                )
            case _:
                pass
    if state.is_terminal:
        _stop_all_correlations(rows, state)
    return rows


def _step_row(program: Program, fact: StepCompleted, *, at: datetime) -> StepRow:
    return _finished(fact.step, fact.attempt, "completed", program, fact.usage, None, at)


def _finished(
    step_id: str, attempt: int, status: str, program: Program, usage: Usage, reason: str | None, at: datetime
) -> StepRow:
    step = program.steps[step_id].step
    return StepRow(
        step=step_id,
        attempt=attempt,
        status=status,
        tool=step.tool if isinstance(step, ToolStep) else None,
        started_at=at - timedelta(milliseconds=usage.duration_ms),
        finished_at=at,
        cost_usd_micros=usage.cost_usd_micros,
        tokens=usage.tokens,
        reason=reason,
    )


def _receipt_row(step: str, attempt: int, receipt: Receipt) -> ReceiptRow:
    return ReceiptRow(step=step, slot=1, attempt=attempt, **msgspec.structs.asdict(receipt))


def _approval_row(state: RunState, fact: ApprovalRequested) -> ApprovalRow:
    step = state.program.steps[fact.step].step
    assert isinstance(step, ToolStep)
    return ApprovalRow(
        approval_id=fact.approval_id,
        step=fact.step,
        slot=fact.slot,
        tool=step.tool,
        tool_version=step.tool_version,
        rule_id=fact.rule_id,
        reason=fact.reason,
        digest=fact.digest,
        nonce=fact.nonce,
        arguments=state.steps[fact.step].arguments,
        endpoint=fact.endpoint,
        credential=fact.credential,
        policy_digest=fact.policy_digest,
        requested_by=state.principal_id,
        approvers_required=fact.approvers_required,
        expires_at=instant_of(fact.expires_us),
    )


def _reserved_intent(state: RunState, step_id: str) -> IntentRecorded | None:
    step = state.steps.get(step_id)
    if step is None or step.intent is None or not step.intent.reserves_key:
        return None
    return step.intent


def _settle_key(rows: EntryRows, state: RunState, fact: StepCompleted) -> None:
    intent = _reserved_intent(state, fact.step)
    if intent is not None:
        rows.keys.append(
            KeyChange(
                action="succeed",
                key=intent.idempotency_key,
                step=fact.step,
                slot=intent.slot,
                outcome=orjson.dumps(fact.output),
                receipt_id=None if fact.receipt is None else fact.receipt.receipt_id,
            )
        )


def _release_key(rows: EntryRows, state: RunState, step_id: str) -> None:
    intent = _reserved_intent(state, step_id)
    if intent is not None:
        rows.keys.append(KeyChange(action="release", key=intent.idempotency_key, step=step_id, slot=intent.slot))


def _park_key(rows: EntryRows, state: RunState, fact: EffectParked) -> None:
    intent = _reserved_intent(state, fact.step)
    if intent is not None:
        rows.keys.append(KeyChange(action="park", key=intent.idempotency_key, step=fact.step, slot=fact.slot))


def _stop_correlation(rows: EntryRows, state: RunState, step_id: str) -> None:
    wait = _event_name(state.program, step_id)
    if wait is not None:
        rows.correlations.append(Correlation(action="stop", step=step_id, name=wait))


def _stop_all_correlations(rows: EntryRows, state: RunState) -> None:
    stopped = {change.step for change in rows.correlations if change.action == "stop"}
    for step_id in state.steps:
        if step_id not in stopped and step_id not in state.results:
            _stop_correlation(rows, state, step_id)


def _event_name(program: Program, step_id: str) -> str | None:
    step = program.steps[step_id].step
    return step.event if isinstance(step, EventStep) else None
