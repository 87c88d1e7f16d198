"""Requests for human decisions, and the decisions.

Owns: what each answer of the deciding function means to a person.
Does not know: what is approved; the bytes are compared by digest.
"""

from __future__ import annotations

import builtins
from typing import Final

import asyncpg

from remit.errors import AlreadyDecidedError, NotFoundError, PermissionDeniedError, RemitError
from remit.ids import ApprovalId, RunId, TenantId
from remit.ports.store import Approval, Decision
from remit.store.database import Database
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("approvals")
PREFIX_CHARACTERS_MIN: Final = 6

_REFUSALS: Final[dict[str, tuple[type[RemitError], str]]] = {
    "missing": (NotFoundError, "there is no such request"),
    "not_human": (PermissionDeniedError, "only an active human may decide"),
    "not_approver": (PermissionDeniedError, "only who is an approver now may decide"),
    "requester": (PermissionDeniedError, "nobody may decide about an own request"),
    "repeated": (PermissionDeniedError, "this person has decided before; somebody else must"),
    "changed": (AlreadyDecidedError, "what would run is not what the person saw"),
    "expired": (AlreadyDecidedError, "the request expired"),
    "closed": (AlreadyDecidedError, "the request is decided, expired or withdrawn"),
}


class PostgresApprovals:
    """The approvals port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def decide(self, tenant_id: TenantId, decision: Decision) -> Approval:
        """Record a decision and, when enough people agree or one denies, close the request and wake the run.

        Returns:
            The request as it stands; still ``pending`` when more must agree.

        Raises:
            NotFoundError: no such request for this tenant.
            AlreadyDecidedError: it is decided, expired, withdrawn, or the digest differs.
            PermissionDeniedError: not a human, not an approver now, the requester, or the same person again.
            StoreReadOnlyError: there is no room for it.
        """
        self._database.room.require()
        async with self._database.session() as session:
            row = await session.fetch_row(
                STATEMENTS,
                "decide",
                tenant_id,
                decision.approval_id,
                decision.decision,
                decision.principal_id,
                decision.digest,
                decision.reason,
            )
        assert row is not None
        refusal = _REFUSALS.get(row["answer"])
        if refusal is not None:
            kind, meaning = refusal
            raise kind(f"approval {decision.approval_id}: {meaning}", approval_id=decision.approval_id)
        return await self.get(tenant_id, decision.approval_id)

    async def expire(self, tenant_id: TenantId, run_id: RunId) -> int:
        """Expire the run's requests that are past their time, telling the run; returns how many."""
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "expire", tenant_id, run_id)
        assert row is not None
        expired: int = row["expired"]
        return expired

    async def get(self, tenant_id: TenantId, approval_id: ApprovalId) -> Approval:
        """Return one request, by its id or a prefix of at least 6 characters that is unique.

        Raises:
            NotFoundError: none or several match.
        """
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "get", tenant_id, approval_id)
            if not rows and len(approval_id) >= PREFIX_CHARACTERS_MIN:
                rows = await session.fetch(STATEMENTS, "find", tenant_id, approval_id)
        if len(rows) != 1:
            found = "several match" if rows else "none matches"
            raise NotFoundError(f"expected one approval, got {approval_id!r}: {found}", approval_id=approval_id)
        return _decode_approval(rows[0])

    async def list(
        self, tenant_id: TenantId, *, status: str | None = "pending", limit: int = 100
    ) -> builtins.list[Approval]:
        """Return requests, oldest first."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list", tenant_id, status, limit)
        return [_decode_approval(row) for row in rows]


def _decode_approval(row: asyncpg.Record) -> Approval:
    return Approval(
        approval_id=ApprovalId(row["approval_id"]),
        tenant_id=TenantId(row["tenant_id"]),
        run_id=RunId(str(row["run_id"])),
        step=row["step"],
        slot=row["slot"],
        tool=row["tool"],
        tool_version=row["tool_version"],
        rule_id=row["rule_id"],
        reason=row["reason"],
        digest=row["digest"],
        arguments=row["arguments"],
        endpoint=row["endpoint"],
        credential=row["credential"],
        requested_by=row["requested_by"],
        approvers_required=row["approvers_required"],
        status=row["status"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        decided_at=row["decided_at"],
        decided_by=tuple(row["decided_by"]),
        decision_reason=row["decision_reason"],
    )
