"""A claim that is being taken up is the worker's own, however long that takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from remit.bootstrap import OPERATOR, Kernel
from remit.core.definition import Bounds, Definition, SignalStep, Step, ToolStep, definition_digest
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, RunId
from remit.settings import Settings
from remit.testing.database import ScratchDatabase, ScratchServer, scratch_database
from remit.testing.tools import ScriptedTool, contract
from tests.crash.kernels import ObservedKernel

HEARTBEATS = 5
"""More than a claim that nobody takes up is kept for."""

SECONDS_MAX = 30.0


class SlowReading:
    """An observer that holds a statement up, once it is armed, until so many heartbeats have been answered."""

    def __init__(self, statement: str, *, is_armed: bool = True) -> None:
        self._statement = statement
        self.is_armed = is_armed
        self.statements: list[str] = []
        self.held = asyncio.Event()
        self._beaten = asyncio.Event()
        self._heartbeats = 0

    async def before(self, statement: str) -> None:
        """Hold the first such statement up."""
        if self.is_armed and statement == self._statement and not self.held.is_set():
            self.held.set()
            async with asyncio.timeout(SECONDS_MAX):
                await self._beaten.wait()

    async def after(self, statement: str) -> None:
        """Count heartbeats, from when the reading was held up."""
        self.statements.append(statement)
        if statement == "heartbeat" and self.held.is_set():
            self._heartbeats += 1
            if self._heartbeats >= HEARTBEATS:
                self._beaten.set()


@asynccontextmanager
async def outside_of(database: ScratchDatabase, tool: ScriptedTool) -> AsyncIterator[ObservedKernel]:
    """Lend a kernel without a worker, whose tenant may use the tool."""
    policy = encode_policy(
        BusinessConfig(name="w", version="1.0.0", bounds=Bounds(), scopes=(Scope(tool="workers.slow"),))
    )
    settings = Settings(database_app_url=database.app_url)
    async with ObservedKernel(tools=[tool], packs=[], settings=settings, has_worker=False) as kernel:
        digest = Digest(definition_digest(policy))
        await kernel.store.directory.put_policy(kernel.tenant_id, digest=digest, body=policy)
        yield kernel


def worker_of(database: ScratchDatabase, tool: ScriptedTool, observer: SlowReading) -> ObservedKernel:
    """Return a kernel whose worker beats often."""
    settings = Settings(database_app_url=database.app_url, heartbeat=timedelta(milliseconds=20))
    return ObservedKernel(observer=observer, tools=[tool], packs=[], settings=settings)


async def submit(kernel: Kernel, *steps: Step) -> RunId:
    """Submit a run of these steps."""
    stored = await kernel.put_definition(Definition(name="w", version="1.0.0", steps=steps))
    submitted = await kernel.runs.submit(
        kernel.tenant_id, definition_digest=stored.digest, run_input={}, principal_id=OPERATOR
    )
    return submitted.run_id


async def test_claim_that_is_taken_up_slowly_is_not_given_back(server: ScratchServer) -> None:
    """
    A worker that reads a claimed run's definition for longer than two heartbeats keeps the claim: given back, the run
    would have two owners, and its effect would happen twice.
    """
    tool = ScriptedTool(contract("workers.slow", delivery="opaque"))
    digest = contract_digest(tool.contract)
    reading = SlowReading("get_definition")
    async with scratch_database(server) as database, outside_of(database, tool) as outside:
        run_id = await submit(
            outside, ToolStep(id="call", tool="workers.slow", tool_version="1.0.0", contract_digest=digest)
        )
        async with worker_of(database, tool, reading) as worker:
            run = await worker.runs.wait(worker.tenant_id, run_id, timeout_seconds=SECONDS_MAX)
            given_back = reading.statements.count("release")

    assert reading.held.is_set()
    assert "completed" == run.status
    assert (0, 1) == (given_back, run.epoch)
    assert 1 == len(tool.effects)


async def test_message_that_comes_while_a_run_is_taken_up_does_not_stop_it(server: ScratchServer) -> None:
    """
    A run that hears a message before its worker has begun it begins all the same; else it would never be claimed again.
    """
    tool = ScriptedTool(contract("workers.slow"))
    reading = SlowReading("get_tenant", is_armed=False)
    async with (
        scratch_database(server) as database,
        outside_of(database, tool) as outside,
        worker_of(database, tool, reading) as worker,
    ):
        reading.is_armed = True
        run_id = await submit(outside, SignalStep(id="wait", signal="go"))
        async with asyncio.timeout(SECONDS_MAX):
            await reading.held.wait()
        await outside.runs.signal(outside.tenant_id, run_id, name="go", payload=1, sent_by=OPERATOR)
        run = await worker.runs.wait(worker.tenant_id, run_id, timeout_seconds=SECONDS_MAX)
        journal = await outside.store.reader.read_run(outside.tenant_id, run_id)

    assert "completed" == run.status
    assert journal.entries[0].kinds.startswith("run_started")
