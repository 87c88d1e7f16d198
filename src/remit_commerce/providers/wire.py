"""One bounded HTTP exchange with a provider, and what its failure says about the effect.

Owns: the words for failures of the transport, and what all providers' answers have in common. The connection is the
kernel's guarded client's: it resolves a name once, judges every address, and follows neither redirects nor proxies.
Does not know: what the provider's answers mean; each provider's module does.

A failure before the request was sent proves that nothing happened. After that, only an answer does: without one, a
request that changes something has an unknown effect.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from remit.clock import wall_clock
from remit.core import strict_json
from remit.core.canonical import JsonValue
from remit.errors import JsonSyntaxError, ToolError
from remit.governance.egress import EgressRule
from remit.ports.tool import ToolContext
from remit.tools.guarded_http import GuardedClient, GuardedRequest

REPLY_BYTES_MAX: Final = 1024 * 1024
"""Largest answer that is read: forty times the largest of the samples."""

DEADLINE_SHARE: Final = 0.9
"""How much of a call's time the exchange may use; the rest is for saying how it failed."""

RETRY_AFTER_SECONDS_MAX: Final = 24 * 3600.0
"""Longest wait that a provider may ask for; more is nonsense, and the step's own delay is used."""

MESSAGE_CHARACTERS_MAX: Final = 300
REFERENCE_HEADER: Final = "X-Client-Reference"
"""Carries our reference on every request: providers ignore it, their logs and our simulators keep it."""

RULE: Final = EgressRule(ports=None, allows_loopback=True)
"""Public hosts, and simulators on this machine; which of them a provider may be is ``refusals``' to say."""

_CLIENT: Final = GuardedClient()
_REASONS: Final = {"TIMED_OUT": "PROVIDER_TIMEOUT", "NAME_UNRESOLVED": "CONNECT_FAILED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request. ``changes`` says whether executing it may change something at the provider."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout_seconds: float
    changes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


async def exchange(provider: str, request: Outgoing, *, client: GuardedClient = _CLIENT) -> Reply:
    """Send a request once and return the whole answer, whatever its status.

    Raises:
        ToolError: no answer, or not a whole one: ``EGRESS_REFUSED``, ``CONNECT_FAILED`` (effect none),
            ``PROVIDER_TIMEOUT``, ``CONNECTION_LOST``, ``REPLY_TOO_LARGE`` (effect unknown if the request changes
            something).
    """
    guarded = GuardedRequest(
        method=request.method,
        url=request.url,
        headers=request.headers,
        body=request.body,
        timeout_seconds=request.timeout_seconds,
        reply_bytes_max=REPLY_BYTES_MAX,
        changes=request.changes,
        rule=RULE,
    )
    try:
        reply = await client.exchange(guarded)
    except ToolError as error:
        if error.reason == "REPLY_TOO_LARGE":
            what = f"more than {REPLY_BYTES_MAX} bytes"
            raise misfit(provider, what, changes=request.changes, reason="REPLY_TOO_LARGE") from error
        raise ToolError(
            f"{provider}: {error.message}",
            retryable=error.retryable,
            effect=error.effect,
            reason=_REASONS.get(error.reason, error.reason),
        ) from error
    return Reply(status=reply.status, headers=reply.headers, body=reply.body)


def time_left(context: ToolContext) -> float:
    """Return how long an exchange of this call may take, in seconds."""
    return max(0.05, context.deadline_seconds * DEADLINE_SHARE)


def failure(provider: str, reply: Reply, *, changes: bool, message: str, reason: str) -> ToolError:
    """Return the error for an answer that is no success, by the rules that all four providers share.

    429 had no effect and may be tried later; a server error may have had its effect, and a redirect comes from somebody
    else; every other refusal is final.
    """
    text = f"{provider} answered {reply.status}: {message[:MESSAGE_CHARACTERS_MAX]}"
    if reply.status == 429:
        return ToolError(text, retryable=True, reason=reason, retry_after_seconds=retry_after_seconds(reply.headers))
    if reply.status >= 500 or reply.status == 408 or 300 <= reply.status < 400:
        effect = "unknown" if changes else "none"
        wait = retry_after_seconds(reply.headers)
        return ToolError(text, retryable=True, effect=effect, reason=reason, retry_after_seconds=wait)
    return ToolError(text, reason=reason)


def misfit(provider: str, what: str, *, changes: bool, reason: str = "REPLY_INVALID") -> ToolError:
    """Return the error for a success whose content is not what was asked for: the effect may be there."""
    effect = "unknown" if changes else "none"
    return ToolError(f"{provider} answered {what}", retryable=True, effect=effect, reason=reason)


def read_object(provider: str, reply: Reply, *, changes: bool) -> dict[str, JsonValue]:
    """Return the JSON object of a successful answer.

    Raises:
        ToolError: ``REPLY_INVALID``; the answer is a page of HTML, cut off, or not an object.
    """
    try:
        value = strict_json.parse(reply.body, bytes_max=REPLY_BYTES_MAX)
    except JsonSyntaxError as error:
        raise misfit(provider, f"{reply.status} with a body that is not JSON", changes=changes) from error
    if not isinstance(value, dict):
        raise misfit(provider, f"{reply.status} with JSON that is no object", changes=changes)
    return value


def read_error(reply: Reply) -> dict[str, JsonValue]:
    """Return the JSON object of an error answer, empty if it has none (a proxy's HTML page)."""
    try:
        value = strict_json.parse(reply.body, bytes_max=REPLY_BYTES_MAX)
    except JsonSyntaxError:
        return {}
    return value if isinstance(value, dict) else {}


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long the provider asked to wait: ``Retry-After`` as seconds or date; ``None`` for none or nonsense."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        seconds = float(text)
    else:
        try:
            seconds = max(0.0, (email.utils.parsedate_to_datetime(text) - wall_clock()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if seconds <= RETRY_AFTER_SECONDS_MAX else None
