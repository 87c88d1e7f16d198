"""A subscriber on this machine: an HTTP server that keeps what it gets and answers what it is told.

Owns: reading one request per connection, and verifying signatures as a subscriber would, with the library.
Does not know: who sends.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
"""What subscriptions of these tests sign with."""

OK = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
SERVER_ERROR = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 4\r\n\r\nboom"
GONE = b"HTTP/1.1 410 Gone\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request, whole. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def timestamp(self) -> int:
        return int(self.headers["webhook-timestamp"])

    def verified(self, secret: str = SECRET) -> Any:
        """Return the body's JSON; raises what the library raises if the signature does not match."""
        return Webhook(secret).verify(self.body, dict(self.headers))


Answer = Callable[[Received], Awaitable[bytes]]


class Receiver:
    """An HTTP server. ``answer`` may be replaced at any time; ``until`` waits for requests."""

    def __init__(self, answer: bytes | Answer = OK, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.received: list[Received] = []
        self.connections = 0
        self._port = port
        self._tls = tls
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/in"

    @property
    def counts(self) -> Counter[str]:
        """How often each message came."""
        return Counter(one.message_id for one in self.received)

    async def until(self, condition: Callable[[Receiver], bool], *, seconds: float = 20.0) -> None:
        """Return once the condition holds; looks at it after each request."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            at = asyncio.get_running_loop().time()
            received = Received(method=method, path=path, headers=headers, body=body, at=at)
            self.received.append(received)
            self._changed.set()
            writer.write(self.answer if isinstance(self.answer, bytes) else await self.answer(received))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


def instant_of(received: Received) -> datetime:
    """The instant inside a message's body."""
    return datetime.fromisoformat(received.verified()["timestamp"])
