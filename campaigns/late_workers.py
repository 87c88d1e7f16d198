"""Worker processes stopped with SIGSTOP for parts and multiples of their lease, and continued."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Final

from campaigns.record import Figure, Options, at_least, exactly
from remit.testing.database import ScratchServer, pristine_database
from tests.crash.late_processes import Late, stop_and_continue
from tests.crash.takeovers import Pace

PROMISE: Final = "A worker that was paused past its lease writes nothing into a run that another one owns."
STOPS: Final = 1_000
PACE: Final = Pace(lease=2.0, heartbeat=0.5, sweep=0.3)


def run(options: Options) -> list[Figure]:
    """Stop, continue, and count."""
    stops = options.count(STOPS)
    seen = asyncio.run(_play(stops, options.seed))
    for finding in seen.findings:
        print(finding)
    return [
        at_least("processes stopped and continued", seen.stops, stops),
        at_least("of those past their lease", seen.stops_past_lease, stops // 2),
        at_least("runs taken over meanwhile", seen.taken_over, stops // 4),
        exactly("stale writes", seen.stale),
        at_least("acknowledgements", seen.acknowledged, stops * 5),
        exactly("findings of the audit (lost, doubled, stuck)", len(seen.findings)),
    ]


async def _play(stops: int, seed: int) -> Late:
    with ScratchServer() as server, tempfile.TemporaryDirectory() as folder:
        async with pristine_database(server) as database:
            return await stop_and_continue(
                database, Path(folder), stops=stops, draw=random.Random(seed), pace=PACE, patience_seconds=300.0
            )
