"""Each reason for which a run is stuck is found when a run is stuck for it, and only then."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import timedelta

import pytest

from remit.bootstrap import APPROVER, OPERATOR, Kernel
from remit.core.canonical import JsonValue
from remit.core.definition import SignalStep, TimerStep
from remit.ids import RunId, WorkerId
from remit.ports.store import Decision, RunSummary
from remit.ports.tool import ToolContext, ToolResult
from remit.runtime import actor
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract
from tests.integration.stuck.scene import (
    SECONDS_MAX,
    TENANT,
    WAITS,
    asked,
    call,
    eventually,
    execute,
    find_one,
    flaky,
    kernel_on,
    lost,
    pure,
    rest,
    submit,
)


@pytest.mark.parametrize("waiting_for", WAITS)
async def test_run_that_rests_is_not_stuck(waiting_for: str, database: ScratchDatabase) -> None:
    """
    A run that waits for a person, a message or an instant to come is not stuck, even for somebody without any patience.
    """
    async with kernel_on(database, asked(), lost(), flaky()) as kernel:
        run_id = await submit(kernel, WAITS[waiting_for])
        await rest(kernel, run_id, waiting_for)

        assert [] == await kernel.lookout.find(TENANT, patience=timedelta(0))
        assert [] == await kernel.lookout.find_all(patience=timedelta(0))


async def test_run_that_nobody_claims_is_found(database: ScratchDatabase) -> None:
    """
    Without a worker a new run is stuck; with one it ends, and nothing is stuck any more.
    """
    async with kernel_on(database, pure(), has_worker=False) as outside:
        run_id = await submit(outside, call(pure()))
        stuck = await find_one(outside, "unclaimed")
        async with kernel_on(database, pure()) as worker:
            run = await worker.runs.wait(TENANT, run_id, timeout_seconds=SECONDS_MAX)

        assert (run_id, "no worker is alive") == (stuck.run_id, stuck.detail)
        assert "completed" == run.status
        assert [] == await outside.lookout.find(TENANT, patience=timedelta(0))


async def test_timer_that_nobody_takes_up_is_found(database: ScratchDatabase) -> None:
    """
    A timer that came to its end after the last worker had stopped is overdue.
    """
    async with kernel_on(database, has_worker=False) as outside:
        async with kernel_on(database) as worker:
            run_id = await submit(worker, TimerStep(id="t", duration_ms=1_500))
            await rest(worker, run_id, "timer t")
        stuck = await find_one(outside, "overdue")

    assert run_id == stuck.run_id
    assert stuck.since == stuck.suspect.due_at


async def test_run_of_a_dead_worker_is_found(database: ScratchDatabase) -> None:
    """
    A run whose worker's lease is over is orphaned as long as nobody sweeps.
    """
    async with kernel_on(database, pure(), has_worker=False) as outside:
        run_id = await submit(outside, call(pure()))
        dead = WorkerId(str(uuid.uuid4()))
        await outside.store.dispatch.register_worker(dead, lease_seconds=0.1, version="dead")
        await outside.store.dispatch.claim(dead, request_id=str(uuid.uuid4()), limit=1)
        stuck = await find_one(outside, "orphaned")

        assert (run_id, dead) == (stuck.run_id, stuck.suspect.worker_id)


async def test_run_whose_tools_nobody_has_is_found(database: ScratchDatabase) -> None:
    """
    Workers that lack a tool pass the run on for ever; that nobody has it is said, measured, and over once somebody has.
    """
    tool_of_nobody = ScriptedTool(contract("stuck.nobodys"))
    async with kernel_on(database, pure()) as first, kernel_on(database, asked()) as second:
        run_id = await submit(first, call(tool_of_nobody))
        stuck = await find_one(first, "toolless")
        await eventually(lambda: is_told_of(second, "toolless"))
        async with kernel_on(database, tool_of_nobody) as third:
            run = await third.runs.wait(TENANT, run_id, timeout_seconds=SECONDS_MAX)
        await eventually(lambda: is_nothing_found(second))

    assert (run_id, "stuck.nobodys") == (stuck.run_id, stuck.detail)
    assert "completed" == run.status


async def is_told_of(kernel: Kernel, reason: str) -> bool | None:
    """Whether metrics and health say that one run is stuck, for this reason."""
    gauge = kernel.metrics.registry.get_sample_value("remit_runs_stuck", {"reason": reason})
    return True if (gauge, kernel.lookout.found) == (1.0, {reason: 1}) else None


async def is_nothing_found(kernel: Kernel) -> bool | None:
    return True if not kernel.lookout.found else None


class Deaf:
    """A tool that ends when it likes, whatever its time-out says."""

    def __init__(self) -> None:
        self.contract = contract("stuck.deaf")
        self.lookup = None
        self.begun, self.end = asyncio.Event(), asyncio.Event()

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Wait for the end, and for nobody's cancellation."""
        self.begun.set()
        while not self.end.is_set():
            try:
                await self.end.wait()
            except asyncio.CancelledError:
                continue
        return ToolResult(output=None)


async def test_call_that_does_not_end_in_time_is_found(database: ScratchDatabase) -> None:
    """
    A call in flight is in order until its time-out is over; one that goes on longer is silent.
    """
    deaf = Deaf()
    slow = ScriptedTool(contract("stuck.slow"), Turn(until=deaf.end))
    async with kernel_on(database, deaf, slow) as kernel:
        run_id = await submit(kernel, call(deaf, timeout_ms=100))
        patient_id = await submit(kernel, call(slow, timeout_ms=60_000), name="slow")
        stuck = await find_one(kernel, "silent")
        found = await kernel.lookout.find(TENANT)
        deaf.end.set()
        runs = [await kernel.runs.wait(TENANT, one, timeout_seconds=SECONDS_MAX) for one in (run_id, patient_id)]

    assert [run_id] == [stuck.run_id] == [one.run_id for one in found]
    assert all(isinstance(run, RunSummary) and run.output is None for run in runs)


@pytest.mark.parametrize(
    ("waiting_for", "lose"),
    [
        ("signal go", "update remit.heads set claimable_at = null where finished_at is null"),
        ("approval of asked", "delete from remit.inbox"),
    ],
    ids=["lost wake-up", "lost message"],
)
async def test_run_that_is_not_told_is_found(waiting_for: str, lose: str, database: ScratchDatabase) -> None:
    """
    What a run waits for is there, and the run is not told: of a message that woke nobody, or of a decision without one.
    """
    async with kernel_on(database, asked(), has_worker=False) as outside:
        async with kernel_on(database, asked()) as worker:
            run_id = await submit(worker, WAITS[waiting_for])
            await rest(worker, run_id, waiting_for)
        await tell(outside, run_id, waiting_for)
        await execute(database, "set session_replication_role = replica", lose)
        await execute(database, "update remit.heads set claimable_at = null where finished_at is null")
        stuck = await find_one(outside, "unheard")

        assert run_id == stuck.run_id


async def tell(kernel: Kernel, run_id: RunId, waiting_for: str) -> None:
    """Send the signal, or decide."""
    if waiting_for == "signal go":
        await kernel.runs.signal(TENANT, run_id, name="go", payload=None, sent_by=OPERATOR)
        return
    (approval,) = await kernel.store.approvals.list(TENANT)
    decision = Decision(
        approval_id=approval.approval_id, decision="approve", principal_id=APPROVER, digest=approval.digest
    )
    await kernel.store.approvals.decide(TENANT, decision)


async def test_run_that_nobody_will_ever_claim_is_found(database: ScratchDatabase) -> None:
    """
    A run that is neither owned nor claimable, and waits for nothing, is forgotten.
    """
    async with kernel_on(database, pure(), has_worker=False) as outside:
        run_id = await submit(outside, call(pure()))
        await execute(database, "update remit.heads set claimable_at = null")
        stuck = await find_one(outside, "forgotten")

        assert run_id == stuck.run_id


async def test_quarantined_run_is_found_at_once(database: ScratchDatabase) -> None:
    """
    A run whose rows the database refused is stuck from that instant on.
    """
    async with kernel_on(database, pure()) as kernel:
        await execute(database, "alter table remit.steps add constraint refuses_all check (false) not valid")
        try:
            run_id = await submit(kernel, call(pure()))
            stuck = await find_one(kernel, "quarantined")
        finally:
            await execute(database, "alter table remit.steps drop constraint refuses_all")

        assert run_id == stuck.run_id
        assert ["quarantined"] == [one.reason.value for one in await kernel.lookout.find(TENANT)]


async def test_run_that_spins_is_found(database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A run that is woken for nothing, again and again, moves all the time and is stuck all the same.
    """
    monkeypatch.setattr(actor, "next_due_us", lambda state: state.last_us)
    async with kernel_on(database) as kernel:
        run_id = await submit(kernel, SignalStep(id="w", signal="go"))
        stuck = await find_one(kernel, "spinning")
        monkeypatch.undo()

        assert run_id == stuck.run_id
        assert stuck.suspect.epoch >= 16


async def test_stuck_runs_of_all_tenants_are_found_together(database: ScratchDatabase) -> None:
    """
    One tenant sees its own; whoever runs the installation sees all.
    """
    async with (
        kernel_on(database, pure(), has_worker=False) as mine,
        kernel_on(database, pure(), has_worker=False, tenant="other") as theirs,
    ):
        mine_id = await submit(mine, call(pure()))
        theirs_id = await submit(theirs, call(pure()))
        await find_one(mine, "unclaimed")
        await find_one(theirs, "unclaimed")

        assert [mine_id] == [one.run_id for one in await mine.lookout.find(TENANT)]
        assert {("default", mine_id), ("other", theirs_id)} == {
            (one.tenant_id, one.run_id) for one in await mine.lookout.find_all()
        }
