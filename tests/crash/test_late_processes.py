"""Worker processes that come too late, and workers whose clocks are wrong: neither changes what is stored."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import asyncpg
import pytest

from remit import clock
from remit.clock import DatabaseClock
from remit.settings import Settings
from remit.testing.database import ScratchDatabase, ScratchServer, pristine_database, scratch_database
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.kernels import ObservedKernel
from tests.crash.late_processes import LEASE_PARTS, stop_and_continue
from tests.crash.ledger import Book, audit_ledger
from tests.crash.takeovers import Pace

SEED = 20_261_129
PACE = Pace(lease=1.5, heartbeat=0.4, sweep=0.3)
ORDERS = 24

PLAYS_MAX = 4
"""How often a stopped process may own nothing at that instant: then there was nothing to take over."""


async def test_processes_stopped_for_parts_of_their_lease_write_nothing_late(
    scratch_server: ScratchServer, tmp_path: Path
) -> None:
    """
    Stopped for half a lease, one, one and a half and ten, and continued, a process writes nothing into another's run.
    """
    taken_over = 0
    for number in range(PLAYS_MAX):
        (tmp_path / str(number)).mkdir()
        async with pristine_database(scratch_server) as database:
            seen = await stop_and_continue(
                database,
                tmp_path / str(number),
                stops=len(LEASE_PARTS),
                draw=random.Random(SEED + number),
                pace=PACE,
                patience_seconds=200.0,
            )
        assert [] == seen.findings
        assert 0 == seen.stale
        assert 2 == seen.stops_past_lease
        taken_over += seen.taken_over
        if taken_over:
            break

    assert 0 < taken_over


async def order_with_wrong_clocks(database: ScratchDatabase, folder: Path) -> tuple[list[str], float]:
    """Order with two kernels, one of them in a world whose wall clock is off; return findings and the largest error."""
    book = Book(folder / "book.sqlite")
    settings = Settings(database_app_url=database.app_url, sweep=timedelta(milliseconds=20))
    connection = await asyncpg.connect(database.admin_url)
    began = await connection.fetchval("select clock_timestamp()")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        right = ObservedKernel(tools=tools_of(book), packs=[], settings=settings)
        await stack.enter_async_context(right)
        wrong = ObservedKernel(tools=tools_of(book), packs=[], settings=settings)
        await stack.enter_async_context(wrong)
        digests = await prepare(right)
        both = [Clients(kernel=kernel, digests=digests) for kernel in (right, wrong)]
        await asyncio.gather(
            both[0].orders(range(ORDERS), at_once=4), both[1].orders(range(1_000, 1_000 + ORDERS), at_once=4)
        )
        swept = await connection.fetchval(
            "select count(*) from remit.heads h join remit.runs r using (tenant_id, run_id) "
            "where r.definition_name = 'straight' and h.epoch > 1"
        )
        findings = await audit_ledger(database.admin_url, both[0].ledger, book)
        findings += await audit_ledger(database.admin_url, both[1].ledger, book)
        findings += [f"{swept} runs were taken from their owner"] if swept else []
        error = await connection.fetchval(
            "select extract(epoch from greatest(max(at) - clock_timestamp(), $1 - min(at)))::float8 from remit.journal",
            began,
        )
    book.close()
    return findings, error


def shift_wall_clock(monkeypatch: pytest.MonkeyPatch, off: timedelta) -> None:
    """Let this process's wall clock be off."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + off

    monkeypatch.setattr(clock, "datetime", Shifted)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_wrong_wall_clock_changes_no_expiry(
    hours: int, scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An hour early or late, nobody's runs are taken, and every stored instant is the database's.
    """
    shift_wall_clock(monkeypatch, timedelta(hours=hours))
    async with scratch_database(scratch_server) as database:
        findings, error = await order_with_wrong_clocks(database, tmp_path)

    assert [] == findings
    assert 1.0 > error


async def test_worker_that_believes_its_own_clock_is_found(
    scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A clock that does not listen to the database stores instants that are an hour off.
    """
    shift_wall_clock(monkeypatch, timedelta(hours=1))
    monkeypatch.setattr(DatabaseClock, "observe", lambda self, database_now: None)
    async with scratch_database(scratch_server) as database:
        _, error = await order_with_wrong_clocks(database, tmp_path)

    assert 3_000.0 < error
