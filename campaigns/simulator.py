"""Millions of seeds of the simulator: random definitions in every kind of trouble, held against every law."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import Final

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from remit.testing.simulator import COMMANDS, FACTS, PAIRS, Fault, Tally, simulate_random
from remit.testing.simulator.execution import CALM_TURNS_MAX

PROMISE = "The kernel keeps its promises under any order of events, any loss and any crash, and comes to rest."

SEEDS: Final = 2_000_000
FAULT_FLOOR: Final = 1_000
PAIR_FLOOR: Final = 100
BLOCK: Final = 2_000


def run(options: Options) -> list[Figure]:
    """Run the seeds in blocks, and stop at the first that breaks a promise."""
    tally, done, broken = Tally(), 0, 0
    count = options.count(SEEDS)
    started = time.process_time()
    # Ended early (SIGINT), it records what it did: the number of seeds is among the figures.
    with suppress(KeyboardInterrupt):
        while done < count and not broken:
            report = simulate_random(range(options.seed + done, options.seed + min(done + BLOCK, count)))
            done += report.seed_count
            broken += len(report.failures)
            tally.add(report.tally)
            if report.failures:
                print(report.render(), flush=True)
    seconds = time.process_time() - started
    return figures_of(tally, seed_count=done, broken=broken, seconds=seconds)


def figures_of(tally: Tally, *, seed_count: int, broken: int, seconds: float) -> list[Figure]:
    """Return the figures of a tally: nothing broken, and everything reached often enough to mean something."""
    share = seed_count / SEEDS
    rarest_pair = min(PAIRS, key=lambda pair: tally.pairs[pair])
    rarest_fault = min(Fault, key=lambda fault: tally.faults[fault])
    return [
        exactly("seeds that break a promise", broken),
        reading("seeds", seed_count),
        reading("seeds a second and core", round(seed_count / seconds, 1)),
        at_least(f"rarest fault: {rarest_fault}", tally.faults[rarest_fault], floor_of(FAULT_FLOOR, share)),
        at_least(f"rarest of {len(PAIRS)} pairs: {rarest_pair}", tally.pairs[rarest_pair], floor_of(PAIR_FLOOR, share)),
        at_least("rarest fact", min(tally.facts[name] for name in FACTS), floor_of(FAULT_FLOOR, share)),
        at_least("rarest command", min(tally.commands[name] for name in COMMANDS), floor_of(FAULT_FLOOR, share)),
        at_most("most turns to come to rest after the last fault", tally.turns_most, CALM_TURNS_MAX),
        *(reading(f"runs {ending}", count) for ending, count in sorted(tally.endings.items())),
        *(reading(f"fault: {fault}", tally.faults[fault]) for fault in Fault),
    ]


def floor_of(full: int, share: float) -> int:
    """Return a floor for this share of the full number of seeds, at least 1."""
    return max(1, math.ceil(full * share))
