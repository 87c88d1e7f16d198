"""The database of an execution: one run's head, journal, inbox and approvals, as the SQL functions keep them.

Owns: what the store promises, in virtual time: the check of epoch and sequence, what an append answers, claims, the
wake sequence, leases and their sweep, decisions by its own clock, held events, idempotency keys.
Does not know: faults, and who asks; replies are lost on the way (``connections``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.chain import genesis_hash
from remit.ids import Digest, Epoch, InboxId, PrincipalId, RunId, TenantId
from remit.ports.reservation import KeyOutcome
from remit.ports.store import (
    Append,
    Appended,
    AppendOutcome,
    ApprovalRow,
    Claimed,
    Disposition,
    InboxMessage,
    JournalEntry,
    KeyChange,
    LoadedRun,
    Message,
)
from remit.runtime.rows import EPOCH

TENANT_ID: Final = TenantId("simulated")
RUN_ID: Final = RunId("01890000-0000-7000-8000-000000000001")
START: Final = EPOCH + timedelta(seconds=1_700_000_000)
SALT: Final = hashlib.sha256(b"salt of simulations").digest()
LEASE_SECONDS: Final = 20.0

Answer = Literal["decided", "closed", "expired", "changed", "missing"]


class StoredApproval(msgspec.Struct, kw_only=True):
    """A request and what became of it."""

    row: ApprovalRow
    status: str = "pending"
    decided_at: datetime | None = None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What a step wants to be found by."""

    step: str
    name: str
    correlation: str


class AppendRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One append as it arrived, and what it was told."""

    append: Append
    worker: str
    outcome: AppendOutcome
    epoch_then: int


class Database:
    """One run's rows.

    ``on_stored`` hears of each stored append, ``on_message`` of each message, ``on_news`` of whatever may make the run
    go on.
    """

    def __init__(
        self, clock: Callable[[], float], *, definition_digest: Digest, run_input: bytes, principal_id: str
    ) -> None:
        self._clock = clock
        self._principal_id = PrincipalId(principal_id)
        self._definition_digest = definition_digest
        self._input = run_input
        self.genesis = genesis_hash(TENANT_ID, RUN_ID, definition_digest)
        self.policy_digest = Digest("")
        self.epoch = 0
        self.sequence = 0
        self.hash = self.genesis
        self.wake_sequence = 0
        self.seen_wake_sequence = 0
        self.due_at: datetime | None = None
        self.owner: str | None = None
        self.claimable_at: float | None = 0.0
        self.finished_as: Append | None = None
        self.entries: list[JournalEntry] = []
        self.inbox: list[InboxMessage] = []
        self.unread: dict[int, InboxMessage] = {}
        self.approvals: dict[str, StoredApproval] = {}
        self.keys: dict[str, KeyOutcome] = {}
        self.waiting: list[Waiting] = []
        self.held: list[tuple[str, str, Message]] = []
        self.leases: dict[str, float] = {}
        self.records: list[AppendRecord] = []
        self.on_stored: Callable[[Append], None] | None = None
        self.on_message: Callable[[], None] | None = None
        self.on_news: Callable[[], None] | None = None

    @property
    def now(self) -> datetime:
        """Return the database's instant."""
        return START + timedelta(seconds=self._clock())

    def _tell(self) -> None:
        if self.on_news is not None:
            self.on_news()

    # --- the journal -----------------------------------------------------------------------------------------------

    def append(self, append: Append, *, worker: str) -> Appended:
        """Store one entry with its rows, or say why not."""
        epoch = self.epoch
        reply = self._append(append, worker)
        record = AppendRecord(append=append, worker=worker, outcome=reply.outcome, epoch_then=epoch)
        self.records.append(record)
        if reply.outcome is AppendOutcome.APPLIED:
            if self.on_stored is not None:
                self.on_stored(append)
            if reply.released:
                self._tell()
        return reply

    def _append(self, append: Append, worker: str) -> Appended:
        if append.epoch != self.epoch or self.owner is None:
            return self._explain(append, AppendOutcome.FENCED)
        if append.sequence != self.sequence + 1:
            return self._explain(append, AppendOutcome.CONFLICT)
        if not self._change_keys(append):
            return Appended(outcome=AppendOutcome.KEY_TAKEN)
        assert self.owner == worker
        self._store(append)
        is_released = append.disposition is Disposition.FINISH
        if append.disposition is Disposition.WAIT:
            is_released = self.wake_sequence == append.wake_sequence and not self.unread
        if is_released:
            self.owner = None
            is_waiting = append.disposition is Disposition.WAIT and append.due_at is not None
            self.claimable_at = (append.due_at - START).total_seconds() if is_waiting and append.due_at else None
        return Appended(outcome=AppendOutcome.APPLIED, released=is_released, wake_sequence=self.wake_sequence)

    def _explain(self, append: Append, outcome: AppendOutcome) -> Appended:
        stored = self.entries[append.sequence - 1].hash if append.sequence <= len(self.entries) else None
        outcome = AppendOutcome.ALREADY if stored == append.hash else outcome
        is_released = self.owner is None or self.epoch != append.epoch
        return Appended(outcome=outcome, released=is_released, wake_sequence=self.wake_sequence)

    def _store(self, append: Append) -> None:
        self.sequence = append.sequence
        self.hash = append.hash
        self.entries.append(
            JournalEntry(
                sequence=append.sequence,
                epoch=append.epoch,
                at=append.at,
                hash=append.hash,
                commitment=append.commitment,
                fact_count=append.fact_count,
                kinds=append.kinds,
                payload=append.payload,
            )
        )
        for inbox_id in append.consumed:
            self.unread.pop(inbox_id, None)
        for row in append.approvals:
            self.approvals[row.approval_id] = StoredApproval(row=row)
        for approval_id in append.withdrawn:
            if self.approvals[approval_id].status == "pending":
                self.approvals[approval_id].status = "withdrawn"
        self.due_at = append.due_at
        self.seen_wake_sequence = append.wake_sequence
        self._change_correlations(append)
        if append.disposition is Disposition.FINISH:
            self.finished_as = append
            self.waiting.clear()

    def _change_correlations(self, append: Append) -> None:
        for change in append.correlations:
            if change.action == "stop":
                self.waiting = [waiting for waiting in self.waiting if waiting.step != change.step]
                continue
            correlation = change.correlation or ""
            self.waiting.append(Waiting(step=change.step, name=change.name, correlation=correlation))
            for held in [held for held in self.held if held[:2] == (change.name, correlation)]:
                self.held.remove(held)
                self._insert(held[2])

    def _change_keys(self, append: Append) -> bool:
        changed = dict(self.keys)
        for change in append.keys:
            if not _change_key(changed, change):
                return False
        self.keys = changed
        return True

    # --- claims and leases -----------------------------------------------------------------------------------------

    def claim(self, worker: str) -> Claimed | None:
        """Give the run to a worker if it is due."""
        if self.owner is not None or self.claimable_at is None or self.claimable_at > self._clock():
            return None
        self.owner = worker
        self.epoch += 1
        self.claimable_at = None
        return Claimed(tenant_id=TENANT_ID, run_id=RUN_ID, epoch=Epoch(self.epoch))

    def load(self, claim: Claimed, *, worker: str) -> LoadedRun | None:
        """Return the run to its owner; ``None`` if the claim is over."""
        if claim.epoch != self.epoch or self.owner != worker:
            return None
        return LoadedRun(
            tenant_id=TENANT_ID,
            run_id=RUN_ID,
            epoch=Epoch(self.epoch),
            sequence=self.sequence,
            hash=self.hash,
            wake_sequence=self.wake_sequence,
            definition_digest=self._definition_digest,
            principal_id=self._principal_id,
            policy_digest=self.policy_digest,
            input=self._input,
            trigger=None,
            salt=SALT,
            created_at=START,
            entries=tuple(self.entries),
            inbox=tuple(self.unread.values()),
        )

    def release(self, claim: Claimed, *, worker: str) -> None:
        """Take a claim back; a stale one is ignored."""
        if (claim.epoch, worker) == (self.epoch, self.owner):
            self.owner = None
            self.claimable_at = self._clock()
            self._tell()

    def sweep(self, alive: set[str]) -> float | None:
        """Reclaim the run from a worker whose lease ran out; return when its lease will, if it is silent now.

        Args:
            alive: Workers that report in time; the others are as old as their last report.
        """
        now = self._clock()
        for worker in alive & self.leases.keys():
            self.leases[worker] = now
        for worker in [worker for worker, seen in self.leases.items() if seen + LEASE_SECONDS <= now]:
            del self.leases[worker]
        if self.owner is None:
            return None
        if self.owner in self.leases:
            return None if self.owner in alive else self.leases[self.owner] + LEASE_SECONDS
        self.owner = None
        self.epoch += 1
        self.claimable_at = now
        return None

    @property
    def has_news(self) -> bool:
        """Whether a heartbeat would tell the run's owner to look at it: a message, or an instant that came."""
        return self.wake_sequence > self.seen_wake_sequence or (self.due_at is not None and self.due_at <= self.now)

    # --- messages --------------------------------------------------------------------------------------------------

    def deliver(self, message: Message) -> str:
        """Store a message for the run; answers stored, duplicate or finished."""
        if any(known.message_id == message.message_id for known in self.inbox):
            return "duplicate"
        if self.finished_as is not None:
            return "finished"
        self._insert(message)
        self._tell()
        return "stored"

    def receive(self, name: str, correlation: str, payload: JsonValue, *, message_id: str) -> str:
        """Store an inbound event: delivered if the run waits for it, else held until it does."""
        body: dict[str, JsonValue] = {"name": name, "payload": payload, "correlations": [correlation]}
        message = Message(kind="event", message_id=message_id, body=body)
        if any(known.message_id == message_id for known in self.inbox) or any(held[2] == message for held in self.held):
            return "duplicate"
        if self.finished_as is not None:
            return "finished"
        if not any((waiting.name, waiting.correlation) == (name, correlation) for waiting in self.waiting):
            self.held.append((name, correlation, message))
            return "held"
        return self.deliver(message)

    def _insert(self, message: Message) -> None:
        """Raise the wake sequence, make the run claimable if nobody has it, and store the message."""
        self.wake_sequence += 1
        if self.owner is None and self.finished_as is None:
            now = self._clock()
            self.claimable_at = now if self.claimable_at is None else min(self.claimable_at, now)
        stored = InboxMessage(
            inbox_id=InboxId(len(self.inbox) + 1),
            kind=message.kind,
            message_id=message.message_id,
            body=msgspec.json.encode(message.body),
            created_at=self.now,
        )
        self.inbox.append(stored)
        self.unread[stored.inbox_id] = stored
        if self.on_message is not None:
            self.on_message()

    def decide(self, approval_id: str, word: Literal["approved", "denied"], *, by: str, digest: str) -> Answer:
        """Record a person's word on a request, by the database's clock."""
        approval = self.approvals.get(approval_id)
        if approval is None:
            return "missing"
        if approval.status != "pending":
            return "closed"
        if approval.row.expires_at <= self.now:
            return "expired"
        if approval.row.digest != digest:
            return "changed"
        self._close(approval, word, by=by)
        self._tell()
        return "decided"

    def expire(self) -> int:
        """Expire requests that are past their time; returns how many."""
        late = [
            approval
            for approval in self.approvals.values()
            if approval.status == "pending" and approval.row.expires_at <= self.now
        ]
        for approval in late:
            self._close(approval, "expired", by=None)
        return len(late)

    def _close(self, approval: StoredApproval, status: str, *, by: str | None) -> None:
        approval.status = status
        approval.decided_at = self.now
        body: dict[str, JsonValue] = {
            "approval_id": approval.row.approval_id,
            "decision": status,
            "decided_by": by,
            "digest": approval.row.digest,
        }
        if self.finished_as is None:
            message_id = f"approval:{approval.row.approval_id}"
            self._insert(Message(kind="approval", message_id=message_id, body=body))


def _change_key(keys: dict[str, KeyOutcome], change: KeyChange) -> bool:
    """Apply one change to the keys; false if the key is another call's."""
    held = keys.get(change.key)
    is_own = held is not None and (held.step, held.slot) == (change.step, change.slot)
    if change.action == "reserve":
        if held is not None and not (is_own and held.status == "reserved"):
            return False
        keys[change.key] = KeyOutcome(status="reserved", run_id=RUN_ID, step=change.step, slot=change.slot)
    elif is_own and change.action == "release":
        del keys[change.key]
    elif is_own:
        keys[change.key] = KeyOutcome(
            status="succeeded" if change.action == "succeed" else "unknown",
            run_id=RUN_ID,
            step=change.step,
            slot=change.slot,
            outcome=change.outcome,
            receipt_id=change.receipt_id,
        )
    return True
