"""A place where runs get stuck: a tenant with definitions of every way to wait, and somebody who looks.

Owns: the tools, the definitions, and waiting for what the lookout finds. Does not know: how a run gets stuck.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg

from remit.bootstrap import OPERATOR, Kernel
from remit.core.canonical import JsonValue
from remit.core.definition import (
    Bounds,
    Definition,
    EventStep,
    RetryPolicy,
    SignalStep,
    Step,
    TimerStep,
    ToolStep,
    definition_digest,
)
from remit.errors import ToolError
from remit.governance.contracts import contract_digest
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, encode_policy
from remit.ids import Digest, RunId, TenantId
from remit.ports.tool import Tool
from remit.runtime.stuck import StuckRun
from remit.settings import Settings
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract

Found = TypeVar("Found")

SECONDS_MAX = 20.0
LOOK_SECONDS = 0.05
PATIENCE = timedelta(milliseconds=200)
TENANT = TenantId("default")
CANARY = "canary-7f3a"
"""Stands for what nobody may read in a dump."""


def pure() -> ScriptedTool:
    return ScriptedTool(contract("stuck.pure"))


def asked() -> ScriptedTool:
    return ScriptedTool(contract("stuck.asked", delivery="keyed"))


def lost() -> ScriptedTool:
    """A tool whose answer gets lost, and that cannot be asked."""
    return ScriptedTool(contract("stuck.lost", delivery="opaque"), Turn(error=ToolError("no answer", effect="unknown")))


def flaky() -> ScriptedTool:
    return ScriptedTool(contract("stuck.flaky"), Turn(error=ToolError("busy", retryable=True, reason="BUSY")))


def call(tool: Tool, *depends_on: str, **changes: Any) -> ToolStep:
    """Return a step that calls a tool."""
    return ToolStep(
        id=tool.contract.name.rpartition(".")[2],
        depends_on=depends_on,
        tool=tool.contract.name,
        tool_version=tool.contract.version,
        contract_digest=contract_digest(tool.contract),
        **changes,
    )


WAITS: dict[str, Step] = {
    "approval of asked": call(asked(), input={"note": CANARY}),
    "settlement of lost": call(lost(), input={"note": CANARY}),
    "retry of flaky": call(flaky(), retry=RetryPolicy(attempts_max=3, delay_initial_ms=3_600_000)),
    "timer timer": TimerStep(id="timer", duration_ms=3_600_000),
    "signal go": SignalStep(id="signal", signal="go"),
    "signal stop": SignalStep(id="stop", signal="stop", timeout_ms=3_600_000),
    "event shop.paid": EventStep(id="event", event="shop.paid", correlation="${{ input.note }}"),
}
"""Every way in which a run may rest, by what it then waits for."""


def kernel_on(
    database: ScratchDatabase,
    *tools: Tool,
    has_worker: bool = True,
    tenant: str = TENANT,
    lease: timedelta = timedelta(seconds=20),
) -> Kernel:
    """Return a kernel that beats, sweeps and looks often."""
    settings = Settings(
        database_app_url=database.app_url,
        tenant=tenant,
        lease=lease,
        heartbeat=timedelta(milliseconds=50),
        sweep=timedelta(milliseconds=50),
        poll=timedelta(milliseconds=50),
        stuck_after=PATIENCE,
    )
    return Kernel(tools=tools, packs=[], settings=settings, has_worker=has_worker)


async def submit(kernel: Kernel, *steps: Step, name: str = "scene") -> RunId:
    """Grant everything, ask before `stuck.asked`, and submit a run whose input holds the canary."""
    config = BusinessConfig(
        name="stuck",
        version="1",
        bounds=Bounds(),
        scopes=(Scope(tool="stuck.*"),),
        approval_rules=(ApprovalRule(id="ask", tool="stuck.asked"),),
    )
    body = encode_policy(config)
    await kernel.store.directory.put_policy(kernel.tenant_id, digest=Digest(definition_digest(body)), body=body)
    kernel.catalogue.forget(kernel.tenant_id)
    stored = await kernel.put_definition(Definition(name=name, version="1", steps=steps))
    run_input: JsonValue = {"note": CANARY}
    submitted = await kernel.runs.submit(
        kernel.tenant_id, definition_digest=stored.digest, run_input=run_input, principal_id=OPERATOR
    )
    return submitted.run_id


async def rest(kernel: Kernel, run_id: RunId, waiting_for: str) -> None:
    """Return when a run waits for something, and nobody owns it."""

    async def look() -> bool | None:
        run = await kernel.store.reader.get_run(kernel.tenant_id, run_id)
        suspects, _ = await kernel.store.suspects.list_suspects(kernel.tenant_id, run_ids=[run_id])
        return True if run.waiting_for == waiting_for and not suspects else None

    await eventually(look)


async def find_one(kernel: Kernel, reason: str) -> StuckRun:
    """Return the one stuck run of a kernel's tenant, once there is one for this reason."""

    async def look() -> StuckRun | None:
        found = [stuck for stuck in await kernel.lookout.find(kernel.tenant_id) if stuck.reason.value == reason]
        return found[0] if len(found) == 1 else None

    return await eventually(look)


async def eventually(look: Callable[[], Awaitable[Found | None]]) -> Found:
    """Return what somebody sees, looking again until he does; fails after a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SECONDS_MAX
    while loop.time() < deadline:
        found = await look()
        if found is not None:
            return found
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await asyncio.Event().wait()
    raise AssertionError(f"expected within {SECONDS_MAX} s: {look}")


async def execute(database: ScratchDatabase, *statements: str) -> Sequence[str]:
    """Run statements as a superuser."""
    connection = await asyncpg.connect(database.admin_url)
    try:
        return [await connection.execute(statement) for statement in statements]
    finally:
        await connection.close()
