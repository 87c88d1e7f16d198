"""``make bench``: the four workloads and the floor, in one run, as a table and as ``docs/assurance/bench.json``.

Starts everything itself: an embedded PostgreSQL in a temporary folder, one process with a worker, whose garbage
collector is set as `remit worker` sets it. Each figure is the median of five rounds in which kernel and floor
alternate. The floor sends the same rows and bytes through the append function in a bare loop, without kernel: the
difference is what the kernel costs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from pathlib import Path

import uvloop

from benchmarks import workloads
from benchmarks.floor import measure_floor
from benchmarks.governance_cost import governance_us_per_step
from benchmarks.server import server_folder
from remit import Kernel, Settings
from remit.runtime.collector import spare_collector

ROUNDS = 5
REPORT = Path(__file__).resolve().parent.parent / "docs" / "assurance" / "bench.json"
TARGETS = {
    "w1_steps_per_second": (5_000.0, "at least"),
    "w2_step_ms_p50": (0.9, "at most"),
    "w3_steps_per_second": (6_000.0, "at least"),
    "w4_start_ms_p50": (3.0, "at most"),
    "commits_per_step": (0.1, "at most"),
    "governance_us_per_step": (80.0, "at most"),
    "governance_us_per_ruled_step": (80.0, "at most"),
}


async def measure(rounds: int) -> dict[str, float | list[float]]:
    """Return the medians and the single values of every figure."""
    values: dict[str, list[float]] = {}
    with server_folder() as folder:
        settings = Settings(data_dir=folder)
        async with Kernel(tools=[workloads.bench_step], packs=[], settings=settings) as kernel:
            await workloads.prepare(kernel)
            spare_collector()
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", file=sys.stderr)
                await _one_round(kernel, values)
    medians: dict[str, float | list[float]] = {
        name: round(statistics.median(series), 3) for name, series in values.items()
    }
    medians["governance_us_per_step"] = round(governance_us_per_step(), 1)
    medians["governance_us_per_ruled_step"] = round(governance_us_per_step(has_rule=True), 1)
    for name, series in values.items():
        medians[f"{name}_rounds"] = [round(value, 3) for value in series]
    return medians


async def _one_round(kernel: Kernel, values: dict[str, list[float]]) -> None:
    def keep(name: str, value: float) -> None:
        values.setdefault(name, []).append(value)

    floor = await measure_floor(
        kernel.store.app_dsn, runs=workloads.RUNS, steps=workloads.STEPS, in_flight=workloads.IN_FLIGHT
    )
    keep("floor_steps_per_second", floor["steps_per_second"])
    before = await kernel.store.count_commits()
    keep("w1_steps_per_second", await workloads.w1(kernel))
    after = await kernel.store.count_commits()
    keep("commits_per_step", (after - before) / ((workloads.RUNS + 1) * workloads.STEPS))
    keep("w2_step_ms_p50", await workloads.w2(kernel))
    keep("w3_steps_per_second", await workloads.w3(kernel))
    keep("w4_start_ms_p50", await workloads.w4(kernel))


def holds(value: float, target: float, sense: str) -> bool:
    """Whether a figure keeps to its target."""
    return value >= target if sense == "at least" else value <= target


def render(figures: dict[str, float | list[float]]) -> str:
    """Return the table for people."""
    lines = [f"{'figure':28} {'measured':>12} {'budget':>18}  holds"]
    for name, (target, sense) in TARGETS.items():
        value = figures[name]
        assert isinstance(value, float | int)
        verdict = "yes" if holds(value, target, sense) else "NO"
        lines.append(f"{name:28} {value:12,.2f} {sense + f' {target:,.1f}':>18}  {verdict}")
    floor, w1 = figures["floor_steps_per_second"], figures["w1_steps_per_second"]
    assert isinstance(floor, float | int)
    assert isinstance(w1, float | int)
    lines.append(f"{'floor_steps_per_second':28} {floor:12,.2f} {'':>18}  W1 is {w1 / floor:.0%} of it")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, default=REPORT)
    arguments = parser.parse_args()
    figures = uvloop.run(measure(arguments.rounds))
    print(render(figures))
    report = {
        **figures,
        "command": "make bench",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
