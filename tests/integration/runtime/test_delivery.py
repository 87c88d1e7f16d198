"""Delivery classes and outcomes: what becomes of a call that succeeds, fails, or is never heard of again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest

from remit.bootstrap import OPERATOR
from remit.errors import IllegalTransitionError, ToolError
from remit.runtime.runs import Settlement
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract, lost_answer, lost_request, refusal
from tests.crash.kernels import LEASE, HeldClock
from tests.integration.runtime.stage import QUICK, TENANT, Stage, reasons

Delivery = Literal["pure", "keyed", "queryable", "opaque"]
CLASSES: tuple[Delivery, ...] = ("pure", "keyed", "queryable", "opaque")
WITH_EFFECT: tuple[Delivery, ...] = ("keyed", "queryable", "opaque")
SAFE: tuple[Delivery, ...] = ("keyed", "queryable")
SELDOM = timedelta(seconds=6)
"""Between two heartbeats of a worker that hangs: it does not notice that it was taken over."""

FOR_EACH = pytest.mark.parametrize("delivery", CLASSES)


async def settle(stage: Stage, run_id: Any, outcome: Literal["happened", "absent"], output: Any = None) -> None:
    """Say as a person what became of the parked effect."""
    settlement = Settlement(step="do", outcome=outcome, decided_by=OPERATOR, output=output)
    await stage.kernel.runs.settle(TENANT, run_id, settlement)


@FOR_EACH
async def test_success_is_done_once(database: ScratchDatabase, delivery: Delivery) -> None:
    """
    A call that succeeds is made once; an effect leaves one receipt.
    """
    tool = ScriptedTool(contract("t.do", delivery=delivery))
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.do", retry=QUICK))
        receipts, replayed = await stage.receipts(run.run_id), await stage.is_replayed(run.run_id)

    assert "completed" == run.status
    assert 1 == len(tool.calls)
    assert int(delivery != "pure") == len(receipts) == len(tool.effects)
    assert replayed


@FOR_EACH
async def test_retryable_failure_is_tried_again_with_the_same_key(
    database: ScratchDatabase, delivery: Delivery
) -> None:
    """
    A failure that is proven free of effect is tried again; the key stays the same, the attempts are counted.
    """
    tool = ScriptedTool(contract("t.do", delivery=delivery), *[refusal("BUSY", retryable=True)] * 2, Turn())
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.do", retry=QUICK))
        rows = await stage.rows(run.run_id)

    assert [("do", "failed", "BUSY"), ("do", "failed", "BUSY"), ("do", "completed", None)] == rows
    assert [1, 2, 3] == [call.context.attempt for call in tool.calls]
    assert 1 == len({call.context.external_key for call in tool.calls})
    assert int(delivery != "pure") == len(tool.effects)


@FOR_EACH
async def test_final_failure_fails_the_run(database: ScratchDatabase, delivery: Delivery) -> None:
    """
    A refusal that will not change is not tried again, and nothing is recorded as done.
    """
    tool = ScriptedTool(contract("t.do", delivery=delivery), refusal("DECLINED"))
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.do", retry=QUICK))
        receipts = await stage.receipts(run.run_id)

    assert "failed" == run.status
    assert 1 == len(tool.calls)
    assert [] == receipts == tool.effects


@pytest.mark.parametrize("word", ["SAID\x00", "SAID\ud800", "SAID" * 1_000], ids=["nul", "half a character", "long"])
async def test_providers_word_that_no_row_can_hold_ends_its_step(database: ScratchDatabase, word: str) -> None:
    """
    A provider's own code becomes a reason: whatever is in it, the run ends and is not put out of service.
    """
    turn = Turn(error=ToolError(f"refused: {word}", reason=word), is_done=False)
    tool = ScriptedTool(contract("t.do", delivery="keyed"), turn)
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.do", retry=QUICK))
        rows = await stage.rows(run.run_id)

    assert "failed" == run.status
    assert [True] == [str(reason).startswith("SAID") and len(str(reason)) <= 200 for reason in reasons(rows)]


@pytest.mark.parametrize("turn", [lost_answer(), lost_request()], ids=["done", "not-done"])
@pytest.mark.parametrize("delivery", SAFE)
async def test_lost_answer_is_found_out(database: ScratchDatabase, delivery: Delivery, turn: Turn) -> None:
    """
    Whether the work was done or not, another attempt finds out, and it is done once.
    """
    tool = ScriptedTool(contract("t.do", delivery=delivery), turn, Turn())
    async with Stage(database, tool) as stage:
        run = await stage.run(stage.step("t.do"))
        receipts = await stage.receipts(run.run_id)

    assert "completed" == run.status
    assert 1 == len(tool.effects) == len(receipts)
    assert int(delivery == "queryable") == len(tool.lookups)


@pytest.mark.parametrize("turn", [lost_answer(), lost_request(), Turn(error=RuntimeError("a bug"))], ids=str)
async def test_opaque_call_in_doubt_is_parked(database: ScratchDatabase, turn: Turn) -> None:
    """
    Nobody can find out, so it is not tried again: the run waits for a person.
    """
    tool = ScriptedTool(contract("t.do", delivery="opaque"), turn, Turn())
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.do", retry=QUICK))
        run = await stage.wait_for(run_id, "settlement of do")

    assert "waiting" == run.status
    assert 1 == len(tool.calls)


async def test_settled_as_happened_goes_on_with_its_output(database: ScratchDatabase) -> None:
    """
    A person who found the effect says what it returned, and the run goes on without calling again.
    """
    tool, after = ScriptedTool(contract("t.do", delivery="opaque"), lost_answer()), ScriptedTool(contract("t.after"))
    async with Stage(database, tool, after) as stage:
        run_id = await stage.submit(
            stage.step("t.do"), stage.step("t.after", "do", input={"id": "${{ steps.do.output.id }}"})
        )
        await stage.wait_for(run_id, "settlement of do")
        await settle(stage, run_id, "happened", {"id": "found"})
        run = await stage.end(run_id)
        with pytest.raises(IllegalTransitionError):
            await settle(stage, run_id, "absent")
        replayed = await stage.is_replayed(run_id)

    assert "completed" == run.status
    assert 1 == len(tool.calls)
    assert {"id": "found"} == after.calls[0].arguments
    assert replayed


async def test_settled_as_absent_is_tried_again(database: ScratchDatabase) -> None:
    """
    A person who found nothing says so, and the call is made again, with an intent of its own.
    """
    tool = ScriptedTool(contract("t.do", delivery="opaque"), lost_request(), Turn())
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.do"))
        await stage.wait_for(run_id, "settlement of do")
        await settle(stage, run_id, "absent")
        run = await stage.end(run_id)
        kinds, receipts = await stage.kinds(run_id), await stage.receipts(run_id)

    assert "completed" == run.status
    assert 1 == len(tool.effects) == len(receipts)
    assert 2 == kinds.count("intent_recorded")


@pytest.mark.parametrize("delivery", SAFE)
async def test_doubt_that_stays_is_parked(database: ScratchDatabase, delivery: Delivery) -> None:
    """
    When no attempt finds out, the run ends up with a person: never failed as if nothing had happened.
    """
    tool = ScriptedTool(contract("t.do", delivery=delivery), lost_request())
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.do", retry=QUICK))
        await stage.wait_for(run_id, "settlement of do")

    assert [] == tool.effects
    assert 2 <= len(tool.calls)


@pytest.mark.parametrize("delivery", WITH_EFFECT)
@pytest.mark.parametrize("turn", [lost_answer(), refusal("DECLINED")], ids=["doubt", "refused"])
async def test_cancelled_run_ends_when_effects_are_known(
    database: ScratchDatabase, delivery: Delivery, turn: Turn
) -> None:
    """
    A run that is cancelled while a call is under way ends only when it is known what became of it.
    """
    gate = asyncio.Event()
    tool = ScriptedTool(
        contract("t.do", delivery=delivery), Turn(error=turn.error, is_done=turn.is_done, until=gate), Turn()
    )
    is_parked = delivery == "opaque" and turn.is_done
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.do", retry=QUICK))
        await tool.wait_for_calls(1)
        await stage.kernel.runs.cancel(TENANT, run_id, requested_by=OPERATOR)
        gate.set()
        if is_parked:
            await stage.wait_for(run_id, "settlement of do")
            await settle(stage, run_id, "happened", {})
        run = await stage.end(run_id)

    assert "cancelled" == run.status or ("failed" == run.status and not turn.is_done)
    assert int(turn.is_done) == len(tool.effects)


# --- the worker is gone between "sent" and "recorded" -----------------------------------------------------------


async def take_over(database: ScratchDatabase, tool: ScriptedTool, gate: asyncio.Event, *, expected: str) -> list[Any]:
    """Let a worker hang in a call past its lease, another one take over, and the first one come back.

    Returns:
        The run's step rows, receipts and whether it replays.
    """
    async with Stage(database, tool, heartbeat=SELDOM) as first:
        run_id = await first.submit(first.step("t.do", retry=QUICK))
        await tool.wait_for_calls(1)
        await first.expire_lease()
        async with Stage(database, tool, clock=(clock := HeldClock())) as second:
            clock.advance(LEASE.total_seconds())
            if expected == "completed":
                await second.end(run_id)
            else:
                await second.wait_for(run_id, expected)
            gate.set()
            await first.kernel.stop()
            found = [
                await second.rows(run_id),
                await second.receipts(run_id),
                await second.is_replayed(run_id),
            ]
    return found


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not-done"])
@FOR_EACH
async def test_taken_over_call_is_resolved_by_its_class(
    database: ScratchDatabase, delivery: Delivery, *, is_done: bool
) -> None:
    """
    A pure call runs again, a keyed one is sent again, a queryable one looked up, an opaque one parked.
    """
    gate = asyncio.Event()
    error = ToolError("too late", effect="unknown", retryable=True)
    tool = ScriptedTool(contract("t.do", delivery=delivery), Turn(until=gate, is_done=is_done, error=error), Turn())
    is_parked = delivery == "opaque"

    rows, receipts, replayed = await take_over(
        database, tool, gate, expected="settlement of do" if is_parked else "completed"
    )

    effects = {"pure": 0, "keyed": 1, "queryable": 1, "opaque": int(is_done)}[delivery]
    calls = {"pure": 2, "keyed": 2, "queryable": 1 if is_done else 2, "opaque": 1}[delivery]
    assert effects == len(tool.effects)
    assert calls == len(tool.calls)
    assert int(delivery == "queryable") == len(tool.lookups)
    assert (["unknown"] if is_parked else ["completed"]) == [status for _, status, _ in rows]
    assert int(delivery in SAFE) == len(receipts)
    assert replayed


@pytest.mark.parametrize("delivery", WITH_EFFECT)
async def test_refusal_after_a_crash_in_a_later_attempt_is_no_failure(
    database: ScratchDatabase, delivery: Delivery
) -> None:
    """
    The first attempt had no effect, the worker died in the second, and the kill switch stops the recovery: who knows?
    """
    gate = asyncio.Event()
    tool = ScriptedTool(contract("t.do", delivery=delivery), refusal("BUSY", retryable=True), Turn(until=gate), Turn())
    async with Stage(database, tool, heartbeat=SELDOM) as first:
        run_id = await first.submit(first.step("t.do", retry=QUICK))
        await tool.wait_for_calls(2)
        await first.expire_lease()
        await first.execute("update remit.tenants set paused = true")
        async with Stage(database, tool, clock=(clock := HeldClock())) as second:
            clock.advance(LEASE.total_seconds())
            await second.wait_for(run_id, "settlement of do")
            gate.set()
            await first.kernel.stop()
            rows, kinds = await second.rows(run_id), await second.kinds(run_id)

    assert 1 == len(tool.effects)
    assert ["failed", "unknown"] == [status for _, status, _ in rows]
    assert 2 == kinds.count("intent_recorded")


async def test_key_window_that_is_over_is_looked_up_first(database: ScratchDatabase) -> None:
    """
    A keyed call that is taken over when the provider may have forgotten its key is looked up before it is sent.
    """
    gate = asyncio.Event()
    short = msgspec.structs.replace(contract("t.do", delivery="keyed"), key_window_seconds=1)
    tool = ScriptedTool(short, Turn(until=gate), Turn())
    async with Stage(database, tool, heartbeat=SELDOM) as first:
        run_id = await first.submit(first.step("t.do"))
        await tool.wait_for_calls(1)
        await first.expire_lease()
        await first.execute("select pg_sleep(0.85)")
        async with Stage(database, tool, clock=(clock := HeldClock())) as second:
            clock.advance(LEASE.total_seconds())
            await second.end(run_id)
            gate.set()
            await first.kernel.stop()

    assert 1 == len(tool.effects) == len(tool.calls) == len(tool.lookups)
