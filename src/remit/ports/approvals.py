"""The approvals port: what people are asked, and what they say.

Owns: ``Approvals`` and its records.
Does not know: which rule asked. The request itself is written by the append that suspends the run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from remit.ids import ApprovalId, PrincipalId, RunId, TenantId


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A stored request for a decision."""

    approval_id: ApprovalId
    tenant_id: TenantId
    run_id: RunId
    step: str
    slot: int
    tool: str
    tool_version: str
    rule_id: str
    reason: str
    digest: str
    arguments: bytes
    endpoint: str
    credential: str
    requested_by: str
    approvers_required: int
    status: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    decided_by: tuple[str, ...] = ()
    decision_reason: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One person's word on a request; ``digest`` is that of what the person saw."""

    approval_id: ApprovalId
    decision: Literal["approve", "deny"]
    principal_id: PrincipalId
    digest: str
    reason: str = ""


class Approvals(Protocol):
    """Human decisions: one conditional update, by the database's clock."""

    async def decide(self, tenant_id: TenantId, decision: Decision) -> Approval:
        """Record a decision and wake the run.

        Raises:
            NotFoundError: no such request for this tenant.
            AlreadyDecidedError: it is decided, expired, withdrawn, or the digest differs.
            PermissionDeniedError: not a human, not an approver now, the requester, or the same person decided before.
        """
        ...

    async def expire(self, tenant_id: TenantId, run_id: RunId) -> int:
        """Expire the run's requests that are past their time, telling the run; returns how many."""
        ...

    async def get(self, tenant_id: TenantId, approval_id: ApprovalId) -> Approval:
        """Return one request; ``NotFoundError``. A prefix of at least 6 characters that is unique will do."""
        ...

    async def list(self, tenant_id: TenantId, *, status: str | None = "pending", limit: int = 100) -> list[Approval]:
        """Return requests, oldest first."""
        ...
