"""The floor of Remit: the same rows and bytes through its append function in a bare loop, without kernel."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.floor import prepare, submit, work
from benchmarks.peers.harness import PASSES_MAX, require_equal, serve
from remit.ids import TenantId
from remit.store import Database, PostgresStore


class FloorLoop:
    """Answers requests for W1 and W2 with appends alone: submissions are not counted."""

    def __init__(self, store: PostgresStore, tenants: list[TenantId]) -> None:
        self._store = store
        self._tenants = tenants
        self._runs = 0

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for."""
        name = request.pop("work")
        answer: dict[str, Any] = await getattr(self, f"_{name}")(**request)
        return answer

    async def _warm(self, *, steps: int) -> dict[str, Any]:
        await self._append(3, steps, 1)
        return {}

    async def _w1(self, *, runs: int, steps: int, in_flight: int, seconds_min: float) -> dict[str, Any]:
        passes: list[float] = []
        while sum(passes) < seconds_min and len(passes) < PASSES_MAX:
            passes.append(await self._append(runs, steps, in_flight))
        return {"passes": passes, "steps": runs * steps * len(passes)}

    async def _w2(self, *, runs: int, steps: int) -> dict[str, Any]:
        return {"run_seconds": [await self._append(1, steps, 1) for _ in range(runs)], "steps": runs * steps}

    async def _check(self) -> dict[str, Any]:
        sql = "select count(*) from remit.run_results where status = 'completed'"
        async with self._store.database.tenant(self._tenants[0]) as session:
            rows = await session.fetch({"count": sql}, "count")
        require_equal(self._runs, rows[0][0])
        return {"runs": self._runs}

    async def _append(self, runs: int, steps: int, in_flight: int) -> float:
        claims = [
            await submit(self._store, self._tenants, min(in_flight, runs - first))
            for first in range(0, runs, in_flight)
        ]
        started = time.perf_counter()
        for batch in claims:
            await work(self._store, batch, steps=steps, receipts=0)
        self._runs += runs
        return time.perf_counter() - started


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[FloorLoop]:
    """Lend the loop."""
    database = Database(os.environ["BENCH_DATABASE_APP_URL"])
    await database.connect()
    store = PostgresStore(database)
    try:
        yield FloorLoop(store, await prepare(store, 1))
    finally:
        await store.close()


if __name__ == "__main__":
    serve(opened)
