"""The journal port: runs are created, appended to and loaded.

Owns: ``Journal``, and the records of what an append carries and a load returns.
Does not know: SQL, or what a fact says. Every reply that the runtime decides on carries the database's ``now``.
All methods raise ``StoreUnavailableError`` when the database cannot be reached; a reply that may have been lost is
the caller's to ask for again: an append answers the same the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from remit.ids import Digest, Epoch, InboxId, PrincipalId, RunId, TenantId, WorkerId
from remit.ids import Sequence as JournalSequence
from remit.ports.outbox import OutboxRow


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One insert-only row a finished attempt leaves for people to query."""

    step: str
    attempt: int
    status: str
    tool: str | None
    started_at: datetime
    finished_at: datetime
    cost_usd_micros: int = 0
    tokens: int = 0
    reason: str | None = None


class ReceiptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable receipt; fields as in ``core.facts.Receipt``."""

    receipt_id: str
    step: str
    slot: int
    attempt: int
    tool: str
    tool_version: str
    side_effect_level: str
    delivery_class: str
    idempotency_key: str
    arguments_digest: str
    result_digest: str
    external_key: str | None = None
    external_reference: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    approval_id: str | None = None


class ApprovalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a human decision; ``arguments`` are the exact bytes that will run."""

    approval_id: str
    step: str
    slot: int
    tool: str
    tool_version: str
    rule_id: str
    reason: str
    digest: str
    nonce: str
    arguments: bytes
    endpoint: str
    credential: str
    policy_digest: str
    requested_by: str
    approvers_required: int
    expires_at: datetime


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """What an append does to one ``arguments`` idempotency key.

    ``reserve`` must win or the whole append of that run answers ``key_taken``; ``succeed`` stores the outcome until
    ``expires_at``; ``release`` frees it (no effect happened); ``park`` marks it unknown.
    """

    action: Literal["reserve", "succeed", "release", "park"]
    key: str
    step: str
    slot: int
    outcome: bytes | None = None
    receipt_id: str | None = None
    window_seconds: int = 86_400


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """What a waiting step wants to be found by; ``stop`` removes it."""

    action: Literal["start", "stop"]
    step: str
    name: str
    correlation: str | None = None


class Disposition(StrEnum):
    """What becomes of the claim with this append."""

    KEEP = "keep"
    """The worker goes on with the run."""
    WAIT = "wait"
    """The worker lets go if nothing arrived since ``wake_sequence``."""
    FINISH = "finish"
    """The run is terminal."""


class Append(msgspec.Struct, frozen=True, kw_only=True):
    """One entry for one run's journal, with all rows that follow from it.

    ``sequence`` is the new entry's; the head must stand at ``sequence - 1`` and at ``epoch``. ``header_kinds`` and
    ``fact_count`` are the parts of the chain's header that are not columns already. ``payload`` is null when it was
    stored before (large payloads). ``wake_sequence`` is the last one that the worker saw; ``due_at`` is the
    earliest instant at which a waiting run must be looked at again.
    """

    tenant_id: TenantId
    run_id: RunId
    epoch: Epoch
    sequence: JournalSequence
    at: datetime
    hash: bytes
    commitment: bytes
    fact_count: int
    kinds: str
    payload: bytes
    status: str
    disposition: Disposition
    wake_sequence: int
    due_at: datetime | None = None
    waiting_for: str | None = None
    state_hash: str | None = None
    output: bytes | None = None
    error: bytes | None = None
    steps: tuple[StepRow, ...] = ()
    receipts: tuple[ReceiptRow, ...] = ()
    approvals: tuple[ApprovalRow, ...] = ()
    withdrawn: tuple[str, ...] = ()
    keys: tuple[KeyChange, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    consumed: tuple[int, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()


class AppendOutcome(StrEnum):
    """What the append function says for one run."""

    APPLIED = "applied"
    ALREADY = "already"
    """The journal holds my hash at that sequence: a lost reply was sent again."""
    BUSY = "busy"
    """Somebody holds the head's lock for an instant; send again with the next batch."""
    CONFLICT = "conflict"
    """The journal stands elsewhere under my epoch: fold again."""
    FENCED = "fenced"
    """Another claim owns the run."""
    KEY_TAKEN = "key_taken"
    """Another call reserved the idempotency key; look it up and wait."""
    INVALID = "invalid"
    """The database refused this run's rows; it is quarantined, nothing of it was stored."""


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one run, in the order asked. ``released`` says that the claim ended with this append."""

    outcome: AppendOutcome
    released: bool = False
    wake_sequence: int = 0
    detail: str | None = None


class MintedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The id and salt of a run to come."""

    run_id: RunId
    salt: bytes


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be created. The same ``submission_key`` of a tenant and definition name creates it once.

    With ``worker_id`` set the run is claimed for that worker in the same call; with ``minted`` and ``first`` too its
    first entry is stored in the same commit: it keeps the claim, has no rows beside its payload, and is of epoch 1.
    """

    tenant_id: TenantId
    definition_digest: Digest
    definition_name: str
    principal_id: PrincipalId
    policy_digest: Digest
    input: bytes
    submission_key: str | None = None
    trigger: str | None = None
    worker_id: WorkerId | None = None
    minted: MintedRun | None = None
    first: Append | None = None


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """The run that the submission stands for; ``created`` is false when its key was used before."""

    run_id: RunId
    created: bool
    epoch: Epoch
    salt: bytes
    created_at: datetime


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """One run that a worker now owns."""

    tenant_id: TenantId
    run_id: RunId
    epoch: Epoch


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One stored entry; ``payload`` is null when it was erased."""

    sequence: int
    epoch: int
    at: datetime
    hash: bytes
    commitment: bytes
    fact_count: int
    kinds: str
    payload: bytes | None
    format_version: int = 1


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message waiting for a run's owner. ``kind``: signal, event, approval, cancel, settle. ``body`` is JSON."""

    inbox_id: InboxId
    kind: str
    message_id: str
    body: bytes
    created_at: datetime


class LoadedRun(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a worker needs to fold a run it owns."""

    tenant_id: TenantId
    run_id: RunId
    epoch: Epoch
    sequence: int
    hash: bytes
    wake_sequence: int
    definition_digest: Digest
    principal_id: PrincipalId
    policy_digest: Digest
    input: bytes
    trigger: str | None
    salt: bytes
    created_at: datetime
    entries: tuple[JournalEntry, ...]
    inbox: tuple[InboxMessage, ...]


class Journal(Protocol):
    """Writing runs. One instance owns one dedicated connection per role of it (appends, submissions)."""

    async def submit(self, submissions: Sequence[Submission]) -> tuple[list[Submitted], datetime]:
        """Create runs; answers in order, with the database's now. A new run's head stands at sequence 0."""
        ...

    async def mint(self, count: int) -> list[MintedRun]:
        """Return ids and salts of runs to come, so that ``Submission.first`` can be made."""
        ...

    async def append(self, batch: Sequence[Append]) -> tuple[list[Appended], datetime]:
        """Append at most one entry per run, in one round trip and one commit; answers in order.

        Idempotency: sending the same batch again answers ``already`` for what was applied.
        """
        ...

    async def load(self, claims: Sequence[Claimed]) -> tuple[list[LoadedRun], datetime]:
        """Return the claimed runs that are still owned at the given epoch, with journal and unread inbox."""
        ...

    async def load_inbox(self, tenant_id: TenantId, run_id: RunId) -> tuple[list[InboxMessage], int]:
        """Return a run's unread messages, oldest first, and its wake sequence as of before reading them."""
        ...

    async def close(self) -> None:
        """Close the connections; what was not answered is unknown to the caller."""
        ...
