"""The four workloads that peers are measured with, on the kernel as users get it: every pipeline stage on.

W1: 200 runs of 10 sequential steps, 64 in flight. W2: one run at a time, time per step. W3: one run of 500 parallel
steps. W4: from an idle submission to the first step's call. A step calls a ``pure`` tool and returns about 200 bytes.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from remit import Kernel, tool
from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, Definition, ToolStep, definition_digest
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, PrincipalId, TenantId

FILL = "x" * 150
RUNS = 200
STEPS = 10
IN_FLIGHT = 64
FAN_OUT = 500
BOUNDS = Bounds(
    steps_max=20_000,
    active_seconds_max=100_000,
    tokens_max=1,
    tool_calls_max=20_000,
    cost_usd_micros_max=1,
    loop_repeats_max=32,
)
OPERATOR = PrincipalId("operator")

calls_at: list[float] = []
"""When the tool was called, since whoever measures cleared it."""


@tool("bench.step", side_effect="READ")
async def bench_step(step: int) -> dict[str, Any]:
    """Return about 200 bytes, as a step of the peers does."""
    calls_at.append(time.perf_counter())
    return {"step": step, "ok": True, "text": FILL, "n": step * 7, "tag": "abc"}


def sequence(count: int) -> Definition:
    """Return ``count`` steps, each after the one before and using its output."""
    return Definition(
        name="bench-sequence", version="1.0.0", bounds=BOUNDS, steps=tuple(_step(i, chained=True) for i in range(count))
    )


def fan_out(count: int) -> Definition:
    """Return ``count`` steps that may all run at once."""
    return Definition(
        name="bench-fan-out", version="1.0.0", bounds=BOUNDS, steps=tuple(_step(i, chained=False) for i in range(count))
    )


def _step(number: int, *, chained: bool) -> ToolStep:
    value: JsonValue = number if number == 0 or not chained else f"${{{{ steps.s{number - 1}.output.step + 1 }}}}"
    return ToolStep(
        id=f"s{number}",
        depends_on=(f"s{number - 1}",) if chained and number else (),
        tool="bench.step",
        tool_version="1.0.0",
        contract_digest=contract_digest(bench_step.contract),
        input={"step": value},
    )


async def prepare(kernel: Kernel, *, tenant_id: TenantId | None = None) -> None:
    """Grant what the workloads use, to the kernel's own tenant or another."""
    tenant = tenant_id or kernel.tenant_id
    config = BusinessConfig(name="bench", version="1.0.0", bounds=BOUNDS, scopes=(Scope(tool="bench.step"),))
    body = encode_policy(config)
    await kernel.store.directory.put_policy(tenant, digest=Digest(definition_digest(body)), body=body)
    kernel.catalogue.forget(tenant)


async def _run(kernel: Kernel, digest: Digest) -> None:
    submitted = await kernel.runs.submit(
        kernel.tenant_id, definition_digest=digest, run_input={}, principal_id=OPERATOR
    )
    await kernel.runs.finished(submitted.run_id)


async def w1(kernel: Kernel, *, runs: int = RUNS, steps: int = STEPS, in_flight: int = IN_FLIGHT) -> float:
    """Return steps per second of many runs at once."""
    stored = await kernel.put_definition(sequence(steps))
    gate = asyncio.Semaphore(in_flight)

    async def one() -> None:
        async with gate:
            await _run(kernel, stored.digest)

    await _run(kernel, stored.digest)
    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(runs)))
    return runs * steps / (time.perf_counter() - started)


async def w2(kernel: Kernel, *, runs: int = 30, steps: int = STEPS) -> float:
    """Return the median milliseconds per step of one run alone."""
    stored = await kernel.put_definition(sequence(steps))
    await _run(kernel, stored.digest)
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        await _run(kernel, stored.digest)
        times.append((time.perf_counter() - started) * 1000 / steps)
    return statistics.median(times)


async def w3(kernel: Kernel, *, steps: int = FAN_OUT) -> float:
    """Return steps per second of one wide run."""
    stored = await kernel.put_definition(fan_out(steps))
    await _run(kernel, stored.digest)
    started = time.perf_counter()
    await _run(kernel, stored.digest)
    return steps / (time.perf_counter() - started)


async def w4(kernel: Kernel, *, runs: int = 20) -> float:
    """Return the median milliseconds from an idle submission to the first call."""
    stored = await kernel.put_definition(sequence(1))
    times = []
    for _ in range(runs):
        await asyncio.sleep(0.1)
        calls_at.clear()
        started = time.perf_counter()
        await _run(kernel, stored.digest)
        times.append((calls_at[0] - started) * 1000)
    return statistics.median(times)
