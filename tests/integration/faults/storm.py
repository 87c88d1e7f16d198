"""A storm: many lanes at once, each with one run after the other under faults drawn at random.

Owns: drawing scenarios and sequences of faults from a seed, running them, and the sums. Does not know: what is right;
the auditor does.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from remit.errors import StoreUnavailableError
from remit_commerce.simulators.faults import RATE_LIMITS, STRIPE_ONLY, FaultKind
from tests.integration.faults.lanes import Cell, Lanes
from tests.integration.faults.scenarios import SCENARIOS, Scenario

FAULTS_MAX: Final = 3
ENDING: Final = frozenset({FaultKind.NUL, FaultKind.STORED_ERROR_BEFORE})
"""After these there may be no further attempt, so they come last."""

STRIPE_SHARE: Final = 0.3
"""How often Stripe's own faults are drawn for its tools: nobody else has them."""

REPORT_SECONDS: Final = 20.0


@dataclass(kw_only=True)
class Sums:
    """What became of a storm."""

    runs: int = 0
    unheard: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    effects: int = 0
    receipts: int = 0
    parked: int = 0
    duplicates: int = 0
    losses: int = 0
    attempts_most: int = 0
    combined: int = 0
    findings: list[str] = field(default_factory=list)


def draw(chance: random.Random) -> Cell:
    """Return a tool and up to three faults that it meets one after the other."""
    scenario = chance.choice(SCENARIOS)
    kinds: list[FaultKind] = []
    for _ in range(chance.randint(1, FAULTS_MAX)):
        kind = _draw_kind(chance, scenario)
        kinds.append(kind)
        if kind in ENDING or (scenario.delivery == "opaque" and kind not in RATE_LIMITS):
            break
    return Cell(scenario=scenario, kinds=tuple(kinds))


def _draw_kind(chance: random.Random, scenario: Scenario) -> FaultKind:
    if scenario.provider == "stripe" and chance.random() < STRIPE_SHARE:
        return chance.choice(sorted(STRIPE_ONLY))
    return chance.choice(scenario.kinds())


async def storm(served: Lanes, lanes: list[str], *, seed: int, runs: int) -> Sums:
    """Run so many runs, spread over the lanes, and let the auditor compare everything at the end."""
    sums = Sums()
    share = -(-runs // len(lanes))
    begun = time.monotonic()
    acts = [asyncio.create_task(_lane(served, lane, sums, seed=seed, runs=share)) for lane in lanes]
    pending = set(acts)
    while pending:
        _, pending = await asyncio.wait(pending, timeout=REPORT_SECONDS)
        sys.stdout.write(f"{sums.runs} of {share * len(lanes)} runs, {time.monotonic() - begun:.0f} s\n")
        sys.stdout.flush()
    for act in acts:
        act.result()
    # A fault of a kind that was drawn may still wait for a call that was never made: nothing is expected of it.
    audit = await served.audit(lanes, expected=dict.fromkeys(lanes, 0))
    for lane, verdict in audit.verdicts.items():
        sums.effects += verdict.effects
        sums.receipts += verdict.receipts
        sums.parked += verdict.parked
        sums.duplicates += verdict.duplicates
        sums.losses += verdict.losses
        sums.attempts_most = max(sums.attempts_most, verdict.attempts_max)
        sums.findings += [f"{lane}: {finding}" for finding in verdict.findings]
        sums.fired += audit.books.fired(lane)
    return sums


async def _lane(served: Lanes, lane: str, sums: Sums, *, seed: int, runs: int) -> None:
    """Run a lane's runs one after the other. What it draws depends on the seed and its name alone."""
    chance = random.Random(f"{seed}:{lane}")
    for _ in range(runs):
        cell = draw(chance)
        try:
            ended = await served.run(lane, cell.scenario, cell.kinds)
        except StoreUnavailableError:
            # The machine was too busy to submit it, or to be asked about it. If it began, the auditor sees it.
            sums.unheard += 1
            continue
        sums.runs += 1
        sums.combined += len(cell.kinds) > 1
        sums.outcomes[ended.outcome.partition(":")[0]] += 1
