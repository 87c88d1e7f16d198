"""Clauses of waiting: a run is let go of only when nothing arrived, and what arrives makes it claimable."""

import asyncio
from datetime import timedelta

import pytest

from remit.errors import IllegalTransitionError, NotFoundError
from remit.ids import RunId
from remit.ports.store import Correlation, Disposition
from remit.store import PostgresStore
from tests.conformance.store.world import ACME, LONG, OTHER, World, awaiting, entry, event, make_world, signal

ROUNDS = 20
WAITING = {"status": "waiting", "disposition": Disposition.WAIT}


async def test_wait_01_waiting_run_is_let_go(world: World) -> None:
    """
    A run that waits for somebody is nobody's, and is not claimed while nothing happens.
    """
    claim = await world.submit()

    (reply,) = await world.append(entry(claim, **WAITING, waiting_for="payment"))

    run = await world.store.reader.get_run(ACME, claim.run_id)
    assert reply.released
    assert ("waiting", "payment") == (run.status, run.waiting_for)
    assert [] == await world.claim()


async def test_wait_02_message_keeps_the_claim(world: World) -> None:
    """
    A message that arrived since the worker last looked keeps the run with it, and the answer says so.
    """
    claim = await world.submit()
    await world.store.inbox.deliver(ACME, claim.run_id, signal())

    (reply,) = await world.append(entry(claim, **WAITING))
    (again,) = await world.append(entry(claim, 2, **WAITING, wake_sequence=reply.wake_sequence))

    assert (False, 1) == (reply.released, reply.wake_sequence)
    assert not again.released, "an unread message keeps the claim even at the newest wake sequence"


async def test_wait_03_consumed_message_lets_go(world: World) -> None:
    """
    Once the entry consumes what arrived, the run is let go of; the message is not read twice.
    """
    claim = await world.submit()
    await world.store.inbox.deliver(ACME, claim.run_id, signal())
    (message,), wake_sequence = await world.store.journal.load_inbox(ACME, claim.run_id)

    (reply,) = await world.append(entry(claim, **WAITING, consumed=(message.inbox_id,), wake_sequence=wake_sequence))

    assert reply.released
    assert ([], 1) == await world.store.journal.load_inbox(ACME, claim.run_id)
    assert [] == await world.claim()


async def test_wait_04_message_makes_waiting_run_claimable(world: World) -> None:
    """
    A message for a run that nobody owns makes it claimable, with the message in its inbox.
    """
    claim = await world.submit()
    await world.wait(claim)

    assert await world.store.inbox.deliver(ACME, claim.run_id, signal())

    (claimed,) = await world.claim()
    (run,), _ = await world.store.journal.load([claimed])
    assert (claim.run_id, claim.epoch + 1) == (claimed.run_id, claimed.epoch)
    assert ["m1"] == [message.message_id for message in run.inbox]


async def test_wait_05_no_wake_up_is_lost(world: World, other_store: PostgresStore) -> None:
    """
    Whichever comes first, letting go or a message: either the claim is kept or the run is claimable.
    """
    fates = set()
    for number in range(ROUNDS):
        claim = await world.submit()
        first = other_store.inbox.deliver(ACME, claim.run_id, signal())
        second = world.store.journal.append([entry(claim, **WAITING)])
        if number % 2:
            (reply,), _ = (await asyncio.gather(second, first))[0]
        else:
            (reply,), _ = (await asyncio.gather(first, second))[1]
        while reply.outcome == "busy":
            (reply,) = await world.append(entry(claim, **WAITING))
        claimed = {again.run_id for again in await world.claim()}

        assert (claim.run_id in claimed) == reply.released
        fates.add(reply.released)


async def test_wait_06_due_run_is_claimable_by_the_databases_clock(world: World) -> None:
    """
    A waiting run with an instant to look at it again is claimable once that has passed, and not before.
    """
    now = await world.now()
    later, due = await world.submit(), await world.submit()
    await world.wait(later, due_at=now + LONG)
    await world.wait(due, due_at=now - timedelta(microseconds=1))

    claimed = await world.claim()

    assert [due.run_id] == [claim.run_id for claim in claimed]


async def test_deliver_01_same_message_is_taken_once(world: World) -> None:
    """
    A message id is unique in its run, also after the message was read and the run has ended.
    """
    claim = await world.submit()

    first = await world.store.inbox.deliver(ACME, claim.run_id, signal())
    second = await world.store.inbox.deliver(ACME, claim.run_id, signal())
    await world.append(entry(claim, status="cancelled", disposition=Disposition.FINISH))
    third = await world.store.inbox.deliver(ACME, claim.run_id, signal())

    assert [True, False, False] == [first, second, third]


async def test_deliver_02_finished_run_takes_nothing(world: World) -> None:
    """
    A message for a finished run is refused.
    """
    claim = await world.submit()
    await world.append(entry(claim, status="completed", disposition=Disposition.FINISH))

    with pytest.raises(IllegalTransitionError):
        await world.store.inbox.deliver(ACME, claim.run_id, signal())

    assert ([], 0) == await world.store.journal.load_inbox(ACME, claim.run_id)


async def test_deliver_03_unknown_and_foreign_runs_are_not_found(world: World) -> None:
    """
    A run that does not exist, or is another tenant's, takes nothing; both look the same.
    """
    claim = await world.submit()
    await make_world(world.store, OTHER)

    for tenant_id, run_id in [(ACME, RunId("01890000-0000-7000-8000-000000000000")), (OTHER, claim.run_id)]:
        with pytest.raises(NotFoundError):
            await world.store.inbox.deliver(tenant_id, run_id, signal())

    assert ([], 0) == await world.store.journal.load_inbox(ACME, claim.run_id)


async def test_event_01_reaches_every_run_that_waits_for_it(world: World) -> None:
    """
    An inbound event is delivered to all runs whose correlation it carries, and to those that take any of its name.
    """
    exact, any_of_name, elsewhere = [await world.submit() for _ in range(3)]
    await world.append(entry(exact, **WAITING, correlations=(awaiting(),)))
    await world.append(entry(any_of_name, **WAITING, correlations=(awaiting(None),)))
    await world.append(entry(elsewhere, **WAITING, correlations=(awaiting("order:8"),)))

    received = await world.store.inbox.receive(ACME, event())

    assert ("stored", False) == (received.status, received.held)
    assert {exact.run_id, any_of_name.run_id} == set(received.delivered_to)
    assert {exact.run_id, any_of_name.run_id} == {claim.run_id for claim in await world.claim()}
    (message,), _ = await world.store.journal.load_inbox(ACME, exact.run_id)
    assert b'"payload" : {"order":7}' in message.body


async def test_event_02_held_event_meets_a_later_wait(world: World) -> None:
    """
    An event that nobody waits for is held; a run that starts to wait for it gets it in that same append.
    """
    received = await world.store.inbox.receive(ACME, event())
    claim = await world.submit()

    (reply,) = await world.append(entry(claim, **WAITING, correlations=(awaiting(),)))

    (message,), wake_sequence = await world.store.journal.load_inbox(ACME, claim.run_id)
    assert received.held
    assert (False, wake_sequence) == (reply.released, reply.wake_sequence)
    assert "event" == message.kind
    (stored,) = await world.store.reader.list_inbound(ACME)
    assert ("delivered", (claim.run_id,)) == (stored.status, stored.run_ids)


async def test_event_03_held_event_is_taken_once(world: World) -> None:
    """
    A held event that one run took is not given to the next.
    """
    await world.store.inbox.receive(ACME, event())
    first, second = await world.submit(), await world.submit()

    replies = await world.append(
        entry(first, **WAITING, correlations=(awaiting(),)), entry(second, **WAITING, correlations=(awaiting(),))
    )

    assert [False, True] == sorted(reply.released for reply in replies)


async def test_event_04_duplicates_and_conflicts_are_told_apart(world: World) -> None:
    """
    The same key again is a duplicate; with another body it is a conflict. Neither is delivered.
    """
    claim = await world.submit()
    await world.append(entry(claim, **WAITING, correlations=(awaiting(),)))
    first = await world.store.inbox.receive(ACME, event())

    duplicate = await world.store.inbox.receive(ACME, event())
    conflict = await world.store.inbox.receive(ACME, event(raw_sha256="0" * 64, body={"order": 8}))

    assert ["stored", "duplicate", "conflict"] == [first.status, duplicate.status, conflict.status]
    assert first.inbound_id == duplicate.inbound_id == conflict.inbound_id
    assert 1 == len((await world.store.journal.load_inbox(ACME, claim.run_id))[0])


async def test_event_05_event_and_wait_never_miss_each_other(world: World, other_store: PostgresStore) -> None:
    """
    An event and a wait for it that are committed at the same time meet, whichever is first.
    """
    for number in range(ROUNDS):
        claim = await world.submit()
        correlation = f"order:{number}"
        waiting = entry(claim, **WAITING, correlations=(awaiting(correlation),))
        calls = [
            world.store.journal.append([waiting]),
            other_store.inbox.receive(ACME, event(f"evt_{number}", correlations=(correlation,))),
        ]
        await asyncio.gather(*(reversed(calls) if number % 2 else calls))

        messages, _ = await world.store.journal.load_inbox(ACME, claim.run_id)
        assert 1 == len(messages), f"round {number}"


async def test_event_06_stopped_wait_takes_nothing(world: World) -> None:
    """
    After a wait was stopped, its events are held again.
    """
    claim = await world.submit()
    await world.append(entry(claim, correlations=(awaiting(),)))
    stopped = Correlation(action="stop", step="payment", name="order.paid")
    await world.append(entry(claim, 2, correlations=(stopped,)))

    received = await world.store.inbox.receive(ACME, event())

    assert received.held


async def test_event_09_event_that_started_a_run_is_not_held(world: World) -> None:
    """
    An event that started a run is no longer there for a wait to come.
    """
    received = await world.store.inbox.receive(ACME, event())
    await world.store.inbox.mark_started(ACME, received.inbound_id)
    claim = await world.submit()

    (reply,) = await world.append(entry(claim, **WAITING, correlations=(awaiting(),)))

    assert reply.released
    assert ["delivered"] == [stored.status for stored in await world.store.reader.list_inbound(ACME)]


async def test_event_07_concurrent_duplicates_are_stored_once(world: World, other_store: PostgresStore) -> None:
    """
    A provider that sends one event twice at the same time is heard once.
    """
    claim = await world.submit()
    await world.append(entry(claim, **WAITING, correlations=(awaiting(),)))

    received = await asyncio.gather(*[store.inbox.receive(ACME, event()) for store in (world.store, other_store) * 4])

    assert 1 == [reply.status for reply in received].count("stored")
    assert 1 == len((await world.store.journal.load_inbox(ACME, claim.run_id))[0])


async def test_event_08_other_tenants_runs_hear_nothing(world: World) -> None:
    """
    An event is its tenant's: a run of another one that waits for the same is not woken.
    """
    other = await make_world(world.store, OTHER)
    claim = await other.submit()
    await other.append(entry(claim, **WAITING, correlations=(awaiting(),)))

    received = await world.store.inbox.receive(ACME, event())

    assert (True, ()) == (received.held, received.delivered_to)
    assert ([], 0) == await world.store.journal.load_inbox(OTHER, claim.run_id)
