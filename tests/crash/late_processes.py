"""Worker processes that are stopped for a part or a multiple of their lease, at many moments, and continued.

Owns: stopping and continuing a process, with leases that really run, and the count of what it wrote after somebody else
had taken over. Does not know: how a late writer is refused.

In the database a trigger, the auditor's own, notes every entry that comes with an epoch below the newest that the run
ever had.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from remit.testing.database import ScratchDatabase
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.kernels import ObservedKernel
from tests.crash.ledger import Book, audit_ledger
from tests.crash.takeovers import AT_ONCE, Pace, order_for_ever, pause, worker_process

WATCH = """
create schema watch;
create table watch.epochs (run_id uuid primary key, epoch integer not null);
create table watch.stale (run_id uuid, sequence integer, epoch integer, newest integer);
create function watch.note_epoch() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into watch.epochs values (new.run_id, new.epoch)
    on conflict (run_id) do update set epoch = greatest(watch.epochs.epoch, excluded.epoch);
    return null;
end
$$;
create function watch.note_entry() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into watch.stale
    select new.run_id, new.sequence, new.epoch, e.epoch from watch.epochs e
    where e.run_id = new.run_id and e.epoch > new.epoch;
    return null;
end
$$;
create trigger watch_heads after insert or update of epoch on remit.heads
for each row execute function watch.note_epoch();
create trigger watch_journal after insert on remit.journal for each row execute function watch.note_entry();
grant usage on schema watch to public;
"""
LEASE_PARTS = (0.5, 1.0, 1.5, 10.0)


@dataclass
class Late:
    """What was done and seen."""

    stops: int = 0
    stops_past_lease: int = 0
    taken_over: int = 0
    stale: int = 0
    acknowledged: int = 0
    findings: list[str] = field(default_factory=list)


async def stop_and_continue(
    database: ScratchDatabase, folder: Path, *, stops: int, draw: random.Random, pace: Pace, patience_seconds: float
) -> Late:
    """Stop one of two worker processes again and again under load, and count what it writes too late."""
    seen, book = Late(), Book(folder / "book.sqlite")
    connection = await asyncpg.connect(database.admin_url)
    await connection.execute(WATCH)
    settings = pace.settings(database.app_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        quiet = ObservedKernel(tools=tools_of(book), packs=[], settings=settings, has_worker=False)
        await stack.enter_async_context(quiet)
        clients = Clients(kernel=quiet, digests=await prepare(quiet))
        victim = await stack.enter_async_context(worker_process(database, book, pace))
        await stack.enter_async_context(worker_process(database, book, pace))
        stop = asyncio.Event()
        load = [asyncio.create_task(order_for_ever(clients, lane, stop)) for lane in range(AT_ONCE)]
        for number in range(stops):
            await _stop_once(victim.pid, connection, seen, draw=draw, number=number, pace=pace)
        stop.set()
        async with asyncio.timeout(patience_seconds):
            await asyncio.gather(*load)
        seen.findings = await audit_ledger(database.admin_url, clients.ledger, book)
        seen.acknowledged = clients.ledger.count
        seen.stale = await connection.fetchval("select count(*) from watch.stale")
    book.close()
    return seen


async def _stop_once(
    pid: int, connection: asyncpg.Connection[Any], seen: Late, *, draw: random.Random, number: int, pace: Pace
) -> None:
    part = LEASE_PARTS[number % len(LEASE_PARTS)]
    await pause(draw.uniform(0.05, 0.6))
    os.kill(pid, signal.SIGSTOP)
    before = await _epochs(connection)
    await pause(part * pace.lease + (pace.sweep + pace.heartbeat if part > 1 else 0))
    after = await _epochs(connection)
    os.kill(pid, signal.SIGCONT)
    seen.stops += 1
    seen.stops_past_lease += part > 1
    seen.taken_over += sum(after.get(run, 0) >= epoch + 2 for run, epoch in before.items())
    await pause(pace.heartbeat)


async def _epochs(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    rows = await connection.fetch("select run_id::text, epoch from remit.heads where worker_id is not null")
    owned = {row["run_id"]: row["epoch"] for row in rows}
    rows = await connection.fetch("select run_id::text, epoch from watch.epochs")
    return {**{row["run_id"]: row["epoch"] for row in rows}, **owned}
