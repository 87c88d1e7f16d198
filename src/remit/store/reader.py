"""Questions of people about one tenant's runs.

Owns: reading. Nothing here changes anything or owns a run.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

import asyncpg

from remit.clock import monotonic
from remit.core.states import RUN_TERMINAL, RunStatus
from remit.errors import NotFoundError
from remit.ids import Digest, PrincipalId, RunId, TenantId
from remit.ports.store import HeldEvent, LoadedRun, ReceiptRow, RunSummary, StepRow, StoredReceipt, StoredStep
from remit.store.database import Database
from remit.store.journal import STATEMENTS as JOURNAL_STATEMENTS
from remit.store.journal import decode_run
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("reader")
PREFIX_CHARACTERS_MIN: Final = 4
POLL_SECONDS_MIN: Final = 0.01
POLL_SECONDS_MAX: Final = 0.25

_HEX_DIGITS: Final = 32
_ID_TEXT: Final = re.compile(r"[0-9a-f-]*")


class PostgresReader:
    """The reader port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_run_id(self, tenant_id: TenantId, prefix: str) -> RunId:
        """Return the run whose id starts, or else ends, with the text (at least 4 characters).

        Raises:
            NotFoundError: none or several do.
        """
        text = prefix.strip().lower()
        rows: list[asyncpg.Record] = []
        if _ID_TEXT.fullmatch(text) and len(text) >= PREFIX_CHARACTERS_MIN:
            digits = text.replace("-", "")[:_HEX_DIGITS]
            low, high = digits.ljust(_HEX_DIGITS, "0"), digits.ljust(_HEX_DIGITS, "f")
            async with self._database.tenant(tenant_id) as session:
                rows = await session.fetch(STATEMENTS, "find_by_range", tenant_id, low, high)
                if not rows:
                    rows = await session.fetch(STATEMENTS, "find_by_end", tenant_id, text)
        if len(rows) != 1:
            found = "several match" if rows else "none matches"
            raise NotFoundError(f"expected one run, got {prefix!r}: {found}", run_id=prefix)
        return RunId(str(rows[0]["run_id"]))

    async def get_run(self, tenant_id: TenantId, run_id: RunId) -> RunSummary:
        """Return one run.

        Raises:
            NotFoundError: the tenant has no such run.
        """
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, "get_run", tenant_id, run_id)
        if row is None:
            raise NotFoundError(f"expected a run of tenant {tenant_id}, got {run_id}", run_id=run_id)
        return _decode_summary(row)

    async def list_runs(
        self, tenant_id: TenantId, *, status: str | None = None, name: str | None = None, limit: int = 50
    ) -> list[RunSummary]:
        """Return runs, newest first."""
        if status is None:
            statement, arguments = "list_runs", (tenant_id, name, limit)
        else:
            kind = "list_finished_runs" if status in RUN_TERMINAL else "list_live_runs"
            statement, arguments = kind, (tenant_id, name, limit, status)  # type: ignore[assignment] # one more
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, statement, *arguments)
        return [_decode_summary(row) for row in rows]

    async def read_run(self, tenant_id: TenantId, run_id: RunId) -> LoadedRun:
        """Return a run with its whole journal, without owning it.

        Raises:
            NotFoundError: the tenant has no such run.
        """
        async with self._database.session() as session:
            rows = await session.fetch(JOURNAL_STATEMENTS, "load", [(tenant_id, run_id, None)])
        if len(rows) == 1:
            raise NotFoundError(f"expected a run of tenant {tenant_id}, got {run_id}", run_id=run_id)
        return decode_run(rows[0])

    async def list_receipts(
        self, tenant_id: TenantId, *, run_id: RunId | None = None, limit: int = 100
    ) -> list[StoredReceipt]:
        """Return receipts, oldest first."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_receipts", tenant_id, run_id, limit)
        return [_decode_receipt(row) for row in rows]

    async def list_steps(self, tenant_id: TenantId, run_id: RunId) -> list[StoredStep]:
        """Return the step rows of a run, in the order of its journal."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_steps", tenant_id, run_id)
        return [
            StoredStep(sequence=row["sequence"], row=StepRow(**{name: row[name] for name in StepRow.__struct_fields__}))
            for row in rows
        ]

    async def list_inbound(
        self, tenant_id: TenantId, *, status: str | None = None, limit: int = 100
    ) -> list[HeldEvent]:
        """Return inbound events, newest first."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_inbound", tenant_id, status, limit)
        return [
            HeldEvent(
                inbound_id=row["inbound_id"],
                source=row["source"],
                name=row["name"],
                event_key=row["event_key"],
                status=row["status"],
                received_at=row["received_at"],
                run_ids=tuple(RunId(str(run_id)) for run_id in row["run_ids"]),
            )
            for row in rows
        ]

    async def wait_for_change(
        self, tenant_id: TenantId, run_id: RunId, *, after_sequence: int, timeout_seconds: float
    ) -> RunSummary:
        """Return the run once its journal is longer than ``after_sequence`` or it is terminal, or after the timeout.

        Polls, ever more slowly: 4 questions a second are cheaper than a notification in each commit.
        """
        deadline = monotonic() + timeout_seconds
        pause = POLL_SECONDS_MIN
        while True:  # bound: the deadline
            run = await self.get_run(tenant_id, run_id)
            remaining = deadline - monotonic()
            is_changed = run.sequence > after_sequence or RunStatus(run.status) in RUN_TERMINAL
            if is_changed or remaining <= 0:
                return run
            await asyncio.sleep(min(pause, remaining))
            pause = min(pause * 2, POLL_SECONDS_MAX)


def _decode_summary(row: asyncpg.Record) -> RunSummary:
    return RunSummary(
        run_id=RunId(str(row["run_id"])),
        tenant_id=TenantId(row["tenant_id"]),
        definition_name=row["definition_name"],
        definition_digest=Digest(row["definition_digest"]),
        status=row["status"],
        waiting_for=row["waiting_for"],
        principal_id=PrincipalId(row["principal_id"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        sequence=row["sequence"],
        epoch=row["epoch"],
        state_hash=row["state_hash"],
        trigger=row["trigger"],
        output=row["output"],
        error=row["error"],
        quarantined=row["quarantined"],
    )


def _decode_receipt(row: asyncpg.Record) -> StoredReceipt:
    return StoredReceipt(
        run_id=RunId(str(row["run_id"])),
        created_at=row["created_at"],
        receipt=ReceiptRow(**{name: row[name] for name in ReceiptRow.__struct_fields__}),
    )
