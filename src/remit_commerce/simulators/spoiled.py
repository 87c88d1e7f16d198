"""Playing a fault on the wire: what the network and the proxies before a provider do to an answer.

Owns: hanging, resetting, dripping, garbling. Does not know: providers, or which fault is due.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Final

from starlette.types import Receive, Scope, Send

from remit_commerce.simulators.faults import FaultKind

HTML: Final = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
)
OVERSIZED_BYTES: Final = 10 * 1024 * 1024
CHUNK_BYTES: Final = 256 * 1024
DRIP_BYTES: Final = 4
DRIP_SECONDS: Final = 0.2
HOLD_SECONDS_MAX: Final = 120.0
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Spoiled:
    """An ASGI response that does not go well."""

    def __init__(
        self,
        kind: FaultKind,
        *,
        hold_seconds: float,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._kind = kind
        self._hold_seconds = min(hold_seconds, HOLD_SECONDS_MAX)
        self._status = status
        self._body = body
        self._headers = {"content-type": "application/json", **(headers or {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer badly, or not at all."""
        match self._kind:
            case FaultKind.TIMEOUT_BEFORE | FaultKind.TIMEOUT_AFTER:
                await _wait_for_disconnect(receive, seconds=self._hold_seconds)
                _reset(scope)
                await _wait_for_disconnect(receive, seconds=1.0)
            case FaultKind.RESET_BEFORE | FaultKind.RESET_AFTER:
                _reset(scope)
                await _wait_for_disconnect(receive, seconds=1.0)
            case FaultKind.RESET_MIDDLE | FaultKind.TRUNCATED:
                await self._break_off(scope, receive, send)
            case FaultKind.SLOW_DRIP:
                await self._drip(receive, send)
            case FaultKind.HTML_BEFORE:
                await _answer(send, 502, HTML, {"content-type": "text/html"})
            case FaultKind.HTML_AFTER:
                await _answer(send, 200, HTML, {"content-type": "text/html"})
            case FaultKind.GARBAGE:
                cut = self._body[: max(1, len(self._body) // 2)] + b"\xff\xfe"
                await _answer(send, self._status, cut, self._headers)
            case FaultKind.REDIRECT:
                await _answer(send, 302, b"", {"location": "https://elsewhere.example.com/"})
            case FaultKind.OVERSIZED:
                await self._flood(receive, send)
            case _:
                await _answer(send, self._status, self._body, self._headers)

    async def _break_off(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise the whole answer, send half of it, and end the connection: with a reset, or as if that were all."""
        half = self._body[: len(self._body) // 2]
        await self._begin(send, length=max(len(self._body), 1))
        await send({"type": "http.response.body", "body": half, "more_body": True})
        if self._kind is FaultKind.RESET_MIDDLE:
            _reset(scope)
        else:
            scope["state"]["transport"].close()
        await _wait_for_disconnect(receive, seconds=1.0)

    async def _begin(self, send: Send, *, length: int) -> None:
        listed = [(name.encode(), value.encode()) for name, value in self._headers.items()]
        listed.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": self._status, "headers": listed})

    async def _flood(self, receive: Receive, send: Send) -> None:
        """Send far more than anybody reads, until the caller has enough."""
        await self._begin(send, length=OVERSIZED_BYTES)
        for _ in range(OVERSIZED_BYTES // CHUNK_BYTES):
            await send({"type": "http.response.body", "body": b" " * CHUNK_BYTES, "more_body": True})
            if await _wait_for_disconnect(receive, seconds=0.0):
                return
        await send({"type": "http.response.body", "body": b""})

    async def _drip(self, receive: Receive, send: Send) -> None:
        """Send the right answer so slowly that nobody waits for its end."""
        await self._begin(send, length=len(self._body))
        for start in range(0, len(self._body), DRIP_BYTES):
            chunk = self._body[start : start + DRIP_BYTES]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if await _wait_for_disconnect(receive, seconds=DRIP_SECONDS):
                return
        await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    listed = [(name.encode(), value.encode()) for name, value in headers.items()]
    listed.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


async def _wait_for_disconnect(receive: Receive, *, seconds: float) -> bool:
    """Wait until the client goes away, at most so long; tell whether it did."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


def _reset(scope: Scope) -> None:
    """Close the connection with a TCP reset instead of a goodbye."""
    transport = scope["state"]["transport"]
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
