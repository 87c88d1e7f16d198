"""PostgreSQL is killed under load: what was acknowledged stays, and the workers go on by themselves."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit import Kernel, Settings, tool
from remit.core.definition import Bounds, Definition, ToolStep, definition_digest
from remit.errors import OperationError
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, PrincipalId, RunId
from remit.ports.store import RunSummary
from remit.store.embedded import EmbeddedServer

RUNS = 120
STEPS = 6
KILLS = 2
BOUNDS = Bounds(tool_calls_max=1_000)
RECOVERY_SECONDS_MAX = 60.0
"""Wide: the promise is 10 s on an idle machine; a busy one must not make the test flake."""


@tool("crash.step")
async def crash_step(number: int) -> dict[str, int]:
    """Return the next number."""
    return {"number": number + 1}


def steps_in_a_row() -> Definition:
    """Return steps that each use the output of the one before."""
    return Definition(
        name="in-a-row",
        version="1.0.0",
        bounds=BOUNDS,
        output=f"${{{{ steps.s{STEPS - 1}.output.number }}}}",
        steps=tuple(
            ToolStep(
                id=f"s{number}",
                depends_on=(f"s{number - 1}",) if number else (),
                tool="crash.step",
                tool_version="1.0.0",
                contract_digest=contract_digest(crash_step.contract),
                input={"number": f"${{{{ steps.s{number - 1}.output.number }}}}" if number else 0},
            )
            for number in range(STEPS)
        ),
    )


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Return a folder that the server's user can reach also when we are root, and leave no server behind."""
    with tempfile.TemporaryDirectory(prefix="remit-killed-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        EmbeddedServer(folder / "data").stop()


async def submit(kernel: Kernel, digest: Digest, number: int) -> RunId:
    """Submit with a key, again and again until the database acknowledges it."""
    while True:  # bound: the test's own timeout
        try:
            submitted = await kernel.runs.submit(
                kernel.tenant_id,
                definition_digest=digest,
                run_input={},
                principal_id=PrincipalId("operator"),
                submission_key=f"run-{number}",
            )
        except OperationError:
            await let_others_work()
        else:
            return submitted.run_id


async def let_others_work() -> None:
    """Pause for a thread's start, so that asking again does not take the server's processor."""
    await asyncio.to_thread(os.sched_yield)


def kill_once(folder: Path, killed: set[int]) -> None:
    """Kill the postmaster that runs now, if it was not killed before."""
    for file in folder.rglob("postmaster.pid"):
        pid = int(file.read_text().split("\n", 1)[0])
        if pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)


async def kill_server(folder: Path, *, kills: int) -> None:
    """Kill the postmaster, and the one that comes after it."""
    killed: set[int] = set()
    while len(killed) < kills:
        await asyncio.to_thread(kill_once, folder, killed)


@pytest.mark.timeout(180)
async def test_runs_acknowledged_before_a_kill_are_finished_after_it(server_folder: Path) -> None:
    """
    Every acknowledged run completes with the right result, once, and its journal verifies.
    """
    settings = Settings(data_dir=server_folder / "data")
    async with Kernel(tools=[crash_step], packs=[], settings=settings) as kernel:
        body = encode_policy(
            BusinessConfig(name="crash", version="1.0.0", bounds=BOUNDS, scopes=(Scope(tool="crash.step"),))
        )
        digest = Digest(definition_digest(body))
        await kernel.store.directory.put_policy(kernel.tenant_id, digest=digest, body=body)
        stored = await kernel.put_definition(steps_in_a_row())

        killing = asyncio.create_task(kill_server(server_folder, kills=KILLS))
        acknowledged = await asyncio.gather(*(submit(kernel, stored.digest, number) for number in range(RUNS)))
        await killing
        again = await asyncio.gather(*(submit(kernel, stored.digest, number) for number in range(RUNS)))

        assert acknowledged == again
        async with asyncio.timeout(RECOVERY_SECONDS_MAX):
            for run_id in acknowledged:
                run = await finished(kernel, run_id)
                assert (run.status, run.output) == ("completed", str(STEPS).encode())
                assert (await kernel.runs.replay(kernel.tenant_id, run_id)).is_verified


async def finished(kernel: Kernel, run_id: RunId) -> RunSummary:
    """Wait for a run, whatever the database does meanwhile."""
    while True:  # bound: the caller's timeout
        try:
            run = await kernel.runs.wait(kernel.tenant_id, run_id, timeout_seconds=5.0)
        except OperationError:
            await let_others_work()
            continue
        if run.status not in {"pending", "running", "waiting"}:
            return run
