"""Breakers of dependencies, and the lease that an outside call must fit into.

Owns: one in-memory breaker per tenant and dependency, loaded from and saved to the reservation port when it changes.
The arithmetic is governance's; the rows make an open breaker survive this process and be seen by others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from remit.clock import Clock
from remit.core.events import ActionFailed, ActionSucceeded, ActionUnknown, Event
from remit.governance.breaker import (
    Admission,
    BreakerConfig,
    BreakerState,
    admit,
    reconcile,
    record_failure,
    record_success,
)
from remit.ids import TenantId
from remit.ports.reservation import Reservation
from remit.runtime.calls import Call
from remit.runtime.rows import microseconds_of
from remit.runtime.shared_answers import SharedAnswers

RELOAD_SECONDS: Final = 2.0
"""How old a breaker's state from the database may be: another worker may have opened it."""

DEFAULT_BREAKER: Final = BreakerConfig()


class BreakerBook:
    """The breakers of this process."""

    def __init__(self, reservation: Reservation, clock: Clock) -> None:
        self._reservation = reservation
        self._clock = clock
        self._states: dict[tuple[TenantId, str], tuple[float, BreakerState]] = {}
        self._reloads: SharedAnswers[tuple[TenantId, str], BreakerState] = SharedAnswers()

    async def admit(self, call: Call) -> Admission:
        """Say whether a call may go out now; counts it against a half-open breaker."""
        key, config = self._place(call)
        state = await self._load(key)
        admission = admit(state, config, now_us=microseconds_of(self._clock.now()))
        await self._keep(key, state, admission.state)
        return admission

    async def record(self, call: Call, event: Event) -> None:
        """Count what became of a call. Only failures of the dependency count, not refusals of the content."""
        key, config = self._place(call)
        state = await self._load(key)
        now_us = microseconds_of(self._clock.now())
        match event:
            case ActionSucceeded():
                after = record_success(state, config, now_us=now_us)
            case ActionUnknown():
                after = record_failure(state, config, now_us=now_us)
            case ActionFailed() if event.retryable:
                after = record_failure(state, config, now_us=now_us)
            case _:
                after = record_success(state, config, now_us=now_us)
        await self._keep(key, state, after)

    def _place(self, call: Call) -> tuple[tuple[TenantId, str], BreakerConfig]:
        dependency = call.entry.contract.dependency or call.entry.contract.name
        return (call.tenant_id, dependency), call.config.breakers.get(dependency, DEFAULT_BREAKER)

    async def _load(self, key: tuple[TenantId, str]) -> BreakerState:
        cached = self._states.get(key)
        if cached is not None and self._clock.monotonic() - cached[0] < RELOAD_SECONDS:
            return cached[1]
        return await self._reloads.ask(key, lambda: self._reload(key))

    async def _reload(self, key: tuple[TenantId, str]) -> BreakerState:
        stored = await self._reservation.load_breaker(*key)
        cached = self._states.get(key)
        local = BreakerState() if cached is None else cached[1]
        state = reconcile(local, stored)
        self._states[key] = (self._clock.monotonic(), state)
        return state

    async def _keep(self, key: tuple[TenantId, str], before: BreakerState, after: BreakerState) -> None:
        self._states[key] = (self._clock.monotonic(), after)
        if before.status != after.status:
            await self._reservation.save_breaker(*key, after)


class LeaseGuard:
    """Says how long an outside call may take: never longer than this worker surely owns its runs.

    ``renew`` makes a heartbeat now. ``extend`` is called after each heartbeat with the monotonic instant at which it
    was *sent*, so that the lease is never believed longer than the server counts it.
    """

    def __init__(self, clock: Clock, *, lease_seconds: float, margin_seconds: float) -> None:
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._margin_seconds = margin_seconds
        self._sent_at: float | None = None
        self._under_way: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self.renew: Callable[[], Awaitable[object]] | None = None

    def extend(self, sent_at_monotonic: float) -> None:
        """Note a heartbeat that was answered."""
        self._sent_at = sent_at_monotonic

    def remaining_seconds(self) -> float:
        """Return the seconds for which calls may still run; zero or less means that the lease may be gone."""
        if self._sent_at is None:
            return 0.0
        return self._sent_at + self._lease_seconds - self._margin_seconds - self._clock.monotonic()

    async def allow(self, wanted_seconds: float) -> float:
        """Return the seconds that a call may take, renewing the lease first if it would not last.

        Raises:
            StoreUnavailableError: the heartbeat failed, so nothing may be sent.
        """
        if self.remaining_seconds() < wanted_seconds and self.renew is not None:
            await self._renew_with_others()
        return min(wanted_seconds, self.remaining_seconds())

    async def _renew_with_others(self) -> None:
        """Share one heartbeat with all who want one meanwhile; it is sent after the last of them asked."""
        if self._next is None:
            self._next = asyncio.create_task(self._renew_after(self._under_way))
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._next)

    async def _renew_after(self, under_way: asyncio.Task[None] | None) -> None:
        if under_way is not None:
            await asyncio.wait({under_way})
        self._under_way, self._next = self._next, None
        assert self.renew is not None
        await self.renew()
