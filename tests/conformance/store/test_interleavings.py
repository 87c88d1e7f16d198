"""Clauses about callers that meet on the server, each with proof that they met: the blocked connections were seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from remit.errors import RemitError
from remit.ids import RunId
from remit.ports.store import AppendOutcome, Disposition
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase
from tests.conformance.store.world import (
    ACME,
    SECOND_APPROVER,
    World,
    decision,
    entry,
    event,
    later_epoch,
    make_worker,
    reserve,
    signal,
)

SECONDS_MAX = 20.0
HEAD = "select from remit.heads where run_id = $1 for update"
KEYS = "lock table remit.idempotency_keys in share row exclusive mode"
"""Stops whoever reserves a key, and lets those pass who do not."""

BLOCKED = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and cardinality(pg_blocking_pids(pid)) > 0
"""


class Meeting:
    """A lock that callers run into; they stand there until the block ends."""

    def __init__(self, observer: asyncpg.Connection[Any], group: asyncio.TaskGroup) -> None:
        self._observer = observer
        self._group = group
        self._count = 0

    async def call(self, caller: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let a caller go, and return once the server shows that it waits for a lock."""
        task = self._group.create_task(caller)
        self._count += 1
        async with asyncio.timeout(SECONDS_MAX):
            while await self._observer.fetchval(BLOCKED) < self._count:
                assert not task.done(), f"expected a caller that waits, got {task}"
                await asyncio.sleep(0)
        return task


@asynccontextmanager
async def meeting(scratch: ScratchDatabase, lock: str, *arguments: object) -> AsyncIterator[Meeting]:
    """Take a lock as a superuser; at the end of the block it is let go, and the callers end."""
    holder, observer = await asyncpg.connect(scratch.admin_url), await asyncpg.connect(scratch.admin_url)
    try:
        async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as group, holder.transaction():
            await holder.execute(lock, *arguments)
            yield Meeting(observer, group)
    finally:
        await holder.close()
        await observer.close()


async def outcome(caller: Coroutine[Any, Any, Any]) -> Any:
    """What a caller is told; a refusal is an answer as well."""
    try:
        return await caller
    except RemitError as error:
        return error


async def test_submit_09_submitters_that_meet_create_one_run(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    Two submissions of one key that wait for the same table at the same time create one run.
    """
    async with meeting(scratch, "lock table remit.runs in share row exclusive mode") as met:
        first = await met.call(world.store.journal.submit([world.submission(key="k")]))
        second = await met.call(other_store.journal.submit([world.submission(key="k")]))
    answers = [task.result()[0][0] for task in (first, second)]

    assert [False, True] == sorted(answer.created for answer in answers)
    assert 1 == len({answer.run_id for answer in answers})


async def test_append_17_second_writer_is_not_kept_waiting(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    While one append of a run is under way another one is told that it is busy, and afterwards that it is too late.
    """
    claim = await world.submit()
    async with meeting(scratch, KEYS) as met:
        first = await met.call(world.append(entry(claim, marker="first", keys=(reserve("k"),))))
        during, _ = await other_store.journal.append([entry(claim, marker="second")])
    after, _ = await other_store.journal.append([entry(claim, marker="second")])

    assert AppendOutcome.APPLIED == first.result()[0].outcome
    assert [AppendOutcome.BUSY, AppendOutcome.CONFLICT] == [during[0].outcome, after[0].outcome]


async def test_append_18_resend_meets_its_first_sending(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    An entry that is sent again while it is being stored is stored once, and afterwards known.
    """
    claim = await world.submit()
    sent = entry(claim, keys=(reserve("k"),))
    async with meeting(scratch, KEYS) as met:
        first = await met.call(world.append(sent))
        during, _ = await other_store.journal.append([sent])
    after, _ = await other_store.journal.append([sent])
    (loaded,), _ = await world.store.journal.load([claim])

    assert AppendOutcome.APPLIED == first.result()[0].outcome
    assert [AppendOutcome.BUSY, AppendOutcome.ALREADY] == [during[0].outcome, after[0].outcome]
    assert 1 == len(loaded.entries)


async def test_sweep_06_sweeper_passes_by_an_append(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    A sweeper does not wait for an append of a dead worker's run; once it freed the run, the next append is fenced.
    """
    claim = await world.submit()
    await make_worker(other_store, lease_seconds=60)
    await world.store.dispatch.register_worker(world.worker_id, lease_seconds=0, version="dead")
    await other_store.dispatch.sweep(limit=0)
    async with meeting(scratch, "lock table remit.journal in share mode") as met:
        first = await met.call(world.append(entry(claim)))
        passed = await other_store.dispatch.sweep(limit=10)
    freed = await other_store.dispatch.sweep(limit=10)
    late = await world.append(entry(claim, 2))

    assert AppendOutcome.APPLIED == first.result()[0].outcome
    assert ([], [later_epoch(claim)]) == (passed, freed)
    assert [AppendOutcome.FENCED] == [reply.outcome for reply in late]


async def test_deliver_04_same_message_twice_at_once_is_taken_once(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    Two deliveries of one message that wait for the same run store it once.
    """
    claim = await world.submit()
    async with meeting(scratch, HEAD, claim.run_id) as met:
        first = await met.call(world.store.inbox.deliver(ACME, claim.run_id, signal()))
        second = await met.call(other_store.inbox.deliver(ACME, claim.run_id, signal()))
    messages, _ = await world.store.journal.load_inbox(ACME, claim.run_id)

    assert [False, True] == sorted([first.result(), second.result()])
    assert 1 == len(messages)


async def test_deliver_05_message_that_meets_the_letting_go_wakes_the_run(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    A message that waits for the append that lets go of its run makes the run claimable.
    """
    claim = await world.submit()
    last = entry(claim, disposition=Disposition.WAIT, status="waiting")
    async with meeting(scratch, "lock table remit.journal in share mode") as met:
        appended = await met.call(world.append(last))
        delivered = await met.call(other_store.inbox.deliver(ACME, claim.run_id, signal()))

    assert (True, True) == (appended.result()[0].released, delivered.result())
    assert [claim.run_id] == [again.run_id for again in await world.claim()]


async def test_claim_06_held_run_is_passed_over(world: World, scratch: ScratchDatabase) -> None:
    """
    Claiming never waits: a run that somebody holds at this instant is left for the next time.
    """
    (held,), _ = await world.store.journal.submit([world.submission(claimed=False)])
    (free,), _ = await world.store.journal.submit([world.submission(claimed=False)])
    async with meeting(scratch, HEAD, held.run_id):
        during = await world.claim()
    after = await world.claim()

    assert [[free.run_id], [held.run_id]] == [[claim.run_id for claim in claims] for claims in (during, after)]


async def test_decide_12_deciders_that_meet_have_one_winner(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    An approval and a denial that wait for the same run: the first one counts, the other is told that it is too late.
    """
    claim, row = await world.request()
    deny = decision(row, SECOND_APPROVER, decision="deny")
    async with meeting(scratch, HEAD, claim.run_id) as met:
        first = await met.call(outcome(world.store.approvals.decide(ACME, decision(row))))
        second = await met.call(outcome(other_store.approvals.decide(ACME, deny)))
    answers = [first.result(), second.result()]
    messages, _ = await world.store.journal.load_inbox(ACME, RunId(claim.run_id))

    assert ["ALREADY_DECIDED"] == [answer.code for answer in answers if isinstance(answer, RemitError)]
    assert 1 == len(messages)


async def test_key_12_calls_that_meet_have_one_winner(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    Two runs that wait for the same key: one reserves it, the other is told that it is taken, and stores nothing.
    """
    one, other = await world.submit(), await world.submit()
    async with meeting(scratch, KEYS) as met:
        first = await met.call(world.append(entry(one, keys=(reserve("k"),))))
        second = await met.call(other_store.journal.append([entry(other, keys=(reserve("k"),))]))
    answers = {first.result()[0].outcome, second.result()[0][0].outcome}
    loaded, _ = await world.store.journal.load([one, other])

    assert {AppendOutcome.APPLIED, AppendOutcome.KEY_TAKEN} == answers
    assert [0, 1] == sorted(run.sequence for run in loaded)


async def test_event_10_duplicates_that_meet_are_stored_once(
    world: World, other_store: PostgresStore, scratch: ScratchDatabase
) -> None:
    """
    Two deliveries of one event that wait for the same table: one stores it, the other is told that it was there.
    """
    async with meeting(scratch, "lock table remit.inbound_events in share row exclusive mode") as met:
        first = await met.call(world.store.inbox.receive(ACME, event()))
        second = await met.call(other_store.inbox.receive(ACME, event()))
    answers = [first.result(), second.result()]

    assert ["duplicate", "stored"] == sorted(answer.status for answer in answers)
    assert 1 == len({answer.inbound_id for answer in answers})
