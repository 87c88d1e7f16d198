"""Every SQLSTATE of outages and conflicts, a thousand times each at random sites, and outages of the whole server."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from remit.runtime import committer, owner, worker
from remit.store import room
from remit.testing.database import ScratchServer, pristine_database
from tests.crash.chaos import CODES, Storm, Struck, weather

PROMISE: Final = (
    "Whatever SQLSTATE whichever write fails with, and however the server withholds itself, nothing acknowledged is "
    "lost, nothing is done twice or stuck, and all is normal again within 60 s."
)
STRIKES: Final = 1_000
OUTAGES: Final = 50
PAUSE_SECONDS: Final = 0.02


def run(options: Options) -> list[Figure]:
    """Let it storm, and audit."""
    for module, name in (
        (committer, "RESEND_DELAY_SECONDS"),
        (owner, "OUTAGE_DELAY_SECONDS"),
        (worker, "OUTAGE_DELAY_SECONDS"),
        (room, "REFUSED_SECONDS"),
    ):
        setattr(module, name, PAUSE_SECONDS)  # an outage is over at once here
    storm = Storm(strikes=options.count(STRIKES), outages=options.count(OUTAGES), pool_size=1, patience_seconds=600.0)
    seen = asyncio.run(_play(storm, options.seed))
    for finding in seen.findings:
        print(finding)
    return [
        *(at_least(f"{code} at random sites", seen.fired[code], storm.strikes) for code in CODES),
        *(
            at_least(f"{code} heard of from the server", seen.heard[code], storm.outages)
            for code in ("57014", "55P03", "25006", "53300")
        ),
        at_least("connections ended by pg_terminate_backend", seen.terminated, storm.outages),
        at_least("acknowledgements", seen.acknowledged, storm.strikes),
        exactly("findings of the audit (lost, doubled, stuck)", len(seen.findings)),
        at_most("until all is normal after an outage, seconds", round(max(seen.normal_seconds), 2), 60),
        reading("connections for reading", storm.pool_size),
    ]


async def _play(storm: Storm, seed: int) -> Struck:
    with ScratchServer() as server, tempfile.TemporaryDirectory() as folder:
        async with pristine_database(server) as database:
            return await weather(database, Path(folder), storm, seed=seed)
