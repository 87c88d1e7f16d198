"""The store fails at the worst instants: nothing is called twice, nobody is left owning a run, no loop ends."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from remit.bootstrap import OPERATOR
from remit.core.definition import Definition, SignalStep
from remit.errors import InvariantViolated, UnsafeDatabaseError
from remit.runtime import committer, owner, worker
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract, refusal
from tests.crash.kernels import LEASE, HeldClock, ObservedKernel
from tests.integration.runtime.stage import TENANT, After, Failing, Stage


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little after an outage: it is over at once."""
    monkeypatch.setattr(committer, "RESEND_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(owner, "OUTAGE_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(worker, "OUTAGE_DELAY_SECONDS", 0.01)


@pytest.mark.parametrize("statement", ["load_breaker", "save_breaker"])
async def test_breaker_that_cannot_be_recorded_repeats_no_call(database: ScratchDatabase, statement: str) -> None:
    """
    The call was made; an outage while its outcome is counted must not make it again.
    """
    clock, failing = HeldClock(), Failing()
    posting = msgspec.structs.replace(contract("t.post", delivery="opaque"), dependency="bank")
    gate = asyncio.Event()
    error = refusal("DOWN", retryable=True).error
    tool = ScriptedTool(posting, Turn(until=gate, error=error, is_done=False))
    async with Stage(database, tool, observer=failing, clock=clock) as stage:
        await stage.apply(breakers={"bank": {"failure_threshold": 1}})
        run_id = await stage.submit(stage.step("t.post"))
        await tool.wait_for_calls(1)
        failing.fail(statement)
        clock.advance(5)  # what is known of the breaker is too old to be used
        gate.set()
        await stage.end(run_id)

    assert 1 == failing.failed
    assert 1 == len(tool.calls)


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("statement", ["load", "get_definition", "get_tenant", "claim"])
async def test_claimed_run_that_cannot_be_taken_up_is_taken_up_later(
    database: ScratchDatabase, statement: str, phase: str
) -> None:
    """
    An outage between a claim and the run's first action leaves nobody owning a run that nobody works on.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as first:
        run_id = await first.submit(SignalStep(id="gate", signal="go"), first.step("t.read", "gate"))
        await first.wait_for(run_id, "signal go")
    failing = Failing()
    async with Stage(database, tool, observer=failing) as stage:
        failing.fail(statement, phase)
        await stage.kernel.runs.signal(TENANT, run_id, name="go", payload={}, sent_by=OPERATOR)
        run = await stage.end(run_id)

    assert 1 == failing.failed
    assert "completed" == run.status
    assert 1 == len(tool.calls)


async def test_unbegun_run_that_cannot_be_taken_up_is_taken_up_later(database: ScratchDatabase) -> None:
    """
    The same for a run that was submitted by a process without a worker, and has no entry yet.
    """
    tool, failing = ScriptedTool(contract("t.read")), Failing()
    async with Stage(database, tool) as stage:
        definition = Definition(name="plain", version="1", steps=(stage.step("t.read"),))
        stored = await stage.kernel.put_definition(definition)
    settings = stage.kernel.settings
    async with ObservedKernel(tools=[tool], packs=[], settings=settings, has_worker=False) as kernel:
        submitted = await kernel.runs.submit(
            TENANT, definition_digest=stored.digest, run_input=None, principal_id=OPERATOR
        )
    async with ObservedKernel(tools=[tool], packs=[], settings=settings, observer=failing) as kernel:
        # The policy is read when the run is taken up, and not before: the tenant's own reading at the start is over.
        failing.fail("get_policy", times=2)
        run = await kernel.runs.wait(TENANT, submitted.run_id, timeout_seconds=10.0)

    assert 0 < failing.failed
    assert "completed" == run.status
    assert 1 == len(tool.calls)


async def test_worker_that_lost_its_lease_is_known_again(database: ScratchDatabase) -> None:
    """
    After a pause in which others took over, a worker gives up what it owned, registers anew, and goes on claiming.
    """
    gate = asyncio.Event()
    tool = ScriptedTool(contract("t.post", delivery="opaque"), Turn(until=gate), Turn())
    async with Stage(database, tool) as stage:
        lost = await stage.submit(stage.step("t.post"))
        await tool.wait_for_calls(1)
        await stage.execute("delete from remit.workers")  # what a sweeper elsewhere does
        await stage.execute("update remit.heads set worker_id = null, epoch = epoch + 1, claimable_at = now()")
        parked = await stage.wait_for(lost, "settlement of post")
        run = await stage.run(stage.step("t.post"), name="another")

    assert "waiting" == parked.status
    assert "completed" == run.status
    assert 2 == len(tool.calls)


async def test_call_of_a_lost_run_is_not_sent(database: ScratchDatabase) -> None:
    """
    A lease that is found to be over when a call makes sure of it sends nothing, although the worker is known again.
    """
    tool = ScriptedTool(contract("t.mail", delivery="opaque"))

    async def lose_lease() -> None:
        await stage.execute("delete from remit.workers")
        await stage.execute("update remit.heads set worker_id = null, epoch = epoch + 1, claimable_at = now()")

    async with Stage(database, tool, observer=After("append", lose_lease)) as stage:
        run_id = await stage.submit(stage.step("t.mail"))
        await stage.wait_for(run_id, "settlement of mail")
        other = await stage.run(stage.step("t.mail"), name="another")

    assert "completed" == other.status
    assert [other.run_id] == [call.context.run_id for call in tool.calls]


@pytest.mark.parametrize("error", [InvariantViolated("forbidden"), UnsafeDatabaseError("gone")], ids=["bug", "unsafe"])
@pytest.mark.parametrize("statement", ["append", "heartbeat", "claim", "sweep"])
async def test_no_loop_ends_on_an_unexpected_error(database: ScratchDatabase, statement: str, error: Exception) -> None:
    """
    A failure that nobody thought of costs one turn of a loop, not the loop.
    """
    failing = Failing()
    clock = HeldClock()
    tool = ScriptedTool(contract("t.pay", delivery="keyed"))
    async with Stage(database, tool, observer=failing, clock=clock) as stage:
        clock.advance(LEASE.total_seconds())
        failing.fail(statement, times=2, error=error)
        run = await stage.run(stage.step("t.pay"))
        await stage.end(await stage.submit(stage.step("t.pay"), name="another"))
        loops = [
            task for task in asyncio.all_tasks() if task.get_name() in {"committer", "claim", "heartbeat", "sweep"}
        ]

    assert "completed" == run.status
    assert 4 == len(loops)
    assert 2 == len(tool.effects)


async def test_run_that_comes_back_to_its_worker_is_performed(database: ScratchDatabase) -> None:
    """
    A run that is lost and claimed again by the same process is worked on, although its old call is still under way.
    """
    gate = asyncio.Event()
    tool = ScriptedTool(contract("t.read"), Turn(until=gate), Turn())
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.read"))
        await tool.wait_for_calls(1)
        await stage.execute("update remit.heads set worker_id = null, epoch = epoch + 1, claimable_at = now()")
        run = await stage.end(run_id)
        gate.set()

    assert "completed" == run.status
    assert 2 == len(tool.calls)
