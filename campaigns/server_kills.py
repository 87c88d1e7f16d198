"""PostgreSQL killed two hundred times under load, every third time also during its recovery."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Final

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from tests.crash.server_kills import kill_servers, percentile_of

PROMISE: Final = (
    "What was acknowledged survives SIGKILL of PostgreSQL with all its processes, also during its recovery, and the "
    "workers go on by themselves within 10 s."
)
KILLS: Final = 200


def run(options: Options) -> list[Figure]:
    """Kill, and audit."""
    kills = options.count(KILLS)
    with tempfile.TemporaryDirectory(prefix="remit-kills-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        seen = asyncio.run(kill_servers(folder, kills=kills, draw=random.Random(options.seed)))
    for finding in seen.findings:
        print(finding)
    return [
        at_least("servers killed", seen.kills, kills),
        at_least("of those during their recovery", seen.kills_in_recovery, kills // 20),
        at_least("acknowledgements", seen.acknowledged, kills * 5),
        exactly("findings of the audit (lost, doubled, stuck)", len(seen.findings)),
        at_most(
            "p95 until a client is told something again, seconds",
            percentile_of(seen.goes_on_seconds, 0.95),
            10,
        ),
        reading("the longest", round(max(seen.goes_on_seconds), 2)),
    ]
