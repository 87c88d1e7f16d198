"""Runs under provider faults drawn at random: every class, every fault, up to three in a row, many at once."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from remit.testing.database import ScratchDatabase, ScratchServer
from remit_commerce.simulators.faults import FaultKind
from tests.integration.faults.lanes import Providers, running_providers, serving
from tests.integration.faults.scenarios import ATTEMPTS_MAX
from tests.integration.faults.storm import Sums, storm

PROMISE = "Whatever a provider answers, no effect happens twice and none is lost; every run ends, or asks a person."

RUNS_FULL = 40_000
EFFECTS_FULL = 40_000
FAULTS_FULL = 1_000
"""How often each fault is really played at the least."""

LANES = 24
FINDINGS_SHOWN = 20


def run(options: Options) -> list[Figure]:
    """Let the storm pass, and audit everything."""
    with (
        ScratchServer() as server,
        tempfile.TemporaryDirectory() as folder,
        running_providers(Path(folder)) as providers,
    ):
        database = asyncio.run(server.create())
        sums = asyncio.run(_storm(database, providers, options))
    for finding in sums.findings[:FINDINGS_SHOWN]:
        sys.stdout.write(f"FINDING {finding}\n")
    rarest = min(FaultKind, key=lambda kind: sums.fired[kind.value])
    return [
        at_least("runs", sums.runs, options.count(RUNS_FULL)),
        at_least("effects under faults", sums.effects, options.count(EFFECTS_FULL)),
        exactly("duplicate effects", sums.duplicates),
        exactly("lost effects", sums.losses),
        exactly("findings of the auditor", len(sums.findings)),
        exactly("runs that are neither over nor ask a person", sums.runs - sums.outcomes.total()),
        at_most("most attempts of a step", sums.attempts_most, ATTEMPTS_MAX),
        at_least("faults played", sums.fired.total(), options.count(RUNS_FULL)),
        at_least(f"rarest fault played ({rarest.value})", sums.fired[rarest.value], options.count(FAULTS_FULL)),
        at_least("runs with several faults", sums.combined, options.count(RUNS_FULL // 3)),
        reading("runs that the store was too busy to hear of", sums.unheard),
        reading("runs done", sums.outcomes["done"]),
        reading("runs failed", sums.outcomes["failed"]),
        reading("runs that ask a person", sums.outcomes["unknown"]),
        reading("receipts", sums.receipts),
        *(reading(f"played: {kind.value}", sums.fired[kind.value]) for kind in FaultKind),
    ]


async def _storm(database: ScratchDatabase, providers: Providers, options: Options) -> Sums:
    lanes = [f"storm_{number}" for number in range(LANES)]
    async with serving(database, providers, lanes) as served:
        return await storm(served, lanes, seed=options.seed, runs=options.count(RUNS_FULL))
