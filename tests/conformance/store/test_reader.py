"""Clauses of the reader port: questions of people, each within one tenant."""

import asyncio
from datetime import timedelta

import pytest

from remit.errors import NotFoundError
from remit.ports.store import Disposition
from remit.store import PostgresStore
from tests.conformance.store.world import ACME, AT, OTHER, World, awaiting, entry, event, make_world, receipt, step

GENEROUS_SECONDS = 10.0


async def test_find_01_unique_start_or_end_is_enough(world: World) -> None:
    """
    A run is found by its id, by the start of it, or by its end; case and surrounding space do not matter.
    """
    run_id = (await world.submit()).run_id

    found = {
        await world.store.reader.find_run_id(ACME, text)
        for text in (run_id, run_id[:13], run_id[-6:], f" {run_id.upper()} ")
    }

    assert {run_id} == found


@pytest.mark.parametrize("text", ["", "abc", "zzzzzz", "ffffffff", "%", "0' or true"])
async def test_find_02_nothing_else_is_found(world: World, text: str) -> None:
    """
    Text that no id starts or ends with, or that is too short, finds nothing.
    """
    await world.submit()

    with pytest.raises(NotFoundError):
        await world.store.reader.find_run_id(ACME, text)


async def test_find_03_ambiguous_start_finds_nothing(world: World) -> None:
    """
    A start that several runs share is refused rather than guessed.
    """
    first, second = await world.submit(), await world.submit()
    shared = first.run_id[:8]
    assert second.run_id.startswith(shared)

    with pytest.raises(NotFoundError):
        await world.store.reader.find_run_id(ACME, shared)


async def test_list_01_newest_first_by_status_and_name(world: World) -> None:
    """
    Runs are listed newest first and can be narrowed to a status and a definition.
    """
    pending, running, completed, failed = [await world.submit() for _ in range(4)]
    await world.append(
        entry(running),
        entry(completed, status="completed", disposition=Disposition.FINISH),
        entry(failed, status="failed", disposition=Disposition.FINISH, error=b'{"reason":"x"}'),
    )
    listed = world.store.reader.list_runs

    assert [failed.run_id, completed.run_id, running.run_id, pending.run_id] == [r.run_id for r in await listed(ACME)]
    for claim, status in ((pending, "pending"), (running, "running"), (completed, "completed"), (failed, "failed")):
        assert [claim.run_id] == [run.run_id for run in await listed(ACME, status=status)]
    assert [] == await listed(ACME, name="other")
    assert 2 == len(await listed(ACME, name="orders", limit=2))


async def test_list_02_shows_one_tenant(world: World) -> None:
    """
    Nothing of another tenant is listed: no run, receipt, step or event.
    """
    await make_world(world.store, OTHER)
    claim = await world.submit()
    await world.append(entry(claim, receipts=(receipt(),)))
    await world.store.inbox.receive(ACME, event())
    reader = world.store.reader

    assert [] == await reader.list_runs(OTHER)
    assert [] == await reader.list_receipts(OTHER)
    assert [] == await reader.list_receipts(OTHER, run_id=claim.run_id)
    assert [] == await reader.list_steps(OTHER, claim.run_id)
    assert [] == await reader.list_inbound(OTHER)
    assert [] == await world.store.approvals.list(OTHER, status=None)
    with pytest.raises(NotFoundError):
        await reader.find_run_id(OTHER, claim.run_id)


async def test_list_03_receipts_come_oldest_first(world: World) -> None:
    """
    Receipts are listed in the order of the instants at which they were recorded.
    """
    claim = await world.submit()
    first, second = receipt("first"), receipt("second")
    await world.append(entry(claim, receipts=(second,), at=AT + timedelta(hours=2)))
    await world.append(entry(claim, 2, receipts=(first,), at=AT))

    listed = await world.store.reader.list_receipts(ACME, run_id=claim.run_id)

    assert [first, second] == [stored.receipt for stored in listed]


async def test_read_01_whole_journal_without_owning(world: World) -> None:
    """
    A reader gets a run's whole journal in order, whoever owns it.
    """
    claim = await world.submit()
    for sequence in (1, 2, 3):
        await world.append(entry(claim, sequence))

    run = await world.store.reader.read_run(ACME, claim.run_id)

    assert [1, 2, 3] == [stored.sequence for stored in run.entries]
    assert entry(claim, 3).hash == run.hash


async def test_wait_01_returns_when_the_journal_grows(world: World, other_store: PostgresStore) -> None:
    """
    Who watches a run sees its next entry, made by another process.
    """
    claim = await world.submit()
    watching = asyncio.ensure_future(
        other_store.reader.wait_for_change(ACME, claim.run_id, after_sequence=0, timeout_seconds=GENEROUS_SECONDS)
    )
    await asyncio.sleep(0)

    await world.append(entry(claim))

    assert 1 == (await watching).sequence


async def test_wait_02_returns_at_once_for_finished_runs(world: World) -> None:
    """
    A finished run does not change any more, so nobody waits for it.
    """
    claim = await world.submit()
    await world.append(entry(claim, status="completed", disposition=Disposition.FINISH))

    run = await world.store.reader.wait_for_change(
        ACME, claim.run_id, after_sequence=1, timeout_seconds=GENEROUS_SECONDS
    )

    assert "completed" == run.status


async def test_wait_03_returns_with_the_timeout(world: World) -> None:
    """
    Without a change the run is returned as it stands.
    """
    claim = await world.submit()

    run = await world.store.reader.wait_for_change(ACME, claim.run_id, after_sequence=0, timeout_seconds=0.0)

    assert 0 == run.sequence


async def test_list_05_steps_come_in_the_journal_s_order(world: World) -> None:
    """
    The step rows of a run come with their place in the journal, in its order.
    """
    claim = await world.submit()
    await world.append(entry(claim, steps=(step("one"), step("two"))))
    await world.append(entry(claim, 2, steps=(step("three"),)))

    steps = await world.store.reader.list_steps(ACME, claim.run_id)

    assert [(1, "one"), (1, "two"), (2, "three")] == [(one.sequence, one.row.step) for one in steps]


async def test_list_06_inbound_events_come_newest_first(world: World) -> None:
    """
    Events are listed with what became of them, newest first, and can be asked for by it.
    """
    claim = await world.submit()
    await world.append(entry(claim, correlations=(awaiting("order:8"),)))
    await world.store.inbox.receive(ACME, event("held"))
    await world.store.inbox.receive(ACME, event("heard", correlations=("order:8",)))

    both = await world.store.reader.list_inbound(ACME)
    held = await world.store.reader.list_inbound(ACME, status="held")

    assert [("heard", "delivered", (claim.run_id,)), ("held", "held", ())] == [
        (one.event_key, one.status, one.run_ids) for one in both
    ]
    assert ["held"] == [one.event_key for one in held]
