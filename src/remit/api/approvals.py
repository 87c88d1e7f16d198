"""``/approvals``: what waits for a person, and the person's word on it.

Owns: the body of a decision: it must carry the digest of what the person saw. Who may decide is the store's to check.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from remit.api.access import authenticate
from remit.api.bodies import json_response, read_record
from remit.api.records import approval_json
from remit.api.runs import limit_of
from remit.bootstrap import Kernel
from remit.core.states import ApprovalStatus
from remit.errors import InputInvalidError, NotFoundError
from remit.ids import ApprovalId
from remit.ports.store import Decision

EVERY: Final = "all"
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class DecideApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision on exactly what ``digest`` covers."""

    decision: Literal["approve", "deny"]
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class ApprovalRoutes:
    """The resource of approvals."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def list(self, request: Request) -> Response:
        """List the tenant's requests, oldest first; ``status=all`` takes the decided ones too."""
        principal = await authenticate(request, self._kernel.store.directory)
        status = request.query_params.get("status", ApprovalStatus.PENDING.value)
        if status not in {EVERY, *ApprovalStatus}:
            raise InputInvalidError(f"status: expected all or one of {', '.join(ApprovalStatus)}, got {status[:40]!r}")
        found = await self._kernel.store.approvals.list(
            principal.tenant_id, status=None if status == EVERY else status, limit=limit_of(request)
        )
        return json_response({"approvals": [approval_json(approval) for approval in found]})

    async def decide(self, request: Request) -> Response:
        """Record a decision: 200 with the request as it stands now."""
        principal = await authenticate(request, self._kernel.store.directory)
        asked = await read_record(request, DecideApproval)
        approval_id: str = request.path_params["approval_id"]
        if not _ID.match(approval_id):
            raise NotFoundError("there is no such approval")
        decided = await self._kernel.store.approvals.decide(
            principal.tenant_id,
            Decision(
                approval_id=ApprovalId(approval_id),
                decision=asked.decision,
                principal_id=principal.principal_id,
                digest=asked.digest,
                reason=asked.reason,
            ),
        )
        await self._kernel.runs.announce(decided.run_id)
        return json_response(approval_json(decided), status=HTTPStatus.OK)
