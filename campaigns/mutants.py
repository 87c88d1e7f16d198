"""Bugs planted in the kernel, one at a time, and the simulator that has to find them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import orjson

from campaigns._kernel_bugs import BUGS
from campaigns.planting import Bug, plant
from campaigns.record import ROOT, Figure, Options, at_least, reading

PROMISE = "A kernel with a bug in its decisions, its journal or its pipeline does not get past the simulator."

SEEDS_EACH: Final = 100_000
FOUND_SHARE: Final = 0.95
MUTANTS_MIN: Final = 40
HANG_SECONDS: Final = 3_600


def run(options: Options) -> list[Figure]:
    """Hunt every bug with up to a hundred thousand seeds."""
    seeds = options.count(SEEDS_EACH)
    found: dict[str, int] = {}
    for bug in BUGS:
        answer = hunt(bug, first=options.seed, count=seeds)
        print(f"{bug.name}: {answer}", flush=True)
        if answer is not None:
            found[bug.name] = answer
    figures = [
        at_least("planted bugs", len(BUGS), MUTANTS_MIN),
        at_least("share found", len(found) / len(BUGS), FOUND_SHARE),
        reading("seeds for each at most", seeds),
    ]
    return figures + [reading(f"seeds to find: {bug.name}", found.get(bug.name, -1)) for bug in BUGS]


def hunt(bug: Bug, *, first: int, count: int) -> int | None:
    """Return how many seeds it takes to find a planted bug, or ``None`` if they do not find it."""
    with tempfile.TemporaryDirectory(prefix="remit-bug-") as folder:
        environment = plant(Path(folder), bug)
        result = subprocess.run(
            [sys.executable, "-m", "campaigns._hunt", str(first), str(count)],
            check=False,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            timeout=HANG_SECONDS,
        )
    if result.returncode != 0:
        # A kernel that cannot even be started is found at once.
        return 1
    seeds: int | None = orjson.loads(result.stdout)["seeds"]
    return seeds
