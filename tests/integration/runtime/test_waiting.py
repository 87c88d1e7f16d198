"""Waiting runs: signals, timers, inbound events, cancellation. A waiting run is a row, and no worker owns it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from remit.bootstrap import OPERATOR
from remit.core.definition import EventStep, SignalStep, TimerStep
from remit.errors import IllegalTransitionError, NotFoundError
from remit.ids import RunId
from remit.ports.store import InboundEvent
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract
from tests.integration.runtime.stage import TENANT, Stage, reasons


async def signal(stage: Stage, run_id: RunId, name: str = "go", payload: Any = None, message_id: str = "m1") -> bool:
    return await stage.kernel.runs.signal(
        TENANT, run_id, name=name, payload=payload, sent_by=OPERATOR, message_id=message_id
    )


async def receive(stage: Stage, key: str, body: Any, *correlations: str) -> Any:
    event = InboundEvent(
        source="shop",
        name="shop.paid",
        event_key=key,
        occurred_at=None,
        body=body,
        raw_sha256=key * 8,
        correlations=correlations,
    )
    received = await stage.kernel.store.inbox.receive(TENANT, event)
    for run_id in received.delivered_to:
        stage.kernel.runs.wake(run_id)
    return received


async def test_signal_wakes_its_run_with_its_payload(database: ScratchDatabase) -> None:
    """
    A waiting run has no owner; the signal's payload is the step's output.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        after = stage.step("t.read", "gate", input={"by": "${{ steps.gate.output.by }}"})
        run_id = await stage.submit(SignalStep(id="gate", signal="go"), after)
        await stage.wait_for(run_id, "signal go")
        owned = stage.kernel.worker.owned_count
        is_new = await signal(stage, run_id, payload={"by": "ann"})
        run = await stage.end(run_id)
        replayed = await stage.is_replayed(run_id)

    assert (0, True) == (owned, is_new)
    assert "completed" == run.status
    assert {"by": "ann"} == tool.calls[0].arguments
    assert replayed


async def test_repeated_signal_counts_once(database: ScratchDatabase) -> None:
    """
    The same message id is taken once, also when it comes again after it was read.
    """
    async with Stage(database) as stage:
        steps = (SignalStep(id="a", signal="go"), SignalStep(id="b", depends_on=("a",), signal="go"))
        run_id = await stage.submit(*steps)
        await stage.wait_for(run_id, "signal go")
        first = await signal(stage, run_id)
        await stage.reach(run_id, lambda run: run.sequence > 1 and run.status == "waiting")
        again = await signal(stage, run_id)
        waiting = await stage.kernel.store.reader.get_run(TENANT, run_id)
        other = await signal(stage, run_id, message_id="m2")
        run = await stage.end(run_id)

    assert (True, False, True) == (first, again, other)
    assert "signal go" == waiting.waiting_for
    assert "completed" == run.status


async def test_early_signal_is_kept_for_its_step(database: ScratchDatabase) -> None:
    """
    A signal that comes before its step waits is there when it does.
    """
    gate = asyncio.Event()
    tool = ScriptedTool(contract("t.read"), Turn(until=gate))
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(stage.step("t.read"), SignalStep(id="gate", depends_on=("read",), signal="go"))
        await tool.wait_for_calls(1)
        await signal(stage, run_id)
        gate.set()
        run = await stage.end(run_id)

    assert "completed" == run.status


async def test_many_signals_at_once_are_all_heard(database: ScratchDatabase) -> None:
    """
    No wake-up is lost between a run's letting go and its messages.
    """
    count = 12
    async with Stage(database) as stage:
        steps = [SignalStep(id=f"s{n}", depends_on=(f"s{n - 1}",) if n else (), signal=f"go-{n}") for n in range(count)]
        run_id = await stage.submit(*steps)
        await asyncio.gather(
            *(signal(stage, run_id, name=f"go-{n}", message_id=f"m{n}") for n in reversed(range(count)))
        )
        run = await stage.end(run_id)

    assert "completed" == run.status


async def test_signal_that_never_comes_fails_its_step(database: ScratchDatabase) -> None:
    """
    A wait with a time-out ends by the database's clock.
    """
    async with Stage(database) as stage:
        run = await stage.run(SignalStep(id="gate", signal="go", timeout_ms=30))
        rows = await stage.rows(run.run_id)
        with pytest.raises(IllegalTransitionError):
            await signal(stage, run.run_id)

    assert "failed" == run.status
    assert 1 == len(reasons(rows))


async def test_wait_may_go_on_without_its_signal(database: ScratchDatabase) -> None:
    """
    A wait that may time out lets the run go on with no output.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        gate = SignalStep(id="gate", signal="go", timeout_ms=20, on_timeout="continue")
        run = await stage.run(gate, stage.step("t.read", "gate"))

    assert "completed" == run.status
    assert 1 == len(tool.calls)


async def test_timers_in_parallel_fire_when_they_are_due(database: ScratchDatabase) -> None:
    """
    A timer step waits as a row; each of several ends by itself.
    """
    async with Stage(database) as stage:
        run_id = await stage.submit(*(TimerStep(id=f"t{ms}", duration_ms=ms) for ms in (160, 20, 0, 90)))
        run = await stage.end(run_id)
        ended = {row.row.step: row.row for row in await stage.kernel.store.reader.list_steps(TENANT, run_id)}
        replayed = await stage.is_replayed(run_id)

    assert "completed" == run.status
    assert {"t0", "t20", "t90", "t160"} == ended.keys()
    for step, row in ended.items():
        assert timedelta(milliseconds=int(step[1:])) <= row.finished_at - run.created_at
    assert replayed


async def test_event_reaches_the_run_that_it_is_about(database: ScratchDatabase) -> None:
    """
    Of two waiting runs the one whose correlation the event carries gets it; a duplicate delivers nothing.
    """
    async with Stage(database) as stage:
        step = EventStep(id="paid", event="shop.paid", correlation="${{ input.order }}", match="event.ok")
        first = await stage.submit(step, run_input={"order": "1"}, name="first")
        second = await stage.submit(step, run_input={"order": "2"}, name="second")
        for run_id in (first, second):
            await stage.wait_for(run_id, "event shop.paid")
        received = await receive(stage, "e1", {"ok": True}, "2")
        again = await receive(stage, "e1", {"ok": True}, "2")
        run = await stage.end(second)
        other = await stage.kernel.store.reader.get_run(TENANT, first)

    assert ((second,), False) == (received.delivered_to, received.held)
    assert ("duplicate", ()) == (again.status, again.delivered_to)
    assert ("completed", "waiting") == (run.status, other.status)


async def test_event_that_does_not_match_leaves_the_run_waiting(database: ScratchDatabase) -> None:
    """
    An event with the right correlation and other content is not the one.
    """
    async with Stage(database) as stage:
        step = EventStep(id="paid", event="shop.paid", correlation="1", match="event.ok")
        run_id = await stage.submit(step)
        await stage.wait_for(run_id, "event shop.paid")
        await receive(stage, "e1", {"ok": False}, "1")
        await receive(stage, "e2", {"other": 1}, "1")
        await stage.reach(run_id, lambda run: run.sequence > 1 and run.status == "waiting")
        await receive(stage, "e3", {"ok": True}, "1")
        run = await stage.end(run_id)

    assert "completed" == run.status


async def test_early_event_is_held_for_the_run(database: ScratchDatabase) -> None:
    """
    An event that nobody waits for is held, and given to the run that starts to wait for it.
    """
    async with Stage(database) as stage:
        received = await receive(stage, "e1", {"ok": True}, "1")
        run = await stage.run(EventStep(id="paid", event="shop.paid", correlation="1"))

    assert received.held
    assert "completed" == run.status


async def test_cancelled_wait_ends_the_run(database: ScratchDatabase) -> None:
    """
    A waiting run that is cancelled ends at once; asked again it says that it was asked.
    """
    tool = ScriptedTool(contract("t.read"))
    async with Stage(database, tool) as stage:
        run_id = await stage.submit(SignalStep(id="gate", signal="go"), stage.step("t.read", "gate"))
        await stage.wait_for(run_id, "signal go")
        first = await stage.kernel.runs.cancel(TENANT, run_id, requested_by=OPERATOR, reason="not needed")
        run = await stage.end(run_id)
        again = await stage.kernel.runs.cancel(TENANT, run_id, requested_by=OPERATOR)

    assert (True, False) == (first, again)
    assert "cancelled" == run.status
    assert [] == tool.calls


async def test_cancelled_run_starts_nothing_new(database: ScratchDatabase) -> None:
    """
    A call under way is heard out, and nothing follows it.
    """
    gate = asyncio.Event()
    first, second = ScriptedTool(contract("t.first"), Turn(until=gate)), ScriptedTool(contract("t.second"))
    async with Stage(database, first, second) as stage:
        run_id = await stage.submit(stage.step("t.first"), stage.step("t.second", "first"))
        await first.wait_for_calls(1)
        await stage.kernel.runs.cancel(TENANT, run_id, requested_by=OPERATOR)
        await stage.reach(run_id, lambda run: run.sequence > 1)
        gate.set()
        run = await stage.end(run_id)
        replayed = await stage.is_replayed(run_id)

    assert "cancelled" == run.status
    assert [] == second.calls
    assert replayed


async def test_message_for_nobody_is_refused(database: ScratchDatabase) -> None:
    """
    A signal for a run that does not exist is not stored.
    """
    async with Stage(database) as stage:
        with pytest.raises(NotFoundError):
            await signal(stage, RunId("01890000-0000-7000-8000-000000000001"))
