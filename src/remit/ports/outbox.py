"""The outbox port: what steps published, on its way to subscribers.

Owns: ``Outbox``, its records, and the ids of messages.
Does not know: how a message is delivered, or when it is tried again; the relay does.

Rows are inserted by appends, with the entry whose facts they follow from. Delivery is at least once and in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from remit.core.states import OutboxStatus
from remit.ids import RunId, TenantId, WorkerId


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    pass


class OutboxRow(_Record, frozen=True, kw_only=True):
    """One message of an append; ``body`` is what every subscriber among ``destinations`` gets, to the byte."""

    message_id: str
    step: str
    topic: str
    destinations: tuple[str, ...]
    body: bytes


class OutboxPlace(_Record, frozen=True, kw_only=True):
    """One subscriber of one tenant."""

    tenant_id: TenantId
    destination: str


class OutboxClaim(_Record, frozen=True, kw_only=True):
    """One message for one subscriber, leased for one attempt; ``leased_until`` tells this attempt from the next."""

    tenant_id: TenantId
    message_id: str
    destination: str
    leased_until: datetime

    @property
    def place(self) -> OutboxPlace:
        """Return where the message goes."""
        return OutboxPlace(tenant_id=self.tenant_id, destination=self.destination)


class OutboxClaims(_Record, frozen=True, kw_only=True):
    """What a relay now has to deliver; ``next_due_at`` is when another message is due, if any waits for its time."""

    claims: tuple[OutboxClaim, ...]
    next_due_at: datetime | None
    now: datetime


class OutboxDelivery(_Record, frozen=True, kw_only=True):
    """A claimed message, whole. ``attempt`` counts from 1; ``queued_at`` is when the attempts began."""

    claim: OutboxClaim
    topic: str
    body: bytes
    attempt: int
    queued_at: datetime


class OutboxSettlement(_Record, frozen=True, kw_only=True):
    """What became of an attempt: ``pending`` is tried again after ``retry_after``. ``reason`` is a stable code.

    ``is_attempt`` is false when nothing was tried: then it is not counted.
    """

    claim: OutboxClaim
    status: OutboxStatus
    reason: str | None = None
    retry_after: timedelta = timedelta(0)
    is_attempt: bool = True


class OutboxEntry(_Record, frozen=True, kw_only=True):
    """A message for one subscriber, as people see it. ``reason`` is why its last attempt failed, if it did."""

    message_id: str
    destination: str
    run_id: RunId
    step: str
    topic: str
    status: OutboxStatus
    attempt_count: int
    reason: str | None
    created_at: datetime
    next_attempt_at: datetime
    settled_at: datetime | None
    is_under_way: bool


class Outbox(Protocol):
    """Messages of all tenants. Claims and settlements carry ids only."""

    async def claim(
        self, worker_id: WorkerId, *, limit: int, each: int, lease: timedelta, held: Sequence[OutboxPlace] = ()
    ) -> OutboxClaims:
        """Claim up to ``limit`` due messages, spread over destinations.

        At most ``each`` messages of one destination are under way at a time, over all workers; ``held`` places get
        none. A claim that is not settled ends by itself after ``lease``, and the message is due again.
        """
        ...

    async def load(self, claims: Sequence[OutboxClaim]) -> list[OutboxDelivery]:
        """Return the messages of claims that still stand."""
        ...

    async def settle(self, settlements: Sequence[OutboxSettlement]) -> list[bool]:
        """Record what became of attempts; false for those that no longer count.

        A message that was delivered is delivered, even if its claim is over; what else a claim that is over says is
        ignored. Idempotency: said again, it changes nothing.
        """
        ...

    async def list(
        self, tenant_id: TenantId, *, status: OutboxStatus | None = None, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return messages, newest first, one entry for each subscriber."""
        ...

    async def retry(self, tenant_id: TenantId, message_id: str, *, destination: str | None = None) -> int:
        """Make a message due now, as if it were new; returns to how many subscribers.

        A beginning of its id that no other has will do. Dead letters and messages that wait for another attempt are
        meant; what is delivered, or under way, is left alone.

        Raises:
            NotFoundError: the tenant has no such message.
        """
        ...

    async def retry_dead(self, tenant_id: TenantId) -> int:
        """Make all dead letters due now; returns how many there were."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def message_id_of(run_id: str, step: str, slot: int, ordinal: int) -> str:
    """Return the id of a call's n-th message (from 1): the same whoever records it, and at each attempt to deliver."""
    return "msg_" + hashlib.sha256(f"{run_id}#{step}#{slot}#{ordinal}".encode()).hexdigest()[:32]
