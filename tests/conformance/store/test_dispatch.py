"""Clauses of the dispatch port: claims, leases, and what happens to a dead worker's runs."""

import asyncio
import uuid

import asyncpg

from remit.ids import WorkerId
from remit.ports.store import AppendOutcome
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase
from tests.conformance.store.world import ACME, OTHER, World, entry, make_worker, make_world, run_ids, signal

GENEROUS_SECONDS = 5.0


async def submit_unclaimed(world: World, count: int) -> list[str]:
    """Runs that wait for a worker, oldest first."""
    submitted, _ = await world.store.journal.submit([world.submission(claimed=False) for _ in range(count)])
    return [reply.run_id for reply in submitted]


async def test_claim_01_oldest_first_up_to_the_limit(world: World) -> None:
    """
    A claim takes the runs that wait longest, no more than asked, at a raised epoch.
    """
    submitted = await submit_unclaimed(world, 5)

    claimed = await world.claim(limit=3)

    assert submitted[:3] == [claim.run_id for claim in claimed]
    assert {1} == {claim.epoch for claim in claimed}


async def test_claim_02_same_request_answers_the_same(world: World) -> None:
    """
    A claim whose reply was lost is asked for again and answers the same runs at the same epochs.
    """
    await submit_unclaimed(world, 5)
    request_id = str(uuid.uuid4())

    first, _ = await world.store.dispatch.claim(world.worker_id, request_id=request_id, limit=2)
    again, _ = await world.store.dispatch.claim(world.worker_id, request_id=request_id, limit=2)

    assert 2 == len(first)
    assert sorted(first, key=lambda claim: claim.run_id) == sorted(again, key=lambda claim: claim.run_id)


async def test_claim_03_concurrent_workers_share_nothing(world: World, other_store: PostgresStore) -> None:
    """
    Workers that claim at the same time get different runs, and together all of them.
    """
    submitted = await submit_unclaimed(world, 40)
    other = await make_worker(other_store)

    answers = await asyncio.gather(
        *[world.store.dispatch.claim(world.worker_id, request_id=f"a{n}", limit=5) for n in range(5)],
        *[other_store.dispatch.claim(other, request_id=f"b{n}", limit=5) for n in range(5)],
    )

    claimed = [claim.run_id for claims, _ in answers for claim in claims]
    assert sorted(submitted) == sorted(claimed)


async def test_claim_04_unknown_worker_gets_nothing(world: World) -> None:
    """
    A worker that never registered, or was swept, claims nothing.
    """
    await submit_unclaimed(world, 1)

    claimed, _ = await world.store.dispatch.claim(WorkerId(str(uuid.uuid4())), request_id="r", limit=1)

    assert [] == claimed
    assert 1 == len(await world.claim())


async def test_claim_05_runs_of_all_tenants_are_claimed(world: World) -> None:
    """
    A worker serves every tenant.
    """
    other = await make_world(world.store, OTHER)
    submitted = await submit_unclaimed(world, 1) + await submit_unclaimed(other, 1)

    claimed = await world.claim()

    assert set(submitted) == run_ids(claimed)
    assert {ACME, OTHER} == {claim.tenant_id for claim in claimed}


async def test_heartbeat_01_reconciles_what_a_worker_owns(world: World) -> None:
    """
    A heartbeat answers every run that the database thinks the worker owns, and which of them have news.
    """
    quiet, woken = await world.submit(), await world.submit()
    await world.store.inbox.deliver(ACME, woken.run_id, signal())

    beat = await world.store.dispatch.heartbeat(world.worker_id)

    assert {quiet, woken} == set(beat.owned)
    assert (woken.run_id,) == beat.woken
    assert 60 == beat.lease_seconds


async def test_heartbeat_02_read_news_are_no_news(world: World) -> None:
    """
    Once an entry says that the worker saw a message, its heartbeat no longer names the run.
    """
    claim = await world.submit()
    await world.store.inbox.deliver(ACME, claim.run_id, signal())
    (message,), wake_sequence = await world.store.journal.load_inbox(ACME, claim.run_id)
    await world.append(entry(claim, consumed=(message.inbox_id,), wake_sequence=wake_sequence))

    beat = await world.store.dispatch.heartbeat(world.worker_id)

    assert () == beat.woken


async def test_heartbeat_03_unknown_worker_owns_nothing(world: World) -> None:
    """
    A worker that was swept learns from its heartbeat that it owns nothing and has no lease.
    """
    beat = await world.store.dispatch.heartbeat(WorkerId(str(uuid.uuid4())))

    assert ((), (), 0) == (beat.owned, beat.woken, beat.lease_seconds)


async def test_release_01_released_run_is_claimable_at_once(world: World) -> None:
    """
    A run that was handed back is claimed by the next who asks, at a higher epoch; a stale claim hands back nothing.
    """
    stale = await world.submit()
    await world.store.dispatch.release(world.worker_id, [stale])
    (current,) = await world.claim()

    await world.store.dispatch.release(world.worker_id, [stale])

    assert stale.epoch + 1 == current.epoch
    assert [] == await world.claim()


async def test_sweep_01_expired_lease_frees_runs(world: World) -> None:
    """
    The runs of a worker whose lease ran out become claimable at a raised epoch, and its entries are fenced.
    """
    dead = await make_worker(world.store, lease_seconds=0)
    await submit_unclaimed(world, 2)
    lost, _ = await world.store.dispatch.claim(dead, request_id="r", limit=2)

    swept = await world.store.dispatch.sweep(limit=10)

    (reply,) = await world.append(entry(lost[0]))
    assert AppendOutcome.FENCED == reply.outcome
    assert run_ids(lost) == run_ids(swept) == run_ids(await world.claim())
    assert {claim.epoch + 1 for claim in lost} == {claim.epoch for claim in swept}


async def test_sweep_02_live_lease_is_left_alone(world: World) -> None:
    """
    A worker whose lease still runs keeps its runs.
    """
    claim = await world.submit()

    swept = await world.store.dispatch.sweep(limit=10)

    (reply,) = await world.append(entry(claim))
    assert [] == swept
    assert AppendOutcome.APPLIED == reply.outcome


async def test_sweep_03_is_bounded_and_goes_on(world: World) -> None:
    """
    A sweep frees no more runs than asked; the next ones free the rest.
    """
    dead = await make_worker(world.store, lease_seconds=0)
    await submit_unclaimed(world, 5)
    await world.store.dispatch.claim(dead, request_id="r", limit=5)

    counts = [len(await world.store.dispatch.sweep(limit=2)) for _ in range(4)]

    assert [2, 2, 1, 0] == counts


async def test_sweep_04_two_sweepers_free_each_run_once(world: World, other_store: PostgresStore) -> None:
    """
    Sweepers that run at the same time never free the same run twice.
    """
    dead = await make_worker(world.store, lease_seconds=0)
    submitted = await submit_unclaimed(world, 20)
    await world.store.dispatch.claim(dead, request_id="r", limit=20)

    answers = await asyncio.gather(*[store.dispatch.sweep(limit=20) for store in (world.store, other_store) * 3])
    rest = await world.store.dispatch.sweep(limit=20)

    swept = [claim.run_id for claims in [*answers, rest] for claim in claims]
    assert sorted(submitted) == sorted(swept)


async def test_sweep_05_fresh_connection_waits_for_a_lease(world: World, scratch: ScratchDatabase) -> None:
    """
    A heartbeat long ago does not condemn a worker when the sweeper itself was away: it waits a full lease first.
    """
    claim = await world.submit()
    admin = await asyncpg.connect(scratch.admin_url)
    await admin.execute("update remit.workers set heartbeat_at = heartbeat_at - interval '1 day'")
    await admin.close()

    swept = await world.store.dispatch.sweep(limit=10)

    assert [] == swept
    assert (claim,) == (await world.store.dispatch.heartbeat(world.worker_id)).owned


async def test_retire_01_hands_everything_back(world: World) -> None:
    """
    A worker that retires leaves its runs claimable and is forgotten.
    """
    claim = await world.submit()
    successor = await make_worker(world.store)

    await world.store.dispatch.retire_worker(world.worker_id)

    claimed, _ = await world.store.dispatch.claim(successor, request_id="r", limit=10)
    assert [claim.run_id] == [again.run_id for again in claimed]
    assert 0 == (await world.store.dispatch.heartbeat(world.worker_id)).lease_seconds


async def test_wake_01_announcement_reaches_other_processes(world: World, other_store: PostgresStore) -> None:
    """
    A process that waits for work hears another one's announcement, however many were made at once.
    """
    listening = asyncio.ensure_future(other_store.dispatch.wait_for_wake(timeout_seconds=GENEROUS_SECONDS))
    while not listening.done():
        await world.store.dispatch.announce()
        await asyncio.wait([listening], timeout=0.02)

    assert listening.exception() is None


async def test_wake_02_waiting_ends_with_the_timeout(world: World) -> None:
    """
    Nobody waits for an announcement longer than asked.
    """
    await world.store.dispatch.wait_for_wake(timeout_seconds=0.01)


async def test_register_01_worker_may_change_its_lease(world: World) -> None:
    """
    A worker that registers again keeps its runs and has the lease that it names now.
    """
    claim = await world.submit()

    now = await world.store.dispatch.register_worker(world.worker_id, lease_seconds=7, version="next")
    beat = await world.store.dispatch.heartbeat(world.worker_id)

    assert (claim,) == beat.owned
    assert 7 == beat.lease_seconds
    assert now <= beat.now
