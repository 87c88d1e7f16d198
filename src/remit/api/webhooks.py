"""``POST /webhooks/{endpoint_id}``: a provider's delivery, as raw bytes.

Owns: which status a provider gets, because that decides whether it delivers again. Answers within its patience.
Does not know: signatures, events, runs; that is the ingress.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from remit.api.bodies import json_response, read_body, require_json
from remit.api.problems import HttpRefusalError
from remit.errors import InputInvalidError, NotFoundError, StoreUnavailableError
from remit.runtime.ingress import BODY_BYTES_MAX, Delivery, Ingress

READ_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 2.5
"""Shopify gives up after 5 s in all; storing takes milliseconds, so what takes longer is an outage."""

_log = structlog.get_logger("remit.http")


class WebhookRoute:
    """Takes deliveries for the ingress."""

    def __init__(self, ingress: Ingress) -> None:
        self._ingress = ingress

    async def receive(self, request: Request) -> Response:
        """Answer one delivery: 200 stored or known, 401 forged, 404 unknown, 409 conflicting, 503 come again."""
        require_json(request)
        body = await read_body(request, bytes_max=BODY_BYTES_MAX, seconds_max=READ_SECONDS)
        delivery = await self._take(request, body)
        status = HTTPStatus.CONFLICT if delivery.received.status == "conflict" else HTTPStatus.OK
        if status is HTTPStatus.CONFLICT:
            raise HttpRefusalError(
                "this event was delivered before with another body; the first one stands",
                status=status,
                reason="EVENT_CONFLICT",
            )
        return json_response({"status": delivery.received.status, "held": delivery.received.held})

    async def _take(self, request: Request, body: bytes) -> Delivery:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._ingress.receive(
                    request.path_params["endpoint_id"], headers=request.headers, body=body
                )
        except TimeoutError as error:
            raise StoreUnavailableError(
                "the event could not be stored in time; deliver it again", retryable=True
            ) from error
        except NotFoundError as error:
            if "secret" not in error.fields:
                raise
            # The endpoint exists but cannot be checked: our configuration, not the provider's mistake.
            _log.error("webhook_secret_missing", error=error.message)
            raise StoreUnavailableError("this endpoint cannot be checked now; deliver again", retryable=True) from error
        except InputInvalidError as error:
            raise HttpRefusalError(error.message, status=HTTPStatus.BAD_REQUEST, reason=error.code) from error
