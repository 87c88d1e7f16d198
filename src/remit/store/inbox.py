"""Messages for runs, and events of providers.

Owns: what producers write. Does not know: what the runs make of it.
"""

from __future__ import annotations

from typing import Final

import orjson

from remit.errors import IllegalTransitionError, InputInvalidError, NotFoundError
from remit.ids import RunId, TenantId
from remit.ports.store import InboundEvent, InboundReceived, Message
from remit.store.database import Database
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("inbox")


class PostgresInbox:
    """The inbox port on PostgreSQL: each call is one function that bumps the wake sequence before it inserts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliver(self, tenant_id: TenantId, run_id: RunId, message: Message) -> bool:
        """Store a message for a run and wake it; false if the id was there before.

        Raises:
            NotFoundError: the tenant has no such run.
            IllegalTransitionError: the run is finished.
            StoreReadOnlyError: there is no room for it.
        """
        self._database.room.require()
        async with self._database.session() as session:
            row = await session.fetch_row(
                STATEMENTS, "deliver", tenant_id, run_id, message.kind, message.message_id, _encode(message.body)
            )
        assert row is not None
        if row["answer"] == "missing":
            raise NotFoundError(f"expected a run of tenant {tenant_id}, got {run_id}", run_id=run_id)
        if row["answer"] == "finished":
            raise IllegalTransitionError(f"run {run_id} is finished and takes no {message.kind}", run_id=run_id)
        return bool(row["answer"] == "stored")

    async def receive(self, tenant_id: TenantId, event: InboundEvent) -> InboundReceived:
        """Store an inbound event once and deliver it to every run that waits for it, else hold it.

        A wait without a correlation takes any event of its name.

        Raises:
            NotFoundError: there is no such tenant.
            StoreReadOnlyError: there is no room for it.
        """
        self._database.room.require()
        async with self._database.session() as session:
            row = await session.fetch_row(
                STATEMENTS,
                "receive_event",
                tenant_id,
                event.source,
                event.name,
                event.event_key,
                event.occurred_at,
                _encode(event.body),
                event.raw_sha256,
                list(event.correlations),
            )
        assert row is not None
        return InboundReceived(
            status=row["verdict"],
            inbound_id=row["inbound"],
            delivered_to=tuple(RunId(str(run_id)) for run_id in row["delivered_to"]),
            held=row["is_held"],
        )

    async def mark_started(self, tenant_id: TenantId, inbound_id: int) -> None:
        """Note that an event started a run, so that it is no longer held for one to come."""
        async with self._database.session() as session:
            await session.fetch(STATEMENTS, "mark_event_started", tenant_id, inbound_id)


def _encode(body: object) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise InputInvalidError(f"expected JSON, got {type(body).__name__}: {error}") from error
