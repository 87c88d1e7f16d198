"""What every engine's program shares: the four workloads, their clock, and the conversation with the conductor.

Owns: how a workload is run and timed, and that its results are right. Standard library only: it runs in every peer's
environment. A program reads one request per line from standard input and answers each with one line of JSON on the
standard output that it began with; whatever an engine prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

FILL = "x" * 150
PASSES_MAX = 10
WARM_RUNS = 3


def payload(number: int) -> dict[str, Any]:
    """Return what a step gives back: about 200 bytes of JSON."""
    return {"step": number, "ok": True, "text": FILL, "n": number * 7, "tag": "abc"}


class Engine(Protocol):
    """One engine, ready to work.

    ``first_step_at`` maps the keys of runs that were given one to the instant at which their first step began.
    """

    first_step_at: dict[str, float]

    async def prepare(self, in_flight: int) -> None:
        """Get ready for so many runs at once; called before each measured workload."""
        ...

    async def sequence(self, steps: int, key: str) -> Any:
        """Run sequential steps, each after the one before; returns what `results` takes when the run has ended."""
        ...

    async def many(self, runs: int, steps: int, in_flight: int) -> list[Any]:
        """Run many sequences, at most so many at a time."""
        ...

    async def fan_out(self, steps: int) -> Any:
        """Run steps that may all run at once, in one run."""
        ...

    async def results(self, outcomes: list[Any]) -> list[Any]:
        """Return what ended runs gave back: a sequence its last payload, a fan-out all of them. Not measured."""
        ...

    async def finished(self) -> int:
        """Return how many runs the engine's own storage says are finished well."""
        ...


laps: list[float] = []
"""Seconds of each run since the last request, where runs are waited for one by one."""


async def gather_many(engine: Engine, runs: int, steps: int, in_flight: int) -> list[Any]:
    """Run many sequences, at most so many at a time: what `Engine.many` does unless the engine has a way of its own."""
    gate = asyncio.Semaphore(in_flight)

    async def one() -> Any:
        async with gate:
            started = time.perf_counter()
            outcome = await engine.sequence(steps, "")
            laps.append(time.perf_counter() - started)
            return outcome

    return await asyncio.gather(*(one() for _ in range(runs)))


Opened = Callable[[], contextlib.AbstractAsyncContextManager[Any]]
"""Lends an `Engine`, or something that answers requests by itself."""


def serve(opened: Opened) -> None:
    """Answer the conductor's requests until the input ends."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    runner: Callable[[Any], Any] = asyncio.run
    with contextlib.suppress(ImportError):
        import uvloop

        runner = uvloop.run
    runner(_converse(opened, channel))
    channel.close()
    # Threads and pools of an engine must not keep a measured program from ending.
    os._exit(0)


async def _converse(opened: Opened, channel: Any) -> None:
    def say(answer: dict[str, Any]) -> None:
        channel.write(json.dumps(answer) + "\n")
        channel.flush()

    async with opened() as engine:
        say({"ready": True})
        session = engine if hasattr(engine, "answer") else Session(engine)
        async for request in _requests():
            say(await session.answer(request))


async def _requests() -> AsyncIterator[dict[str, Any]]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


class Session:
    """The workloads on one engine. Counts the runs, so that the engine's own storage can be asked for them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = itertools.count()
        self._runs = 0

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for."""
        work = request.pop("work")
        laps.clear()
        await self._engine.prepare(request.get("in_flight", 1))
        answer: dict[str, Any] = await getattr(self, f"_{work}")(**request)
        return answer

    async def _warm(self, *, steps: int) -> dict[str, Any]:
        for _ in range(WARM_RUNS):
            await self._one(steps)
        return {}

    async def _w1(self, *, runs: int, steps: int, in_flight: int, seconds_min: float) -> dict[str, Any]:
        """Many runs at once, in passes of so many, until enough time has gone by to measure what they cost."""
        passes: list[float] = []
        while sum(passes) < seconds_min and len(passes) < PASSES_MAX:
            started = time.perf_counter()
            outcomes = await self._engine.many(runs, steps, in_flight)
            passes.append(time.perf_counter() - started)
            require_equal([payload(steps - 1)] * runs, await self._engine.results(outcomes))
            self._runs += runs
        return {"passes": passes, "steps": runs * steps * len(passes), "lap_seconds": list(laps)}

    async def _w2(self, *, runs: int, steps: int) -> dict[str, Any]:
        """One run at a time."""
        return {"run_seconds": [await self._one(steps) for _ in range(runs)], "steps": runs * steps}

    async def _w3(self, *, steps: int) -> dict[str, Any]:
        """One run of steps that may all run at once."""
        started = time.perf_counter()
        outcome = await self._engine.fan_out(steps)
        seconds = time.perf_counter() - started
        (results,) = await self._engine.results([outcome])
        require_equal([payload(number) for number in range(steps)], sorted(results, key=lambda result: result["step"]))
        self._runs += 1
        return {"seconds": seconds, "steps": steps}

    async def _w4(self, *, runs: int, pauses: list[float]) -> dict[str, Any]:
        """From the submission of a run to the beginning of its first step, on an idle engine."""
        waits = []
        for pause in itertools.islice(itertools.cycle(pauses), runs):
            await asyncio.sleep(pause)
            key = f"idle-{next(self._numbers)}"
            started = time.time() if getattr(self._engine, "is_remote", False) else time.perf_counter()
            outcome = await self._engine.sequence(1, key)
            require_equal([payload(0)], await self._engine.results([outcome]))
            self._runs += 1
            waits.append(self._engine.first_step_at.pop(key) - started)
        return {"start_seconds": waits, "steps": runs}

    async def _check(self) -> dict[str, Any]:
        """Compare the engine's own storage with what was asked of it."""
        require_equal(self._runs, await self._engine.finished())
        return {"runs": self._runs}

    async def _one(self, steps: int) -> float:
        started = time.perf_counter()
        outcome = await self._engine.sequence(steps, "")
        seconds = time.perf_counter() - started
        require_equal([payload(steps - 1)], await self._engine.results([outcome]))
        self._runs += 1
        return seconds


def require_equal(expected: Any, got: Any) -> None:
    """Stop when an engine's results are not what was asked for: a fast wrong answer is no figure."""
    if expected != got:
        raise SystemExit(f"expected {str(expected)[:300]}, got {str(got)[:300]}")
