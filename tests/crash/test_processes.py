"""Real processes: killed without a word, or stopped past their lease and continued."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel
from tests.crash.points import Watch
from tests.crash.report import SIGKILLED_IN_SUITE
from tests.crash.victim import Assignment
from tests.crash.world import World, rescue

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
STOPPED_AT = ("append:before:9", "heartbeat:before:6")


@asynccontextmanager
async def victim(world: World, point: str, number: signal.Signals) -> AsyncIterator[Process]:
    """Run a kernel as a process that gets a signal at a point; it does not outlive the block."""
    command = (sys.executable, "-m", "tests.crash.victim", point, number.name)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stdin=PIPE)
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(Assignment.of(world)) + b"\n")
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def wait_until_stopped(process: Process) -> None:
    """Return when the process stands still."""
    options = os.WSTOPPED | os.WEXITED | os.WNOWAIT
    found = await asyncio.to_thread(os.waitid, os.P_PID, process.pid, options)
    assert found is not None
    assert os.CLD_STOPPED == found.si_code


@pytest.mark.parametrize("point", SIGKILLED_IN_SUITE)
async def test_order_survives_a_sigkill_at(point: str, world: World) -> None:
    """
    The kernel's process is killed there; a kernel in another process finishes the order, and the books agree.
    """
    async with victim(world, point, signal.SIGKILL) as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status = await process.wait()
    await world.expire_leases()
    replay = await rescue(MortalKernel(world.shop.settings(world.account), Watch()), world)

    assert -signal.SIGKILL == status
    assert [] == await audit(world.order)
    assert replay is not None
    assert replay.is_verified, replay.findings


@pytest.mark.parametrize("point", STOPPED_AT)
async def test_process_stopped_past_its_lease_changes_nothing(point: str, world: World) -> None:
    """
    A process is stopped, its order is finished elsewhere, and when it is continued nothing it does is accepted.
    """
    async with victim(world, point, signal.SIGSTOP) as process:
        await wait_until_stopped(process)
        await world.expire_leases()
        await rescue(MortalKernel(world.shop.settings(world.account), Watch()), world)
        finished = await world.look()
        process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            metrics, _ = await process.communicate()

    assert 0 == process.returncode
    assert finished == await world.look()
    assert [] == await audit(world.order)
    if point.startswith("append"):
        assert b'remit_runs_lost_total{outcome="fenced"} 1.0' in metrics
