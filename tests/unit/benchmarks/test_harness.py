"""The harness that every engine's program runs on: a wrong answer is no figure."""

import asyncio
from typing import Any

import pytest

from benchmarks.peers.harness import Session, gather_many, payload


class PlainEngine:
    """Does nothing durable; ``spoiled`` is the step that it gives back wrongly, ``lost`` how many runs it forgets."""

    def __init__(self, *, spoiled: int | None = None, lost: int = 0) -> None:
        self.first_step_at: dict[str, float] = {}
        self._spoiled = spoiled
        self._finished = -lost
        self.busy = self.busy_most = 0

    async def prepare(self, in_flight: int) -> None:
        """Nothing depends on it."""

    async def sequence(self, steps: int, key: str) -> Any:
        if key:
            self.first_step_at[key] = float("inf")
        self.busy += 1
        self.busy_most = max(self.busy, self.busy_most)
        await asyncio.sleep(0)
        self.busy -= 1
        self._finished += 1
        return self._give(steps - 1)

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        return await gather_many(self, runs, steps, in_flight)

    async def fan_out(self, steps: int) -> Any:
        self._finished += 1
        return [self._give(number) for number in reversed(range(steps))]

    async def results(self, outcomes: list[Any]) -> list[Any]:
        return outcomes

    async def finished(self) -> int:
        return self._finished

    def _give(self, number: int) -> dict[str, Any]:
        return {**payload(number), "ok": number != self._spoiled}


W1 = {"work": "w1", "runs": 5, "steps": 3, "in_flight": 2, "seconds_min": 0.0001}


async def test_session_runs_every_workload_and_checks_the_count() -> None:
    """
    Each workload answers with its times and steps; afterwards the engine's storage has as many runs as were made.
    """
    session = Session(PlainEngine())

    many = await session.answer(dict(W1))
    alone = await session.answer({"work": "w2", "runs": 2, "steps": 3})
    wide = await session.answer({"work": "w3", "steps": 4})
    idle = await session.answer({"work": "w4", "runs": 2, "pauses": [0.0]})
    checked = await session.answer({"work": "check"})

    assert 15 * len(many["passes"]) == many["steps"]
    assert (2, 6, 4, 2) == (len(alone["run_seconds"]), alone["steps"], wide["steps"], len(idle["start_seconds"]))
    assert 5 * len(many["passes"]) + 2 + 1 + 2 == checked["runs"]


async def test_runs_in_flight_stay_at_their_limit() -> None:
    """
    As many runs are under way as were asked for, and never more.
    """
    engine = PlainEngine()

    await gather_many(engine, 9, 1, 3)

    assert 3 == engine.busy_most


@pytest.mark.parametrize(
    "request_", [W1, {"work": "w2", "runs": 1, "steps": 3}, {"work": "w3", "steps": 4}], ids=["w1", "w2", "w3"]
)
async def test_wrong_result_ends_the_measurement(request_: dict[str, Any]) -> None:
    """
    An engine that gives back something else than its steps returned is stopped, however fast it was.
    """
    session = Session(PlainEngine(spoiled=2))

    with pytest.raises(SystemExit, match="expected"):
        await session.answer(dict(request_))


async def test_lost_run_ends_the_measurement() -> None:
    """
    An engine whose own storage knows of fewer runs than it claimed to finish is stopped.
    """
    session = Session(PlainEngine(lost=1))
    await session.answer(dict(W1))

    with pytest.raises(SystemExit, match="expected"):
        await session.answer({"work": "check"})
