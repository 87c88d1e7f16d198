"""An outbox in memory, and a notifier that answers as it is told.

Owns: the same promises as the outbox on PostgreSQL, held by the same suite, on a clock that a test may move.
Does not know: appends; a test publishes by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from remit.clock import Clock
from remit.core.states import OutboxStatus
from remit.errors import NotFoundError
from remit.ids import RunId, TenantId, WorkerId
from remit.ports.notifier import Notification, NotifyOutcome
from remit.ports.outbox import (
    OutboxClaim,
    OutboxClaims,
    OutboxDelivery,
    OutboxEntry,
    OutboxPlace,
    OutboxRow,
    OutboxSettlement,
)

_Key = tuple[TenantId, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One message for one subscriber."""

    run_id: RunId
    row: OutboxRow
    created_at: datetime
    queued_at: datetime
    next_attempt_at: datetime
    status: OutboxStatus = OutboxStatus.PENDING
    attempt_count: int = 0
    worker_id: WorkerId | None = None
    reason: str | None = None
    settled_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.status is OutboxStatus.PENDING and self.next_attempt_at <= now

    def is_under_way(self, now: datetime) -> bool:
        return self.status is OutboxStatus.PENDING and self.worker_id is not None and self.next_attempt_at > now


class MemoryOutbox:
    """The outbox port in memory. ``publish`` is what appends do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[_Key, _Kept] = {}
        self._last = clock.now()

    def publish(self, tenant_id: TenantId, run_id: RunId, *rows: OutboxRow) -> None:
        """Insert messages, a row for each subscriber."""
        now = self._now()
        for row in rows:
            for destination in row.destinations:
                self._kept[tenant_id, row.message_id, destination] = _Kept(
                    run_id=run_id, row=row, created_at=now, queued_at=now, next_attempt_at=now
                )

    async def claim(
        self, worker_id: WorkerId, *, limit: int, each: int, lease: timedelta, held: Sequence[OutboxPlace] = ()
    ) -> OutboxClaims:
        """Claim up to ``limit`` due messages, at most ``each`` of one destination under way at a time."""
        now = self._now()
        claims: list[OutboxClaim] = []
        due = sorted(
            (kept.next_attempt_at, key)
            for key, kept in self._kept.items()
            if kept.is_due(now) and _place(key) not in held
        )
        for _, key in due:
            busy = sum(_place(other) == _place(key) and kept.is_under_way(now) for other, kept in self._kept.items())
            if len(claims) < limit and busy < each:
                kept, until = self._kept[key], self._now() + lease
                self._kept[key] = replace(
                    kept, worker_id=worker_id, attempt_count=kept.attempt_count + 1, next_attempt_at=until
                )
                tenant_id, message_id, destination = key
                claims.append(
                    OutboxClaim(tenant_id=tenant_id, message_id=message_id, destination=destination, leased_until=until)
                )
        pending = [kept.next_attempt_at for kept in self._kept.values() if kept.status is OutboxStatus.PENDING]
        later = min((at for at in pending if at > now), default=None)
        return OutboxClaims(claims=tuple(claims), next_due_at=later, now=now)

    async def load(self, claims: Sequence[OutboxClaim]) -> list[OutboxDelivery]:
        """Return the messages of claims that still stand."""
        return [
            OutboxDelivery(
                claim=claim,
                topic=kept.row.topic,
                body=kept.row.body,
                attempt=kept.attempt_count,
                queued_at=kept.queued_at,
            )
            for claim in claims
            if (kept := self._kept.get(_key(claim))) is not None and _stands(kept, claim)
        ]

    async def settle(self, settlements: Sequence[OutboxSettlement]) -> list[bool]:
        """Record what became of attempts; false for those that no longer count."""
        return [self._settle(settlement) for settlement in settlements]

    async def list(
        self, tenant_id: TenantId, *, status: OutboxStatus | None = None, limit: int = 100
    ) -> list[OutboxEntry]:
        """Return messages, newest first, one entry for each subscriber."""
        now = self._now()
        found = [
            OutboxEntry(
                message_id=message_id,
                destination=destination,
                run_id=kept.run_id,
                step=kept.row.step,
                topic=kept.row.topic,
                status=kept.status,
                attempt_count=kept.attempt_count,
                reason=kept.reason,
                created_at=kept.created_at,
                next_attempt_at=kept.next_attempt_at,
                settled_at=kept.settled_at,
                is_under_way=kept.is_under_way(now),
            )
            for (tenant, message_id, destination), kept in self._kept.items()
            if tenant == tenant_id and status in {None, kept.status}
        ]
        return sorted(found, key=lambda entry: entry.created_at, reverse=True)[:limit]

    async def retry(self, tenant_id: TenantId, message_id: str, *, destination: str | None = None) -> int:
        """Make a message due now, as if it were new; returns to how many subscribers."""
        found = {key[1] for key in self._kept if key[0] == tenant_id and key[1].startswith(message_id)}
        if len(found) != 1:
            raise NotFoundError(f"expected the id of a message, got {message_id!r}")
        return self._requeue(
            key
            for key, kept in self._kept.items()
            if key[0] == tenant_id
            and key[1] in found
            and destination in {None, key[2]}
            and kept.status is not OutboxStatus.DELIVERED
        )

    async def retry_dead(self, tenant_id: TenantId) -> int:
        """Make all dead letters due now; returns how many there were."""
        dead = OutboxStatus.DEAD
        return self._requeue(key for key, kept in self._kept.items() if key[0] == tenant_id and kept.status is dead)

    async def close(self) -> None:
        """There is nothing to close."""

    def _settle(self, settlement: OutboxSettlement) -> bool:
        key, status = _key(settlement.claim), settlement.status
        kept = self._kept.get(key)
        if kept is None or kept.status is not OutboxStatus.PENDING:
            return False
        if status is not OutboxStatus.DELIVERED and not _stands(kept, settlement.claim):
            return False
        now, is_pending = self._now(), status is OutboxStatus.PENDING
        self._kept[key] = replace(
            kept,
            status=status,
            worker_id=None,
            reason=settlement.reason,
            attempt_count=kept.attempt_count - (not settlement.is_attempt),
            next_attempt_at=now + settlement.retry_after if is_pending else kept.next_attempt_at,
            settled_at=None if is_pending else now,
        )
        return True

    def _requeue(self, keys: Iterable[_Key]) -> int:
        now = self._now()
        chosen = [key for key in keys if not self._kept[key].is_under_way(now)]
        for key in chosen:
            self._kept[key] = replace(
                self._kept[key],
                status=OutboxStatus.PENDING,
                attempt_count=0,
                next_attempt_at=now,
                queued_at=now,
                worker_id=None,
                settled_at=None,
            )
        return len(chosen)

    def _now(self) -> datetime:
        """Return the clock's instant, later than any before: ends of leases must differ."""
        self._last = max(self._clock.now(), self._last + timedelta(microseconds=1))
        return self._last


class ScriptedNotifier:
    """A notifier that answers what a test says, and keeps what it was given.

    ``answer`` gets each notification and returns what became of it; it may wait.
    """

    def __init__(self, answer: Callable[[Notification], Awaitable[NotifyOutcome]]) -> None:
        self._answer = answer
        self.received: list[Notification] = []

    async def notify(self, notification: Notification) -> NotifyOutcome:
        """Answer as told."""
        self.received.append(notification)
        return await self._answer(notification)


def _key(claim: OutboxClaim) -> _Key:
    return claim.tenant_id, claim.message_id, claim.destination


def _place(key: _Key) -> OutboxPlace:
    return OutboxPlace(tenant_id=key[0], destination=key[2])


def _stands(kept: _Kept, claim: OutboxClaim) -> bool:
    return kept.status is OutboxStatus.PENDING and kept.next_attempt_at == claim.leased_until
