"""One process that runs seeds of the simulator until one breaks a promise, and says which.

    python -m campaigns._hunt FIRST COUNT

Prints JSON: how many seeds it took (null if none broke anything), and what broke.
"""

from __future__ import annotations

import sys

import orjson

from remit.testing.simulator import random_scenario, run_seeds


def hunt(first: int, count: int) -> dict[str, object]:
    """Return the number of seeds until the first failure, and its findings."""
    for seed in range(first, first + count):
        report = run_seeds(random_scenario, [seed])
        if report.failures:
            return {"seeds": seed - first + 1, "findings": [finding[:300] for finding in report.failures[0].findings]}
    return {"seeds": None, "findings": []}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(hunt(int(sys.argv[1]), int(sys.argv[2]))))
