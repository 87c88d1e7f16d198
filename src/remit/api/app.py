"""The application: routes, and how errors become answers.

Owns: the table of routes. Everything that answers is wired to one kernel; there is no global application.
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from remit.api.approvals import ApprovalRoutes
from remit.api.health import HealthRoutes
from remit.api.middleware import RequestScope
from remit.api.problems import problem, problem_of, status_of
from remit.api.runs import RunRoutes
from remit.api.webhooks import WebhookRoute
from remit.bootstrap import Kernel
from remit.errors import RemitError

_log = structlog.get_logger("remit.http")


def create_app(kernel: Kernel) -> ASGIApp:
    """Return the ASGI application of a started kernel."""
    handlers = {RemitError: _refuse, HTTPException: _refuse_path}
    application = Starlette(routes=routes_of(kernel), exception_handlers=handlers)
    # A redirect names the host that the client named, and a decision or key sent once more is sent to there.
    application.router.redirect_slashes = False
    return RequestScope(application)


def routes_of(kernel: Kernel) -> list[Route]:
    """Return everything that the application answers."""
    webhooks = WebhookRoute(kernel.ingress)
    health = HealthRoutes(kernel)
    runs = RunRoutes(kernel)
    approvals = ApprovalRoutes(kernel)
    return [
        Route("/webhooks/{endpoint_id}", webhooks.receive, methods=["POST"]),
        Route("/health", health.health, methods=["GET"]),
        Route("/metrics", health.metrics, methods=["GET"]),
        Route("/runs", runs.submit, methods=["POST"]),
        Route("/runs", runs.list, methods=["GET"]),
        Route("/runs/{run_id}", runs.show, methods=["GET"]),
        Route("/runs/{run_id}/cancellation", runs.cancel, methods=["POST"]),
        Route("/runs/{run_id}/signals", runs.signal, methods=["POST"]),
        Route("/approvals", approvals.list, methods=["GET"]),
        Route("/approvals/{approval_id}/decision", approvals.decide, methods=["POST"]),
    ]


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RemitError)
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request_failed", code=error.code, error=error.message)
    return problem_of(error, request_id=request.state.request_id)


async def _refuse_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name
    answer = problem(error.status_code, code=code, detail=error.detail, request_id=request.state.request_id)
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer
