"""Many tenants over a pool of five connections: concurrent requests, given up, timed out, refused, cut off at random.

Owns: the tenants, whose every row carries a canary; what they ask, and noting each row that is not the asker's.
Does not know: how many requests are enough.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import httpx2

from remit.api.app import create_app
from remit.bootstrap import Kernel
from remit.core.states import OutboxStatus
from remit.errors import (
    AlreadyDecidedError,
    InputInvalidError,
    NotFoundError,
    StoreUnavailableError,
    TenantContextError,
)
from remit.ids import ApprovalId, Digest, PrincipalId, RunId, TenantId, WorkerId
from remit.ids import Sequence as JournalSequence
from remit.ports.outbox import OutboxRow
from remit.ports.store import (
    Append,
    ApprovalRow,
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
)  # fmt: skip
from remit.settings import Settings
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase

CONNECTIONS: Final = 5
CANARY: Final = re.compile(r"canary[a-z]\d{3}x[0-9a-f]{8}")
AT: Final = datetime(2030, 1, 1, tzinfo=UTC)
BARE: Final = {
    "bare_context": "select coalesce(current_setting('remit.tenant_id', true), '') as tenant",
    "bare_rows": "select definition_name from remit.runs limit 1",
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One tenant, by its ids; each of them, and every row of it, carries its canary."""

    tenant_id: TenantId
    canary: str
    run_id: RunId
    approval_id: ApprovalId
    person: PrincipalId
    api_key: str


@dataclass
class Tally:
    """What happened: requests by kind, faults that fired, rows that were read, and what must not have happened."""

    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    contexts: int = 0
    connections: int = 0
    leaks: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)


class Crowd:
    """The tenants on one kernel, and what they ask of it."""

    def __init__(self, kernel: Kernel, http: httpx2.AsyncClient, members: list[Member], seed: int) -> None:
        self.kernel = kernel
        self.store: PostgresStore = kernel.store
        self.http = http
        self.members = members
        self.draw = random.Random(seed)
        self.tally = Tally()
        self._kinds, self._weights = zip(*QUESTIONS, strict=True)

    async def ask(self, count: int, *, callers: int = 20) -> None:
        """Ask so many requests in all, so many at a time, until all are answered."""
        left = iter(range(count))

        async def call() -> None:
            for _ in left:
                await self._ask_one()

        await asyncio.gather(*(call() for _ in range(callers)))

    async def cut_off(self, admin: asyncpg.Connection[Any]) -> None:
        """Kill one connection of the pool, whatever it is doing."""
        killed = await admin.fetchval(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and usename = 'remit_app' order by random() limit 1"
        )
        self.tally.faults["killed"] += bool(killed)
        # The server may not have noticed yet that some are gone, so the pool is asked.
        pool = self.store.database._pool
        assert pool is not None
        self.tally.connections = max(self.tally.connections, pool.get_size())

    def check(self, member: Member, rows: object) -> None:
        """Note canaries that are not the member's; rows without any canary are noted too."""
        found = set(CANARY.findall(str(rows)))
        self.tally.rows += len(rows) if isinstance(rows, list) else 1
        if found != {member.canary}:
            self.tally.leaks.append(f"{member.canary} got {sorted(found) or 'nothing'}: {str(rows)[:200]}")

    async def _ask_one(self) -> None:
        draw, member = self.draw, self.draw.choice(self.members)
        (question,) = draw.choices(self._kinds, self._weights)
        self.tally.requests[question.__name__] += 1
        asking = question(self, member)
        chance = draw.random()
        try:
            if chance < 0.004:
                await self._give_up(asking)
            elif chance < 0.006:
                async with asyncio.timeout(draw.random() * 0.003):
                    await asking
            else:
                await asking
        except TimeoutError:
            self.tally.faults["timed out"] += 1
        except StoreUnavailableError:
            self.tally.faults["unavailable"] += 1

    async def _give_up(self, asking: Awaitable[None]) -> None:
        """Ask and leave before the answer, in the middle of a transaction or before it."""
        task = asyncio.ensure_future(asking)
        for _ in range(self.draw.randint(1, 12)):
            await asyncio.sleep(0)
        self.tally.faults["given up"] += task.cancel()
        with suppress(asyncio.CancelledError, StoreUnavailableError):
            await task

    def another(self, member: Member) -> Member:
        """Return somebody else."""
        other = self.draw.choice(self.members)
        return other if other is not member else self.members[self.members.index(member) - 1]


Question = Callable[[Crowd, Member], Awaitable[None]]


async def key(crowd: Crowd, member: Member) -> None:
    crowd.check(member, [await crowd.store.reservation.find_key(member.tenant_id, f"key-{member.canary}")])


async def inbox(crowd: Crowd, member: Member) -> None:
    messages, _ = await crowd.store.journal.load_inbox(member.tenant_id, member.run_id)
    crowd.check(member, messages)


async def journal(crowd: Crowd, member: Member) -> None:
    crowd.check(member, [await crowd.store.reader.read_run(member.tenant_id, member.run_id)])


async def run(crowd: Crowd, member: Member) -> None:
    crowd.check(member, [await crowd.store.reader.get_run(member.tenant_id, member.run_id)])


async def lists(crowd: Crowd, member: Member) -> None:
    store, tenant_id = crowd.store, member.tenant_id
    listing: Callable[[], Awaitable[list[Any]]] = crowd.draw.choice(
        (
            lambda: store.reader.list_runs(tenant_id, limit=3),
            lambda: store.reader.list_receipts(tenant_id),
            lambda: store.reader.list_steps(tenant_id, member.run_id),
            lambda: store.reader.list_inbound(tenant_id),
            lambda: store.directory.list_principals(tenant_id),
            lambda: store.directory.list_definitions(tenant_id),
            lambda: store.approvals.list(tenant_id, status=None),
            lambda: store.outbox.list(tenant_id),
            lambda: store.outbox.list(tenant_id, status=OutboxStatus.PENDING),
        )
    )
    crowd.check(member, await listing())


async def person(crowd: Crowd, member: Member) -> None:
    crowd.check(member, [await crowd.store.directory.authenticate(member.api_key)])


async def message(crowd: Crowd, member: Member) -> None:
    word = Message(kind="signal", message_id=f"m-{crowd.draw.randrange(3)}", body={"name": member.canary})
    await crowd.store.inbox.deliver(member.tenant_id, member.run_id, word)


async def event(crowd: Crowd, member: Member) -> None:
    received = await crowd.store.inbox.receive(member.tenant_id, an_event(member))
    if received.status != "duplicate":
        crowd.tally.leaks.append(f"{member.canary}: {received}")


async def decision(crowd: Crowd, member: Member) -> None:
    word = Decision(
        approval_id=member.approval_id, decision="approve", principal_id=member.person, digest="0" * 64, reason="x"
    )
    try:
        await crowd.store.approvals.decide(member.tenant_id, word)
    except AlreadyDecidedError:
        crowd.tally.faults["refused"] += 1


async def foreign(crowd: Crowd, member: Member) -> None:
    """Ask for another tenant's things."""
    store, tenant_id, other = crowd.store, member.tenant_id, crowd.another(member)
    asking: Callable[[], Awaitable[object]] = crowd.draw.choice(
        (
            lambda: store.reader.get_run(tenant_id, other.run_id),
            lambda: store.reader.read_run(tenant_id, other.run_id),
            lambda: store.approvals.get(tenant_id, other.approval_id),
            lambda: store.directory.get_principal(tenant_id, other.person),
            lambda: store.inbox.deliver(tenant_id, other.run_id, Message(kind="signal", message_id="x", body={})),
        )
    )
    try:
        crowd.tally.leaks.append(f"{member.canary} got of {other.canary}: {await asking()}")
    except NotFoundError:
        crowd.tally.faults["not found"] += 1
    if await store.reservation.find_key(tenant_id, f"key-{other.canary}") is not None:
        crowd.tally.leaks.append(f"{member.canary} got the key of {other.canary}")


async def mistaken(crowd: Crowd, member: Member) -> None:
    """Ask what the server refuses, in the middle of a transaction."""
    try:
        await crowd.store.directory.put_principal(
            Principal(tenant_id=member.tenant_id, principal_id=PrincipalId("x"), kind="nobody", roles=())  # type: ignore[arg-type]
        )
    except InputInvalidError:
        crowd.tally.faults["server error"] += 1


async def bare(crowd: Crowd, member: Member) -> None:
    """Borrow a connection without any context: it must know of no tenant, and show nothing."""
    async with crowd.store.database.session() as session:
        rows = await session.fetch(BARE, "bare_context")
        crowd.tally.contexts += 1
        if rows[0]["tenant"]:
            crowd.tally.left_over.append(rows[0]["tenant"])
        try:
            crowd.tally.leaks.append(str(await session.fetch(BARE, "bare_rows")))
        except TenantContextError:
            crowd.tally.faults["no context"] += 1


async def over_http(crowd: Crowd, member: Member) -> None:
    other = crowd.another(member)
    paths = (
        ("/runs?limit=3", 200), (f"/runs/{member.run_id}", 200), ("/approvals?status=all", 200),
        (f"/runs/{other.run_id}", 404),
    )  # fmt: skip
    path, status = crowd.draw.choice(paths)
    answer = await crowd.http.get(path, headers={"authorization": f"Bearer {member.api_key}"})
    if answer.status_code == 503:
        crowd.tally.faults["unavailable"] += 1
    elif answer.status_code != status:
        crowd.tally.leaks.append(f"{member.canary} {path}: {answer.status_code} {answer.text[:200]}")
    elif status == 200:
        crowd.check(member, [answer.text])


QUESTIONS: Final[list[tuple[Question, int]]] = [
    (key, 30), (inbox, 18), (journal, 8), (run, 8), (lists, 12), (person, 3), (message, 4), (event, 3), (decision, 2),
    (foreign, 5), (mistaken, 1), (bare, 4), (over_http, 2),
]  # fmt: skip


def an_event(member: Member) -> InboundEvent:
    return InboundEvent(
        source="shop",
        name=f"shop.{member.canary}",
        event_key="the same for all",
        occurred_at=None,
        body={"of": member.canary},
        raw_sha256="0" * 64,
        correlations=(member.canary,),
    )


@asynccontextmanager
async def gathered(database: ScratchDatabase, *, tenants: int, seed: int) -> AsyncIterator[Crowd]:
    """Lend a crowd of so many furnished tenants, on a kernel whose pool has five connections."""
    draw = random.Random(seed)
    settings = Settings(database_app_url=database.app_url, tenant=TenantId("tenant-000"), pool_size=CONNECTIONS)
    kernel = Kernel(tools=[], packs=[], settings=settings, has_worker=False)
    async with kernel:
        members = [await _furnish(kernel.store, number, draw) for number in range(tenants)]
        transport = httpx2.ASGITransport(app=create_app(kernel))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Crowd(kernel, http, members, seed)


async def _furnish(store: PostgresStore, number: int, draw: random.Random) -> Member:
    """Make a tenant with rows in every list, by what the runtime would call."""
    tenant_id = TenantId(f"tenant-{number:03}")
    canary = f"canary{draw.choice('abcdef')}{number:03}x{draw.getrandbits(32):08x}"
    someone, digest = PrincipalId(f"p-{canary}"), Digest(hashlib.sha256(canary.encode()).hexdigest())
    directory = store.directory
    await directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=canary))
    requester = PrincipalId(f"r-{canary}")
    for principal_id in (someone, requester):
        principal = Principal(tenant_id=tenant_id, principal_id=principal_id, kind="human", roles=("approver",))
        await directory.put_principal(principal)
    await directory.put_definition(tenant_id, name=canary, version="1", digest=digest, body=canary.encode())
    worker_id = WorkerId(str(uuid.UUID(int=draw.getrandbits(128))))
    await store.dispatch.register_worker(worker_id, lease_seconds=3_600, version="crowd")
    submission = Submission(
        tenant_id=tenant_id, definition_digest=digest, definition_name=canary, principal_id=requester,
        policy_digest=Digest(canary), input=canary.encode(), worker_id=worker_id,
    )  # fmt: skip
    ((submitted,), _) = await store.journal.submit([submission])
    entry = _entry(tenant_id, submitted.run_id, canary, requester)
    await store.journal.append([entry])
    member = Member(
        tenant_id=tenant_id, canary=canary, run_id=submitted.run_id, person=someone,
        approval_id=ApprovalId(entry.approvals[0].approval_id),
        api_key=await directory.create_api_key(tenant_id, someone),
    )  # fmt: skip
    await store.inbox.deliver(
        tenant_id, member.run_id, Message(kind="signal", message_id="first", body={"name": canary})
    )
    await store.inbox.receive(tenant_id, an_event(member))
    return member


def _entry(tenant_id: TenantId, run_id: RunId, canary: str, requester: PrincipalId) -> Append:
    """Return a first entry that leaves a row of everything that an entry can leave."""
    return Append(
        tenant_id=tenant_id, run_id=run_id, epoch=1, sequence=JournalSequence(1), at=AT,  # type: ignore[arg-type]
        hash=b"h" * 32, commitment=b"c" * 32, fact_count=0, kinds="", payload=f'["{canary}"]'.encode(),
        status="running", disposition=Disposition.KEEP, wake_sequence=0,
        steps=(
            StepRow(step=canary, attempt=1, status="completed", tool="t", started_at=AT, finished_at=AT),
        ),
        receipts=(
            ReceiptRow(
                receipt_id=f"r-{canary}", step=canary, slot=1, attempt=1, tool="t", tool_version="1",
                side_effect_level="READ", delivery_class="pure", idempotency_key="k", arguments_digest="a",
                result_digest="r",
            ),
        ),
        approvals=(
            ApprovalRow(
                approval_id=str(uuid.uuid5(uuid.NAMESPACE_OID, canary)), step=canary, slot=1, tool="t",
                tool_version="1", rule_id="r", reason=canary, digest="d" * 64, nonce="n", arguments=b"{}",
                endpoint="", credential="", policy_digest="", requested_by=requester, approvers_required=1,
                expires_at=AT + timedelta(days=3_650),
            ),
        ),
        keys=(
            KeyChange(action="reserve", key=f"key-{canary}", step=canary, slot=1),
            KeyChange(action="succeed", key=f"key-{canary}", step=canary, slot=1, outcome=canary.encode()),
        ),
        outbox=(OutboxRow(message_id=f"msg_{canary}", step=canary, topic=canary, destinations=(canary,), body=b"{}"),),
    )  # fmt: skip
