"""Keys over arguments: the same call happens once, whichever runs ask for it, and however they end."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from remit.bootstrap import OPERATOR
from remit.core.states import SideEffectLevel
from remit.runtime.runs import Settlement
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract, lost_answer, refusal
from tests.integration.runtime.stage import QUICK, TENANT, Stage, reasons

ARGUMENTS = {"invoice": 7}


def tool_of(*script: Turn, delivery: str = "keyed") -> ScriptedTool:
    """Return a tool whose calls must happen once per content."""
    return ScriptedTool(contract("t.pay", delivery=delivery, idempotency="arguments"), *script)  # type: ignore[arg-type]


async def test_second_run_adopts_the_first_outcome(database: ScratchDatabase) -> None:
    """
    A finished call with the same arguments is not made again: its output is adopted, and no second receipt written.
    """
    tool = tool_of(Turn(output={"id": 1}), Turn(output={"id": 2}))
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        first = await stage.run(step, output="${{ steps.pay.output.id }}", name="first")
        second = await stage.run(step, output="${{ steps.pay.output.id }}", name="second")
        other = await stage.run(stage.step("t.pay", input={"invoice": 8}), name="third")
        receipts = [len(await stage.receipts(run.run_id)) for run in (first, second, other)]
        replayed = await stage.is_replayed(second.run_id)

    assert (b"1", b"1") == (first.output, second.output)
    assert 2 == len(tool.calls)
    assert [1, 0, 1] == receipts
    assert replayed


async def test_concurrent_runs_make_one_call(database: ScratchDatabase) -> None:
    """
    Of two runs at once one makes the call; the other waits for it and adopts what it returned.
    """
    gate = asyncio.Event()
    tool = tool_of(Turn(output={"id": 1}, until=gate), Turn(output={"id": 2}))
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        run_ids = [await stage.submit(step, name=f"run-{n}", output="${{ steps.pay.output.id }}") for n in range(3)]
        await tool.wait_for_calls(1)
        gate.set()
        runs = [await stage.end(run_id) for run_id in run_ids]
        receipts = [receipt for run_id in run_ids for receipt in await stage.receipts(run_id)]

    assert ["completed"] * 3 == [run.status for run in runs]
    assert [b"1"] * 3 == [run.output for run in runs]
    assert 1 == len(tool.calls) == len(receipts)


async def test_concurrent_kernels_make_one_call(database: ScratchDatabase) -> None:
    """
    The same holds between processes.
    """
    tool = tool_of()
    async with Stage(database, tool) as one, Stage(database, tool) as other:
        stages = (one, other)
        run_ids = await asyncio.gather(
            *(
                stages[n % 2].submit(stages[n % 2].step("t.pay", input=dict(ARGUMENTS)), name=f"run-{n}")
                for n in range(6)
            )
        )
        runs = [await one.end(run_id) for run_id in run_ids]

    assert {"completed"} == {run.status for run in runs}
    assert 1 == len(tool.calls)


async def test_failure_without_effect_frees_the_key(database: ScratchDatabase) -> None:
    """
    A call that is proven to have done nothing leaves its key to the next one.
    """
    tool = tool_of(refusal("DECLINED"), Turn())
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        first = await stage.run(step, name="first")
        second = await stage.run(step, name="second")

    assert ("failed", "completed") == (first.status, second.status)
    assert 1 == len(tool.effects)


async def test_loser_goes_on_when_the_winner_fails(database: ScratchDatabase) -> None:
    """
    The run that waited for the winner makes the call itself when the winner's had no effect.
    """
    gate = asyncio.Event()
    no = refusal("DECLINED")
    tool = tool_of(Turn(error=no.error, is_done=False, until=gate), Turn())
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        winner = await stage.submit(step, name="winner")
        await tool.wait_for_calls(1)
        loser = await stage.submit(step, name="loser")
        gate.set()
        runs = [await stage.end(winner), await stage.end(loser)]

    assert ["failed", "completed"] == [run.status for run in runs]
    assert 1 == len(tool.effects)


async def test_parked_call_keeps_its_key(database: ScratchDatabase) -> None:
    """
    While nobody knows what became of a call, the same call elsewhere is not made; settled, it is adopted.
    """
    tool = tool_of(lost_answer(), Turn(), delivery="opaque")
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        parked = await stage.submit(step, name="parked")
        await stage.wait_for(parked, "settlement of pay")
        other = await stage.run(step, name="other")
        rows = await stage.rows(other.run_id)
        settlement = Settlement(step="pay", outcome="happened", decided_by=OPERATOR, output={"id": 9})
        await stage.kernel.runs.settle(TENANT, parked, settlement)
        await stage.end(parked)
        adopting = await stage.run(step, name="adopting", output="${{ steps.pay.output.id }}")

    assert "failed" == other.status
    assert ["DUPLICATE_UNKNOWN"] == reasons(rows)
    assert ("completed", b"9") == (adopting.status, adopting.output)
    assert 1 == len(tool.calls)


async def test_call_settled_as_absent_frees_its_key(database: ScratchDatabase) -> None:
    """
    When a person found that nothing happened the call is made again, under the same key, once.
    """
    tool = tool_of(Turn(error=lost_answer().error, is_done=False), Turn(), delivery="opaque")
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        run_id = await stage.submit(step, name="parked")
        await stage.wait_for(run_id, "settlement of pay")
        await stage.kernel.runs.settle(TENANT, run_id, Settlement(step="pay", outcome="absent", decided_by=OPERATOR))
        run = await stage.end(run_id)
        adopting = await stage.run(step, name="adopting")

    assert ("completed", "completed") == (run.status, adopting.status)
    assert 1 == len(tool.effects)


async def test_retried_call_keeps_its_key(database: ScratchDatabase) -> None:
    """
    Between the attempts of one call nobody else gets in.
    """
    tool = tool_of(refusal("BUSY", retryable=True), Turn(output={"id": 1}))
    async with Stage(database, tool) as stage:
        step = stage.step("t.pay", input=dict(ARGUMENTS), retry=QUICK)
        run_ids = [await stage.submit(step, name=f"run-{n}") for n in range(3)]
        runs = [await stage.end(run_id) for run_id in run_ids]

    assert {"completed"} == {run.status for run in runs}
    assert 2 == len(tool.calls)
    assert 1 == len(tool.effects)


@pytest.mark.parametrize("principals", [1, 2])
async def test_finished_duplicate_asks_nobody(database: ScratchDatabase, principals: int) -> None:
    """
    A call that is adopted needs no approval: nothing is going to happen.
    """
    paying = msgspec.structs.replace(tool_of().contract, side_effect_level=SideEffectLevel.FINANCIAL)
    tool = ScriptedTool(paying)
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay")
        step = stage.step("t.pay", input=dict(ARGUMENTS))
        first = await stage.submit(step, name="first")
        await stage.wait_for(first, "approval of pay")
        await stage.decide(await stage.approval())
        await stage.end(first)

        second = await stage.run(step, name="second")
        asked = await stage.kernel.store.approvals.list(TENANT, status=None)

    assert "completed" == second.status
    assert 1 == len(asked) == len(tool.calls)
