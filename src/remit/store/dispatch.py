"""Work across tenants: who owns which run.

Owns: the line of claims and heartbeats, waking other processes, and the patience of the sweeper.
Does not know: tenants' data; the functions behind this answer ids only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from remit.clock import monotonic
from remit.errors import StoreUnavailableError
from remit.ids import Epoch, RunId, TenantId, WorkerId
from remit.ports.store import Claimed, Heartbeat
from remit.store.database import Database
from remit.store.session import Session
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("dispatch")
CHANNEL: Final = "remit_wake"

ANNOUNCE_SECONDS_MIN: Final = 0.01
"""A notification inside every commit made commits wait for each other (16,800 to 3,700 a second, measured)."""


class PostgresDispatch:
    """The dispatch port on PostgreSQL: one line for claims and heartbeats, one to announce, one to listen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line = database.line()
        self._announcements = database.line()
        self._heard = asyncio.Event()
        self._listener: Session | None = None
        self._announced = -1.0
        self._announcing: asyncio.Task[None] | None = None

    async def register_worker(
        self, worker_id: WorkerId, *, lease_seconds: float, version: str, tools: Sequence[str] | None = None
    ) -> datetime:
        """Make the worker known; returns the database's now."""
        lease = timedelta(seconds=lease_seconds)
        row = await self._line.fetch_row(STATEMENTS, "register_worker", worker_id, lease, version, tools)
        assert row is not None
        now: datetime = row["now"]
        return now

    async def claim(self, worker_id: WorkerId, *, request_id: str, limit: int) -> tuple[list[Claimed], datetime]:
        """Claim up to ``limit`` runs that are due, the longest waiting first.

        Idempotency: the same request answers the same claims again, until the worker makes another.

        Raises:
            StoreReadOnlyError: there is no room for what they would write.
        """
        self._database.room.require()
        row = await self._line.fetch_row(STATEMENTS, "claim", worker_id, request_id, limit)
        assert row is not None
        return _decode_claims(row["claims"]), row["answered_at"]

    async def heartbeat(self, worker_id: WorkerId) -> Heartbeat:
        """Extend the worker's lease. A lease of 0 seconds: the worker is not known (any more)."""
        row = await self._line.fetch_row(STATEMENTS, "heartbeat", worker_id)
        assert row is not None
        return Heartbeat(
            now=row["answered_at"],
            lease_seconds=row["lease_seconds"],
            owned=tuple(_decode_claims(row["owned"])),
            woken=tuple(RunId(str(run_id)) for run_id in row["woken"]),
            server_started_at=row["server_started_at"],
            outbox_due=row["outbox_due"],
        )

    async def release(self, worker_id: WorkerId, claims: Sequence[Claimed]) -> None:
        """Hand runs back, claimable at once; claims that ended are ignored."""
        if claims:
            refs = [(claim.tenant_id, claim.run_id, claim.epoch) for claim in claims]
            await self._line.fetch(STATEMENTS, "release", worker_id, refs)

    async def sweep(self, *, limit: int) -> list[Claimed]:
        """Make runs of workers whose lease expired claimable again, and make partitions ahead.

        A lease also counts from the instant at which this process connected, so that a database that was away, or a
        network that was cut, makes nobody look dead.
        """
        row = await self._line.fetch_row(STATEMENTS, "sweep", limit)
        assert row is not None
        return _decode_claims(row["swept"])

    async def retire_worker(self, worker_id: WorkerId) -> None:
        """Hand back everything and forget the worker."""
        await self._line.fetch(STATEMENTS, "retire_worker", worker_id)

    async def wait_for_wake(self, *, timeout_seconds: float) -> None:
        """Return when another process announces work, or after the timeout; a hint, never a promise.

        Raises:
            StoreUnavailableError: the connection that listens cannot be opened.
        """
        if self._listener is None or self._listener.is_closed:
            self._listener = await self._database.listen(CHANNEL, self._hear)
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._heard.wait()
        except TimeoutError:
            return
        self._heard.clear()

    async def announce(self) -> None:
        """Tell idle workers of other processes that there is work; at most one notification every 10 ms leaves."""
        if self._announcing is not None and not self._announcing.done():
            return
        delay = max(0.0, self._announced + ANNOUNCE_SECONDS_MIN - monotonic())
        self._announcing = asyncio.ensure_future(self._notify(delay))

    async def close(self) -> None:
        """Stop listening and announcing."""
        if self._announcing is not None:
            self._announcing.cancel()
        if self._listener is not None:
            await self._listener.close()

    async def _notify(self, delay: float) -> None:
        await asyncio.sleep(delay)
        self._announced = monotonic()
        try:
            await self._announcements.fetch(STATEMENTS, "announce")
        except StoreUnavailableError:
            # An announcement is a hint: workers poll anyway.
            return

    def _hear(self, *_: Any) -> None:
        self._heard.set()


def _decode_claims(rows: Sequence[Any]) -> list[Claimed]:
    return [
        Claimed(tenant_id=TenantId(row["tenant_id"]), run_id=RunId(str(row["run_id"])), epoch=Epoch(row["epoch"]))
        for row in rows
    ]
