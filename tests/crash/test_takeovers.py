"""Workers and servers that are killed under load: others go on in time, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.testing.database import ScratchServer, pristine_database
from tests.crash.server_kills import kill_servers
from tests.crash.takeovers import Pace, take_over

SEED = 20_261_129
SERVER_KILLS = 5
WORKER_KILLS = 2
PACE = Pace(lease=3.0, heartbeat=1.0, sweep=0.5)
SECONDS_MAX = 60.0
"""Wide: the promises are 10 s and 30 s on an idle machine; a busy one must not make the tests flake."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can reach also when we are root."""
    with tempfile.TemporaryDirectory(prefix="remit-kills-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_servers_killed_under_load_and_in_their_recovery_lose_nothing(folder: Path) -> None:
    """
    PostgreSQL is killed with all its processes, once more while it recovers, and its clients' own lists are true.
    """
    seen = await kill_servers(folder, kills=SERVER_KILLS, draw=random.Random(SEED), pause_seconds=0.4)

    assert [] == seen.findings
    assert SERVER_KILLS <= seen.kills
    assert 1 <= seen.kills_in_recovery
    assert 20 < seen.acknowledged
    assert SECONDS_MAX > max(seen.goes_on_seconds)


async def test_killed_worker_is_taken_over_in_time(scratch_server: ScratchServer, tmp_path: Path) -> None:
    """
    Another process goes on with each run that a killed one owned, after its lease and the next sweep.
    """
    async with pristine_database(scratch_server) as database, asyncio.timeout(240):
        seen = await take_over(
            database,
            tmp_path,
            kills=WORKER_KILLS,
            draw=random.Random(SEED),
            pace=PACE,
            patience_seconds=SECONDS_MAX,
        )

    assert [] == seen.findings
    assert WORKER_KILLS == seen.kills
    assert WORKER_KILLS <= len(seen.seconds)
    assert SECONDS_MAX > max(seen.seconds)
