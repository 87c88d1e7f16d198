"""Two tenants on one database, each with at least one row in every tenant table.

Owns: how a tenant comes to have everything that this version can store, and taking stock of a tenant's rows.
Does not know: what tests try to do with one tenant's ids in the other's name.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg
import msgspec

from remit.bootstrap import Kernel
from remit.core.definition import Bounds, Definition, EventStep, Step, ToolStep, Trigger, definition_digest
from remit.core.states import RUN_TERMINAL, RunStatus
from remit.errors import ToolError
from remit.governance.breaker import BreakerConfig, BreakerState
from remit.governance.contracts import contract_digest
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, Subscription, encode_policy
from remit.ids import ApprovalId, Digest, PrincipalId, RunId, TenantId
from remit.ports.store import Approval, Decision, InboundEvent, Principal, Tenant, WebhookEndpoint
from remit.ports.tool import Tool
from remit.settings import Settings
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract
from remit.tools.publish import publish

ACME, OTHER = TenantId("acme"), TenantId("other")
PRINCIPALS: Final = {
    "operator": ("human", ("operator",)),
    "approver": ("human", ("approver",)),
    "admin": ("human", ("admin",)),
    "agent": ("agent", ("operator", "approver")),
    "service": ("service", ("operator", "approver", "admin")),
}
"""Who there is in each house: what they are, and their roles."""
LARGE: Final = "x" * 300_000
"""More than what travels with an entry."""

BOUNDS: Final = Bounds(steps_max=100, tool_calls_max=100)

TABLES: Final = """
select c.relname from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
order by c.relname
"""


@dataclass(frozen=True, kw_only=True)
class House:
    """What one tenant has, by the ids that somebody else might try."""

    tenant_id: TenantId
    operator: PrincipalId
    approver: PrincipalId
    api_key: str
    keys: dict[str, str]
    """An API key of a principal of each kind."""
    policy_digest: Digest
    definition_digest: Digest
    definition_name: str
    endpoint_id: str
    webhook_secret: str
    done_id: RunId
    waiting_id: RunId
    asking_id: RunId
    approval_id: ApprovalId
    approval_digest: str
    message_id: str
    subscription: str
    receipt_id: str
    inbound_id: int
    key: str
    dependency: str
    correlation: str


def tools() -> list[ScriptedTool]:
    """Return the tools of both houses."""
    paying = msgspec.structs.replace(contract("t.pay", delivery="keyed", idempotency="arguments"), rate_limit_rpm=600)
    failing = msgspec.structs.replace(contract("t.fail"), dependency="placeholder")
    return [
        ScriptedTool(paying),
        ScriptedTool(contract("t.large"), Turn(output={"large": LARGE})),
        ScriptedTool(contract("t.ask", delivery="keyed")),
        ScriptedTool(failing, Turn(error=ToolError("down", retryable=True, reason="DOWN"))),
    ]


def settings_of(database: ScratchDatabase) -> Settings:
    """Return settings of a kernel that serves both tenants, with webhook secrets of their own."""
    return Settings(
        database_app_url=database.app_url,
        tenant=ACME,
        secrets={f"{tenant}__shopify_webhook": webhook_secret(tenant) for tenant in (ACME, OTHER)}
        | {f"{tenant}__hooks": "whsec_" + "00" * 24 for tenant in (ACME, OTHER)},
        sweep=timedelta(seconds=1),
        poll=timedelta(milliseconds=50),
    )


def webhook_secret(tenant_id: TenantId) -> str:
    """Return what signs a tenant's webhooks."""
    return f"shpss_{tenant_id}"


async def furnish(kernel: Kernel, tenant_id: TenantId, *, available: list[ScriptedTool]) -> House:
    """Give a tenant something of everything."""
    store = kernel.store
    operator, approver = await _people(kernel, tenant_id)
    policy_digest = await _put_policy(kernel, tenant_id)
    endpoint = await store.endpoints.put_endpoint(
        WebhookEndpoint(
            endpoint_id=uuid.uuid4().hex,
            tenant_id=tenant_id,
            source="shopify",
            secret_name="shopify_webhook",
            principal_id=operator,
        )
    )
    steps = {tool.contract.name: _step(tool) for tool in [*available, publish]}
    done_id, done_digest = await _done_run(kernel, operator, tenant_id, steps)
    request = await _asking_run(kernel, (operator, approver), tenant_id, steps)
    waiting_id = await _waiting_run(kernel, operator, tenant_id)
    await _put_triggered(kernel, tenant_id, steps)
    (message,) = await store.outbox.list(tenant_id)
    (receipt, *_) = await store.reader.list_receipts(tenant_id, run_id=done_id)
    dependency = f"{tenant_id}_bank"
    await store.reservation.save_breaker(tenant_id, dependency, BreakerState(status="open", opened_us=1))
    return House(
        tenant_id=tenant_id,
        operator=operator,
        approver=approver,
        api_key=await store.directory.create_api_key(tenant_id, operator),
        keys=await _keys(kernel, tenant_id),
        policy_digest=policy_digest,
        definition_digest=done_digest,
        definition_name=f"{tenant_id}-done",
        endpoint_id=endpoint.endpoint_id,
        webhook_secret=webhook_secret(tenant_id),
        done_id=done_id,
        waiting_id=waiting_id,
        asking_id=request.run_id,
        approval_id=request.approval_id,
        approval_digest=request.digest,
        message_id=message.message_id,
        subscription=message.destination,
        receipt_id=receipt.receipt.receipt_id,
        inbound_id=await _held_event(kernel, tenant_id),
        key=await _key_of(kernel, tenant_id, done_id),
        dependency=dependency,
        correlation=f"{tenant_id}-order",
    )


async def furnish_both(database: ScratchDatabase) -> tuple[House, House]:
    """Furnish both tenants with a kernel that is gone afterwards, so that nothing changes by itself."""
    available = tools()
    listed: list[Tool] = list(available)
    connection = await asyncpg.connect(database.admin_url)
    # So that a number is recognised wherever it turns up.
    await connection.execute("alter sequence remit.inbound_events_inbound_id_seq restart with 7000001")
    async with Kernel(tools=listed, packs=[], settings=settings_of(database)) as kernel:
        houses = [await furnish(kernel, tenant_id, available=available) for tenant_id in (ACME, OTHER)]
    for house in houses:
        # What only a row that the database refuses would leave.
        await connection.execute(
            "insert into remit.quarantines (tenant_id, run_id, sequence, reason) values ($1, $2, 1, '23514')",
            house.tenant_id,
            house.waiting_id,
        )
    await connection.close()
    return houses[0], houses[1]


async def take_stock(connection: asyncpg.Connection[Any], tenant_id: TenantId) -> dict[str, tuple[int, str]]:
    """Return, for every tenant table, how many rows a tenant has and a digest of them."""
    stock = {}
    for (table,) in await connection.fetch(TABLES):
        rows = await connection.fetch(f"select t::text as row from remit.{table} t where tenant_id = $1", tenant_id)
        text = "\n".join(sorted(row["row"] for row in rows))
        stock[table] = (len(rows), hashlib.sha256(text.encode()).hexdigest())
    return stock


async def _people(kernel: Kernel, tenant_id: TenantId) -> tuple[PrincipalId, PrincipalId]:
    await kernel.store.directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id))
    for name, (kind, roles) in PRINCIPALS.items():
        principal_id = PrincipalId(f"{tenant_id}-{name}")
        principal = Principal(tenant_id=tenant_id, principal_id=principal_id, kind=kind, roles=roles)
        await kernel.store.directory.put_principal(principal)
    return PrincipalId(f"{tenant_id}-operator"), PrincipalId(f"{tenant_id}-approver")


async def _keys(kernel: Kernel, tenant_id: TenantId) -> dict[str, str]:
    create = kernel.store.directory.create_api_key
    return {name: await create(tenant_id, PrincipalId(f"{tenant_id}-{name}")) for name in PRINCIPALS}


async def _done_run(
    kernel: Kernel, operator: PrincipalId, tenant_id: TenantId, steps: dict[str, ToolStep]
) -> tuple[RunId, Digest]:
    """Run to its end what leaves receipts, keys, rates, large payloads and a message."""
    pay = msgspec.structs.replace(steps["t.pay"], input={"of": tenant_id})
    large = msgspec.structs.replace(steps["t.large"], depends_on=("pay",))
    published = msgspec.structs.replace(
        steps["outbox.publish"], depends_on=("large",), input={"topic": "orders.paid", "body": {"of": tenant_id}}
    )
    run_id, digest = await _run(kernel, operator, tenant_id, pay, large, published, name=f"{tenant_id}-done")
    await _reach(kernel, tenant_id, run_id)
    return run_id, digest


async def _asking_run(
    kernel: Kernel, people: tuple[PrincipalId, PrincipalId], tenant_id: TenantId, steps: dict[str, ToolStep]
) -> Approval:
    """Let two runs ask for approval and give one of them; return the other's request."""
    operator, approver = people
    ask = msgspec.structs.replace(steps["t.ask"], input={"of": tenant_id})
    asking, _ = await _run(kernel, operator, tenant_id, ask, name=f"{tenant_id}-asking")
    decided, _ = await _run(kernel, operator, tenant_id, ask, name=f"{tenant_id}-decided")
    for run_id in (asking, decided):
        await _reach(kernel, tenant_id, run_id, "approval of ask")
    pending = {approval.run_id: approval for approval in await kernel.store.approvals.list(tenant_id)}
    approval = pending[decided]
    word = Decision(approval_id=approval.approval_id, decision="approve", principal_id=approver, digest=approval.digest)
    await kernel.store.approvals.decide(tenant_id, word)
    await kernel.runs.announce(decided)
    await _reach(kernel, tenant_id, decided)
    return pending[asking]


async def _waiting_run(kernel: Kernel, operator: PrincipalId, tenant_id: TenantId) -> RunId:
    """Let a run wait for an event, and send it a signal that it does not wait for."""
    waiting = EventStep(id="paid", event="shop.paid", correlation=f"{tenant_id}-order")
    run_id, _ = await _run(kernel, operator, tenant_id, waiting, name=f"{tenant_id}-waiting")
    await _reach(kernel, tenant_id, run_id, "event shop.paid")
    await kernel.runs.signal(tenant_id, run_id, name="noise", payload={"of": tenant_id}, sent_by=operator)
    return run_id


async def _held_event(kernel: Kernel, tenant_id: TenantId) -> int:
    """Receive an event that nobody waits for."""
    held = InboundEvent(
        source="shop",
        name="shop.noise",
        event_key=f"{tenant_id}-held",
        occurred_at=None,
        body={"of": tenant_id},
        raw_sha256=hashlib.sha256(tenant_id.encode()).hexdigest(),
        correlations=(f"{tenant_id}-held",),
    )
    received = await kernel.store.inbox.receive(tenant_id, held)
    return received.inbound_id


async def _put_triggered(kernel: Kernel, tenant_id: TenantId, steps: dict[str, ToolStep]) -> None:
    """Store a definition that both tenants' orders would start."""
    definition = Definition(
        name=f"{tenant_id}-triggered",
        version="1",
        bounds=BOUNDS,
        steps=(msgspec.structs.replace(steps["t.pay"], input={"of": tenant_id}),),
        triggers=(Trigger(event="shopify.orders/create", input={}, key="${{ string(event.id) }}"),),
    )
    await kernel.put_definition(definition, tenant_id=tenant_id)


async def _put_policy(kernel: Kernel, tenant_id: TenantId) -> Digest:
    config = BusinessConfig(
        name=tenant_id,
        version="1",
        bounds=BOUNDS,
        scopes=(Scope(tool="t.*"), Scope(tool="outbox.publish")),
        approval_rules=(ApprovalRule(id="ask", tool="t.ask"),),
        breakers={"placeholder": BreakerConfig(failure_threshold=1)},
        subscriptions=(
            Subscription(
                id=f"{tenant_id}-listener",
                topic="orders.*",
                url="http://127.0.0.1:9/",
                secret="hooks",
                allow_private=True,
            ),
        ),
    )
    body = encode_policy(config)
    digest = Digest(definition_digest(body))
    await kernel.store.directory.put_policy(tenant_id, digest=digest, body=body)
    kernel.catalogue.forget(tenant_id)
    return digest


def _step(tool: Tool) -> ToolStep:
    name = tool.contract.name
    return ToolStep(
        id=name.rpartition(".")[2],
        tool=name,
        tool_version=tool.contract.version,
        contract_digest=contract_digest(tool.contract),
    )


async def _run(
    kernel: Kernel, operator: PrincipalId, tenant_id: TenantId, *steps: Step, name: str
) -> tuple[RunId, Digest]:
    definition = Definition(name=name, version="1", steps=steps, bounds=BOUNDS)
    stored = await kernel.put_definition(definition, tenant_id=tenant_id)
    submitted = await kernel.runs.submit(
        tenant_id, definition_digest=stored.digest, run_input=None, principal_id=operator
    )
    return submitted.run_id, stored.digest


async def _reach(kernel: Kernel, tenant_id: TenantId, run_id: RunId, waiting_for: str | None = None) -> None:
    run = await kernel.store.reader.get_run(tenant_id, run_id)
    for _ in range(200):
        is_there = RunStatus(run.status) in RUN_TERMINAL if waiting_for is None else run.waiting_for == waiting_for
        if is_there:
            return
        run = await kernel.store.reader.wait_for_change(
            tenant_id, run_id, after_sequence=run.sequence, timeout_seconds=0.05
        )
    raise AssertionError(f"{run.status}, waits for {run.waiting_for!r}, {run.error!r}")


async def _key_of(kernel: Kernel, tenant_id: TenantId, run_id: RunId) -> str:
    (paid, *_) = [
        stored.receipt.idempotency_key
        for stored in await kernel.store.reader.list_receipts(tenant_id, run_id=run_id)
        if stored.receipt.tool == "t.pay"
    ]
    return paid
