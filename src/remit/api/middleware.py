"""What surrounds every request: an id, a bound on errors, one line in the log. Plain ASGI, so that context survives.

Owns: the request id (``X-Request-Id``) and the access log. Never logs bodies, headers, query strings or the path's own
values: a webhook's path segment is as good as a password.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remit.api.problems import problem
from remit.clock import monotonic

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
"""Ids of callers are taken over if they cannot break a log line."""

_log = structlog.get_logger("remit.http")


class RequestScope:
    """Gives each request its id and its line in the log, and answers for what nobody else did."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        began = monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode())]}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:  # boundary: a bug of ours ends one request with a problem, not the server
                _log.exception("request_fault", method=scope["method"], route=_route(scope))
                if not status:
                    detail = "something went wrong here; the log has it under this request id"
                    answer = problem(500, code="INTERNAL", detail=detail, request_id=request_id)
                    await answer(scope, receive, send_with_id)
            duration_ms = round((monotonic() - began) * 1000, 1)
            _log.info("request", method=scope["method"], route=_route(scope), status=status, duration_ms=duration_ms)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        text: str = value.decode("latin-1")
        if name == b"x-request-id" and REQUEST_ID.match(text):
            return text
    return uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """Return the path with its parameters' names instead of their values; unknown paths are not logged."""
    path: str = scope["path"]
    parameters: dict[str, object] = scope.get("path_params", {})
    if "endpoint" not in scope:
        return "unknown"
    for name, value in parameters.items():
        path = path.replace(str(value), f"{{{name}}}")
    return path
