"""Reading plans: processor time and memory of each format at 0.6 and 5 MB, as ``docs/assurance/bench-plans.json``.

A reading is a process of its own, with the collector of commands, analysis and common checks; what is imported on the
way is imported before, by reading a plan of a few lines. The growth is the exponent of time over size: 1 is linear,
2 quadratic.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from remit.plans.formats import FRONTS, read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from remit.runtime.collector import look_less_often
from tests.plans.generated import of_size

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "docs" / "assurance" / "bench-plans.json"
SIZES = (600_000, 5_000_000)
ROUNDS = 3
SECONDS_MAX = 10.0
MEGABYTES_MAX = 500.0
GROWTH_MAX = 1.3


def measure_once(name: PlanFormat, size: int) -> dict[str, float]:
    """Read one document in this process; the peak is that of the process, with the interpreter."""
    look_less_often()
    raw = of_size(name, size)
    read_plan(of_size(name, 1_000), path="plan", options=PlanOptions(format=name))
    begun = time.process_time()
    reading = read_plan(raw, path="plan", options=PlanOptions(format=name))
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tasks = 0 if reading.plan is None else len(reading.plan.tasks)
    return {"bytes": len(raw), "tasks": tasks, "seconds": seconds, "megabytes_peak": peak}


def measure(name: PlanFormat, rounds: int) -> dict[str, object]:
    """Return a format's figures: medians of some processes for each size."""
    sizes = {}
    for size in SIZES:
        command = [sys.executable, "-m", "benchmarks.plans", "--one", name, "--size", str(size)]
        ran = [
            json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout) for _ in range(rounds)
        ]
        sizes[size] = {key: round(statistics.median(one[key] for one in ran), 3) for key in ran[0]}
    small, large = (sizes[size] for size in SIZES)
    growth = math.log(large["seconds"] / small["seconds"]) / math.log(large["bytes"] / small["bytes"])
    return {
        "sizes": list(sizes.values()),
        "growth": round(growth, 2),
        "holds": large["seconds"] <= SECONDS_MAX and large["megabytes_peak"] <= MEGABYTES_MAX and growth <= GROWTH_MAX,
    }


def main() -> int:
    """Measure all formats, print them, and write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plans", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    parser.add_argument("--one", type=PlanFormat, help="read one document of this format, and print its figures")
    parser.add_argument("--size", type=int, default=SIZES[0])
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure_once(arguments.one, arguments.size)))
        return 0
    formats = {}
    for name in FRONTS:
        formats[name.value] = found = measure(name, arguments.rounds)
        print(f"{name}: {json.dumps(found)}", flush=True)
    if not arguments.dry:
        limits = {"seconds_max": SECONDS_MAX, "megabytes_max": MEGABYTES_MAX, "growth_max": GROWTH_MAX}
        REPORT.write_text(json.dumps({"limits": limits, "formats": formats}, indent=2) + "\n", encoding="utf-8")
    return 0 if all(found["holds"] for found in formats.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
