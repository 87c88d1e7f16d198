"""Every method of the store's ports, called in one tenant's name with another tenant's ids."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from remit.core.states import OutboxStatus
from remit.errors import InputInvalidError, NotFoundError, RemitError
from remit.governance.breaker import BreakerState
from remit.ids import ApprovalId, Epoch, InboxId, Sequence, TenantId, WorkerId
from remit.ports.outbox import Outbox, OutboxClaim, OutboxSettlement
from remit.ports.reservation import Reservation
from remit.ports.store import (
    Append,
    AppendOutcome,
    Approvals,
    Claimed,
    Decision,
    Directory,
    Dispatch,
    Disposition,
    Endpoints,
    InboundEvent,
    Inbox,
    Journal,
    Message,
    Principal,
    Reader,
    Submission,
    Tenant,
    WebhookEndpoint,
)
from remit.ports.suspects import Suspects
from remit.store import PostgresStore
from tests.integration.isolation.houses import House, take_stock

PORTS = {
    "journal": Journal,
    "dispatch": Dispatch,
    "inbox": Inbox,
    "approvals": Approvals,
    "directory": Directory,
    "endpoints": Endpoints,
    "reader": Reader,
    "reservation": Reservation,
    "outbox": Outbox,
    "suspects": Suspects,
}

ACROSS_TENANTS = {
    "journal.mint": "returns unused ids only",
    "journal.close": "closes connections",
    "dispatch.register_worker": "workers belong to no tenant",
    "dispatch.claim": "claims runs of all tenants, ids only",
    "dispatch.heartbeat": "of one worker",
    "dispatch.sweep": "of dead workers, ids only",
    "dispatch.retire_worker": "of one worker",
    "dispatch.wait_for_wake": "waits",
    "dispatch.announce": "notifies",
    "directory.list_tenants": "for operators of the installation only",
    "outbox.claim": "claims messages of all tenants, ids only",
    "outbox.close": "closes connections",
    "suspects.list_workers": "workers belong to no tenant",
    "suspects.list_suspect_tenants": "names tenants for operators of the installation, nothing else",
}
"""Methods that work for all tenants on purpose, and why that leaks nothing."""

Act = Callable[[PostgresStore, House, House], Awaitable[object]]
WORKER = WorkerId("00000000-0000-7000-8000-000000000001")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def append_to(mine: House, theirs: House) -> Append:
    """Return an entry for their run in my name."""
    return Append(
        tenant_id=mine.tenant_id,
        run_id=theirs.waiting_id,
        epoch=Epoch(1),
        sequence=Sequence(2),
        at=NOW,
        hash=b"h" * 32,
        commitment=b"c" * 32,
        fact_count=0,
        kinds="",
        payload=b"[]",
        status="running",
        disposition=Disposition.KEEP,
        wake_sequence=0,
        consumed=(InboxId(1),),
        withdrawn=(theirs.approval_id,),
    )


def submission_with(mine: House, theirs: House) -> Submission:
    """Return a submission of their definition in my name."""
    return Submission(
        tenant_id=mine.tenant_id,
        definition_digest=theirs.definition_digest,
        definition_name=theirs.definition_name,
        principal_id=mine.operator,
        policy_digest=mine.policy_digest,
        input=b"{}",
    )


def claim_of(mine: House, theirs: House) -> Claimed:
    """Return a claim of their run in my name."""
    return Claimed(tenant_id=mine.tenant_id, run_id=theirs.waiting_id, epoch=Epoch(1))


def outbox_claim_of(mine: House, theirs: House) -> OutboxClaim:
    """Return a claim of their message in my name."""
    return OutboxClaim(
        tenant_id=mine.tenant_id, message_id=theirs.message_id, destination=theirs.subscription, leased_until=NOW
    )


def event_for(theirs: House) -> InboundEvent:
    """Return an event about what their run waits for."""
    return InboundEvent(
        source="shop",
        name="shop.paid",
        event_key=f"probe-{theirs.tenant_id}-{theirs.correlation}",
        occurred_at=None,
        body={"ok": True},
        raw_sha256="0" * 64,
        correlations=(theirs.correlation,),
    )


def decision_on(theirs: House, mine: House) -> Decision:
    """Return my approver's word on their request."""
    return Decision(
        approval_id=theirs.approval_id,
        decision="approve",
        principal_id=mine.approver,
        digest=theirs.approval_digest,
    )


def message() -> Message:
    return Message(kind="signal", message_id="probe", body={"name": "go"})


def settlement_of(mine: House, theirs: House) -> OutboxSettlement:
    return OutboxSettlement(claim=outbox_claim_of(mine, theirs), status=OutboxStatus.DELIVERED)


REFUSED: dict[str, Act] = {
    "journal.submit": lambda s, m, t: s.journal.submit([submission_with(m, t)]),
    "journal.load_inbox": lambda s, m, t: s.journal.load_inbox(m.tenant_id, t.waiting_id),
    "inbox.deliver": lambda s, m, t: s.inbox.deliver(m.tenant_id, t.waiting_id, message()),
    "approvals.decide": lambda s, m, t: s.approvals.decide(m.tenant_id, decision_on(t, m)),
    "approvals.get": lambda s, m, t: s.approvals.get(m.tenant_id, t.approval_id),
    "approvals.get by prefix": lambda s, m, t: s.approvals.get(m.tenant_id, ApprovalId(t.approval_id[:8])),
    "directory.get_tenant": lambda s, m, t: s.directory.get_tenant(TenantId("nobody")),
    "directory.pause_tenant": lambda s, m, t: s.directory.pause_tenant(TenantId("nobody"), paused=True),
    "directory.get_principal": lambda s, m, t: s.directory.get_principal(m.tenant_id, t.operator),
    "directory.create_api_key": lambda s, m, t: s.directory.create_api_key(m.tenant_id, t.operator),
    "directory.get_definition": lambda s, m, t: s.directory.get_definition(m.tenant_id, digest=t.definition_digest),
    "directory.get_definition by name": lambda s, m, t: s.directory.get_definition(m.tenant_id, name=t.definition_name),
    "directory.get_policy": lambda s, m, t: s.directory.get_policy(m.tenant_id, t.policy_digest),
    "endpoints.put_endpoint": lambda s, m, t: s.endpoints.put_endpoint(
        WebhookEndpoint(
            endpoint_id="probe", tenant_id=m.tenant_id, source="s", secret_name="n", principal_id=t.operator
        )
    ),
    "reader.find_run_id": lambda s, m, t: s.reader.find_run_id(m.tenant_id, t.waiting_id[:18]),
    "reader.find_run_id by its end": lambda s, m, t: s.reader.find_run_id(m.tenant_id, t.waiting_id[-8:]),
    "reader.get_run": lambda s, m, t: s.reader.get_run(m.tenant_id, t.done_id),
    "reader.read_run": lambda s, m, t: s.reader.read_run(m.tenant_id, t.done_id),
    "reader.wait_for_change": lambda s, m, t: s.reader.wait_for_change(
        m.tenant_id, t.done_id, after_sequence=0, timeout_seconds=0.01
    ),
    "outbox.retry": lambda s, m, t: s.outbox.retry(m.tenant_id, t.message_id),
    "outbox.retry by prefix": lambda s, m, t: s.outbox.retry(m.tenant_id, t.message_id[:12]),
}
"""What answers that the thing does not exist."""

EMPTY: dict[str, Act] = {
    "journal.load": lambda s, m, t: _first(s.journal.load([claim_of(m, t)])),
    "journal.release_quarantine": lambda s, m, t: s.journal.release_quarantine(m.tenant_id, t.waiting_id),
    "dispatch.release": lambda s, m, t: s.dispatch.release(WORKER, [claim_of(m, t)]),
    "inbox.mark_started": lambda s, m, t: s.inbox.mark_started(m.tenant_id, t.inbound_id),
    "approvals.expire": lambda s, m, t: s.approvals.expire(m.tenant_id, t.asking_id),
    "reader.list_receipts": lambda s, m, t: s.reader.list_receipts(m.tenant_id, run_id=t.done_id),
    "reader.list_steps": lambda s, m, t: s.reader.list_steps(m.tenant_id, t.done_id),
    "reservation.find_key": lambda s, m, t: s.reservation.find_key(m.tenant_id, t.key),
    "reservation.load_breaker": lambda s, m, t: s.reservation.load_breaker(m.tenant_id, t.dependency),
    "outbox.load": lambda s, m, t: s.outbox.load([outbox_claim_of(m, t)]),
    "outbox.retry_dead": lambda s, m, t: s.outbox.retry_dead(m.tenant_id),
    "suspects.list_suspects": lambda s, m, t: _first(
        s.suspects.list_suspects(m.tenant_id, run_ids=[t.waiting_id, t.asking_id, t.done_id])
    ),
}
"""What answers nothing."""

OWN_ONLY: dict[str, Act] = {
    "approvals.list": lambda s, m, t: s.approvals.list(m.tenant_id, status=None, limit=1_000),
    "directory.list_principals": lambda s, m, t: s.directory.list_principals(m.tenant_id),
    "directory.list_definitions": lambda s, m, t: s.directory.list_definitions(m.tenant_id),
    "endpoints.list_endpoints": lambda s, m, t: s.endpoints.list_endpoints(m.tenant_id),
    "reader.list_runs": lambda s, m, t: s.reader.list_runs(m.tenant_id, limit=1_000),
    "reader.list_runs by name": lambda s, m, t: s.reader.list_runs(m.tenant_id, name=m.definition_name),
    "reader.list_runs by status": lambda s, m, t: s.reader.list_runs(m.tenant_id, status="waiting"),
    "reader.list_receipts of all": lambda s, m, t: s.reader.list_receipts(m.tenant_id, limit=1_000),
    "reader.list_inbound": lambda s, m, t: s.reader.list_inbound(m.tenant_id, limit=1_000),
    "outbox.list": lambda s, m, t: s.outbox.list(m.tenant_id, limit=1_000),
}
"""Lists: of one's own, and never empty."""


async def _first(answer: Awaitable[tuple[Any, Any]]) -> Any:
    return (await answer)[0]


@pytest.mark.parametrize("act", REFUSED.values(), ids=REFUSED)
async def test_foreign_id_does_not_exist(
    act: Act, store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    What belongs to another tenant is not found, and nothing of it changes.
    """
    before = await take_stock(admin, theirs.tenant_id)

    with pytest.raises(NotFoundError):
        await act(store, mine, theirs)

    assert before == await take_stock(admin, theirs.tenant_id)


@pytest.mark.parametrize("act", EMPTY.values(), ids=EMPTY)
async def test_foreign_id_finds_nothing(
    act: Act, store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    What belongs to another tenant is neither returned nor changed.
    """
    before = await take_stock(admin, theirs.tenant_id)

    found = await act(store, mine, theirs)

    assert not found, found
    assert before == await take_stock(admin, theirs.tenant_id)


@pytest.mark.parametrize("act", OWN_ONLY.values(), ids=OWN_ONLY)
async def test_list_shows_one_s_own(act: Act, store: PostgresStore, mine: House, theirs: House) -> None:
    """
    A list holds what is one's own and no trace of another tenant.
    """
    found = str(await act(store, mine, theirs))

    assert "[]" != found
    assert theirs.tenant_id not in found
    assert str(theirs.done_id) not in found


async def test_foreign_append_is_fenced(
    store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    An entry for another tenant's run is refused like one of a worker that lost its claim.
    """
    before = await take_stock(admin, theirs.tenant_id)

    (reply,), _ = await store.journal.append([append_to(mine, theirs)])

    assert AppendOutcome.FENCED is reply.outcome
    assert before == await take_stock(admin, theirs.tenant_id)


async def test_foreign_event_reaches_nobody(
    store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    An event of mine with the correlation of their waiting run is held for me, and is not delivered to them.
    """
    before = await take_stock(admin, theirs.tenant_id)

    received = await store.inbox.receive(mine.tenant_id, event_for(theirs))

    assert ((), True) == (received.delivered_to, received.held)
    assert before == await take_stock(admin, theirs.tenant_id)


async def test_foreign_settlement_counts_for_nothing(
    store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    What I say of the delivery of their message is not heard.
    """
    before = await take_stock(admin, theirs.tenant_id)

    (counted,) = await store.outbox.settle([settlement_of(mine, theirs)])

    assert not counted
    assert before == await take_stock(admin, theirs.tenant_id)


WRITES: dict[str, Act] = {
    "directory.create_tenant": lambda s, m, t: s.directory.create_tenant(
        Tenant(tenant_id=m.tenant_id, display_name="new name")
    ),
    "directory.put_principal": lambda s, m, t: s.directory.put_principal(
        Principal(tenant_id=m.tenant_id, principal_id=t.approver, kind="human", roles=("approver",))
    ),
    "directory.put_definition": lambda s, m, t: s.directory.put_definition(
        m.tenant_id, name=t.definition_name, version="9", digest=t.definition_digest, body=b"mine"
    ),
    "directory.put_policy": lambda s, m, t: s.directory.put_policy(m.tenant_id, digest=t.policy_digest, body=b"mine"),
    "reservation.save_breaker": lambda s, m, t: s.reservation.save_breaker(
        m.tenant_id, t.dependency, BreakerState(status="closed")
    ),
    "reservation.take_rate": lambda s, m, t: s.reservation.take_rate(m.tenant_id, name="t.pay", per_minute=600),
}
"""Writes under another tenant's ids make something of one's own."""


@pytest.mark.parametrize("act", WRITES.values(), ids=WRITES)
async def test_write_under_a_foreign_id_is_one_s_own(
    act: Act, store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    A row of mine with an id of theirs is another row: theirs stays as it is.
    """
    intruder = await _intruder(store)
    before = await take_stock(admin, theirs.tenant_id)

    await act(store, intruder(mine), theirs)

    assert before == await take_stock(admin, theirs.tenant_id)


async def _intruder(store: PostgresStore) -> Callable[[House], House]:
    """Return a stand-in for a house that may be changed."""
    tenant_id = TenantId("intruder")
    await store.directory.create_tenant(Tenant(tenant_id=tenant_id, display_name="intruder"))
    return lambda house: replace(house, tenant_id=tenant_id)


async def test_api_key_speaks_for_its_tenant(store: PostgresStore, mine: House, theirs: House) -> None:
    """
    Whose a key is says the key: the tenant comes from nowhere else.
    """
    principals = [await store.directory.authenticate(house.api_key) for house in (mine, theirs)]

    assert [mine.tenant_id, theirs.tenant_id] == [principal.tenant_id for principal in principals]
    assert [mine.operator, theirs.operator] == [principal.principal_id for principal in principals]


async def test_endpoint_speaks_for_its_tenant(store: PostgresStore, mine: House, theirs: House) -> None:
    """
    Where a webhook arrives says whose it is.
    """
    found = [await store.endpoints.find_endpoint(house.endpoint_id) for house in (mine, theirs)]

    assert [mine.tenant_id, theirs.tenant_id] == [endpoint.tenant_id for endpoint in found if endpoint is not None]


async def test_endpoint_cannot_be_taken_over(
    store: PostgresStore, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    Whoever learns another tenant's endpoint id and registers it as his own gets none of its webhooks.
    """
    house = (await _intruder(store))(mine)
    await store.directory.put_principal(
        Principal(tenant_id=house.tenant_id, principal_id=house.operator, kind="service", roles=())
    )
    endpoint = WebhookEndpoint(
        endpoint_id=theirs.endpoint_id,
        tenant_id=house.tenant_id,
        source="shopify",
        secret_name="shopify_webhook",
        principal_id=house.operator,
    )
    before = await take_stock(admin, theirs.tenant_id)

    with suppress(RemitError):
        await store.endpoints.put_endpoint(endpoint)
    await admin.execute("update remit.webhook_endpoints set source = source where tenant_id = $1", theirs.tenant_id)
    found = await store.endpoints.find_endpoint(theirs.endpoint_id)

    assert found is not None
    assert theirs.tenant_id == found.tenant_id
    assert before == await take_stock(admin, theirs.tenant_id)


@pytest.mark.parametrize("tenant_id", ["", "other' or '1'='1", "acme; set role remit_owner", "Acme", "acme\x00", "*"])
async def test_context_takes_slugs_only(store: PostgresStore, tenant_id: str) -> None:
    """
    What is no tenant id never becomes part of a statement.
    """
    with pytest.raises(RemitError) as caught:
        await store.reader.list_runs(TenantId(tenant_id))

    assert isinstance(caught.value, InputInvalidError)


def test_every_method_of_every_port_is_probed() -> None:
    """
    A method that is added to a port must be probed here, or be said to work for all tenants, and why.
    """
    known = {name.split(" ")[0] for name in [*REFUSED, *EMPTY, *OWN_ONLY, *WRITES, *ACROSS_TENANTS]}
    known |= {
        "journal.append",
        "inbox.receive",
        "outbox.settle",
        "directory.authenticate",
        "endpoints.find_endpoint",
    }
    methods = {
        f"{port}.{name}"
        for port, protocol in PORTS.items()
        for name, _ in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    }

    assert set() == methods - known
    assert {"journal.release_quarantine"} == known - methods
