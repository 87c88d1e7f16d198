"""A worker process under load that is killed at a random moment, and how soon another one goes on with its runs.

Owns: worker processes, their killing, and the measure: from the kill to the next entry of each run that the dead one
owned. Does not know: leases, sweeps.

    python -m tests.crash.takeovers URL BOOK LEASE HEARTBEAT SWEEP    is such a worker
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from remit.bootstrap import Kernel
from remit.clock import monotonic
from remit.settings import Settings
from remit.testing.database import ScratchDatabase
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.kernels import ObservedKernel
from tests.crash.ledger import Book, audit_ledger

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.05
AT_ONCE = 24
READY_SECONDS_MAX = 120.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How workers pace themselves, in seconds; by default as they do."""

    lease: float = 20.0
    heartbeat: float = 4.0
    sweep: float = 4.0

    def settings(self, url: str) -> Settings:
        """Return a worker's settings."""
        return Settings(
            database_app_url=url,
            lease=timedelta(seconds=self.lease),
            heartbeat=timedelta(seconds=self.heartbeat),
            sweep=timedelta(seconds=self.sweep),
        )


@dataclass
class Takeovers:
    """What was done and seen."""

    kills: int = 0
    stops: int = 0
    seconds: list[float] = field(default_factory=list)
    """From the kill to the next entry, for each run that was taken over."""
    stale: int = 0
    acknowledged: int = 0
    findings: list[str] = field(default_factory=list)


@asynccontextmanager
async def worker_process(database: ScratchDatabase, book: Book, pace: Pace) -> AsyncIterator[Process]:
    """Run a worker as a process; it is ready when the block begins, and gone when it ends."""
    command = (sys.executable, "-m", "tests.crash.takeovers", database.app_url, str(book.path))
    numbers = (str(pace.lease), str(pace.heartbeat), str(pace.sweep))
    process = await asyncio.create_subprocess_exec(*command, *numbers, cwd=ROOT, stdout=PIPE, stdin=PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            assert b"ready\n" == await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


TRIES_MAX = 5
"""Kills for each one that leaves a run behind."""


async def take_over(
    database: ScratchDatabase, folder: Path, *, kills: int, draw: random.Random, pace: Pace, patience_seconds: float
) -> Takeovers:
    """Kill one of two worker processes again and again under load, replace it, and measure each takeover."""
    seen, book = Takeovers(), Book(folder / "book.sqlite")
    connection = await asyncpg.connect(database.admin_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        quiet = await stack.enter_async_context(
            ObservedKernel(tools=tools_of(book), packs=[], settings=pace.settings(database.app_url), has_worker=False)
        )
        clients = Clients(kernel=quiet, digests=await prepare(quiet))
        await stack.enter_async_context(worker_process(database, book, pace))
        stop = asyncio.Event()
        load = [asyncio.create_task(order_for_ever(clients, lane, stop)) for lane in range(AT_ONCE)]
        for _ in range(kills * TRIES_MAX):
            if seen.kills == kills:
                break
            async with worker_process(database, book, pace) as victim:
                await _until_it_owns(connection, draw)
                owned = await _owned(connection)
                os.kill(victim.pid, signal.SIGKILL)
                await victim.wait()
                took = await _measure(connection, owned, pace, seconds=patience_seconds)
                seen.seconds += took
                seen.kills += bool(took)  # a victim that had just finished its runs proves nothing
        stop.set()
        async with asyncio.timeout(patience_seconds):
            await asyncio.gather(*load)
        seen.findings = await audit_ledger(database.admin_url, clients.ledger, book)
        seen.acknowledged = clients.ledger.count
    book.close()
    return seen


async def order_for_ever(clients: Clients, lane: int, stop: asyncio.Event) -> None:
    """Order, one after the other, until told to stop."""
    number = lane
    while not stop.is_set():
        await clients.order(number)
        number += AT_ONCE + 1


async def _until_it_owns(connection: asyncpg.Connection[Any], draw: random.Random) -> None:
    """Wait a random while, and until both workers own runs."""
    await pause(draw.uniform(0.0, 1.0))
    deadline = monotonic() + READY_SECONDS_MAX
    while (
        await connection.fetchval("select count(distinct worker_id) from remit.heads where worker_id is not null") < 2
    ):
        assert monotonic() < deadline, "only one worker has work"
        await pause(LOOK_SECONDS / 5)


async def _owned(connection: asyncpg.Connection[Any]) -> dict[str, tuple[str, int, int]]:
    rows = await connection.fetch(
        "select run_id::text, worker_id::text, sequence, epoch from remit.heads where worker_id is not null"
    )
    return {row["run_id"]: (row["worker_id"], row["sequence"], row["epoch"]) for row in rows}


async def _measure(
    connection: asyncpg.Connection[Any], owned: dict[str, tuple[str, int, int]], pace: Pace, *, seconds: float
) -> list[float]:
    """Return how long each run that was left behind took until an entry of a new owner."""
    began, deadline = monotonic(), monotonic() + seconds
    waiting, took = dict(owned), []
    while waiting:
        assert monotonic() < deadline, f"not taken over: {waiting}"
        rows = await connection.fetch(
            "select run_id::text, sequence, epoch, worker_id::text, finished_at is not null as is_done "
            "from remit.heads where run_id = any($1::uuid[])",
            list(waiting),
        )
        for row in rows:
            _, sequence, epoch = waiting[row["run_id"]]
            if row["epoch"] > epoch and row["sequence"] > sequence:
                took.append(monotonic() - began)
                del waiting[row["run_id"]]
            elif row["is_done"] or (row["worker_id"] is None and row["epoch"] == epoch):
                del waiting[row["run_id"]]  # the living one's, or let go before the kill
        alive = {row[0] for row in await connection.fetch("select worker_id::text from remit.workers")}
        if len(alive) == 1 and not any(owner not in alive for owner, _, _ in waiting.values()):
            break  # what is left is the living one's
        await pause(LOOK_SECONDS)
    return took


async def pause(seconds: float) -> None:
    """Let time pass."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


async def _work(url: str, book: Path, pace: Pace) -> None:
    async with Kernel(tools=tools_of(Book(book)), packs=[], settings=pace.settings(url)):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    lease, heartbeat, sweep = map(float, sys.argv[3:6])
    asyncio.run(_work(sys.argv[1], Path(sys.argv[2]), Pace(lease=lease, heartbeat=heartbeat, sweep=sweep)))
