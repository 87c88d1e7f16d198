"""Random definitions in every kind of trouble: no seed breaks a promise, and every kind of trouble is met.

`make campaign-simulator` runs a hundred times as many seeds, `make campaign-mutants` hunts every planted bug.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns._kernel_bugs import BUGS
from campaigns.mutants import hunt
from campaigns.planting import SOURCES
from remit.testing.simulator import PAIRS, random_scenario, run_seed, simulate_random, trace_digest
from tests.unit.core.situations import SITUATIONS, events_for

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = 10
SEEDS_PER_BLOCK = 2_000
FAULTS_MIN = 10
PAIRS_MIN = 2
"""In each block: ten times as often in all."""

HUNTED = (
    "an outcome of any attempt is taken",
    "a failed step fails no run",
    "doubt is not remembered",
    "any digest will do",
    "a pause grows beyond its limit",
)
HUNT_SEEDS = 300


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
def test_promises_hold_in_any_trouble(block: int) -> None:
    """
    No seed breaks a promise; each fault, fact and command, and each pair of situation and event, is met.
    """
    report = simulate_random(range(block * SEEDS_PER_BLOCK, (block + 1) * SEEDS_PER_BLOCK))

    report.require_clean()
    assert SEEDS_PER_BLOCK == report.seed_count
    assert {} == report.tally.lacking(faults_min=FAULTS_MIN, pairs_min=PAIRS_MIN, facts_min=20)


def test_request_that_became_durable_late_is_decided_in_time() -> None:
    """
    A worker stalled for 27 of the 30 seconds that a request lasts; the person who should approve it still does.
    """
    report = simulate_random(range(20263579, 20263580))

    assert not report.failures, report.render()


def test_pairs_are_those_of_the_matrix() -> None:
    """
    The situations and events that are counted are those of the core's matrix, and no others.
    """
    events = events_for(SITUATIONS["unsubmitted"]())

    assert [f"{situation}/{event}" for situation in SITUATIONS for event in events] == list(PAIRS)


@pytest.mark.slow
@pytest.mark.parametrize("name", HUNTED)
def test_planted_bug_is_found(name: str) -> None:
    """
    With a bug in the kernel, a few hundred seeds break a promise.
    """
    bug = next(bug for bug in BUGS if bug.name == name)

    seeds = hunt(bug, first=0, count=HUNT_SEEDS)

    assert seeds is not None


def test_planted_bugs_are_many_and_each_once() -> None:
    """
    There are at least forty planted bugs, of different names, and the place of each is where it is said to be.
    """
    misplaced = [bug.name for bug in BUGS if 1 != (SOURCES / bug.file).read_text(encoding="utf-8").count(bug.old)]

    assert len(BUGS) >= 40
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert [] == misplaced


def test_seed_is_the_same_execution_in_another_process() -> None:
    """
    A seed decides everything: two processes with different seeds of hashing see the same, to the last line.
    """
    script = "from tests.property.test_simulator import digests; print(digests())"
    others = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        ).stdout.strip()
        for hash_seed in ("0", "4242")
    }

    assert {digests()} == others


def digests() -> str:
    """Return the digests of some executions."""
    return " ".join(trace_digest(run_seed(random_scenario(seed), seed)) for seed in range(0, 120, 3))
