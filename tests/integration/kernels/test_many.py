"""Several kernels: in one process, on one database or on several, and many workers that share all tenants' work."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from types import ModuleType

import pytest

from remit.bootstrap import OPERATOR, Kernel
from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, Definition, SignalStep, Step, TimerStep, ToolStep, definition_digest
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, RunId
from remit.ports.store import RunSummary
from remit.ports.tool import ToolContext, ToolResult
from remit.settings import Settings
from remit.testing.database import ScratchDatabase, ScratchServer, scratch_database
from remit.testing.tools import contract

SECONDS_MAX = 60.0
WORKERS = 6
RUNS_OF_THE_MANY = 400
RUNS_OF_THE_FEW = 6
SHARE_MIN = 0.02
"""What a worker does at least of all calls to count as one that worked: far from its share, and far from nothing."""

CACHES = frozenset({"remit.runtime.actor._TAGS"})
"""Module-level state that is the same for every kernel: what a type is called."""


class Counting:
    """A tool that counts its effects by run and step, and who made the call."""

    def __init__(self, name: str, effects: Counter[str], calls: Counter[str]) -> None:
        self.contract = contract("many.count", delivery="opaque")
        self.lookup = None
        self._name, self._effects, self._calls = name, effects, calls

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Count, and let others have their turn."""
        self._effects[f"{context.run_id}/{context.step}"] += 1
        self._calls[self._name] += 1
        await asyncio.sleep(0)
        return ToolResult(output={"ok": True})


DIGEST = contract_digest(contract("many.count", delivery="opaque"))


def call(step_id: str, *depends_on: str) -> ToolStep:
    return ToolStep(id=step_id, depends_on=depends_on, tool="many.count", tool_version="1.0.0", contract_digest=DIGEST)


STEPS: tuple[Step, ...] = (
    call("a"),
    TimerStep(id="t", duration_ms=20, depends_on=("a",)),
    call("b", "t"),
    TimerStep(id="u", duration_ms=20, depends_on=("b",)),
    call("c", "u"),
)


def kernel_on(database: ScratchDatabase, *tools: Counting, tenant: str = "default", has_worker: bool = True) -> Kernel:
    settings = Settings(
        database_app_url=database.app_url,
        tenant=tenant,
        heartbeat=timedelta(milliseconds=500),
        poll=timedelta(milliseconds=50),
    )
    return Kernel(tools=tools, packs=[], settings=settings, has_worker=has_worker)


async def submit(kernel: Kernel, *steps: Step, count: int = 1) -> list[RunId]:
    """Grant the tool and submit so many runs of these steps in the name of the kernel's tenant."""
    config = BusinessConfig(name="many", version="1", bounds=Bounds(), scopes=(Scope(tool="many.*"),))
    body = encode_policy(config)
    await kernel.store.directory.put_policy(kernel.tenant_id, digest=Digest(definition_digest(body)), body=body)
    stored = await kernel.put_definition(Definition(name="many", version="1", steps=steps))
    submitted = [
        kernel.runs.submit(kernel.tenant_id, definition_digest=stored.digest, run_input={}, principal_id=OPERATOR)
        for _ in range(count)
    ]
    return [one.run_id for one in await asyncio.gather(*submitted)]


async def end(kernel: Kernel, run_id: RunId) -> RunSummary:
    return await kernel.runs.wait(kernel.tenant_id, run_id, timeout_seconds=SECONDS_MAX)


def finished_by(kernel: Kernel) -> float:
    found = kernel.metrics.registry.get_sample_value("remit_runs_finished_total", {"status": "completed"})
    return found or 0.0


def module_state() -> dict[str, int]:
    """Return the sizes of everything mutable that Remit's modules hold at their top level."""
    modules: dict[str, ModuleType] = {name: found for name, found in sys.modules.items() if name.startswith("remit")}
    return {
        f"{name}.{attribute}": len(value)
        for name, module in modules.items()
        for attribute, value in vars(module).items()
        if isinstance(value, dict | list | set) and not attribute.startswith("__")
    }


@pytest.mark.parametrize("first_to_stop", [0, 1])
async def test_kernels_on_two_databases_know_nothing_of_each_other(
    first_to_stop: int, scratch_server: ScratchServer
) -> None:
    """
    Each works on its own runs, counts only those, and goes on when the other one stops, whichever came first.
    """
    effects: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    async with scratch_database(scratch_server) as left, scratch_database(scratch_server) as right:
        kernels = [
            kernel_on(left, Counting("left", effects, calls)),
            kernel_on(right, Counting("right", effects, calls)),
        ]
        for kernel in kernels:
            await kernel.start()
        before = [await end(kernel, (await submit(kernel, *STEPS))[0]) for kernel in kernels]
        await kernels[first_to_stop].stop()
        other = kernels[1 - first_to_stop]
        after = await end(other, (await submit(other, *STEPS))[0])
        counted = [finished_by(kernel) for kernel in kernels]
        await other.stop()

    assert ["completed"] * 3 == [run.status for run in (*before, after)]
    assert [1.0, 2.0] == sorted(counted)
    assert 2.0 == counted[1 - first_to_stop]
    assert {1} == set(effects.values())


async def test_kernels_of_two_tenants_share_a_database(scratch_server: ScratchServer) -> None:
    """
    A signal to one tenant's run reaches it through either kernel's worker, and not the other tenant's run.
    """
    wait = SignalStep(id="w", signal="go")
    async with (
        scratch_database(scratch_server) as database,
        kernel_on(database, tenant="acme") as acme,
        kernel_on(database, tenant="other") as other,
    ):
        (acme_id,), (other_id,) = await submit(acme, wait), await submit(other, wait)
        for kernel, run_id in ((acme, acme_id), (other, other_id)):
            await kernel.runs.wait(kernel.tenant_id, run_id, timeout_seconds=SECONDS_MAX, until="at_rest")
        await acme.runs.signal(acme.tenant_id, acme_id, name="go", payload=1, sent_by=OPERATOR)
        ended = await end(acme, acme_id)
        waiting = await other.store.reader.get_run(other.tenant_id, other_id)

    assert ("completed", "waiting") == (ended.status, waiting.status)


async def test_kernels_leave_nothing_in_modules(scratch_server: ScratchServer) -> None:
    """
    What kernels learn they keep to themselves: no dictionary, list or set of a module grows while two of them work.
    """
    effects: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    async with scratch_database(scratch_server) as database:
        async with kernel_on(database, Counting("warm", effects, calls)) as kernel:
            await end(kernel, (await submit(kernel, *STEPS))[0])
        before = module_state()
        async with (
            kernel_on(database, Counting("one", effects, calls)) as one,
            kernel_on(database, Counting("two", effects, calls), tenant="second") as two,
        ):
            for kernel in (one, two):
                await end(kernel, (await submit(kernel, *STEPS))[0])
        after = module_state()

    grown = {name for name, size in after.items() if size != before.get(name, size)}
    assert set() == grown - CACHES
    assert len(before) > 50


async def test_many_workers_share_the_work_of_all_tenants(scratch_server: ScratchServer) -> None:
    """
    Six workers, one of which stops half-way: every run of both tenants ends, each effect happens once, and the work is
    spread over the workers.
    """
    effects: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    async with AsyncExitStack() as open_now:
        database = await open_now.enter_async_context(scratch_database(scratch_server))
        many = await open_now.enter_async_context(kernel_on(database, tenant="many", has_worker=False))
        few = await open_now.enter_async_context(kernel_on(database, tenant="few", has_worker=False))
        workers = [kernel_on(database, Counting(f"w{number}", effects, calls)) for number in range(WORKERS)]
        for worker in workers:
            await open_now.enter_async_context(worker)
        many_ids = await submit(many, *STEPS, count=RUNS_OF_THE_MANY)
        few_ids = await submit(few, *STEPS, count=RUNS_OF_THE_FEW)
        few_runs = [await end(few, run_id) for run_id in few_ids]
        assert workers[0].worker is not None
        await workers[0].worker.stop()
        many_runs = [await end(many, run_id) for run_id in many_ids]
        journals = [await many.store.reader.read_run(many.tenant_id, run_id) for run_id in many_ids]
        verified = [(await many.runs.replay(many.tenant_id, run_id)).is_verified for run_id in many_ids]

    assert {"completed"} == {run.status for run in (*few_runs, *many_runs)}
    assert 3 * (RUNS_OF_THE_MANY + RUNS_OF_THE_FEW) == len(effects) == effects.total()
    assert all(verified)
    epochs = [[entry.epoch for entry in journal.entries] for journal in journals]
    assert all(one == sorted(one) for one in epochs)
    shares = {f"w{number}": calls[f"w{number}"] / calls.total() for number in range(WORKERS)}
    assert WORKERS // 2 <= sum(share >= SHARE_MIN for share in shares.values()), shares
