"""Many leases end together: the runs come back paced, each once, and the living are not kept waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.ports.dispatch import Claimed
from remit.store import PostgresDispatch
from remit.testing.database import ScratchServer, scratch_database
from tests.crash.mass_expiry import Expiry, expire_together

RUNS = 600
SECONDS_MAX = 120.0
BACKLOG_MAX = RUNS // 2
RATE_FACTOR_MAX = 6
"""Six hundred runs are back within a second, too short for a rate; the campaign holds ten thousand to the double."""


async def play(server: ScratchServer, folder: Path) -> Expiry:
    async with scratch_database(server) as database:
        return await expire_together(database, folder, runs=RUNS, workers=2, seconds_max=SECONDS_MAX)


async def test_leases_that_end_together_recover_without_a_stampede(
    scratch_server: ScratchServer, tmp_path: Path
) -> None:
    """
    Every run is claimed once and done once, claims stay quick, and nothing asks more often than under usual load.
    """
    seen = await play(scratch_server, tmp_path)

    assert [] == seen.findings
    assert 0 == seen.claimed_again
    assert 0 < seen.live_runs
    assert BACKLOG_MAX > seen.backlog_max
    assert 5.0 > seen.claim_p99_seconds
    assert 10.0 > seen.live_begun_p99_seconds
    assert RATE_FACTOR_MAX * seen.dispatch_rate_normal > seen.dispatch_rate_recovering


async def test_unpaced_sweep_is_found(
    scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A sweep that reclaims everything at once puts all of it before whoever comes next.
    """
    honest = PostgresDispatch.sweep

    async def sweep(self: PostgresDispatch, *, limit: int) -> list[Claimed]:
        return await honest(self, limit=RUNS * 2)

    monkeypatch.setattr(PostgresDispatch, "sweep", sweep)

    seen = await play(scratch_server, tmp_path)

    assert BACKLOG_MAX < seen.backlog_max
