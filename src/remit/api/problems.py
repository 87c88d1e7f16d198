"""Errors as HTTP answers: one table from code to status, one form for all (RFC 9457).

Owns: the table, and what a problem shows. Fields of an error are shown only if the table's family is the caller's own
fault: what went wrong inside is for the log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import orjson
from starlette.responses import Response

from remit.errors import InvariantViolated, OperationError, RemitError, UsageError

PROBLEM_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1
"""What a client is asked to wait when the store is away: its restart takes about a second."""

RETRY_AFTER_BY_CODE: Final[dict[str, int]] = {"STORE_READ_ONLY": 10}
"""Where waiting takes longer: somebody has to make room."""

STATUS: Final[dict[str, int]] = {
    "REMIT_ERROR": 500,
    "USAGE_ERROR": 400,
    "CANONICAL_INVALID": 400,
    "JSON_INVALID": 400,
    "EXPRESSION_INVALID": 422,
    "EVALUATION_FAILED": 422,
    "DEFINITION_INVALID": 422,
    "DEFINITION_UNRUNNABLE": 422,
    "INPUT_INVALID": 422,
    "NOT_FOUND": 404,
    "ALREADY_DECIDED": 409,
    "ILLEGAL_TRANSITION": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "SIGNATURE_INVALID": 401,
    "SETTINGS_INVALID": 500,
    "CONTRACT_INVALID": 500,
    "OPERATION_ERROR": 500,
    "STORE_UNAVAILABLE": 503,
    "STORE_READ_ONLY": 503,
    "UNSAFE_DATABASE": 503,
    "TENANT_CONTEXT_MISSING": 500,
    "FENCED": 503,
    "CAPACITY_EXCEEDED": 503,
    "TOOL_FAILED": 502,
    "INVARIANT_VIOLATED": 500,
    "JOURNAL_CORRUPT": 500,
}
"""Every code of ``remit.errors``; a test compares both. A code that is not here answers by its family."""


class HttpRefusalError(UsageError):
    """A request that HTTP itself lets us refuse: too large, of the wrong type, with the wrong method.

    Args:
        message: Expected what, got what, what to do.
        status: The HTTP status.
        reason: Its stable code, such as ``PAYLOAD_TOO_LARGE``.
    """

    code = "HTTP_REFUSED"

    def __init__(self, message: str, *, status: HTTPStatus, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


def status_of(error: RemitError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, HttpRefusalError):
        return int(error.status)
    if error.code in STATUS:
        return STATUS[error.code]
    return 400 if isinstance(error, UsageError) else 500


def problem_of(error: RemitError, *, request_id: str) -> Response:
    """Return an error as problem JSON. What is our fault or the world's shows its code and no details."""
    status = status_of(error)
    code = error.reason if isinstance(error, HttpRefusalError) else error.code
    fields = dict(error.fields) if isinstance(error, UsageError) else {}
    detail = error.message if _may_show(error) else _INTERNAL
    return problem(status, code=code, detail=detail, request_id=request_id, fields=fields)


_INTERNAL: Final = "something went wrong here; the log has it under this request id"


def _may_show(error: RemitError) -> bool:
    return not isinstance(error, InvariantViolated) and not (isinstance(error, OperationError) and not error.retryable)


def problem(
    status: int, *, code: str, detail: str, request_id: str, fields: dict[str, object] | None = None
) -> Response:
    """Return a problem document; ``fields`` never replace the standard members."""
    body = {
        **(fields or {}),
        "type": f"urn:remit:error:{code.lower().replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_BY_CODE.get(code, RETRY_AFTER_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    content = orjson.dumps(body, default=str)
    return Response(content, status_code=status, media_type=PROBLEM_TYPE, headers=headers)
