"""One bounded HTTP exchange with a provider, and what its failure says about the effect.

Owns: time limit, size limit, no redirects, no proxies from the environment, and the classes of transport failures.
Does not know: what the provider's answers mean; each provider's module does.

A failure before the request was sent proves that nothing happened. After that, only an answer does: without one, a
request that changes something has an unknown effect.
"""

from __future__ import annotations

import asyncio
import email.utils
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx2

from remit.clock import wall_clock
from remit.core import strict_json
from remit.core.canonical import JsonValue
from remit.errors import JsonSyntaxError, ToolError
from remit.ports.tool import ToolContext

REPLY_BYTES_MAX: Final = 1024 * 1024
"""Largest answer that is read: forty times the largest of the samples."""

CONNECT_SECONDS_MAX: Final = 5.0
DEADLINE_SHARE: Final = 0.9
"""How much of a call's time the exchange may use; the rest is for saying how it failed."""

RETRY_AFTER_SECONDS_MAX: Final = 24 * 3600.0
"""Longest wait that a provider may ask for; more is nonsense, and the step's own delay is used."""

MESSAGE_CHARACTERS_MAX: Final = 300
REFERENCE_HEADER: Final = "X-Client-Reference"
"""Carries our reference on every request: providers ignore it, their logs and our simulators keep it."""


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


async def exchange(provider: str, request: Outgoing) -> Reply:
    """Send a request once and return the whole answer, whatever its status.

    Raises:
        ToolError: no answer, or not a whole one: ``CONNECT_FAILED`` (effect none), ``PROVIDER_TIMEOUT``,
            ``CONNECTION_LOST``, ``REPLY_TOO_LARGE`` (effect unknown if the request changes something).
    """
    effect = "unknown" if request.changes else "none"
    try:
        async with asyncio.timeout(request.timeout_seconds):
            return await _send(provider, request)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        message = f"{provider} could not be reached: {type(error).__name__}"
        raise ToolError(message, retryable=True, reason="CONNECT_FAILED") from error
    except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL) as error:
        message = f"the request to {provider} is not valid HTTP: {type(error).__name__}"
        raise ToolError(message, reason="REQUEST_INVALID") from error
    except (TimeoutError, httpx2.TimeoutException) as error:
        message = f"{provider} did not answer within {request.timeout_seconds:.1f} s"
        raise ToolError(message, retryable=True, effect=effect, reason="PROVIDER_TIMEOUT") from error
    except httpx2.TransportError as error:
        message = f"the connection to {provider} broke: {type(error).__name__}"
        raise ToolError(message, retryable=True, effect=effect, reason="CONNECTION_LOST") from error


def time_left(context: ToolContext) -> float:
    """Return how long an exchange of this call may take, in seconds."""
    return max(0.05, context.deadline_seconds * DEADLINE_SHARE)


def failure(provider: str, reply: Reply, *, changes: bool, message: str, reason: str) -> ToolError:
    """Return the error for an answer that is no success, by the rules that all four providers share.

    429 had no effect and may be tried later; a server error may have had its effect; every other refusal is final.
    """
    text = f"{provider} answered {reply.status}: {message[:MESSAGE_CHARACTERS_MAX]}"
    if reply.status == 429:
        return ToolError(text, retryable=True, reason=reason, retry_after_seconds=retry_after_seconds(reply.headers))
    if reply.status >= 500 or reply.status == 408:
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


async def _send(provider: str, request: Outgoing) -> Reply:
    timeout = httpx2.Timeout(request.timeout_seconds, connect=min(CONNECT_SECONDS_MAX, request.timeout_seconds * 0.8))
    # A context of certificates is costly to build and of no use to a simulator.
    verify = _tls() if request.url.startswith("https:") else False
    transport = httpx2.AsyncHTTPTransport(verify=verify, retries=0, trust_env=False)
    client = httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)
    headers = {"Accept-Encoding": "identity", **request.headers}
    async with client, client.stream(request.method, request.url, headers=headers, content=request.body) as response:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > REPLY_BYTES_MAX:
                raise misfit(
                    provider, f"more than {REPLY_BYTES_MAX} bytes", changes=request.changes, reason="REPLY_TOO_LARGE"
                )
            chunks.append(chunk)
        headers_in = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status_code, headers=headers_in, body=b"".join(chunks))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
