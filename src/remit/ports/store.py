"""The store port: durable state, and the records that cross it.

Owns: one protocol per role (journal, dispatch, inbox, approvals, directory, reader) and their records.
Does not know: SQL. Every reply that the runtime decides on carries the database's ``now``.
All methods raise ``StoreUnavailableError`` when the database cannot be reached; a reply that may have been lost is
the caller's to ask for again (appends and claims answer the same the second time).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import msgspec

from remit.core.canonical import JsonValue
from remit.ids import ApprovalId, Digest, Epoch, InboxId, PrincipalId, RunId, TenantId, WorkerId
from remit.ids import Sequence as JournalSequence
from remit.ports.outbox import OutboxRow


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    pass


# --- journal ----------------------------------------------------------------------------------------------------------


class StepRow(_Record, frozen=True, kw_only=True):
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


class ReceiptRow(_Record, frozen=True, kw_only=True):
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


class ApprovalRow(_Record, frozen=True, kw_only=True):
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


class KeyChange(_Record, frozen=True, kw_only=True):
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


class Correlation(_Record, frozen=True, kw_only=True):
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


class Append(_Record, frozen=True, kw_only=True):
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


class Appended(_Record, frozen=True, kw_only=True):
    """The answer for one run, in the order asked. ``released`` says that the claim ended with this append."""

    outcome: AppendOutcome
    released: bool = False
    wake_sequence: int = 0
    detail: str | None = None


class MintedRun(_Record, frozen=True, kw_only=True):
    """The id and salt of a run to come."""

    run_id: RunId
    salt: bytes


class Submission(_Record, frozen=True, kw_only=True):
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


class Submitted(_Record, frozen=True, kw_only=True):
    """The run that the submission stands for; ``created`` is false when its key was used before."""

    run_id: RunId
    created: bool
    epoch: Epoch
    salt: bytes
    created_at: datetime


class Claimed(_Record, frozen=True, kw_only=True):
    """One run that a worker now owns."""

    tenant_id: TenantId
    run_id: RunId
    epoch: Epoch


class JournalEntry(_Record, frozen=True, kw_only=True):
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


class InboxMessage(_Record, frozen=True, kw_only=True):
    """A message waiting for a run's owner. ``kind``: signal, event, approval, cancel, settle. ``body`` is JSON."""

    inbox_id: InboxId
    kind: str
    message_id: str
    body: bytes
    created_at: datetime


class LoadedRun(_Record, frozen=True, kw_only=True):
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


# --- dispatch ---------------------------------------------------------------------------------------------------------


class Heartbeat(_Record, frozen=True, kw_only=True):
    """What a heartbeat brings back: the runs the database thinks this worker owns, and those with unread messages.

    ``outbox_due`` says that some message of the outbox, of any worker's runs, is due.
    """

    now: datetime
    lease_seconds: float
    owned: tuple[Claimed, ...]
    woken: tuple[RunId, ...]
    server_started_at: datetime
    outbox_due: bool = False


class Dispatch(Protocol):
    """Work across tenants: ids only, through functions of the dispatch role."""

    async def register_worker(self, worker_id: WorkerId, *, lease_seconds: float, version: str) -> datetime:
        """Make the worker known; returns the database's now."""
        ...

    async def claim(self, worker_id: WorkerId, *, request_id: str, limit: int) -> tuple[list[Claimed], datetime]:
        """Claim up to ``limit`` runs that are due; the same ``request_id`` answers the same claims again."""
        ...

    async def heartbeat(self, worker_id: WorkerId) -> Heartbeat:
        """Extend the worker's lease and reconcile what it owns. An unknown worker (swept) owns nothing."""
        ...

    async def release(self, worker_id: WorkerId, claims: Sequence[Claimed]) -> None:
        """Hand runs back, claimable at once; stale epochs are ignored."""
        ...

    async def sweep(self, *, limit: int) -> list[Claimed]:
        """Make runs of workers whose lease expired claimable again, at a raised epoch; a bounded number per call."""
        ...

    async def retire_worker(self, worker_id: WorkerId) -> None:
        """Hand back everything and forget the worker (graceful shutdown)."""
        ...

    async def wait_for_wake(self, *, timeout_seconds: float) -> None:
        """Return when another process announces work, or after the timeout; a hint, never a promise."""
        ...

    async def announce(self) -> None:
        """Tell idle workers of other processes that there is work; coalesced."""
        ...


# --- inbox and approvals ----------------------------------------------------------------------------------------------


class Message(_Record, frozen=True, kw_only=True):
    """Something for one run. ``message_id`` is unique in the run: the same id is taken once."""

    kind: Literal["signal", "cancel", "settle", "event", "approval"]
    message_id: str
    body: dict[str, JsonValue]


class InboundEvent(_Record, frozen=True, kw_only=True):
    """A verified event of a provider.

    ``event_key`` is the provider-specific key of duplicates; ``raw_sha256`` is evidence.
    """

    source: str
    name: str
    event_key: str
    occurred_at: datetime | None
    body: JsonValue
    raw_sha256: str
    correlations: tuple[str, ...] = ()


class InboundReceived(_Record, frozen=True, kw_only=True):
    """What became of an inbound event: ``status`` is stored, duplicate, or conflict (same key, other body)."""

    status: Literal["stored", "duplicate", "conflict"]
    inbound_id: int
    delivered_to: tuple[RunId, ...] = ()
    held: bool = False


class Inbox(Protocol):
    """Producers of messages: each call bumps the run's wake sequence before it inserts."""

    async def deliver(self, tenant_id: TenantId, run_id: RunId, message: Message) -> bool:
        """Store a message for a run and wake it; false if the id was there before.

        Raises:
            NotFoundError: the tenant has no such run.
            IllegalTransitionError: the run is terminal.
        """
        ...

    async def receive(self, tenant_id: TenantId, event: InboundEvent) -> InboundReceived:
        """Store an inbound event once and deliver it to every waiting run whose correlation it carries, else hold it.

        A run that starts waiting later takes held events with its correlation in the same append.
        """
        ...

    async def mark_started(self, tenant_id: TenantId, inbound_id: int) -> None:
        """Note that an event started a run, so that it is no longer held for one to come."""
        ...


class Approval(_Record, frozen=True, kw_only=True):
    """A stored request for a decision."""

    approval_id: ApprovalId
    tenant_id: TenantId
    run_id: RunId
    step: str
    slot: int
    tool: str
    tool_version: str
    rule_id: str
    reason: str
    digest: str
    arguments: bytes
    endpoint: str
    credential: str
    requested_by: str
    approvers_required: int
    status: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decided_by: tuple[str, ...] = ()
    decision_reason: str | None = None


class Decision(_Record, frozen=True, kw_only=True):
    """One person's word on a request; ``digest`` is that of what the person saw."""

    approval_id: ApprovalId
    decision: Literal["approve", "deny"]
    principal_id: PrincipalId
    digest: str
    reason: str = ""


class Approvals(Protocol):
    """Human decisions: one conditional update, by the database's clock."""

    async def decide(self, tenant_id: TenantId, decision: Decision) -> Approval:
        """Record a decision and wake the run.

        Raises:
            NotFoundError: no such request for this tenant.
            AlreadyDecidedError: it is decided, expired, withdrawn, or the digest differs.
            PermissionDeniedError: not a human, not an approver now, the requester, or the same person decided before.
        """
        ...

    async def expire(self, tenant_id: TenantId, run_id: RunId) -> int:
        """Expire the run's requests that are past their time, telling the run; returns how many."""
        ...

    async def get(self, tenant_id: TenantId, approval_id: ApprovalId) -> Approval:
        """Return one request; ``NotFoundError``. A prefix of at least 6 characters that is unique will do."""
        ...

    async def list(self, tenant_id: TenantId, *, status: str | None = "pending", limit: int = 100) -> list[Approval]:
        """Return requests, oldest first."""
        ...


# --- directory: tenants, principals, policies, definitions ------------------------------------------------------------


class Principal(_Record, frozen=True, kw_only=True):
    """Who acts. ``kind`` is human, agent or service; ``roles`` are of operator, approver, admin."""

    tenant_id: TenantId
    principal_id: PrincipalId
    kind: Literal["human", "agent", "service"]
    roles: tuple[str, ...] = ()
    active: bool = True


class Tenant(_Record, frozen=True, kw_only=True):
    """One business. ``policy_digest`` is its active business config; ``paused`` stops every action (kill switch)."""

    tenant_id: TenantId
    display_name: str
    policy_digest: Digest | None = None
    paused: bool = False


class StoredDefinition(_Record, frozen=True, kw_only=True):
    """One stored definition."""

    digest: Digest
    name: str
    version: str
    body: bytes
    created_at: datetime


class WebhookEndpoint(_Record, frozen=True, kw_only=True):
    """Where a provider posts to: an unguessable path segment of one tenant, and the name of the secret that signs."""

    endpoint_id: str
    tenant_id: TenantId
    source: str
    secret_name: str
    principal_id: PrincipalId


class Directory(Protocol):
    """What changes rarely."""

    async def create_tenant(self, tenant: Tenant) -> Tenant:
        """Create a tenant if it is absent; returns what is stored."""
        ...

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """Return a tenant; ``NotFoundError``."""
        ...

    async def list_tenants(self) -> list[Tenant]:
        """Return all tenants (operators of the installation only)."""
        ...

    async def pause_tenant(self, tenant_id: TenantId, *, paused: bool) -> Tenant:
        """Set or lift the kill switch."""
        ...

    async def put_principal(self, principal: Principal) -> Principal:
        """Create or replace a principal."""
        ...

    async def get_principal(self, tenant_id: TenantId, principal_id: PrincipalId) -> Principal:
        """Return a principal; ``NotFoundError``."""
        ...

    async def list_principals(self, tenant_id: TenantId) -> list[Principal]:
        """Return a tenant's principals."""
        ...

    async def create_api_key(self, tenant_id: TenantId, principal_id: PrincipalId) -> str:
        """Return a new key (32 random bytes); only its SHA-256 is stored."""
        ...

    async def authenticate(self, api_key: str) -> Principal:
        """Return whose key this is; ``UnauthenticatedError``. The tenant comes from here and nowhere else."""
        ...

    async def put_definition(
        self, tenant_id: TenantId, *, name: str, version: str, digest: Digest, body: bytes
    ) -> StoredDefinition:
        """Store a definition (the same digest once) and make it the newest of its name."""
        ...

    async def get_definition(
        self, tenant_id: TenantId, *, digest: Digest | None = None, name: str | None = None
    ) -> StoredDefinition:
        """Return a definition by digest, or the newest by name; ``NotFoundError``."""
        ...

    async def list_definitions(self, tenant_id: TenantId) -> list[StoredDefinition]:
        """Return the newest definition of each name."""
        ...

    async def put_policy(self, tenant_id: TenantId, *, digest: Digest, body: bytes) -> None:
        """Store a compiled business config and make it the active one."""
        ...

    async def get_policy(self, tenant_id: TenantId, digest: Digest) -> bytes:
        """Return a stored business config; ``NotFoundError``."""
        ...


class Endpoints(Protocol):
    """Where webhooks arrive, and whose they are."""

    async def put_endpoint(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """Create a webhook endpoint, or return the tenant's existing one of that source and secret."""
        ...

    async def find_endpoint(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return the endpoint of this path segment, of whichever tenant it belongs to."""
        ...

    async def list_endpoints(self, tenant_id: TenantId) -> list[WebhookEndpoint]:
        """Return a tenant's endpoints, by source and secret."""
        ...


# --- reader -----------------------------------------------------------------------------------------------------------


class RunSummary(_Record, frozen=True, kw_only=True):
    """One line of a list of runs."""

    run_id: RunId
    tenant_id: TenantId
    definition_name: str
    definition_digest: Digest
    status: str
    waiting_for: str | None
    principal_id: PrincipalId
    created_at: datetime
    updated_at: datetime
    sequence: int
    epoch: int
    state_hash: str | None
    trigger: str | None = None
    output: bytes | None = None
    error: bytes | None = None
    quarantined: str | None = None


class StoredReceipt(_Record, frozen=True, kw_only=True):
    """A receipt with its place."""

    run_id: RunId
    created_at: datetime
    receipt: ReceiptRow


class StoredStep(_Record, frozen=True, kw_only=True):
    """A step row with its place in the journal."""

    sequence: int
    row: StepRow


class HeldEvent(_Record, frozen=True, kw_only=True):
    """An inbound event, and what became of it."""

    inbound_id: int
    source: str
    name: str
    event_key: str
    status: str
    received_at: datetime
    run_ids: tuple[RunId, ...] = ()


class Reader(Protocol):
    """Questions of people; every one within one tenant."""

    async def find_run_id(self, tenant_id: TenantId, prefix: str) -> RunId:
        """Return the run whose id starts (or ends) with the text; ``NotFoundError`` also when several do."""
        ...

    async def get_run(self, tenant_id: TenantId, run_id: RunId) -> RunSummary:
        """Return one run; ``NotFoundError``."""
        ...

    async def list_runs(
        self, tenant_id: TenantId, *, status: str | None = None, name: str | None = None, limit: int = 50
    ) -> list[RunSummary]:
        """Return runs, newest first."""
        ...

    async def read_run(self, tenant_id: TenantId, run_id: RunId) -> LoadedRun:
        """Return a run with its whole journal, without owning it; ``NotFoundError``."""
        ...

    async def list_receipts(
        self, tenant_id: TenantId, *, run_id: RunId | None = None, limit: int = 100
    ) -> list[StoredReceipt]:
        """Return receipts, oldest first."""
        ...

    async def list_steps(self, tenant_id: TenantId, run_id: RunId) -> list[StoredStep]:
        """Return the step rows of a run."""
        ...

    async def list_inbound(
        self, tenant_id: TenantId, *, status: str | None = None, limit: int = 100
    ) -> list[HeldEvent]:
        """Return inbound events, newest first."""
        ...

    async def wait_for_change(
        self, tenant_id: TenantId, run_id: RunId, *, after_sequence: int, timeout_seconds: float
    ) -> RunSummary:
        """Return the run once its journal is longer than ``after_sequence`` or it is terminal, or after the timeout."""
        ...
