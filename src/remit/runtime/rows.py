"""What an entry's facts leave in rows that people query.

Owns: the mapping from facts to step rows, receipts, approvals, key changes, correlations and messages. Pure: the rows
follow from the facts alone, so they can always be written again from the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec
import orjson

from remit.core.canonical import JsonValue, canonical_bytes
from remit.core.definition import EventStep, ToolStep
from remit.core.facts import (
    ApprovalRequested,
    ApprovalWithdrawn,
    AttemptFailed,
    EffectParked,
    EffectSettled,
    Fact,
    IntentRecorded,
    OutboxMessage,
    StepCompleted,
    StepFailed,
    StepSkipped,
    Usage,
    WaitStarted,
)
from remit.core.state import RunState
from remit.ports.outbox import OutboxRow, message_id_of
from remit.ports.store import ApprovalRow, Correlation, KeyChange, ReceiptRow, StepRow

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NO_USAGE: Final = Usage()


class EntryRows(msgspec.Struct, kw_only=True):
    """The rows of one entry, in the making."""

    steps: list[StepRow] = []
    receipts: list[ReceiptRow] = []
    approvals: list[ApprovalRow] = []
    withdrawn: list[str] = []
    keys: list[KeyChange] = []
    correlations: list[Correlation] = []
    outbox: list[OutboxRow] = []


def instant_of(microseconds: int) -> datetime:
    """Return the aware instant of microseconds since the epoch, exactly."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(instant: datetime) -> int:
    """Return microseconds since the epoch, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def rows_of(state: RunState, facts: list[Fact], *, at: datetime) -> EntryRows:
    """Return the rows that follow from an entry's facts, recorded at ``at``. ``state`` is the one after them."""
    making = _Making(state, at)
    for fact in facts:
        write = _WRITERS.get(type(fact))
        if write is not None:
            write(making, fact)
    if state.is_terminal:
        making.let_go()
    return making.rows


def message_body(message: OutboxMessage, *, at: datetime) -> bytes:
    """Return what every subscriber gets, at each attempt: the envelope of Standard Webhooks, as canonical JSON."""
    envelope: dict[str, JsonValue] = {
        "type": message.topic,
        "timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "data": message.body,
    }
    return canonical_bytes(envelope if message.key is None else {**envelope, "key": message.key})


class _Making:
    """The rows of one entry, with what they are made from."""

    __slots__ = ("at", "rows", "state")

    def __init__(self, state: RunState, at: datetime) -> None:
        self.state = state
        self.at = at
        self.rows = EntryRows()

    def step_completed(self, fact: StepCompleted) -> None:
        self.finish(fact, "completed", usage=fact.usage)
        if fact.receipt is not None:
            receipt = msgspec.structs.asdict(fact.receipt)
            self.rows.receipts.append(ReceiptRow(step=fact.step, slot=1, attempt=fact.attempt, **receipt))
        receipt_id = None if fact.receipt is None else fact.receipt.receipt_id
        self.change_key("succeed", fact.step, outcome=orjson.dumps(fact.output), receipt_id=receipt_id)
        self.stop_correlation(fact.step)
        if fact.outbox:
            self.publish(fact)

    def step_failed(self, fact: StepFailed) -> None:
        self.finish(fact, "failed", usage=fact.usage, reason=fact.reason)
        self.change_key("release", fact.step)
        self.stop_correlation(fact.step)

    def attempt_failed(self, fact: AttemptFailed) -> None:
        self.finish(fact, "failed", usage=fact.usage, reason=fact.reason)

    def step_skipped(self, fact: StepSkipped) -> None:
        self.finish(fact, "skipped", reason=fact.reason)

    def effect_parked(self, fact: EffectParked) -> None:
        self.finish(fact, "unknown", reason=fact.reason)
        self.change_key("park", fact.step)

    def effect_settled(self, fact: EffectSettled) -> None:
        if fact.released_key is not None:
            change = KeyChange(action="release", key=fact.released_key, step=fact.step, slot=fact.slot)
            self.rows.keys.append(change)

    def intent_recorded(self, fact: IntentRecorded) -> None:
        if fact.reserves_key:
            change = KeyChange(action="reserve", key=fact.idempotency_key, step=fact.step, slot=fact.slot)
            self.rows.keys.append(change)

    def approval_withdrawn(self, fact: ApprovalWithdrawn) -> None:
        self.rows.withdrawn.append(fact.approval_id)

    def wait_started(self, fact: WaitStarted) -> None:
        if fact.source == "event":
            self.rows.correlations.append(
                Correlation(action="start", step=fact.step, name=fact.name, correlation=fact.correlation)
            )

    def approval_requested(self, fact: ApprovalRequested) -> None:
        step = self.state.program.steps[fact.step].step
        assert isinstance(step, ToolStep)
        self.rows.approvals.append(
            ApprovalRow(
                approval_id=fact.approval_id,
                step=fact.step,
                slot=fact.slot,
                tool=step.tool,
                tool_version=step.tool_version,
                rule_id=fact.rule_id,
                reason=fact.reason,
                digest=fact.digest,
                nonce=fact.nonce,
                arguments=self.state.steps[fact.step].arguments,
                endpoint=fact.endpoint,
                credential=fact.credential,
                policy_digest=fact.policy_digest,
                requested_by=self.state.principal_id,
                approvers_required=fact.approvers_required,
                expires_at=instant_of(fact.expires_us),
            )
        )

    def finish(
        self,
        fact: StepCompleted | StepFailed | AttemptFailed | StepSkipped | EffectParked,
        status: str,
        *,
        usage: Usage = NO_USAGE,
        reason: str | None = None,
    ) -> None:
        """Add the row of a finished attempt."""
        step = self.state.program.steps[fact.step].step
        started_at = self.at - timedelta(milliseconds=usage.duration_ms) if usage.duration_ms else self.at
        self.rows.steps.append(
            StepRow(
                step=fact.step,
                attempt=1 if isinstance(fact, StepSkipped) else fact.attempt,
                status=status,
                tool=step.tool if isinstance(step, ToolStep) else None,
                started_at=started_at,
                finished_at=self.at,
                cost_usd_micros=usage.cost_usd_micros,
                tokens=usage.tokens,
                reason=reason,
            )
        )

    def change_key(
        self,
        action: Literal["succeed", "release", "park"],
        step_id: str,
        *,
        outcome: bytes | None = None,
        receipt_id: str | None = None,
    ) -> None:
        """Change the ``arguments`` key that a step reserved, if it reserved one."""
        step = self.state.steps.get(step_id)
        if step is None or step.intent is None or not step.intent.reserves_key:
            return
        self.rows.keys.append(
            KeyChange(
                action=action,
                key=step.intent.idempotency_key,
                step=step_id,
                slot=step.intent.slot,
                outcome=outcome,
                receipt_id=receipt_id,
            )
        )

    def publish(self, fact: StepCompleted) -> None:
        """Add the messages of a step that somebody subscribes to."""
        self.rows.outbox += [
            OutboxRow(
                message_id=message_id_of(self.state.run_id, fact.step, 1, ordinal),
                step=fact.step,
                topic=message.topic,
                destinations=message.destinations,
                body=message_body(message, at=self.at),
            )
            for ordinal, message in enumerate(fact.outbox, start=1)
            if message.destinations
        ]

    def stop_correlation(self, step_id: str) -> None:
        """Stop being found by what an event step waited for."""
        step = self.state.program.steps[step_id].step
        if isinstance(step, EventStep):
            self.rows.correlations.append(Correlation(action="stop", step=step_id, name=step.event))

    def let_go(self) -> None:
        """Stop every wait of a run that ended, and free what its steps reserved and will not attempt again."""
        stopped = {change.step for change in self.rows.correlations if change.action == "stop"}
        for step_id, step in self.state.steps.items():
            if step_id in self.state.results:
                continue
            if step_id not in stopped:
                self.stop_correlation(step_id)
            if step.intent is not None:
                self.change_key("release", step_id)


_WRITERS: Final[dict[type[Fact], Callable[[_Making, Any], None]]] = {
    StepCompleted: _Making.step_completed,
    StepFailed: _Making.step_failed,
    AttemptFailed: _Making.attempt_failed,
    StepSkipped: _Making.step_skipped,
    EffectParked: _Making.effect_parked,
    EffectSettled: _Making.effect_settled,
    IntentRecorded: _Making.intent_recorded,
    ApprovalRequested: _Making.approval_requested,
    ApprovalWithdrawn: _Making.approval_withdrawn,
    WaitStarted: _Making.wait_started,
}
