"""Clauses of the outbox port, held by the database and by the outbox in memory."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Protocol

import msgspec
import pytest

from remit.clock import DatabaseClock
from remit.core.states import OutboxStatus
from remit.errors import NotFoundError
from remit.ids import RunId, TenantId, WorkerId
from remit.ports.outbox import Outbox, OutboxClaim, OutboxPlace, OutboxRow, OutboxSettlement
from remit.ports.store import AppendOutcome
from remit.store import PostgresStore
from remit.testing.database import MAJORS, connect_store, scratch_database
from remit.testing.outbox import MemoryOutbox
from tests.conformance.store.world import ACME, OTHER, World, entry, later_epoch, make_world
from tests.servers import Servers

RELAY = WorkerId(str(uuid.uuid4()))
OTHER_RELAY = WorkerId(str(uuid.uuid4()))
LEASE = timedelta(minutes=1)
OVER = timedelta(0)
"""The lease of a claim that is over at once: a relay that died."""

RUN_ID = RunId("01890000-0000-7000-8000-000000000001")


class Stage(Protocol):
    """An outbox as two processes see it."""

    outbox: Outbox
    other: Outbox

    async def publish(self, *rows: OutboxRow, tenant_id: TenantId = ACME) -> None: ...


class MemoryStage:
    """The outbox in memory."""

    def __init__(self) -> None:
        self.outbox = self.other = MemoryOutbox(DatabaseClock())

    async def publish(self, *rows: OutboxRow, tenant_id: TenantId = ACME) -> None:
        self.outbox.publish(tenant_id, RUN_ID, *rows)


class PostgresStage:
    """The outbox of a database; a run's append publishes."""

    def __init__(self, store: PostgresStore, other_store: PostgresStore) -> None:
        self._store = store
        self._worlds: dict[TenantId, World] = {}
        self.outbox = store.outbox
        self.other = other_store.outbox

    async def publish(self, *rows: OutboxRow, tenant_id: TenantId = ACME) -> None:
        if tenant_id not in self._worlds:
            self._worlds[tenant_id] = await make_world(self._store, tenant_id)
        world = self._worlds[tenant_id]
        (reply,) = await world.append(entry(await world.submit(), outbox=rows))
        assert AppendOutcome.APPLIED is reply.outcome


@pytest.fixture(params=[*MAJORS, "memory"], ids=str)
async def stage(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Stage]:
    """An empty outbox: that of each version, and the one in memory."""
    if request.param == "memory":
        yield MemoryStage()
        return
    async with scratch_database(servers.of(request.param)) as scratch:
        store, other_store = await connect_store(scratch), await connect_store(scratch)
        yield PostgresStage(store, other_store)
        await store.close()
        await other_store.close()


def row(message_id: str = "msg_00000001", *destinations: str, **changes: Any) -> OutboxRow:
    """A message, by default for one subscriber."""
    plain = OutboxRow(
        message_id=message_id,
        step="announce",
        topic="orders.paid",
        destinations=destinations or ("warehouse",),
        body=b'{"data":{"order":7},"type":"orders.paid"}',
    )
    return msgspec.structs.replace(plain, **changes)


async def claim(outbox: Outbox, *, limit: int = 10, each: int = 2, lease: timedelta = LEASE) -> list[OutboxClaim]:
    """Claims of a relay."""
    return list((await outbox.claim(RELAY, limit=limit, each=each, lease=lease)).claims)


def settlement(claimed: OutboxClaim, status: OutboxStatus, **changes: Any) -> OutboxSettlement:
    """What became of an attempt."""
    return msgspec.structs.replace(OutboxSettlement(claim=claimed, status=status), **changes)


async def test_publish_01_each_subscriber_gets_the_message(stage: Stage) -> None:
    """
    A message is due at once, for each subscriber by itself, with the bytes that were published.
    """
    await stage.publish(row("msg_00000001", "warehouse", "ledger"))

    claims = await claim(stage.outbox)
    deliveries = await stage.outbox.load(claims)

    assert {"warehouse", "ledger"} == {one.destination for one in claims}
    assert {("orders.paid", row().body, 1)} == {(one.topic, one.body, one.attempt) for one in deliveries}
    assert set(claims) == {one.claim for one in deliveries}


async def test_publish_02_message_without_subscriber_leaves_no_row(stage: Stage) -> None:
    """
    What nobody subscribes to is in the journal only.
    """
    await stage.publish(row(destinations=()))

    assert [] == await stage.outbox.list(ACME)


async def test_claim_01_relays_share_nothing(stage: Stage) -> None:
    """
    Relays that claim at the same time get different messages, and together all of them.
    """
    await stage.publish(*[row(f"msg_{number:08}", f"subscriber-{number % 10}") for number in range(40)])

    answers = await asyncio.gather(
        *[stage.outbox.claim(RELAY, limit=5, each=4, lease=LEASE) for _ in range(8)],
        *[stage.other.claim(OTHER_RELAY, limit=5, each=4, lease=LEASE) for _ in range(8)],
    )
    rest = await claim(stage.outbox, limit=40, each=4)

    claimed = [one.message_id for answer in answers for one in answer.claims] + [one.message_id for one in rest]
    assert sorted(f"msg_{number:08}" for number in range(40)) == sorted(claimed)


async def test_claim_02_destination_has_few_under_way(stage: Stage) -> None:
    """
    However many relays claim, a subscriber is told of at most so many messages at a time.
    """
    await stage.publish(*[row(f"msg_{number:08}") for number in range(20)])

    answers = await asyncio.gather(
        *[
            outbox.claim(RELAY, limit=10, each=2, lease=LEASE)
            for outbox in (stage.outbox, stage.other)
            for _ in range(5)
        ]
    )

    assert 2 == sum(len(answer.claims) for answer in answers)
    assert [] == await claim(stage.outbox)


async def test_claim_03_claims_are_spread(stage: Stage) -> None:
    """
    A long queue of one subscriber leaves room for everybody else's messages.
    """
    await stage.publish(*[row(f"msg_{number:08}") for number in range(50)])
    await stage.publish(*[row(f"msg_1{number:07}", f"subscriber-{number}") for number in range(3)])

    claims = await claim(stage.outbox, limit=5, each=2)

    destinations = [one.destination for one in claims]
    assert {"warehouse", "subscriber-0", "subscriber-1", "subscriber-2"} == set(destinations)
    assert 2 == destinations.count("warehouse")


async def test_claim_04_held_places_get_nothing(stage: Stage) -> None:
    """
    A relay that leaves a subscriber alone for a while claims for the others, and for the same name of another tenant.
    """
    await stage.publish(row("msg_00000001", "warehouse", "ledger"))
    await stage.publish(row("msg_00000002"), tenant_id=OTHER)
    held = [OutboxPlace(tenant_id=ACME, destination="warehouse")]

    claims = (await stage.outbox.claim(RELAY, limit=10, each=2, lease=LEASE, held=held)).claims

    assert {(ACME, "ledger"), (OTHER, "warehouse")} == {(one.tenant_id, one.destination) for one in claims}


async def test_claim_05_oldest_first(stage: Stage) -> None:
    """
    Of one subscriber's messages the one that is due longest goes first.
    """
    await stage.publish(row("msg_00000002"))
    await stage.publish(row("msg_00000001"))

    (first,) = await claim(stage.outbox, each=1)

    assert "msg_00000002" == first.message_id


async def test_lease_01_message_of_a_dead_relay_is_due_again(stage: Stage) -> None:
    """
    When a lease ends without a word, another relay gets the same message, counted as its next attempt.
    """
    await stage.publish(row())
    (lost,) = await claim(stage.outbox, lease=OVER)

    (again,) = await claim(stage.other)

    (delivery,) = await stage.other.load([again])
    assert (lost.message_id, 2) == (again.message_id, delivery.attempt)
    assert again.leased_until > lost.leased_until


async def test_lease_02_what_a_dead_relay_says_is_ignored(stage: Stage) -> None:
    """
    A relay whose lease ended neither loads the message nor postpones or buries it.
    """
    await stage.publish(row())
    (lost,) = await claim(stage.outbox, lease=OVER)
    (current,) = await claim(stage.other)

    answers = await stage.outbox.settle(
        [settlement(lost, OutboxStatus.PENDING, retry_after=LEASE), settlement(lost, OutboxStatus.DEAD, reason="GONE")]
    )

    assert [False, False] == answers
    assert [] == await stage.outbox.load([lost])
    assert 1 == len(await stage.other.load([current]))


async def test_lease_03_late_delivery_counts(stage: Stage) -> None:
    """
    A message that arrived is delivered, even if the lease ended meanwhile; who has it now has nothing left to settle.
    """
    await stage.publish(row())
    (lost,) = await claim(stage.outbox, lease=OVER)
    (current,) = await claim(stage.other)

    assert [True] == await stage.outbox.settle([settlement(lost, OutboxStatus.DELIVERED)])
    assert [False] == await stage.other.settle([settlement(current, OutboxStatus.PENDING, reason="HTTP_500")])
    assert [OutboxStatus.DELIVERED] == [one.status for one in await stage.outbox.list(ACME)]


async def test_settle_01_delivered_message_is_done(stage: Stage) -> None:
    """
    It is never claimed again, and saying so twice changes nothing.
    """
    await stage.publish(row("msg_00000001", "warehouse", "ledger"))
    claims = await claim(stage.outbox)

    first = await stage.outbox.settle([settlement(one, OutboxStatus.DELIVERED) for one in claims])
    second = await stage.outbox.settle([settlement(one, OutboxStatus.DELIVERED) for one in claims])

    assert ([True, True], [False, False]) == (first, second)
    assert [] == await claim(stage.outbox)


async def test_settle_02_failed_attempt_waits_for_its_time(stage: Stage) -> None:
    """
    A message that is tried again later is not due before, and the next claim says when it will be.
    """
    await stage.publish(row())
    (claimed,) = await claim(stage.outbox)

    answers = await stage.outbox.settle(
        [settlement(claimed, OutboxStatus.PENDING, reason="HTTP_500", retry_after=timedelta(hours=1))]
    )
    answer = await stage.outbox.claim(RELAY, limit=10, each=2, lease=LEASE)

    (listed,) = await stage.outbox.list(ACME)
    assert [True] == answers
    assert () == answer.claims
    assert answer.next_due_at == listed.next_attempt_at
    assert timedelta(minutes=59) < listed.next_attempt_at - answer.now <= timedelta(hours=1)
    assert (OutboxStatus.PENDING, "HTTP_500", 1, False) == (
        listed.status, listed.reason, listed.attempt_count, listed.is_under_way,
    )  # fmt: skip


async def test_settle_03_failed_attempt_makes_room(stage: Stage) -> None:
    """
    What waits for its time does not count as under way.
    """
    await stage.publish(*[row(f"msg_{number:08}") for number in range(3)])
    claims = await claim(stage.outbox)
    await stage.outbox.settle([settlement(one, OutboxStatus.PENDING, retry_after=LEASE) for one in claims])

    (last,) = await claim(stage.outbox)

    assert last.message_id not in {one.message_id for one in claims}


async def test_settle_04_what_was_not_tried_is_not_counted(stage: Stage) -> None:
    """
    A message that was put back untouched has its first attempt before it.
    """
    await stage.publish(row())
    (claimed,) = await claim(stage.outbox)
    await stage.outbox.settle([settlement(claimed, OutboxStatus.PENDING, reason="TENANT_PAUSED", is_attempt=False)])

    (delivery,) = await stage.outbox.load(await claim(stage.outbox))

    assert 1 == delivery.attempt


async def test_dead_01_dead_letter_stays_until_a_person_wants_it(stage: Stage) -> None:
    """
    A dead letter is not claimed; sent again it is due at once, with all its attempts before it.
    """
    await stage.publish(row())
    (claimed,) = await claim(stage.outbox)
    (before,) = await stage.outbox.load([claimed])
    await stage.outbox.settle([settlement(claimed, OutboxStatus.DEAD, reason="HTTP_500")])
    (dead,) = await stage.outbox.list(ACME, status=OutboxStatus.DEAD)

    nothing = await claim(stage.outbox)
    count = await stage.outbox.retry(ACME, "msg_00000001")

    (delivery,) = await stage.outbox.load(await claim(stage.outbox))
    assert [] == nothing
    assert ("HTTP_500", True) == (dead.reason, dead.settled_at is not None)
    assert (1, 1) == (count, delivery.attempt)
    assert delivery.queued_at > before.queued_at


async def test_dead_02_all_dead_letters_are_sent_again_at_once(stage: Stage) -> None:
    """
    One word is enough for all dead letters of a tenant, and touches no other message.
    """
    await stage.publish(row("msg_00000001", "a", "b"), row("msg_00000002", "c"), row("msg_00000003", "d"))
    await stage.publish(row("msg_00000004", "e"), tenant_id=OTHER)
    claims = await claim(stage.outbox)
    dead = [one for one in claims if one.message_id != "msg_00000003"]
    await stage.outbox.settle([settlement(one, OutboxStatus.DEAD) for one in dead])

    count = await stage.outbox.retry_dead(ACME)

    assert 3 == count
    assert {"a", "b", "c"} == {one.destination for one in await claim(stage.outbox)}


async def test_retry_01_only_what_waits_is_sent_again(stage: Stage) -> None:
    """
    Delivered messages and attempts under way are left alone; one that waits for its time is due now.
    """
    await stage.publish(row("msg_00000001", "delivered", "under-way", "waiting"))
    claims = {one.destination: one for one in await claim(stage.outbox)}
    await stage.outbox.settle(
        [
            settlement(claims["delivered"], OutboxStatus.DELIVERED),
            settlement(claims["waiting"], OutboxStatus.PENDING, retry_after=timedelta(hours=1)),
        ]
    )

    count = await stage.outbox.retry(ACME, "msg_00000001")

    assert 1 == count
    assert ["waiting"] == [one.destination for one in await claim(stage.outbox)]


async def test_retry_02_one_subscriber_is_enough(stage: Stage) -> None:
    """
    A message is sent again to the subscriber that is named, and to no other.
    """
    await stage.publish(row("msg_00000001", "a", "b"))
    claims = await claim(stage.outbox)
    await stage.outbox.settle([settlement(one, OutboxStatus.DEAD) for one in claims])

    count = await stage.outbox.retry(ACME, "msg_00000001", destination="b")

    assert 1 == count
    assert ["b"] == [one.destination for one in await claim(stage.outbox)]


async def test_retry_03_beginning_of_an_id_will_do(stage: Stage) -> None:
    """
    A beginning that only one message has names it; one that several have names none.
    """
    await stage.publish(row("msg_abcd0001"), row("msg_abcd0002"), row("msg_ffff0001"))

    assert 1 == await stage.outbox.retry(ACME, "msg_ffff")
    for text in ("msg_abcd", "msg_9999"):
        with pytest.raises(NotFoundError):
            await stage.outbox.retry(ACME, text)


async def test_isolation_01_tenants_see_their_own(stage: Stage) -> None:
    """
    Neither a list nor a retry reaches another tenant's messages, also of the same id.
    """
    await stage.publish(row("msg_00000001", "a"))
    await stage.publish(row("msg_00000001", "b"), row("msg_00000002", "b"), tenant_id=OTHER)
    claims = await claim(stage.outbox)
    await stage.outbox.settle([settlement(one, OutboxStatus.DEAD) for one in claims])

    with pytest.raises(NotFoundError):
        await stage.outbox.retry(ACME, "msg_00000002")
    await stage.outbox.retry(ACME, "msg_00000001")

    assert ["a"] == [one.destination for one in await stage.outbox.list(ACME)]
    assert {"b"} == {one.destination for one in await stage.outbox.list(OTHER)}
    assert [ACME] == [one.tenant_id for one in await claim(stage.outbox)]


async def test_list_01_newest_first_up_to_the_limit(stage: Stage) -> None:
    """
    People see the newest messages, as many as they ask for, and which are under way.
    """
    for number in range(3):
        await stage.publish(row(f"msg_{number:08}", f"subscriber-{number}"))
    await claim(stage.outbox, limit=10)

    listed = await stage.outbox.list(ACME, limit=2)

    assert ["msg_00000002", "msg_00000001"] == [one.message_id for one in listed]
    assert [True, True] == [one.is_under_way for one in listed]
    assert {("announce", "orders.paid")} == {(one.step, one.topic) for one in listed}


# --- what appends and heartbeats add: the database alone --------------------------------------------------------------


async def test_append_01_only_what_is_stored_publishes(world: World) -> None:
    """
    A fenced entry publishes nothing, and one that is sent again publishes once.
    """
    claimed = await world.submit()
    good = entry(claimed, outbox=(row(),))

    first = await world.append(good)
    again = await world.append(good)
    fenced = await world.append(entry(later_epoch(claimed), 2, outbox=(row("msg_00000002"),)))

    assert [AppendOutcome.APPLIED, AppendOutcome.ALREADY, AppendOutcome.FENCED] == [
        reply.outcome for reply in (*first, *again, *fenced)
    ]
    (listed,) = await world.store.outbox.list(ACME)
    assert ("msg_00000001", claimed.run_id) == (listed.message_id, listed.run_id)


async def test_append_02_message_that_cannot_be_stored_stops_its_run_only(world: World) -> None:
    """
    Of a batch, the run whose message the database refuses is quarantined; the others publish.
    """
    good, bad = await world.submit(), await world.submit()

    replies = await world.append(entry(good, outbox=(row(),)), entry(bad, outbox=(row("msg_\x00"),)))

    assert [AppendOutcome.APPLIED, AppendOutcome.INVALID] == [reply.outcome for reply in replies]
    assert ["msg_00000001"] == [one.message_id for one in await world.store.outbox.list(ACME)]


async def test_heartbeat_04_says_that_a_message_is_due(world: World) -> None:
    """
    Relays learn from a heartbeat that there is something to do, so that they need not ask when there is nothing.
    """
    dispatch, outbox = world.store.dispatch, world.store.outbox
    before = await dispatch.heartbeat(world.worker_id)
    await world.append(entry(await world.submit(), outbox=(row(),)))
    due = await dispatch.heartbeat(world.worker_id)
    (claimed,) = await claim(outbox)
    leased = await dispatch.heartbeat(world.worker_id)
    await outbox.settle([settlement(claimed, OutboxStatus.DELIVERED)])

    after = await dispatch.heartbeat(world.worker_id)

    assert [False, True, False, False] == [beat.outbox_due for beat in (before, due, leased, after)]
