"""Worker processes killed at random moments under load: how soon others go on with their runs."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Final

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from remit.testing.database import ScratchServer, pristine_database
from tests.crash.server_kills import percentile_of
from tests.crash.takeovers import Pace, Takeovers, take_over

PROMISE: Final = "A killed worker's runs go on elsewhere within 30 s, with leases and sweeps as they are by default."
KILLS: Final = 500


def run(options: Options) -> list[Figure]:
    """Kill, and measure."""
    kills = options.count(KILLS)
    seen = asyncio.run(_play(kills, options.seed))
    for finding in seen.findings:
        print(finding)
    return [
        at_least("workers killed", seen.kills, kills),
        at_least("runs taken over", len(seen.seconds), kills),
        at_most("seconds from the kill to the next entry of the same run, at most", round(max(seen.seconds), 2), 30),
        reading("p95", round(percentile_of(seen.seconds, 0.95), 2)),
        at_least("acknowledgements", seen.acknowledged, kills * 5),
        exactly("findings of the audit (lost, doubled, stuck)", len(seen.findings)),
    ]


async def _play(kills: int, seed: int) -> Takeovers:
    with ScratchServer() as server, tempfile.TemporaryDirectory() as folder:
        async with pristine_database(server) as database:
            return await take_over(
                database, Path(folder), kills=kills, draw=random.Random(seed), pace=Pace(), patience_seconds=300.0
            )
