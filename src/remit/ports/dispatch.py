"""The dispatch port: which worker owns which run, across tenants.

Owns: ``Dispatch`` and its records.
Does not know: what is in a run; it sees ids only. Every reply that the runtime decides on carries the database's
``now``. All methods raise ``StoreUnavailableError`` when the database cannot be reached; a claim whose reply was lost
is asked for again under its request id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from remit.ids import RunId, WorkerId
from remit.ports.journal import Claimed


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a heartbeat brings back: the runs the database thinks this worker owns, and those with unread messages.

    ``outbox_due`` says that some message of the outbox, of any worker's runs, is due.
    """

    now: datetime
    lease_seconds: float
    owned: tuple[Claimed, ...]
    woken: tuple[RunId, ...]
    server_started_at: datetime
    outbox_due: bool = False


class Dispatch(Protocol):
    """Work across tenants: ids only, through functions of the dispatch role."""

    async def register_worker(
        self, worker_id: WorkerId, *, lease_seconds: float, version: str, tools: Sequence[str] | None = None
    ) -> datetime:
        """Make the worker known; returns the database's now. ``tools`` are those that it has, by name."""
        ...

    async def claim(self, worker_id: WorkerId, *, request_id: str, limit: int) -> tuple[list[Claimed], datetime]:
        """Claim up to ``limit`` runs that are due.

        Idempotency: the same ``request_id`` answers the same claims again. Nothing is remembered of a request that got
        none: asked again, it may get some.
        """
        ...

    async def heartbeat(self, worker_id: WorkerId) -> Heartbeat:
        """Extend the worker's lease and reconcile what it owns. An unknown worker (swept) owns nothing."""
        ...

    async def release(self, worker_id: WorkerId, claims: Sequence[Claimed]) -> None:
        """Hand runs back, claimable at once; stale epochs are ignored."""
        ...

    async def sweep(self, *, limit: int) -> list[Claimed]:
        """Make runs of workers whose lease expired claimable again, at a raised epoch; a bounded number per call."""
        ...

    async def retire_worker(self, worker_id: WorkerId) -> None:
        """Hand back everything and forget the worker (graceful shutdown)."""
        ...

    async def wait_for_wake(self, *, timeout_seconds: float) -> None:
        """Return when another process announces work, or after the timeout; a hint, never a promise."""
        ...

    async def announce(self) -> None:
        """Tell idle workers of other processes that there is work; coalesced."""
        ...
