"""The inbox port: what comes in for runs that wait.

Owns: ``Inbox`` and its records.
Does not know: who produced a message, or what its run makes of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from remit.core.canonical import JsonValue
from remit.ids import RunId, TenantId


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something for one run. ``message_id`` is unique in the run: the same id is taken once."""

    kind: Literal["signal", "cancel", "settle", "event", "approval"]
    message_id: str
    body: dict[str, JsonValue]


class InboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A verified event of a provider.

    ``event_key`` is the provider-specific key of duplicates; ``raw_sha256`` is evidence: a known key with
    another one is a conflict, so what changes with each delivery is left out of it.
    """

    source: str
    name: str
    event_key: str
    occurred_at: datetime | None
    body: JsonValue
    raw_sha256: str
    correlations: tuple[str, ...] = ()


class InboundReceived(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an inbound event: ``status`` is stored, duplicate, or conflict (same key, other body)."""

    status: Literal["stored", "duplicate", "conflict"]
    inbound_id: int
    delivered_to: tuple[RunId, ...] = ()
    held: bool = False


class Inbox(Protocol):
    """Producers of messages: each call bumps the run's wake sequence before it inserts."""

    async def deliver(self, tenant_id: TenantId, run_id: RunId, message: Message) -> bool:
        """Store a message for a run and wake it; false if the id was there before.

        Raises:
            NotFoundError: the tenant has no such run.
            IllegalTransitionError: the run is terminal.
        """
        ...

    async def receive(self, tenant_id: TenantId, event: InboundEvent) -> InboundReceived:
        """Store an inbound event once and deliver it to every waiting run whose correlation it carries, else hold it.

        A run that starts waiting later takes held events with its correlation in the same append.
        """
        ...

    async def mark_started(self, tenant_id: TenantId, inbound_id: int) -> None:
        """Note that an event started a run, so that it is no longer held for one to come."""
        ...
