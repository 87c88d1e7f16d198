"""The reader port: questions of people, each within one tenant.

Owns: ``Reader`` and its records.
Does not know: SQL. Nothing here changes anything, or owns a run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from remit.ids import Digest, PrincipalId, RunId, TenantId
from remit.ports.journal import LoadedRun, ReceiptRow, StepRow


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list of runs."""

    run_id: RunId
    tenant_id: TenantId
    definition_name: str
    definition_digest: Digest
    status: str
    waiting_for: str | None
    principal_id: PrincipalId
    created_at: datetime
    updated_at: datetime
    sequence: int
    epoch: int
    state_hash: str | None
    trigger: str | None = None
    output: bytes | None = None
    error: bytes | None = None
    quarantined: str | None = None


class StoredReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt with its place."""

    run_id: RunId
    created_at: datetime
    receipt: ReceiptRow


class StoredStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step row with its place in the journal."""

    sequence: int
    row: StepRow


class HeldEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An inbound event, and what became of it."""

    inbound_id: int
    source: str
    name: str
    event_key: str
    status: str
    received_at: datetime
    run_ids: tuple[RunId, ...] = ()


class Reader(Protocol):
    """Questions of people; every one within one tenant."""

    async def find_run_id(self, tenant_id: TenantId, prefix: str) -> RunId:
        """Return the run whose id starts (or ends) with the text; ``NotFoundError`` also when several do."""
        ...

    async def get_run(self, tenant_id: TenantId, run_id: RunId) -> RunSummary:
        """Return one run; ``NotFoundError``."""
        ...

    async def list_runs(
        self, tenant_id: TenantId, *, status: str | None = None, name: str | None = None, limit: int = 50
    ) -> list[RunSummary]:
        """Return runs, newest first."""
        ...

    async def read_run(self, tenant_id: TenantId, run_id: RunId) -> LoadedRun:
        """Return a run with its whole journal, without owning it; ``NotFoundError``."""
        ...

    async def list_receipts(
        self, tenant_id: TenantId, *, run_id: RunId | None = None, limit: int = 100
    ) -> list[StoredReceipt]:
        """Return receipts, oldest first."""
        ...

    async def list_steps(self, tenant_id: TenantId, run_id: RunId) -> list[StoredStep]:
        """Return the step rows of a run."""
        ...

    async def list_inbound(
        self, tenant_id: TenantId, *, status: str | None = None, limit: int = 100
    ) -> list[HeldEvent]:
        """Return inbound events, newest first."""
        ...

    async def wait_for_change(
        self, tenant_id: TenantId, run_id: RunId, *, after_sequence: int, timeout_seconds: float
    ) -> RunSummary:
        """Return the run once its journal is longer than ``after_sequence`` or it is terminal, or after the timeout."""
        ...
