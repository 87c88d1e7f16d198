"""Named arrangements: a tenant with people, runs of it, and entries for their journals."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from remit.ids import ApprovalId, Digest, Epoch, PrincipalId, RunId, TenantId, WorkerId
from remit.ids import Sequence as JournalSequence
from remit.ports.store import (
    Append,
    Appended,
    ApprovalRow,
    Claimed,
    Correlation,
    Decision,
    Disposition,
    InboundEvent,
    KeyChange,
    Message,
    Principal,
    ReceiptRow,
    StepRow,
    Submission,
    Tenant,
)
from remit.store import PostgresStore

ACME = TenantId("acme")
OTHER = TenantId("other")
DEFINITION = Digest("d" * 64)
POLICY = Digest("e" * 64)
REQUESTER = PrincipalId("requester")
APPROVER = PrincipalId("approver")
SECOND_APPROVER = PrincipalId("second-approver")
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LONG = timedelta(hours=1)


@dataclass(kw_only=True)
class World:
    """One tenant as a worker sees it."""

    store: PostgresStore
    tenant_id: TenantId
    worker_id: WorkerId

    def submission(self, *, key: str | None = None, claimed: bool = True) -> Submission:
        """A submission of the tenant's only definition."""
        return Submission(
            tenant_id=self.tenant_id,
            definition_digest=DEFINITION,
            definition_name="orders",
            principal_id=REQUESTER,
            policy_digest=POLICY,
            input=b'{"order":1}',
            submission_key=key,
            worker_id=self.worker_id if claimed else None,
        )

    async def submit(self) -> Claimed:
        """A new run that the worker owns."""
        (submitted,), _ = await self.store.journal.submit([self.submission()])
        return Claimed(tenant_id=self.tenant_id, run_id=submitted.run_id, epoch=submitted.epoch)

    async def append(self, *appends: Append) -> list[Appended]:
        """The answers, in order."""
        return (await self.store.journal.append(appends))[0]

    async def wait(self, claim: Claimed, *, due_at: datetime | None = None) -> None:
        """Append the run's first entry and let go of it."""
        (reply,) = await self.append(entry(claim, disposition=Disposition.WAIT, status="waiting", due_at=due_at))
        assert reply.released

    async def request(self, *, approvers: int = 1, expires_at: datetime | None = None) -> tuple[Claimed, ApprovalRow]:
        """A run that waits for a decision, and the request."""
        claim = await self.submit()
        row = approval(approvers=approvers, expires_at=expires_at or await self.now() + LONG)
        (reply,) = await self.append(entry(claim, disposition=Disposition.WAIT, status="waiting", approvals=(row,)))
        assert reply.released
        return claim, row

    async def now(self) -> datetime:
        """The database's clock."""
        return await self.store.dispatch.register_worker(self.worker_id, lease_seconds=60, version="test")

    async def claim(self, *, limit: int = 10) -> list[Claimed]:
        """Claims under a request id of their own."""
        return (await self.store.dispatch.claim(self.worker_id, request_id=str(uuid.uuid4()), limit=limit))[0]


async def make_world(store: PostgresStore, tenant_id: TenantId = ACME) -> World:
    """Make a tenant with a requester, two approvers and a definition, and register a worker."""
    directory = store.directory
    await directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id.title()))
    people = {REQUESTER: ("operator", "approver"), APPROVER: ("approver",), SECOND_APPROVER: ("approver",)}
    for principal_id, roles in people.items():
        await directory.put_principal(
            Principal(tenant_id=tenant_id, principal_id=principal_id, kind="human", roles=roles)
        )
    await directory.put_definition(tenant_id, name="orders", version="1", digest=DEFINITION, body=b"{}")
    return World(store=store, tenant_id=tenant_id, worker_id=await make_worker(store))


async def make_worker(store: PostgresStore, *, lease_seconds: float = 60) -> WorkerId:
    """Register a worker."""
    worker_id = WorkerId(str(uuid.uuid4()))
    await store.dispatch.register_worker(worker_id, lease_seconds=lease_seconds, version="test")
    return worker_id


def entry(claim: Claimed, sequence: int = 1, *, marker: str = "", **changes: object) -> Append:
    """The next entry of a run; ``marker`` makes its hash another."""
    plain = Append(
        tenant_id=claim.tenant_id,
        run_id=claim.run_id,
        epoch=claim.epoch,
        sequence=JournalSequence(sequence),
        at=AT + timedelta(seconds=sequence),
        hash=sha256(f"{claim.run_id} {sequence} {marker}".encode()).digest(),
        commitment=sha256(b"commitment").digest(),
        fact_count=1,
        kinds="step_completed",
        payload=f'["{sequence}{marker}"]'.encode(),
        status="running",
        disposition=Disposition.KEEP,
        wake_sequence=0,
    )
    return msgspec.structs.replace(plain, **changes)


def later_epoch(claim: Claimed) -> Claimed:
    """The claim that a stale worker does not know of."""
    return msgspec.structs.replace(claim, epoch=Epoch(claim.epoch + 1))


def step(name: str = "charge") -> StepRow:
    """The row of a finished attempt."""
    return StepRow(
        step=name, attempt=1, status="completed", tool="stripe.charge", started_at=AT, finished_at=AT, tokens=7
    )


def receipt(name: str = "charge") -> ReceiptRow:
    """The proof of an effect."""
    return ReceiptRow(
        receipt_id=str(uuid.uuid4()),
        step=name,
        slot=1,
        attempt=1,
        tool="stripe.charge",
        tool_version="1.0.0",
        side_effect_level="FINANCIAL",
        delivery_class="keyed",
        idempotency_key="key",
        arguments_digest="a" * 64,
        result_digest="b" * 64,
        amount_minor=1999,
        currency="EUR",
    )


def approval(*, approvers: int = 1, expires_at: datetime) -> ApprovalRow:
    """A request for a decision by somebody else than `REQUESTER`."""
    return ApprovalRow(
        approval_id=str(uuid.uuid4()),
        step="charge",
        slot=1,
        tool="stripe.charge",
        tool_version="1.0.0",
        rule_id="large-amounts",
        reason="amount above 100",
        digest="c" * 64,
        nonce="n",
        arguments=b'{"amount":1999}',
        endpoint="stripe",
        credential="stripe-live",
        policy_digest=POLICY,
        requested_by=REQUESTER,
        approvers_required=approvers,
        expires_at=expires_at,
    )


def decision(row: ApprovalRow, by: PrincipalId = APPROVER, **changes: object) -> Decision:
    """An approval of exactly what the row covers."""
    plain = Decision(approval_id=ApprovalId(row.approval_id), decision="approve", principal_id=by, digest=row.digest)
    return msgspec.structs.replace(plain, **changes)


def reserve(key: str, step_id: str = "charge") -> KeyChange:
    """A reservation of an idempotency key."""
    return KeyChange(action="reserve", key=key, step=step_id, slot=1)


def signal(message_id: str = "m1") -> Message:
    """A signal to a run."""
    return Message(kind="signal", message_id=message_id, body={"name": "go", "payload": {"a": 1}})


def event(event_key: str = "evt_1", **changes: object) -> InboundEvent:
    """A provider's event about order 7."""
    plain = InboundEvent(
        source="shop",
        name="order.paid",
        event_key=event_key,
        occurred_at=AT,
        body={"order": 7},
        raw_sha256="f" * 64,
        correlations=("order:7",),
    )
    return msgspec.structs.replace(plain, **changes)


def awaiting(correlation: str | None = "order:7", step_id: str = "payment") -> Correlation:
    """A wait for an event of order 7."""
    return Correlation(action="start", step=step_id, name="order.paid", correlation=correlation)


def run_ids(claims: list[Claimed]) -> set[RunId]:
    """Which runs were claimed."""
    return {claim.run_id for claim in claims}
