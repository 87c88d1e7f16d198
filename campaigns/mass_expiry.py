"""Ten thousand leases that end together, before three workers and a client that goes on."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from remit.testing.database import ScratchServer, scratch_database
from tests.crash.mass_expiry import Expiry, expire_together

PROMISE: Final = (
    "When many leases end together, the runs come back paced, each claimed once and done once, and others go on."
)
RUNS: Final = 10_000
WORKERS: Final = 3
SECONDS_MAX: Final = 1_200.0


def run(options: Options) -> list[Figure]:
    """Let them end, and measure."""
    seen = asyncio.run(_play(options.count(RUNS)))
    return [
        at_least("runs of dead workers", seen.runs, options.count(RUNS)),
        exactly("findings of the audit (lost, doubled, stuck)", len(seen.findings)),
        exactly("runs claimed more than once", seen.claimed_again),
        at_most("p99 of a claim, seconds", round(seen.claim_p99_seconds, 3), 5),
        at_least("runs of another client meanwhile", seen.live_runs, 10),
        at_most("p99 until those are begun, seconds", round(seen.live_begun_p99_seconds, 3), 5),
        at_most(
            "claims, sweeps, heartbeats and releases a second, against usual load",
            round(seen.dispatch_rate_recovering / max(seen.dispatch_rate_normal, 0.001), 2),
            2,
        ),
        reading("p99 until those are done, seconds", round(seen.live_p99_seconds, 3)),
        reading("claimable at most at the same time", seen.backlog_max),
        reading("seconds from the first to the last", round(seen.recovered_seconds, 1)),
    ]


async def _play(runs: int) -> Expiry:
    with ScratchServer() as server, tempfile.TemporaryDirectory() as folder:
        async with scratch_database(server) as database:
            return await expire_together(database, Path(folder), runs=runs, workers=WORKERS, seconds_max=SECONDS_MAX)
