"""HTTP to addresses that were judged: for URLs that come from documents, people or models.

Owns: resolving a name once, connecting to exactly the addresses that were judged, and bounding time and size. No
redirects are followed, no proxies are taken from the environment, no connection is shared or kept.
Does not know: which addresses are public (``governance.egress`` does), or what an answer means.

A name that is resolved a second time may have moved inside in between. So the connection goes to an address, and the
name travels in the ``Host`` header and in TLS, where certificates are checked against it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import httpx2

from remit.errors import ToolError
from remit.governance.egress import DEFAULT_RULE, Blocked, EgressRule, Target, judge_address, read_target

EGRESS_REFUSED: Final = "EGRESS_REFUSED"
"""Reason of every refusal here: the URL, or an address of its host, is not one that may be reached."""

REPLY_BYTES_MAX: Final = 1024 * 1024
CONNECT_SECONDS_MAX: Final = 5.0
CONNECT_SHARE: Final = 0.8
"""How much of an exchange's time connecting may use: what never connected proves that nothing was sent."""

ADDRESSES_TRIED_MAX: Final = 3
"""A host with more addresses that nobody answers at is down."""

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""From a host name and port to its addresses; raises ``OSError`` if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedRequest:
    """A request. ``changes`` says whether executing it may change something, ``rule`` what it may reach.

    With ``reply_bytes_max`` 0 only status and headers are read: for answers that nobody must see.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout_seconds: float = 10.0
    reply_bytes_max: int = REPLY_BYTES_MAX
    changes: bool = True
    rule: EgressRule = DEFAULT_RULE


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedReply:
    """An answer, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


async def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses that the system's resolver knows, each once, in its order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedClient:
    """Sends requests to public addresses, and to this machine where a rule says so.

    Args:
        resolve: Finds a name's addresses; called once for each request.
        tls: Which certificates are trusted; by default those that the system trusts.
    """

    def __init__(self, *, resolve: Resolver = resolve_host, tls: ssl.SSLContext | None = None) -> None:
        self._resolve = resolve
        self._tls = tls

    async def exchange(self, request: GuardedRequest) -> GuardedReply:
        """Send a request once and return the answer.

        Raises:
            ToolError: ``EGRESS_REFUSED`` (nothing was sent, and trying again cannot help); ``NAME_UNRESOLVED``,
                ``CONNECT_FAILED`` (nothing was sent); ``TIMED_OUT``, ``CONNECTION_LOST``, ``REPLY_TOO_LARGE`` (effect
                unknown if the request changes something). Messages hold neither path nor answer.
        """
        target = read_target(request.url, request.rule)
        if isinstance(target, Blocked):
            raise ToolError(target.message, reason=EGRESS_REFUSED)
        effect = "unknown" if request.changes else "none"
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._send(target, await self._addresses(target), request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            message = f"{target.host} could not be reached: {type(error).__name__}"
            raise ToolError(message, retryable=True, reason="CONNECT_FAILED") from error
        except (TimeoutError, httpx2.TimeoutException) as error:
            message = f"{target.host} did not answer within {request.timeout_seconds:.1f} s"
            raise ToolError(message, retryable=True, effect=effect, reason="TIMED_OUT") from error
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL) as error:
            message = f"the request to {target.host} is not valid HTTP: {type(error).__name__}"
            raise ToolError(message, reason="REQUEST_INVALID") from error
        except httpx2.TransportError as error:
            message = f"the connection to {target.host} broke: {type(error).__name__}"
            raise ToolError(message, retryable=True, effect=effect, reason="CONNECTION_LOST") from error

    async def _addresses(self, target: Target) -> list[str]:
        """Return the target's addresses, every one of them judged: one that leads inside condemns the name."""
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            message = f"the name {target.host} could not be resolved"
            raise ToolError(message, retryable=True, reason="NAME_UNRESOLVED") from error
        for address in addresses:
            blocked = judge_address(address, target=target)
            if blocked is not None:
                raise ToolError(blocked.message, reason=EGRESS_REFUSED)
        if not addresses:
            raise ToolError(f"the name {target.host} has no address", retryable=True, reason="NAME_UNRESOLVED")
        return addresses[:ADDRESSES_TRIED_MAX]

    async def _send(self, target: Target, addresses: list[str], request: GuardedRequest) -> GuardedReply:
        *others, last = addresses
        for address in others:
            try:
                return await self._send_to(address, target, request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._send_to(last, target, request)

    async def _send_to(self, address: str, target: Target, request: GuardedRequest) -> GuardedReply:
        verify = (self._tls or _system_tls()) if target.scheme == "https" else False
        transport = httpx2.AsyncHTTPTransport(verify=verify, retries=0, trust_env=False)
        connect_seconds = min(CONNECT_SECONDS_MAX, request.timeout_seconds * CONNECT_SHARE)
        timeout = httpx2.Timeout(request.timeout_seconds, connect=connect_seconds)
        client = httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)
        url = f"{target.scheme}://{target.at(address)}{target.path}"
        headers = {"Accept-Encoding": "identity", **request.headers, "Host": target.authority}
        sending = client.stream(
            request.method, url, headers=headers, content=request.body, extensions={"sni_hostname": target.host}
        )
        async with client, sending as response:
            body = await _read(response, request) if request.reply_bytes_max else b""
            headers_in = {name.lower(): value for name, value in response.headers.items()}
            return GuardedReply(status=response.status_code, headers=headers_in, body=body)


async def _read(response: httpx2.Response, request: GuardedRequest) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > request.reply_bytes_max:
            effect = "unknown" if request.changes else "none"
            message = f"expected an answer of at most {request.reply_bytes_max} bytes, got more"
            raise ToolError(message, effect=effect, reason="REPLY_TOO_LARGE")
        chunks.append(chunk)
    return b"".join(chunks)


@cache
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()
