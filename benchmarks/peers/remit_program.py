"""Remit: the kernel as users get it, every stage of the pipeline on, in a process that hosts a worker."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import orjson
from msgspec.structs import replace

from benchmarks import workloads
from benchmarks.peers.harness import Engine, gather_many, serve
from remit import Kernel, Settings
from remit.core.definition import Definition
from remit.ids import Digest, RunId


def returning_sequence(steps: int) -> Definition:
    """Return W1's definition, whose runs give back their last step's output."""
    return replace(workloads.sequence(steps), output=f"${{{{ steps.s{steps - 1}.output }}}}")


def returning_fan_out(steps: int) -> Definition:
    """Return W3's definition, whose runs give back the outputs of all steps."""
    return replace(workloads.fan_out(steps), output=[f"${{{{ steps.s{number}.output }}}}" for number in range(steps)])


DEFINITIONS = {"sequence": returning_sequence, "fan_out": returning_fan_out}


class RemitEngine:
    """A kernel with its worker in this process."""

    def __init__(self, kernel: Kernel) -> None:
        self.first_step_at: dict[str, float] = {}
        self._kernel = kernel
        self._digests: dict[tuple[str, int], Digest] = {}

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        workloads.first_call_at.clear()
        run_id = await self._run(await self._digest("sequence", steps))
        if key:
            self.first_step_at[key] = workloads.first_call_at[0]
        return run_id

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        return await self._run(await self._digest("fan_out", steps))

    async def results(self, outcomes: list[Any]) -> list[Any]:
        reader = self._kernel.store.reader
        runs = [await reader.get_run(self._kernel.tenant_id, run_id) for run_id in outcomes]
        return [orjson.loads(run.output or b"null") for run in runs]

    async def finished(self) -> int:
        return await count_finished(self._kernel)

    async def _digest(self, shape: str, steps: int) -> Digest:
        if (shape, steps) not in self._digests:
            self._digests[shape, steps] = (await self._kernel.put_definition(DEFINITIONS[shape](steps))).digest
        return self._digests[shape, steps]

    async def _run(self, digest: Digest) -> RunId:
        runs, tenant = self._kernel.runs, self._kernel.tenant_id
        submitted = await runs.submit(tenant, definition_digest=digest, run_input={}, principal_id=workloads.OPERATOR)
        await runs.finished(submitted.run_id)
        return submitted.run_id


async def count_finished(kernel: Kernel) -> int:
    """Return how many runs of the kernel's tenant are completed."""
    async with kernel.store.database.tenant(kernel.tenant_id) as session:
        rows = await session.fetch(
            {"count": "select count(*) from remit.run_results where status = 'completed'"}, "count"
        )
    count: int = rows[0][0]
    return count


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine."""
    settings = Settings(
        database_url=os.environ["BENCH_DATABASE_URL"], database_app_url=os.environ["BENCH_DATABASE_APP_URL"]
    )
    async with Kernel(tools=[workloads.bench_step], packs=[], settings=settings) as kernel:
        await workloads.prepare(kernel)
        yield RemitEngine(kernel)


if __name__ == "__main__":
    serve(opened)
