"""What runs of one tenant share: keys, allowances, breakers.

Owns: asking. Reserving a key happens inside the append that records the intent.
"""

from __future__ import annotations

from typing import Final

import msgspec

from remit.governance.breaker import BreakerState
from remit.ids import RunId, TenantId
from remit.ports.reservation import KeyOutcome
from remit.store.database import Database
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("reservation")


class PostgresReservation:
    """The reservation port on PostgreSQL: one round trip each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_key(self, tenant_id: TenantId, key: str) -> KeyOutcome | None:
        """Return what is known of a key inside its window, or ``None`` if it is free."""
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "find_key", tenant_id, key)
        if row is None:
            return None
        return KeyOutcome(
            status=row["status"],
            run_id=RunId(str(row["run_id"])),
            step=row["step"],
            slot=row["slot"],
            outcome=row["outcome"],
            receipt_id=row["receipt_id"],
        )

    async def take_rate(self, tenant_id: TenantId, *, name: str, per_minute: int) -> float:
        """Take one call out of the tenant's allowance; returns the seconds to wait before making it.

        Calls are spaced evenly; a quarter of a minute's allowance may go at once. What was taken is not given back.
        """
        assert per_minute > 0
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "take_rate", tenant_id, name, per_minute)
        assert row is not None
        seconds: float = row["wait_seconds"]
        return seconds

    async def load_breaker(self, tenant_id: TenantId, dependency: str) -> BreakerState | None:
        """Return the stored state of a breaker, or ``None`` if it never opened."""
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "load_breaker", tenant_id, dependency)
        if row is None or row["state"] is None:
            return None
        return msgspec.json.decode(row["state"], type=BreakerState)

    async def save_breaker(self, tenant_id: TenantId, dependency: str, state: BreakerState) -> None:
        """Store a breaker's state."""
        async with self._database.session() as session:
            await session.fetch(STATEMENTS, "save_breaker", tenant_id, dependency, msgspec.json.encode(state).decode())
