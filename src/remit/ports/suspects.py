"""The suspects port: what the database knows of runs that do not rest, so that somebody can judge which are stuck.

Owns: ``Suspects`` and its records.
Does not know: what "stuck" means. A run that rests, because it waits for a person, a message or an instant to come, is
never among them, however long it does so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from remit.ids import Digest, RunId, TenantId, WorkerId


class KnownWorker(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that registered and was not forgotten yet.

    ``lease_ends_at`` counts from its last heartbeat or the server's start, whichever is later. ``tools`` are the names
    of the tools that it has; null if it did not say.
    """

    worker_id: WorkerId
    version: str
    started_at: datetime
    heartbeat_at: datetime
    lease_ends_at: datetime
    tools: tuple[str, ...] | None


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is not finished and does not rest.

    ``updated_at`` is the instant of its last entry (or of its submission), ``unread_at`` that of its oldest message
    that no entry has taken, ``decided_at`` that of a decision that it should have been told of and was not.
    ``idle_since`` is that of the last entry with a fact, if at least 16 without one came after it.
    """

    run_id: RunId
    definition_name: str
    definition_digest: Digest
    status: str
    waiting_for: str | None
    sequence: int
    epoch: int
    worker_id: WorkerId | None
    claimable_at: datetime | None
    due_at: datetime | None
    updated_at: datetime
    quarantined_at: datetime | None
    unread_at: datetime | None
    decided_at: datetime | None
    idle_since: datetime | None = None


class Suspects(Protocol):
    """Reading only; every reply comes with the database's ``now``."""

    async def list_workers(self) -> tuple[list[KnownWorker], datetime]:
        """Return the workers of the installation; they belong to no tenant."""
        ...

    async def list_suspect_tenants(self, *, patience: timedelta) -> list[TenantId]:
        """Return the tenants that have runs without an entry for this long, or quarantined ones: ids only."""
        ...

    async def list_suspects(
        self, tenant_id: TenantId, *, run_ids: Sequence[RunId] | None = None, limit: int = 100
    ) -> tuple[list[Suspect], datetime]:
        """Return a tenant's suspects, the one without an entry for the longest time first."""
        ...
