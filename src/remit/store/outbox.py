"""Messages to subscribers.

Owns: the line of claims and settlements, and reading the outbox.
Does not know: what the messages say; rows are inserted by appends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from remit.core.states import OutboxStatus
from remit.errors import NotFoundError
from remit.ids import RunId, TenantId, WorkerId
from remit.ports.outbox import (
    OutboxClaim,
    OutboxClaims,
    OutboxDelivery,
    OutboxEntry,
    OutboxPlace,
    OutboxSettlement,
)
from remit.store.database import Database
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("outbox")
PREFIX_CHARACTERS_MIN: Final = 8
"""Of a message id; the first four are the same for all."""


class PostgresOutbox:
    """The outbox port on PostgreSQL: one line for the relay, the pool for people.

    Concurrency: claims and settlements queue up on their line; a process has one relay.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line = database.line()

    async def claim(
        self, worker_id: WorkerId, *, limit: int, each: int, lease: timedelta, held: Sequence[OutboxPlace] = ()
    ) -> OutboxClaims:
        """Claim up to ``limit`` due messages, at most ``each`` of one destination under way at a time.

        Raises:
            StoreReadOnlyError: there is no room to note what becomes of them.
        """
        self._database.room.require()
        places = [(place.tenant_id, place.destination) for place in held]
        row = await self._line.fetch_row(STATEMENTS, "claim_outbox", worker_id, limit, each, lease, places)
        assert row is not None
        return OutboxClaims(
            claims=tuple(_decode_claim(claim) for claim in row["claims"]),
            next_due_at=row["next_due_at"],
            now=row["answered_at"],
        )

    async def load(self, claims: Sequence[OutboxClaim]) -> list[OutboxDelivery]:
        """Return the messages of claims that still stand."""
        if not claims:
            return []
        rows = await self._line.fetch(STATEMENTS, "load_outbox", [_encode_claim(claim) for claim in claims])
        return [
            OutboxDelivery(
                claim=_decode_claim(row),
                topic=row["topic"],
                body=row["body"],
                attempt=row["attempt_count"],
                queued_at=row["queued_at"],
            )
            for row in rows
        ]

    async def settle(self, settlements: Sequence[OutboxSettlement]) -> list[bool]:
        """Record what became of attempts; false for those that no longer count."""
        if not settlements:
            return []
        rows = [
            (*_encode_claim(one.claim), one.status.value, one.retry_after, one.reason, one.is_attempt)
            for one in settlements
        ]
        row = await self._line.fetch_row(STATEMENTS, "settle_outbox", rows)
        assert row is not None
        return list(row["answers"])

    async def list(
        self, tenant_id: TenantId, *, status: OutboxStatus | None = None, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return messages, newest first, one entry for each subscriber."""
        async with self._database.tenant(tenant_id) as session:
            if status is None:
                rows = await session.fetch(STATEMENTS, "list_outbox", tenant_id, limit)
            else:
                rows = await session.fetch(STATEMENTS, "list_outbox_by_status", tenant_id, limit, status.value)
        return [
            OutboxEntry(
                message_id=row["message_id"],
                destination=row["destination"],
                run_id=RunId(str(row["run_id"])),
                step=row["step"],
                topic=row["topic"],
                status=OutboxStatus(row["status"]),
                attempt_count=row["attempt_count"],
                reason=row["reason"],
                created_at=row["created_at"],
                next_attempt_at=row["next_attempt_at"],
                settled_at=row["settled_at"],
                is_under_way=row["is_under_way"],
            )
            for row in rows
        ]

    async def retry(self, tenant_id: TenantId, message_id: str, *, destination: str | None = None) -> int:
        """Make a message due now, as if it were new; returns to how many subscribers.

        Raises:
            NotFoundError: no message, or several, of this tenant begin with the id.
        """
        async with self._database.tenant(tenant_id) as session:
            found = await session.fetch(STATEMENTS, "find_outbox", tenant_id, message_id)
            if len(found) != 1 or len(message_id) < PREFIX_CHARACTERS_MIN:
                raise NotFoundError(f"expected the id of a message, got {message_id!r}; remit outbox list shows them")
            rows = await session.fetch(STATEMENTS, "retry_outbox", tenant_id, found[0]["message_id"], destination)
        return len(rows)

    async def retry_dead(self, tenant_id: TenantId) -> int:
        """Make all dead letters due now; returns how many there were."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "retry_outbox", tenant_id, None, None)
        return len(rows)

    async def close(self) -> None:
        """Close the line."""
        await self._line.close()


def _encode_claim(claim: OutboxClaim) -> tuple[object, ...]:
    return (claim.tenant_id, claim.message_id, claim.destination, claim.leased_until)


def _decode_claim(row: Any) -> OutboxClaim:
    return OutboxClaim(
        tenant_id=TenantId(row["tenant_id"]),
        message_id=row["message_id"],
        destination=row["destination"],
        leased_until=row["leased_until"],
    )
