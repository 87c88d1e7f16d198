"""Small inputs that ask for much are answered or refused in little time and memory: every bomb, several times."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

from campaigns.record import ROOT, Figure, Options, at_least, at_most, exactly, reading
from tests.attacks.bombs import BOMBS

PROMISE: Final = "No input of bounded size takes the service down: 250 ms of processor and 64 MB are enough for each."
ROUNDS: Final = 5
CPU_SECONDS_GOAL: Final = 0.25
MEGABYTES_GOAL: Final = 64
BEYOND_MAX: Final = 2
"""Bombs that may take more than the goal, and less than the limits below: joined copies in an expression (80 MB), and
digits in groups on their way into a trace."""


def run(options: Options) -> list[Figure]:
    """Measure every bomb; its best round counts, because the machine is not ours alone."""
    rounds = [_round() for _ in range(options.count(ROUNDS))]
    best = {
        name: (min(one[name]["seconds"] for one in rounds), min(one[name]["megabytes"] for one in rounds))
        for name in BOMBS
    }
    beyond = [name for name, (took, held) in best.items() if took > CPU_SECONDS_GOAL or held > MEGABYTES_GOAL]
    print("beyond the goal:", ", ".join(f"{name} {best[name]}" for name in beyond) or "none")
    ended = sum(one["answer"].startswith(("ended", "Traceback")) for figures in rounds for one in figures.values())
    return [
        at_least("bombs", len(BOMBS), 60),
        exactly("bombs that ended their process", ended),
        at_most("bombs beyond 250 ms or 64 MB", len(beyond), BEYOND_MAX),
        at_most("slowest bomb, seconds of processor", max(took for took, _ in best.values()), 1.0),
        at_most("largest bomb, megabytes", max(held for _, held in best.values()), 128),
        reading("rounds", len(rounds)),
    ]


def _round() -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.attacks.bombs"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    figures: dict[str, dict[str, Any]] = json.loads(ran.stdout)
    return figures
