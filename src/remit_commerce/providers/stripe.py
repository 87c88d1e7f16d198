"""Stripe, through its own SDK over our guarded exchange.

Owns: how the SDK is set up (test keys only, no retries of its own, no telemetry) and what its errors say about effects.
Does not know: which operations there are; the tools call the SDK.

The SDK would bring httpx or aiohttp for asynchronous calls. It takes a client of ours instead, so that limits,
redirects and proxies are handled in one place for all providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, NoReturn

import stripe

from remit.errors import ToolError
from remit.ports.tool import ToolContext
from remit_commerce.providers import refusals, wire

NAME: Final = "Stripe"
CREDENTIAL: Final = "stripe_api_key"
ENDPOINT: Final = "stripe"
HOSTS: Final = ("api.stripe.com",)
REPLAYED_ERROR: Final = "REPLAYED_ERROR"
"""Reason of a server error that Stripe repeats for our key: only looking up can tell what happened."""

KEY_CHARACTERS_MAX: Final = 255
"""Longest ``Idempotency-Key`` that Stripe takes."""


class ExchangeClient(stripe.HTTPClient):
    """The SDK's transport: one exchange a call. Remembers the headers of the last answer, which errors need."""

    name: ClassVar[str] = "remit"

    def __init__(self, *, timeout_seconds: float) -> None:
        super().__init__()
        self._timeout_seconds = timeout_seconds

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send a request of the SDK; a lost one is raised as ours, past the SDK, which has no word for effects."""
        request = wire.Outgoing(
            method=method.upper(),
            url=url,
            headers=headers,
            body=None if post_data is None else post_data.encode(),
            timeout_seconds=self._timeout_seconds,
            changes=method.lower() != "get",
        )
        reply = await wire.exchange(NAME, request)
        if reply.status < 400:
            # A success that is no JSON would reach the SDK's parser as an error without a class.
            wire.read_object(NAME, reply, changes=request.changes)
        return reply.body, reply.status, {**reply.headers, "Request-Id": reply.headers.get("request-id", "")}

    async def close_nothing(self) -> None:
        """Do nothing: each exchange closes its own connection."""

    # The SDK's names for the two.
    request_async = send
    close_async = close_nothing


def client(context: ToolContext) -> stripe.StripeClient:
    """Return the SDK's client for one call of this tenant.

    Raises:
        ToolError: ``LIVE_REFUSED`` for a live key or a foreign host; the key or the endpoint is missing.
    """
    endpoint = refusals.stripe_endpoint(context)
    key = refusals.require_stripe_test_key(refusals.require_credential(context, CREDENTIAL))
    # The SDK writes an id into the user's home and reports latencies unless told not to; it has no switch per client.
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        key,
        base_addresses={"api": endpoint.base_url},
        http_client=ExchangeClient(timeout_seconds=wire.time_left(context)),
        max_network_retries=0,
    )


def options(context: ToolContext) -> stripe.RequestOptions:
    """Return the options of a request that changes something: our key, the same for every attempt."""
    assert len(context.external_key) <= KEY_CHARACTERS_MAX
    headers = {wire.REFERENCE_HEADER: context.reference}
    return {"idempotency_key": context.external_key, "headers": headers}


def reading(context: ToolContext) -> stripe.RequestOptions:
    """Return the options of a request that only reads."""
    return {"headers": {wire.REFERENCE_HEADER: context.reference}}


def raise_failure(error: stripe.StripeError, *, changes: bool) -> NoReturn:
    """Raise our error for the SDK's.

    402 and other refusals are final and had no effect; 429 may be tried later; 409 means that the same key is in use
    just now, so its outcome is still open; a server error may have had its effect. An answer replayed for our key will
    never change, so trying it again is of no use: the tools look up then.
    """
    status = error.http_status or 0
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    reply = wire.Reply(status=status, headers=headers, body=b"")
    message = error.user_message or "no message"
    failed = wire.failure(NAME, reply, changes=changes, message=message, reason=_reason(error))
    retryable = failed.retryable
    effect = failed.effect
    if status == 409:
        retryable, effect = True, "unknown" if changes else "none"
    if headers.get("stripe-should-retry") in {"true", "false"} and status != 429:
        retryable = headers["stripe-should-retry"] == "true"
    is_replayed = headers.get("idempotent-replayed") == "true"
    raise ToolError(
        failed.message,
        retryable=retryable and not is_replayed,
        effect=effect,
        reason=REPLAYED_ERROR if is_replayed and effect == "unknown" else failed.reason,
        retry_after_seconds=failed.retry_after_seconds,
    ) from error


def _reason(error: stripe.StripeError) -> str:
    """Return the most specific code: the issuer's, then Stripe's, then the kind of error."""
    details = error.error
    for name in ("decline_code", "code", "type"):
        code = getattr(details, name, None)
        if isinstance(code, str) and code:
            return code
    return f"http_{error.http_status}"
