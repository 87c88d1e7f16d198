"""Printful's API v2 (cancelling is still v1).

Owns: how requests are made, what may be asked outside a simulator (drafts only), and what errors say about effects.
Does not know: tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlencode

import orjson

from remit.core.canonical import JsonValue
from remit.errors import ToolError
from remit.ports.tool import ToolContext
from remit_commerce.providers import refusals, wire

NAME: Final = "Printful"
CREDENTIAL: Final = "printful_token"
ENDPOINT: Final = "printful"
HOSTS: Final = ("api.printful.com",)
EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
"""What Printful takes as an order's external id: our reference is 32 hex characters."""

ORDER_ID: Final = re.compile(r"[1-9][0-9]{0,18}\Z")


async def request(
    context: ToolContext,
    method: Literal["GET", "POST", "DELETE"],
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: JsonValue = None,
) -> JsonValue:
    """Send one request and return the ``data`` of its answer.

    Raises:
        ToolError: refused before sending (``LIVE_REFUSED``), refused by Printful, or failed; 404 has reason
            ``NOT_FOUND``, 409 ``CONFLICT``.
    """
    endpoint = refusals.printful_endpoint(context)
    query = query or {}
    refusals.require_draft_only(endpoint, method=method, path=path, query=query)
    changes = method != "GET"
    headers = {
        "Authorization": f"Bearer {refusals.require_credential(context, CREDENTIAL)}",
        "Accept": "application/json",
        wire.REFERENCE_HEADER: context.reference,
    }
    if endpoint.store_id is not None:
        headers["X-PF-Store-Id"] = endpoint.store_id
    if body is not None:
        headers["Content-Type"] = "application/json"
    outgoing = wire.Outgoing(
        method=method,
        url=f"{endpoint.base_url}{path}" + (f"?{urlencode(query)}" if query else ""),
        headers=headers,
        body=None if body is None else orjson.dumps(body),
        timeout_seconds=wire.time_left(context),
        changes=changes,
    )
    reply = await wire.exchange(NAME, outgoing)
    if not 200 <= reply.status < 300:
        raise wire.failure(NAME, reply, changes=changes, message=_message(reply), reason=_reason(reply.status))
    answer = wire.read_object(NAME, reply, changes=changes)
    data = answer.get("data", answer.get("result"))
    if data is None:
        raise wire.misfit(NAME, f"{reply.status} without data", changes=changes)
    return data


def require_order_id(order_id: str) -> str:
    """Return the id if it is one of Printful's numbers: it becomes part of a path."""
    if not ORDER_ID.match(order_id):
        raise ToolError(f"expected a Printful order id (digits), got {order_id!r}", reason="ORDER_ID_INVALID")
    return order_id


def require_external_id(reference: str) -> str:
    """Return our reference if Printful takes it as an external id."""
    if not EXTERNAL_ID.match(reference):
        raise ToolError(
            f"expected at most 32 characters of [A-Za-z0-9_-], got {reference!r}", reason="REFERENCE_INVALID"
        )
    return reference


def _reason(status: int) -> str:
    return {404: "NOT_FOUND", 409: "CONFLICT", 429: "RATE_LIMITED"}.get(status, f"http_{status}")


def _message(reply: wire.Reply) -> str:
    """Return the text of an error: a problem document (v2), or the older ``error`` and ``result`` forms."""
    body = wire.read_error(reply)
    match body:
        case {"error": {"message": str(message)}}:
            return message
        case {"detail": str(message)} | {"title": str(message)} | {"result": str(message)}:
            return message
        case _:
            return "no message"
