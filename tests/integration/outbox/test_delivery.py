"""From a step that publishes to its subscribers: signed, at least once, under one id, whatever happens in between."""

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial

from remit.core.states import OutboxStatus, RunStatus
from remit.ids import WorkerId
from remit.ports.notifier import Notification
from remit.ports.outbox import OutboxDelivery, OutboxEntry
from remit.testing.database import ScratchDatabase
from remit.tools.guarded_http import GuardedClient
from remit.tools.webhook_notifier import WebhookNotifier
from tests.integration.outbox.receiver import GONE, OK, SECRET, SERVER_ERROR, Received, Receiver, instant_of
from tests.integration.outbox.world import TENANT, kernel_with, publish, relay_on, remit_file, until_listed

WORKER = WorkerId(str(uuid.uuid4()))
NOTIFIER = WebhookNotifier(GuardedClient(), version="test")


def notification(delivery: OutboxDelivery, url: str) -> Notification:
    """What a relay would tell a subscriber."""
    return Notification(
        message_id=delivery.claim.message_id,
        body=delivery.body,
        sent_at=datetime.now(UTC),
        url=url,
        secrets=(SECRET,),
        allows_loopback=True,
    )


def attempted(listed: list[OutboxEntry], number: int) -> bool:
    """Whether so many attempts were made and none is under way."""
    return listed[0].attempt_count == number and not listed[0].is_under_way


async def test_what_a_step_publishes_arrives_signed(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A run's message reaches its subscriber with a signature that the library verifies, and the run has its receipt.
    """
    async with kernel_with(scratch, receiver.url) as kernel:
        (run,) = await publish(kernel)
        await receiver.until(lambda seen: len(seen.received) == 1)
        receipts = await kernel.store.reader.list_receipts(TENANT, run_id=run.run_id)

    (received,) = receiver.received
    body = received.verified()
    assert RunStatus.COMPLETED == run.status
    assert ("orders.paid", {"order": 0}, "order-0") == (body["type"], body["data"], body["key"])
    assert f'"{received.message_id}"'.encode() == run.output
    assert ("POST", "/in", "application/json") == (received.method, received.path, received.headers["content-type"])
    assert run.created_at <= instant_of(received) <= run.updated_at
    assert [("outbox.publish", "local")] == [(one.receipt.tool, one.receipt.delivery_class) for one in receipts]


async def test_message_survives_the_death_of_who_published_it(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A process that dies between append and delivery loses nothing: the next one delivers, by the id that the run has.
    """
    async with kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        (run,) = await publish(kernel)

    async with relay_on(scratch):
        await receiver.until(lambda seen: len(seen.received) == 1)

    assert f'"{receiver.received[0].message_id}"'.encode() == run.output


async def test_message_survives_the_death_of_who_delivers_it(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A relay that died before or after it told the subscriber costs one lease; what comes twice has the same id and body.
    """
    async with kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        await publish(kernel, 2)
        store = kernel.store
        lost = await store.outbox.claim(WORKER, limit=10, each=10, lease=timedelta(milliseconds=300))
        (told, _) = await store.outbox.load(lost.claims)
        await NOTIFIER.notify(notification(told, receiver.url))

        async with relay_on(scratch):
            await receiver.until(lambda seen: len(seen.received) == 3)
        listed = await store.outbox.list(TENANT)

    assert {told.claim.message_id: 2} == {one: count for one, count in receiver.counts.items() if count > 1}
    assert 2 == len({(one.message_id, one.body) for one in receiver.received})
    assert [(OutboxStatus.DELIVERED, 2)] * 2 == [(one.status, one.attempt_count) for one in listed]


async def test_receiver_that_was_down_gets_everything(scratch: ScratchDatabase) -> None:
    """
    While nobody listens attempts fail; once somebody does, each message arrives.
    """
    async with Receiver() as reserved:
        port, url = reserved.port, reserved.url
    async with kernel_with(scratch, url, has_relay=False) as kernel, relay_on(scratch, kernel):
        await publish(kernel, 3)
        await until_listed(kernel, lambda listed: all(one.reason == "CONNECT_FAILED" for one in listed))

        async with Receiver(port=port) as receiver:
            await receiver.until(lambda seen: len(seen.counts) == 3)
            await until_listed(kernel, lambda listed: {OutboxStatus.DELIVERED} == {one.status for one in listed})


async def test_failing_receiver_gets_the_same_message_again(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    Errors, silence and redirects are failures; each attempt has the same id and body, and a signature of its own time.
    """
    redirect = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {receiver.url}\r\nContent-Length: 0\r\n\r\n".encode()
    silence = asyncio.Event()
    answers = iter([SERVER_ERROR, redirect, b"", b"HTTP/1.1 200", None, OK])

    async def answer(_: Received) -> bytes:
        reply = next(answers)
        if reply is None:
            await silence.wait()
        return reply or b""

    reasons = []
    async with (
        Receiver(answer) as failing,
        kernel_with(scratch, failing.url, has_relay=False) as kernel,
        relay_on(scratch, kernel, lease=timedelta(seconds=1)),
    ):
        await publish(kernel)
        for number in range(1, 6):
            listed = await until_listed(kernel, partial(attempted, number=number))
            reasons.append(listed[0].reason)
        await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DELIVERED)
        silence.set()

    assert ["HTTP_500", "REDIRECTED", "CONNECTION_LOST", "CONNECTION_LOST", "TIMED_OUT"] == reasons
    assert 0 == receiver.connections
    assert [6] == list(failing.counts.values())
    assert 1 == len({one.body for one in failing.received})
    assert sorted(one.timestamp for one in failing.received) == [one.timestamp for one in failing.received]
    assert {"orders.paid"} == {one.verified()["type"] for one in failing.received}


async def test_nothing_is_lost_and_what_comes_twice_is_the_same(scratch: ScratchDatabase) -> None:
    """
    With two relays and a receiver that fails half the time, every message arrives, under one id and with one body.
    """
    rng = random.Random(20)

    async def answer(_: Received) -> bytes:
        return rng.choice([OK, SERVER_ERROR])

    async with Receiver(answer) as receiver, kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        runs = await publish(kernel, 25)
        async with relay_on(scratch), relay_on(scratch):
            await until_listed(kernel, lambda listed: {OutboxStatus.DELIVERED} == {one.status for one in listed})
        listed = await kernel.store.outbox.list(TENANT)

    assert {run.output for run in runs} == {f'"{message_id}"'.encode() for message_id in receiver.counts}
    assert 25 == len({(one.message_id, one.body) for one in receiver.received})
    assert sum(one.attempt_count for one in listed) == len(receiver.received)


async def test_slow_receiver_delays_nobody_else(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A receiver that never answers holds two attempts; everybody else gets every message meanwhile.
    """
    silence = asyncio.Event()

    async def answer(_: Received) -> bytes:
        await silence.wait()
        return OK

    async with (
        Receiver(answer) as slow,
        kernel_with(scratch, slow.url, receiver.url, has_relay=False) as kernel,
        relay_on(scratch, kernel),
    ):
        await publish(kernel, 20)
        await receiver.until(lambda seen: len(seen.counts) == 20)

        assert 2 == slow.connections
        silence.set()
        await slow.until(lambda seen: len(seen.counts) == 20)


async def test_receiver_that_is_gone_makes_a_dead_letter(scratch: ScratchDatabase) -> None:
    """
    410 ends the attempts at once; a person can have the message sent again.
    """
    async with Receiver(GONE) as receiver, kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        outbox = kernel.store.outbox
        async with relay_on(scratch, kernel) as (relay, _):
            await publish(kernel)
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DEAD)
            (dead,) = await outbox.list(TENANT)
            receiver.answer = OK
            await outbox.retry(TENANT, dead.message_id)
            relay.wake()
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DELIVERED)

    assert ("HTTP_410", 1) == (dead.reason, dead.attempt_count)
    assert {dead.message_id: 2} == receiver.counts


async def test_message_that_grew_too_old_is_a_dead_letter(scratch: ScratchDatabase) -> None:
    """
    The last attempt is made when the message is as old as it may get; then it is kept, not dropped.
    """
    age = timedelta(milliseconds=400)
    async with Receiver(SERVER_ERROR) as receiver, kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        async with relay_on(scratch, kernel, age_max=age):
            await publish(kernel)
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DEAD)
        (dead,) = await kernel.store.outbox.list(TENANT)

    assert dead.settled_at is not None
    assert dead.settled_at - dead.created_at >= age
    assert ("HTTP_500", len(receiver.received)) == (dead.reason, dead.attempt_count)
    assert dead.attempt_count > 2


async def test_subscription_that_ended_makes_a_dead_letter(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    What was published for a receiver that the business config no longer names is kept, and goes nowhere.
    """
    async with kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        await publish(kernel)
        await kernel.apply_business(remit_file(), path="remit.yaml", tenant_id=TENANT)
        async with relay_on(scratch):
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DEAD)
        (dead,) = await kernel.store.outbox.list(TENANT)

    assert ("SUBSCRIPTION_MISSING", 0) == (dead.reason, receiver.connections)


async def test_pending_message_follows_a_changed_url(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A subscription keeps its messages when its URL changes under its id.
    """
    async with Receiver(SERVER_ERROR) as old, kernel_with(scratch, old.url, has_relay=False) as kernel:
        await publish(kernel)
        await kernel.apply_business(remit_file(receiver.url), path="remit.yaml", tenant_id=TENANT)
        async with relay_on(scratch):
            await receiver.until(lambda seen: len(seen.received) == 1)

    assert 0 == old.connections


async def test_paused_tenant_tells_nobody(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    The kill switch stops deliveries too; nothing is lost or counted, and it goes on afterwards.
    """
    async with kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        await publish(kernel)
        directory, outbox = kernel.store.directory, kernel.store.outbox
        await directory.pause_tenant(TENANT, paused=True)
        async with relay_on(scratch):
            await until_listed(kernel, lambda listed: listed[0].reason == "TENANT_PAUSED")
        (held,) = await outbox.list(TENANT)
        connections = receiver.connections
        await directory.pause_tenant(TENANT, paused=False)
        await outbox.retry(TENANT, held.message_id)
        async with relay_on(scratch):
            await receiver.until(lambda seen: len(seen.received) == 1)

    assert (0, 0, OutboxStatus.PENDING) == (connections, held.attempt_count, held.status)


async def test_kernel_delivers_what_another_left(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A kernel learns from its heartbeat that messages are due, without being told of any.
    """
    async with kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        await publish(kernel)

    async with kernel_with(scratch, receiver.url):
        await receiver.until(lambda seen: len(seen.received) == 1)
