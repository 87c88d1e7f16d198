"""Clauses of the suspects port: who works, and which runs do not rest."""

from datetime import timedelta

from remit.ids import RunId
from remit.ports.store import Disposition
from remit.ports.suspects import Suspect
from remit.store import PostgresStore
from tests.conformance.store.world import OTHER, World, decision, entry, make_worker, make_world, signal

LONG = timedelta(hours=1)


async def suspects(world: World) -> dict[RunId, Suspect]:
    """The runs of a world's tenant that do not rest."""
    found, _ = await world.store.suspects.list_suspects(world.tenant_id)
    return {suspect.run_id: suspect for suspect in found}


async def test_suspect_01_runs_that_rest_are_none(world: World) -> None:
    """
    A run that waits for a decision, a message or an instant to come is no suspect; nor is one that ended.
    """
    await world.request()
    await world.wait(await world.submit(), due_at=await world.now() + LONG)
    (reply,) = await world.append(
        entry(await world.submit(), disposition=Disposition.WAIT, status="waiting", waiting_for="signal go")
    )

    assert reply.released
    assert {} == await suspects(world)


async def test_suspect_02_runs_that_can_move_are_some(world: World) -> None:
    """
    Claimable, owned, due and woken runs are suspects, with whose they are and since when they have news.
    """
    (unclaimed,), _ = await world.store.journal.submit([world.submission(claimed=False)])
    owned, due, woken = [await world.submit() for _ in range(3)]
    await world.wait(due, due_at=await world.now() - LONG)
    await world.wait(woken)
    await world.store.inbox.deliver(world.tenant_id, woken.run_id, signal())

    found = await suspects(world)

    assert {unclaimed.run_id, owned.run_id, due.run_id, woken.run_id} == set(found)
    assert world.worker_id == found[owned.run_id].worker_id
    assert found[due.run_id].due_at == found[due.run_id].claimable_at
    assert found[woken.run_id].unread_at is not None
    assert found[unclaimed.run_id].unread_at is None


async def test_suspect_03_a_decision_wakes_and_is_told(world: World) -> None:
    """
    A run whose request was decided is a suspect until an entry has taken the decision.
    """
    claim, row = await world.request()
    await world.store.approvals.decide(world.tenant_id, decision(row))

    found = (await suspects(world))[claim.run_id]

    assert found.unread_at is not None
    assert found.claimable_at is not None


async def test_suspect_04_entries_without_a_fact_are_counted(world: World) -> None:
    """
    A run that wrote sixteen entries without a fact is idle since the last one that had any; with fifteen it is not.
    """
    claims = [await world.submit() for _ in range(2)]
    for claim, idle in zip(claims, (15, 16), strict=True):
        await world.append(entry(claim))
        for sequence in range(2, 2 + idle):
            await world.append(entry(claim, sequence, fact_count=0, kinds="", payload=b"[]"))

    found = await suspects(world)

    assert [True, False] == [found[claim.run_id].idle_since is None for claim in claims]
    assert entry(claims[1]).at == found[claims[1].run_id].idle_since


async def test_suspect_05_tenants_are_named_and_kept_apart(world: World, other_store: PostgresStore) -> None:
    """
    Only tenants that are worth a look are named, and each one's suspects are its own.
    """
    other = await make_world(other_store, OTHER)
    mine = await world.submit()
    await other.wait(await other.submit(), due_at=await other.now() + LONG)

    named = await world.store.suspects.list_suspect_tenants(patience=timedelta(0))

    assert [world.tenant_id] == named
    assert {mine.run_id} == set(await suspects(world))
    assert {} == await suspects(other)


async def test_worker_01_says_its_tools_and_lease(world: World) -> None:
    """
    A worker is known with its tools, until its lease ends; one that did not say which it has has none on record.
    """
    dispatch = world.store.dispatch
    silent = await make_worker(world.store, lease_seconds=30)
    await dispatch.register_worker(world.worker_id, lease_seconds=60, version="2", tools=["b.tool", "a.tool"])

    workers, now = await world.store.suspects.list_workers()

    known = {worker.worker_id: worker for worker in workers}
    assert ("b.tool", "a.tool") == known[world.worker_id].tools
    assert known[silent].tools is None
    assert timedelta(0) < known[silent].lease_ends_at - now <= timedelta(seconds=30)
    await dispatch.retire_worker(silent)
    assert {world.worker_id} == {worker.worker_id for worker in (await world.store.suspects.list_workers())[0]}
