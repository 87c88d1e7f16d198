"""The service that Restate calls: both workloads, each step a durable `run`."""

from __future__ import annotations

import time
from typing import Any

import restate

from benchmarks.peers.harness import payload

service = restate.Service("bench")


async def step(number: int, key: str) -> dict[str, Any]:
    """Return a payload."""
    if key and number == 0:
        started.setdefault(key, time.time())
    return payload(number)


started: dict[str, float] = {}


@service.handler()
async def sequence(context: restate.Context, request: dict[str, Any]) -> dict[str, Any]:
    """Run steps one after another; says when the first one began."""
    result: Any = None
    for number in range(request["steps"]):
        result = await context.run_typed(f"s{number}", step, number=number, key=request["key"])
    return {"first_step_at": started.pop(request["key"], None), "result": result}


@service.handler()
async def fan_out(context: restate.Context, steps: int) -> list[Any]:
    """Run steps at once."""
    running = [context.run_typed(f"s{number}", step, number=number, key="") for number in range(steps)]
    await restate.gather(*running)
    return [await one for one in running]


app = restate.app([service])
