"""``/runs``: submit, look, cancel, signal.

Owns: the bodies of these requests and their limits. The tenant comes from the API key; a run of another tenant does not
exist.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from remit.api.access import OPERATE, authenticate, require_role
from remit.api.bodies import json_response, read_record
from remit.api.records import run_json, step_json
from remit.bootstrap import Kernel
from remit.core.canonical import JsonValue
from remit.core.states import RunStatus
from remit.errors import InputInvalidError, NotFoundError
from remit.ids import Digest, RunId, TenantId

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=2_000)]

_RUN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_LIMIT: Final = re.compile(r"[0-9]{1,4}\Z")


class SubmitRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run to submit. ``definition`` is a name (its newest) or a digest; the same ``submission_key`` submits once."""

    definition: _Name
    input: JsonValue = msgspec.field(default_factory=dict)
    submission_key: _Name | None = None


class CancelRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a run is cancelled."""

    reason: _Text = ""


class SignalRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal; the same ``message_id`` is taken once."""

    name: _Name
    payload: JsonValue = None
    message_id: _Name | None = None


class RunRoutes:
    """The resource of runs."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def submit(self, request: Request) -> Response:
        """Create a run: 201, or 200 if its submission key created it before."""
        principal = await authenticate(request, self._kernel.store.directory)
        require_role(principal, OPERATE)
        asked = await read_record(request, SubmitRun)
        tenant_id = principal.tenant_id
        submitted = await self._kernel.runs.submit(
            tenant_id,
            definition_digest=await self._digest(tenant_id, asked.definition),
            run_input=asked.input,
            principal_id=principal.principal_id,
            submission_key=asked.submission_key,
        )
        run = await self._kernel.store.reader.get_run(tenant_id, submitted.run_id)
        return json_response(
            {**run_json(run), "created": submitted.created},
            status=HTTPStatus.CREATED if submitted.created else HTTPStatus.OK,
            headers={"Location": f"/runs/{submitted.run_id}"},
        )

    async def list(self, request: Request) -> Response:
        """List the tenant's runs, newest first."""
        principal = await authenticate(request, self._kernel.store.directory)
        status = request.query_params.get("status")
        if status is not None and status not in set(RunStatus):
            raise InputInvalidError(f"status: expected one of {', '.join(RunStatus)}, got {status[:40]!r}")
        runs = await self._kernel.store.reader.list_runs(
            principal.tenant_id, status=status, name=request.query_params.get("definition"), limit=limit_of(request)
        )
        return json_response({"runs": [run_json(run) for run in runs]})

    async def show(self, request: Request) -> Response:
        """Return one run with the rows of its steps."""
        principal = await authenticate(request, self._kernel.store.directory)
        run = await self._kernel.store.reader.get_run(principal.tenant_id, run_id_of(request))
        steps = await self._kernel.store.reader.list_steps(principal.tenant_id, run.run_id)
        return json_response({**run_json(run), "steps": [step_json(step) for step in steps]})

    async def cancel(self, request: Request) -> Response:
        """Ask a run to stop: 202; what is in flight ends first."""
        principal = await authenticate(request, self._kernel.store.directory)
        require_role(principal, OPERATE)
        asked = await read_record(request, CancelRun)
        is_new = await self._kernel.runs.cancel(
            principal.tenant_id, run_id_of(request), requested_by=principal.principal_id, reason=asked.reason
        )
        return json_response({"accepted": True, "repeated": not is_new}, status=HTTPStatus.ACCEPTED)

    async def signal(self, request: Request) -> Response:
        """Send a signal: 202, also when the same one was sent before."""
        principal = await authenticate(request, self._kernel.store.directory)
        require_role(principal, OPERATE)
        asked = await read_record(request, SignalRun)
        is_new = await self._kernel.runs.signal(
            principal.tenant_id,
            run_id_of(request),
            name=asked.name,
            payload=asked.payload,
            sent_by=principal.principal_id,
            message_id=None if asked.message_id is None else f"signal:{asked.message_id}",
        )
        return json_response({"accepted": True, "repeated": not is_new}, status=HTTPStatus.ACCEPTED)

    async def _digest(self, tenant_id: TenantId, definition: str) -> Digest:
        if _DIGEST.match(definition):
            return Digest(definition)
        stored = await self._kernel.store.directory.get_definition(tenant_id, name=definition)
        return stored.digest


def run_id_of(request: Request) -> RunId:
    """Return the run id of the path; what cannot be one does not exist."""
    text: str = request.path_params["run_id"]
    if not _RUN_ID.match(text):
        raise NotFoundError("there is no such run")
    return RunId(text)


def limit_of(request: Request) -> int:
    """Return the ``limit`` of the query, from 1 to ``LIMIT_MAX``."""
    text = request.query_params.get("limit", str(LIMIT_DEFAULT))
    if not _LIMIT.match(text) or not 1 <= int(text) <= LIMIT_MAX:
        raise InputInvalidError(f"limit: expected 1 to {LIMIT_MAX}, got {text[:20]!r}")
    return int(text)
