"""Too little of everything: time, locks, connections. It slows us down, and corrupts nothing."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from remit.api.app import create_app
from remit.bootstrap import OPERATOR
from remit.clock import monotonic
from remit.errors import NotFoundError, StoreUnavailableError
from remit.ids import RunId
from remit.ports.journal import Submitted
from remit.runtime import committer, owner, worker
from remit.settings import Settings
from remit.store import PostgresJournal
from remit.testing.database import ScratchServer, pristine_database, scratch_database
from tests.crash.chaos import CODES, Storm, weather
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.kernels import ObservedKernel
from tests.crash.ledger import Book, audit_ledger

SEED = 20_261_129
STRIKES = 12
HEALTH_SECONDS_MAX = 5.0


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little after an outage."""
    monkeypatch.setattr(committer, "RESEND_DELAY_SECONDS", 0.02)
    monkeypatch.setattr(owner, "OUTAGE_DELAY_SECONDS", 0.02)
    monkeypatch.setattr(worker, "OUTAGE_DELAY_SECONDS", 0.02)


async def test_strikes_at_random_sites_lose_nothing(
    scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whichever SQLSTATE whichever write fails with, and however often, what was acknowledged is there and done once.
    """
    monkeypatch.setattr("remit.store.room.REFUSED_SECONDS", 0.05)
    async with pristine_database(scratch_server) as database:
        seen = await weather(database, tmp_path, Storm(strikes=STRIKES, outages=0), seed=SEED)

    assert [] == seen.findings
    assert STRIKES <= min(seen.fired[code] for code in CODES)
    assert 20 < seen.acknowledged


async def test_outages_of_every_kind_lose_nothing(
    scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Connections ended, timed out, refused, made read-only or locked out, with a pool of one: all goes on by itself.
    """
    monkeypatch.setattr("remit.store.room.REFUSED_SECONDS", 0.05)
    async with pristine_database(scratch_server) as database:
        seen = await weather(database, tmp_path, Storm(strikes=0, outages=1, pool_size=1), seed=SEED)

    assert [] == seen.findings
    assert {"57014", "55P03", "25006", "53300"} <= seen.heard.keys()
    assert 10 < seen.terminated
    assert 60.0 > max(seen.normal_seconds)


async def test_acknowledgement_without_a_commit_is_found(
    scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A submission that is acknowledged although its commit failed leaves its client with a run that does not exist.
    """
    honest = PostgresJournal.submit

    async def submit(self: PostgresJournal, submissions: Any) -> Any:
        try:
            return await honest(self, submissions)
        except StoreUnavailableError:
            now = datetime.now(UTC)
            made_up = {"created": True, "epoch": 1, "salt": b"", "created_at": now}
            return [Submitted(run_id=RunId(str(uuid.uuid4())), **made_up) for _ in submissions], now

    monkeypatch.setattr(PostgresJournal, "submit", submit)
    storm = Storm(strikes=20, outages=0, codes=("40001",), part=0.4)
    async with pristine_database(scratch_server) as database:
        with pytest.raises(NotFoundError):
            await weather(database, tmp_path, storm, seed=SEED)


async def test_exhausted_pool_is_told_by_health(scratch_server: ScratchServer, tmp_path: Path) -> None:
    """
    With every connection for reading taken, health says so in time, and that all is well once one is free.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(scratch_database(scratch_server))
        settings = Settings(database_app_url=database.app_url, pool_size=1)
        kernel = ObservedKernel(packs=[], settings=settings, has_worker=False)
        await stack.enter_async_context(kernel)
        transport = httpx2.ASGITransport(app=create_app(kernel))
        client = httpx2.AsyncClient(transport=transport, base_url="http://kernel", trust_env=False)
        await stack.enter_async_context(client)
        async with kernel.store.database.session():
            began = monotonic()
            exhausted = await client.get("/health")
            took = monotonic() - began
        ready = await client.get("/health")

    assert (503, "exhausted", False) == (exhausted.status_code, exhausted.json()["database"], exhausted.json()["ready"])
    assert HEALTH_SECONDS_MAX > took
    assert (200, "ok") == (ready.status_code, ready.json()["database"])


async def test_lost_notification_delays_and_loses_nothing(scratch_server: ScratchServer, tmp_path: Path) -> None:
    """
    A message that nobody announces is found by the poll: a notification is only a hint.
    """
    async with scratch_database(scratch_server) as database:
        book = Book(tmp_path / "book.sqlite")
        settings = Settings(database_app_url=database.app_url)
        async with ObservedKernel(tools=tools_of(book), packs=[], settings=settings) as kernel:
            clients = Clients(kernel=kernel, digests=await prepare(kernel))
            order = await clients.submit(4)
            connection = await asyncpg.connect(database.admin_url)
            body = json.dumps({"name": "go", "payload": {}, "sent_by": OPERATOR}).encode()
            await connection.execute(
                "select remit.deliver_v1($1, $2, 'signal', 'signal:4', $3)", kernel.tenant_id, order.run_id, body
            )
            await connection.close()
            async with asyncio.timeout(30.0):
                order.output = await clients.outcome(order.run_id)
        findings = await audit_ledger(database.admin_url, clients.ledger, book)
        book.close()

    assert [] == findings
    assert 7 == order.output
