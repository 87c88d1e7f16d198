"""Shopify's Admin GraphQL API, version 2026-10.

Owns: how documents are sent and what their errors say about effects; the fields of an order that tools read.
Does not know: tools. REST is not used: it is legacy since October 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from remit.core.canonical import JsonValue
from remit.errors import ToolError
from remit.ports.tool import ToolContext
from remit_commerce.providers import refusals, wire

NAME: Final = "Shopify"
CREDENTIAL: Final = "shopify_access_token"
ENDPOINT: Final = "shopify"
HOSTS: Final = ("*.myshopify.com",)
API_VERSION: Final = "2026-10"
USER_ERROR: Final = "user_error"
"""Reason of a business's refusal, which comes in a mutation's payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A named GraphQL operation; ``changes`` is true for mutations."""

    name: str
    text: str
    changes: bool


async def execute(context: ToolContext, document: Document, variables: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Execute a document and return its ``data``.

    Raises:
        ToolError: refused, throttled (with the seconds until the cost is restored), or failed. Errors without ``data``
            came before execution, so nothing happened; errors beside ``data``, even a null one, may follow an effect.
    """
    endpoint = refusals.shopify_endpoint(context)
    token = refusals.require_credential(context, CREDENTIAL)
    payload = {"query": document.text, "operationName": document.name, "variables": dict(variables)}
    request = wire.Outgoing(
        method="POST",
        url=f"{endpoint.base_url}/admin/api/{API_VERSION}/graphql.json",
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Shopify-Access-Token": token,
            wire.REFERENCE_HEADER: context.reference,
        },
        body=orjson.dumps(payload),
        timeout_seconds=wire.time_left(context),
        changes=document.changes,
    )
    reply = await wire.exchange(NAME, request)
    if reply.status != 200:
        message = str(wire.read_error(reply).get("errors", "no message"))
        raise wire.failure(NAME, reply, changes=document.changes, message=message, reason=f"http_{reply.status}")
    body = wire.read_object(NAME, reply, changes=document.changes)
    if errors := body.get("errors"):
        raise _graphql_failure(body, errors, changes=document.changes)
    data = body.get("data")
    if not isinstance(data, dict):
        raise wire.misfit(NAME, "200 without data", changes=document.changes)
    return data


def require_no_user_errors(payload: Mapping[str, JsonValue]) -> None:
    """Raise the business's refusals that a mutation's payload carries: final, and nothing happened."""
    errors = payload.get("userErrors") or []
    if not isinstance(errors, list) or not errors:
        return
    messages = "; ".join(str(error.get("message", "")) for error in errors if isinstance(error, dict))
    raise ToolError(f"Shopify refused: {messages[: wire.MESSAGE_CHARACTERS_MAX]}", reason=USER_ERROR)


def _graphql_failure(body: Mapping[str, JsonValue], errors: JsonValue, *, changes: bool) -> ToolError:
    first = errors[0] if isinstance(errors, list) else None
    if not isinstance(first, dict):
        # A gateway's error with a status of success: no GraphQL server wrote it, so it says nothing about the effect.
        return wire.misfit(NAME, f"200 with an error: {str(errors)[: wire.MESSAGE_CHARACTERS_MAX]}", changes=changes)
    extensions = first.get("extensions")
    code = str(extensions.get("code", "graphql_error")) if isinstance(extensions, dict) else "graphql_error"
    message = f"Shopify answered {code}: {str(first.get('message', ''))[: wire.MESSAGE_CHARACTERS_MAX]}"
    if code == "THROTTLED":
        return ToolError(message, retryable=True, reason=code, retry_after_seconds=_restore_seconds(body))
    was_executed = "data" in body or code == "INTERNAL_SERVER_ERROR"
    effect = "unknown" if was_executed and changes else "none"
    return ToolError(message, retryable=code == "INTERNAL_SERVER_ERROR", effect=effect, reason=code)


def _restore_seconds(body: Mapping[str, JsonValue]) -> float | None:
    """Return how long the bucket takes to hold the query's cost again: (requested - available) / rate."""
    match body.get("extensions"):
        case {
            "cost": {
                "requestedQueryCost": int() | float() as requested,
                "throttleStatus": {
                    "currentlyAvailable": int() | float() as available,
                    "restoreRate": int() | float() as rate,
                },
            }
        } if rate > 0:
            return max(0.0, (requested - available) / rate)
        case _:
            return None
