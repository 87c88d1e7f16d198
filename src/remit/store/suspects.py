"""What the database knows of runs that do not rest.

Owns: the questions. Nothing here changes anything; which of the answers are stuck runs is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from remit.ids import Digest, RunId, TenantId, WorkerId
from remit.ports.suspects import KnownWorker, Suspect
from remit.store.database import Database
from remit.store.session import Session
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("suspects")


class PostgresSuspects:
    """The suspects port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_workers(self) -> tuple[list[KnownWorker], datetime]:
        """Return the workers of the installation."""
        async with self._database.session() as session:
            rows = await session.fetch(STATEMENTS, "list_workers")
            now = await _now(session)
        return [_decode_worker(row) for row in rows], now

    async def list_suspect_tenants(self, *, patience: timedelta) -> list[TenantId]:
        """Return the tenants that are worth a closer look."""
        async with self._database.session() as session:
            rows = await session.fetch(STATEMENTS, "list_suspect_tenants", patience)
        return [TenantId(row["tenant_id"]) for row in rows]

    async def list_suspects(
        self, tenant_id: TenantId, *, run_ids: Sequence[RunId] | None = None, limit: int = 100
    ) -> tuple[list[Suspect], datetime]:
        """Return a tenant's runs that do not rest, the one without an entry for the longest time first."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_suspects", tenant_id, run_ids, limit)
            now = await _now(session)
        return [_decode_suspect(row) for row in rows], now


async def _now(session: Session) -> datetime:
    row = await session.fetch_row(STATEMENTS, "now")
    assert row is not None
    now: datetime = row["now"]
    return now


def _decode_worker(row: asyncpg.Record) -> KnownWorker:
    return KnownWorker(
        worker_id=WorkerId(str(row["worker_id"])),
        version=row["version"],
        started_at=row["started_at"],
        heartbeat_at=row["heartbeat_at"],
        lease_ends_at=row["lease_ends_at"],
        tools=None if row["tools"] is None else tuple(row["tools"]),
    )


def _decode_suspect(row: asyncpg.Record) -> Suspect:
    return Suspect(
        run_id=RunId(str(row["run_id"])),
        definition_name=row["definition_name"],
        definition_digest=Digest(row["definition_digest"]),
        status=row["status"],
        waiting_for=row["waiting_for"],
        sequence=row["sequence"],
        epoch=row["epoch"],
        worker_id=None if row["worker_id"] is None else WorkerId(str(row["worker_id"])),
        claimable_at=row["claimable_at"],
        due_at=row["due_at"],
        updated_at=row["updated_at"],
        quarantined_at=row["quarantined_at"],
        unread_at=row["unread_at"],
        decided_at=row["decided_at"],
        idle_since=row["idle_since"],
    )
