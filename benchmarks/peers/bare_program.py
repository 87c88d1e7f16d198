"""Bare Python and asyncpg: one small row a step and nothing else, what this machine can do at most.

W1 and W3 share commits: two writers store whatever steps are waiting. W2 commits each step by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from benchmarks.peers.harness import Engine, gather_many, payload, serve

WRITERS = 2
BATCH_MAX = 256
TABLE = """
create table step (run integer, number integer, output jsonb, at timestamptz default now(), primary key (run, number))
"""
INSERT = "insert into step (run, number, output) select * from unnest($1::integer[], $2::integer[], $3::jsonb[])"


class BareEngine:
    """Rows and nothing else: no history, no recovery, no claim."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self.first_step_at: dict[str, float] = {}
        self._pool = pool
        self._numbers = itertools.count()
        self._finished = 0
        self._queue: asyncio.Queue[tuple[int, int, str, asyncio.Future[None]]] = asyncio.Queue()
        self.writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        run = next(self._numbers)
        if key:
            self.first_step_at.setdefault(key, time.perf_counter())
        for number in range(steps):
            await self._store(run, number)
        return run, steps - 1

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        run = next(self._numbers)
        await asyncio.gather(*(self._store(run, number) for number in range(steps)))
        return run, None

    async def results(self, outcomes: list[Any]) -> list[Any]:
        select = "select output from step where run = $1 and ($2::integer is null or number = $2)"
        found = [[json.loads(row[0]) for row in await self._pool.fetch(select, *outcome)] for outcome in outcomes]
        return [rows if outcome[1] is None else rows[0] for rows, outcome in zip(found, outcomes, strict=True)]

    async def finished(self) -> int:
        count: int = await self._pool.fetchval("select count(distinct run) from step")
        return count

    async def _store(self, run: int, number: int) -> None:
        stored = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((run, number, json.dumps(payload(number)), stored))
        await stored

    async def _write(self) -> None:
        while True:
            items = [await self._queue.get()]
            while not self._queue.empty() and len(items) < BATCH_MAX:
                items.append(self._queue.get_nowait())
            runs, numbers, outputs, stored = zip(*items, strict=True)
            await self._pool.execute(INSERT, runs, numbers, outputs)
            for future in stored:
                future.set_result(None)


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine."""
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], min_size=WRITERS, max_size=WRITERS) as pool:
        await pool.execute(TABLE)
        engine = BareEngine(pool)
        yield engine
        for writer in engine.writers:
            writer.cancel()


if __name__ == "__main__":
    serve(opened)
