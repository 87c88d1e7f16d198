"""DBOS: durable workflows on its system database, started directly (`start_workflow_async`), one record per step."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from typing import Any

from dbos import DBOS

from benchmarks.peers.harness import Engine, gather_many, payload, serve

first_step_at: dict[str, float] = {}


@DBOS.step()
async def step(number: int, key: str) -> dict[str, Any]:
    """Return a payload."""
    if key:
        first_step_at.setdefault(key, time.perf_counter())
    return payload(number)


@DBOS.workflow()
async def sequence(steps: int, key: str) -> Any:
    """Run steps one after another."""
    result = None
    for number in range(steps):
        result = await step(number, key)
    return result


@DBOS.workflow()
async def fan_out(steps: int) -> list[Any]:
    """Run steps at once."""
    return await asyncio.gather(*(step(number, "") for number in range(steps)))


class DbosEngine:
    """DBOS in this process."""

    def __init__(self) -> None:
        self.first_step_at = first_step_at

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        handle = await DBOS.start_workflow_async(sequence, steps, key)
        return await handle.get_result()

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        handle = await DBOS.start_workflow_async(fan_out, steps)
        return await handle.get_result()

    async def results(self, outcomes: list[Any]) -> list[Any]:
        return outcomes

    async def finished(self) -> int:
        found = await DBOS.list_workflows_async(status="SUCCESS", limit=1_000_000, load_input=False, load_output=False)
        return len(found)


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine."""
    DBOS(
        config={
            "name": "bench",
            "system_database_url": os.environ["BENCH_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"),
            "log_level": "ERROR",
            "enable_otlp": False,
            "sys_db_pool_size": 20,
            "run_admin_server": False,
        }
    )
    DBOS.launch()
    try:
        yield DbosEngine()
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    serve(opened)
