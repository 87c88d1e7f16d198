"""The reservation port: what runs of one tenant share.

Owns: looking up ``arguments`` idempotency keys, breakers and rates. Reserving a key itself happens inside the append
that records the intent, so that both are one commit.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from remit.governance.breaker import BreakerState
from remit.ids import RunId, TenantId


class KeyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an idempotency key. ``outcome`` is the stored output (JSON) when ``status`` is ``succeeded``."""

    status: Literal["reserved", "succeeded", "unknown", "tombstone"]
    run_id: RunId
    step: str
    slot: int
    outcome: bytes | None = None
    receipt_id: str | None = None


class Reservation(Protocol):
    """Shared state of a tenant's runs."""

    async def find_key(self, tenant_id: TenantId, key: str) -> KeyOutcome | None:
        """Return what is known of a key inside its window, or ``None`` if it is free."""
        ...

    async def take_rate(self, tenant_id: TenantId, *, name: str, per_minute: int) -> float:
        """Take one call out of the tenant's allowance; returns the seconds to wait first (0.0: go)."""
        ...

    async def load_breaker(self, tenant_id: TenantId, dependency: str) -> BreakerState | None:
        """Return the stored state of a breaker, or ``None`` if it never opened."""
        ...

    async def save_breaker(self, tenant_id: TenantId, dependency: str, state: BreakerState) -> None:
        """Store a breaker's state; called when it changes, not at each call."""
        ...
