"""Clients that take their time, hold connections or send floods: each is cut off, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from remit.api.protocol import Patience
from remit.api.server import HEADER_BYTES_MAX, HttpServer

QUICK = Patience(head_seconds=0.4, reading_seconds=0.4)
SECONDS_MAX = 20.0
"""How long a test waits for what takes less than one second on an idle machine."""

GOOD = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without asking for the body; at ``/large`` with more than any socket buffers."""
    content = b"x" * 50_000_000 if scope["path"] == "/large" else b"hello"
    await Response(content)(scope, receive, send)


@asynccontextmanager
async def serving(patience: Patience = QUICK) -> AsyncIterator[HttpServer]:
    server = HttpServer(hello, host="127.0.0.1", port=0, patience=patience)
    server.start()
    try:
        yield server
    finally:
        await server.stop()


async def opened(server: HttpServer, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the server ends the connection; a reset is an end, too."""
    received = b""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            try:
                chunk = await reader.read(65_536)
            except ConnectionError:
                return received
            if not chunk:
                return received
            received += chunk


async def answer_to(server: HttpServer, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes and return status, headers and body of the answer."""
    reader, writer = await opened(server, sent)
    received = await end_of(reader)
    writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split(" ")[1]), headers, body


def test_usual_patience_is_what_the_documentation_says() -> None:
    """
    Ten seconds for a head, thirty for a client that does not read, a thousand connections.
    """
    assert Patience(head_seconds=10.0, reading_seconds=30.0, connections_max=1_000) == Patience()


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: a",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost:",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["nothing", "a-byte", "a-line", "half-a-header", "half-of-the-second", "body-nobody-reads", "chunks", "expect"],
)  # fmt: skip
async def test_client_that_does_not_finish_is_cut_off(sent: bytes) -> None:
    """
    A request that stops anywhere ends with its connection, and everybody else is answered meanwhile.
    """
    async with serving() as server:
        slow = [await opened(server, sent) for _ in range(50)]
        answers = [await answer_to(server, GOOD) for _ in range(5)]
        for reader, writer in slow:
            await end_of(reader)
            writer.close()

    assert [(200, b"hello")] * 5 == [(status, body) for status, _, body in answers]


async def test_bytes_one_by_one_do_not_buy_time() -> None:
    """
    A head that comes drop by drop is cut off like one that does not come at all.
    """
    async with serving() as server:
        reader, writer = await opened(server, b"GET / HTTP/1.1\r\n")
        drops = 0
        async with asyncio.timeout(SECONDS_MAX):
            while not await is_ended(reader, within=0.02):
                writer.write(b"X: y\r\n")
                drops += 1
        writer.close()

    assert drops > 3


async def is_ended(reader: asyncio.StreamReader, *, within: float) -> bool:
    """Tell whether the server ends the connection within some seconds."""
    try:
        return b"" == await asyncio.wait_for(reader.read(1), within)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_client_that_does_not_read_is_cut_off() -> None:
    """
    An answer that nobody takes does not stay in memory.
    """
    async with serving() as server:
        _, writer = await opened(server, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of sockets has it
        async with asyncio.timeout(SECONDS_MAX):
            while server.connection_count:  # bound: the time-out around it
                await asyncio.wait_for(answer_to(server, GOOD), SECONDS_MAX)
        writer.transport.abort()


async def test_one_client_more_than_there_may_be_is_told() -> None:
    """
    Who comes when all places are taken gets a problem at once, and is served when one is free again.
    """
    async with serving(Patience(connections_max=5)) as server:
        held = [await opened(server, b"GET") for _ in range(5)]
        status, headers, body = await answer_to(server, GOOD)
        held[0][1].close()
        async with asyncio.timeout(SECONDS_MAX):
            while (await answer_to(server, GOOD))[0] != 200:
                pass
        for _, writer in held:
            writer.close()

    problem = json.loads(body)
    assert (503, "CAPACITY_EXCEEDED") == (status, problem["code"])
    assert ("application/problem+json", "1") == (headers["content-type"], headers["retry-after"])
    assert headers["x-request-id"] == problem["request_id"]


FLOODS: dict[str, Any] = {
    "long-header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (2 * HEADER_BYTES_MAX) + b"\r\n\r\n",
    "many-headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    "long-target": b"GET /" + b"a" * (2 * HEADER_BYTES_MAX) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "no-http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",
    "two-lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "length-and-chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    "huge-length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\nabc",
    "no-host": b"GET / HTTP/1.1\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n\x00b\r\n\r\n",
    "bad-chunk": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n\xff\xff\xff\r\n\r\n",
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_flood_is_refused_as_a_problem(flood: bytes) -> None:
    """
    Heads beyond the limit and what is no HTTP get one problem and the end of the connection.
    """
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with contextlib.suppress(ConnectionError):
            writer.write(flood)
            await writer.drain()
        received = await end_of(reader)
        writer.close()
        after = await answer_to(server, GOOD)

    assert b"HTTP/1.1 400" in received or b"" == received
    assert b"application/problem+json" in received or b"" == received
    assert 200 == after[0]
