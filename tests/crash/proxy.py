"""A proxy before PostgreSQL that can lose one answer: the server did the work, and nobody hears of it.

Owns: forwarding, and the loss. Does not know: the protocol; a test arms it right before the statement whose answer is
to get lost, with a pattern that its arguments match.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit, urlunsplit

from tests.crash.points import Point, Watch

CHUNK_BYTES = 65_536


class LosingProxy:
    """Listens on loopback and forwards to the server's socket. ``lost`` counts the answers that it swallowed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._socket = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
        self._parts = parts
        self._server: asyncio.Server
        self._armed: re.Pattern[bytes] | None = None
        self._doomed: asyncio.StreamWriter | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.lost = 0

    @property
    def url(self) -> str:
        """Return the database's URL through the proxy."""
        user, _, _ = self._parts.netloc.rpartition("@")
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(self._parts._replace(netloc=f"{user}@127.0.0.1:{port}", query=""))

    def arm(self, sent: re.Pattern[bytes]) -> None:
        """Lose the answer to what a client sends next that matches."""
        self._armed = sent

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Cut everything."""
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        server_reader, server_writer = await asyncio.open_unix_connection(self._socket)
        try:
            sending = asyncio.ensure_future(self._send(reader, server_writer))
            await self._answer(server_reader, writer, server_writer)
            sending.cancel()
        finally:
            self._connections.discard(task)
            for stream in (writer, server_writer):
                stream.close()
                with suppress(OSError):
                    await stream.wait_closed()

    async def _send(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if self._armed is not None and self._armed.search(data):
                    self._armed, self._doomed = None, server
                server.write(data)
                await server.drain()
        server.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if self._doomed is server:
                    self.lost += 1
                    return
                writer.write(data)
                await writer.drain()


ARGUMENTS = {
    "append": re.compile(rb".{300}", re.DOTALL),
    "receive_event": re.compile(rb"shopify|printful\.shipment_sent"),
    "decide": re.compile(rb"approve"),
    "claim": re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}"),
    "submit": re.compile(rb"shopify-order-"),
    "deliver": re.compile(rb"settle"),
    "mark_event_started": re.compile(rb"\x00\x02\x00\x00\x00\x07default\x00\x00\x00\x08", re.DOTALL),
    "register_worker": re.compile(rb"\x00\x04\x00\x00\x00\x10", re.DOTALL),
    "heartbeat": re.compile(rb"\x00\x01\x00\x00\x00\x10", re.DOTALL),
    "retire_worker": re.compile(rb"\x00\x01\x00\x00\x00\x10", re.DOTALL),
    "sweep": re.compile(rb"\x00\x01\x00\x00\x00\x04\x00\x00\x00\x40", re.DOTALL),
}
"""What a statement's arguments look like on the wire, unlike those of others that may leave in the same instant: texts,
or how many there are and how long the first is."""


class LosingWatch(Watch):
    """Arms a proxy right before a statement leaves."""

    def __init__(self, target: Point, proxy: LosingProxy) -> None:
        super().__init__()
        self._losing = target
        self._proxy = proxy

    def reach(self, name: str, phase: str) -> None:
        """Count a point; if it is the one, the answer to what comes next gets lost."""
        super().reach(name, phase)
        if self.reached[-1] == self._losing:
            self._proxy.arm(ARGUMENTS[name])


@asynccontextmanager
async def losing_proxy(url: str) -> AsyncIterator[LosingProxy]:
    """Lend a proxy before a database."""
    proxy = LosingProxy(url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
