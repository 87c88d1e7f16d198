"""Absurd: tasks in a queue, eight workers in this process with a connection each, and its poll of a quarter second.

A task's steps share their worker's connection. Eight workers measured best here; one alone is slower.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import absurdctl
import psycopg
from absurd_sdk import AsyncAbsurd

from benchmarks.peers.harness import Engine, payload, serve

QUEUE = "bench"
WORKERS_MAX = 8
WATCH_SECONDS = 0.02
TIMEOUT_SECONDS = 120
first_step_at: dict[str, float] = {}


def register(client: AsyncAbsurd) -> AsyncAbsurd:
    """Make both workloads known to a client."""

    @client.register_task(name="sequence")
    async def sequence(request: dict[str, Any], context: Any) -> Any:
        result = None
        for number in range(request["steps"]):
            result = await context.step(f"s{number}", step(number, request["key"]))
        return result

    @client.register_task(name="fan_out")
    async def fan_out(request: dict[str, Any], context: Any) -> Any:
        steps = range(request["steps"])
        return await asyncio.gather(*(context.step(f"s{number}", step(number, "")) for number in steps))

    return client


def step(number: int, key: str) -> Any:
    """Return a step that returns a payload."""

    async def work() -> dict[str, Any]:
        if key:
            first_step_at.setdefault(key, time.perf_counter())
        return payload(number)

    return work


class AbsurdEngine:
    """Workers and a client in this process."""

    def __init__(self, url: str, client: AsyncAbsurd, watch: psycopg.AsyncConnection[Any]) -> None:
        self.first_step_at = first_step_at
        self._url = url
        self._client = client
        self._watch = watch
        self._workers: list[AsyncAbsurd] = []
        self._working: list[asyncio.Task[None]] = []
        self._in_flight = 0

    async def prepare(self, in_flight: int) -> None:
        """Start workers that take so many tasks between them."""
        if in_flight == self._in_flight:
            return
        await self.stop()
        self._in_flight = in_flight
        count = min(WORKERS_MAX, in_flight)
        self._workers = [register(AsyncAbsurd(self._url, queue_name=QUEUE)) for _ in range(count)]
        self._working = [
            asyncio.create_task(worker.start_worker(worker_id=f"w{number}", concurrency=in_flight // count))
            for number, worker in enumerate(self._workers)
        ]

    async def stop(self) -> None:
        """Stop the workers and close their connections."""
        for worker in self._workers:
            worker.stop_worker()
        await asyncio.gather(*self._working)
        for worker in self._workers:
            await worker.close()

    async def sequence(self, steps: int, key: str) -> Any:
        spawned = await self._client.spawn("sequence", {"steps": steps, "key": key})
        return (await self._client.await_task_result(spawned["task_id"], timeout=TIMEOUT_SECONDS)).result

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:  # noqa: ARG002 - the workers were told
        """Spawn all and watch for the last: waiting for each would poll once more per task."""
        expected = await self.finished() + runs
        spawned = [await self._client.spawn("sequence", {"steps": steps, "key": ""}) for _ in range(runs)]
        while await self.finished() < expected:  # noqa: ASYNC110 - another process could not be waited for otherwise
            await asyncio.sleep(WATCH_SECONDS)
        found = await self._watch.execute(
            f"select completed_payload from absurd.t_{QUEUE} where task_id = any(%s)",
            [[uuid.UUID(str(one["task_id"])) for one in spawned]],
        )
        return [row[0] for row in await found.fetchall()]

    async def fan_out(self, steps: int) -> Any:
        spawned = await self._client.spawn("fan_out", {"steps": steps})
        return (await self._client.await_task_result(spawned["task_id"], timeout=TIMEOUT_SECONDS)).result

    async def results(self, outcomes: list[Any]) -> list[Any]:
        return outcomes

    async def finished(self) -> int:
        found = await self._watch.execute(f"select count(*) from absurd.t_{QUEUE} where state = 'completed'")
        row = await found.fetchone()
        return row[0]


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine, on a schema as `absurdctl init` makes it."""
    url = os.environ["BENCH_DATABASE_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watch:
        await watch.execute(absurdctl.BUNDLED_SCHEMA_SQL.encode())
        client = register(AsyncAbsurd(url, queue_name=QUEUE))
        await client.create_queue(QUEUE)
        engine = AbsurdEngine(url, client, watch)
        try:
            yield engine
        finally:
            await engine.stop()
            await client.close()


if __name__ == "__main__":
    serve(opened)
