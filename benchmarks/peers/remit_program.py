"""Remit: the kernel as users get it, every stage of the pipeline on, in a process that hosts a worker."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import AsyncIterator
from typing import Any

import orjson
from msgspec.structs import replace

from benchmarks import workloads
from benchmarks.peers.harness import Engine, gather_many, serve
from remit import Kernel, Settings
from remit.core.definition import Definition
from remit.ids import Digest, RunId, TenantId
from remit.ports.store import Principal, Tenant
from remit.runtime.collector import spare_collector


def returning_sequence(steps: int) -> Definition:
    """Return W1's definition, whose runs give back their last step's output."""
    return replace(workloads.sequence(steps), output=f"${{{{ steps.s{steps - 1}.output }}}}")


def returning_fan_out(steps: int) -> Definition:
    """Return W3's definition, whose runs give back the outputs of all steps."""
    return replace(workloads.fan_out(steps), output=[f"${{{{ steps.s{number}.output }}}}" for number in range(steps)])


DEFINITIONS = {"sequence": returning_sequence, "fan_out": returning_fan_out}


COUNT_FINISHED = """
select count(*) from remit.run_results e join remit.runs r on r.tenant_id = e.tenant_id and r.run_id = e.run_id
where e.status = 'completed' and r.definition_name like 'bench-%'
"""


class RemitEngine:
    """A kernel with its worker in this process, whose runs belong to so many tenants in turn."""

    def __init__(self, kernel: Kernel, tenants: list[TenantId]) -> None:
        self.first_step_at: dict[str, float] = {}
        self._kernel = kernel
        self._tenants = itertools.cycle(tenants)
        self._all_tenants = tenants
        self._digests: dict[tuple[TenantId, str, int], Digest] = {}

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        workloads.calls_at.clear()
        ended = await self._run("sequence", steps)
        if key:
            self.first_step_at[key] = workloads.calls_at[0]
        return ended

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        return await self._run("fan_out", steps)

    async def results(self, outcomes: list[Any]) -> list[Any]:
        reader = self._kernel.store.reader
        runs = [await reader.get_run(*place) for place in outcomes]
        return [orjson.loads(run.output or b"null") for run in runs]

    async def finished(self) -> int:
        return sum([await count_finished(self._kernel, tenant) for tenant in self._all_tenants])

    async def _run(self, shape: str, steps: int) -> tuple[TenantId, RunId]:
        runs, tenant = self._kernel.runs, next(self._tenants)
        digest = await self._digest(tenant, shape, steps)
        submitted = await runs.submit(tenant, definition_digest=digest, run_input={}, principal_id=workloads.OPERATOR)
        await runs.finished(submitted.run_id)
        return tenant, submitted.run_id

    async def _digest(self, tenant: TenantId, shape: str, steps: int) -> Digest:
        key = (tenant, shape, steps)
        if key not in self._digests:
            definition = DEFINITIONS[shape](steps)
            self._digests[key] = (await self._kernel.put_definition(definition, tenant_id=tenant)).digest
        return self._digests[key]


async def count_finished(kernel: Kernel, tenant: TenantId) -> int:
    """Return how many runs of the workloads are completed; what else a database holds does not count."""
    async with kernel.store.database.tenant(tenant) as session:
        rows = await session.fetch({"count": COUNT_FINISHED}, "count")
    count: int = rows[0][0]
    return count


async def make_tenants(kernel: Kernel, count: int) -> list[TenantId]:
    """Return so many tenants that may use the workloads' tool; the first is the kernel's own."""
    tenants = [kernel.tenant_id]
    await workloads.prepare(kernel)
    for number in range(1, count):
        tenant = TenantId(f"tenant-{number}")
        await kernel.store.directory.create_tenant(Tenant(tenant_id=tenant, display_name=tenant))
        operator = Principal(tenant_id=tenant, principal_id=workloads.OPERATOR, kind="human", roles=("operator",))
        await kernel.store.directory.put_principal(operator)
        await workloads.prepare(kernel, tenant_id=tenant)
        tenants.append(tenant)
    return tenants


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Engine]:
    """Lend the engine."""
    settings = Settings(
        database_url=os.environ["BENCH_DATABASE_URL"], database_app_url=os.environ["BENCH_DATABASE_APP_URL"]
    )
    async with Kernel(tools=[workloads.bench_step], packs=[], settings=settings) as kernel:
        engine = RemitEngine(kernel, await make_tenants(kernel, int(os.environ.get("BENCH_TENANTS", "1"))))
        spare_collector()
        yield engine


if __name__ == "__main__":
    serve(opened)
