"""SendGrid's Mail Send API, v3.

Owns: how one mail is sent, the sandbox rule, and what errors say about effects.
Does not know: tools, templates. SendGrid has no idempotency: a lost answer leaves the effect unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from remit.clock import wall_clock
from remit.core.canonical import JsonValue
from remit.errors import ToolError
from remit.ports.tool import ToolContext
from remit_commerce.providers import refusals, wire

NAME: Final = "SendGrid"
CREDENTIAL: Final = "sendgrid_api_key"
ENDPOINT: Final = "sendgrid"
HOSTS: Final = ("api.sendgrid.com",)
INSTANT_DIGITS_MAX: Final = 12


async def send(context: ToolContext, mail: Mapping[str, JsonValue], *, recipient: str) -> str:
    """Send one mail and return SendGrid's message id.

    Outside a simulator the mail goes to SendGrid's sandbox, which checks it and delivers nothing: it answers 200. A 202
    there means that a real mail went out, which is reported as an effect to be looked at by a person.

    Raises:
        ToolError: refused before sending, refused by SendGrid, or failed.
    """
    endpoint = refusals.sendgrid_endpoint(context)
    refusals.require_harmless_recipient(endpoint, recipient)
    is_sandbox = not endpoint.is_loopback
    body = {**mail, "mail_settings": {"sandbox_mode": {"enable": is_sandbox}}}
    request = wire.Outgoing(
        method="POST",
        url=f"{endpoint.base_url}/v3/mail/send",
        headers={
            "Authorization": f"Bearer {refusals.require_credential(context, CREDENTIAL)}",
            "Content-Type": "application/json",
            wire.REFERENCE_HEADER: context.reference,
        },
        body=orjson.dumps(body),
        timeout_seconds=wire.time_left(context),
        changes=True,
    )
    reply = await wire.exchange(NAME, request)
    if reply.status == 202 and is_sandbox:
        message = "SendGrid accepted a sandbox mail for delivery: expected 200, got 202; check what was sent"
        raise ToolError(message, effect="unknown", reason="SANDBOX_LEAK")
    if reply.status not in {200, 202}:
        raise _failure(reply)
    if reply.status != (200 if is_sandbox else 202):
        raise wire.misfit(NAME, f"{reply.status} where 202 was expected", changes=True)
    return reply.headers.get("x-message-id", "")


def _failure(reply: wire.Reply) -> ToolError:
    if 200 <= reply.status < 400:
        return wire.misfit(NAME, f"{reply.status}, which it never does", changes=True)
    match wire.read_error(reply):
        case {"errors": [{"message": str(message)}, *_]}:
            pass
        case _:
            message = "no message"
    failed = wire.failure(NAME, reply, changes=True, message=message, reason=f"http_{reply.status}")
    if reply.status == 429 and failed.retry_after_seconds is None:
        # SendGrid announces the instant at which its limit resets, in seconds since 1970, instead of Retry-After.
        reset = reply.headers.get("x-ratelimit-reset", "")
        if reset.isascii() and reset.isdigit() and len(reset) <= INSTANT_DIGITS_MAX:
            wait = max(0.0, int(reset) - wall_clock().timestamp())
            failed.retry_after_seconds = wait if wait <= wire.RETRY_AFTER_SECONDS_MAX else None
    return failed
