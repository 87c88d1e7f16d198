"""What a pooler in transaction mode does to us is refused by name, not taken for an outage or for a fault of ours."""

from __future__ import annotations

import asyncio
import struct

import pytest

from remit.errors import UnsafeDatabaseError
from remit.store import Database
from remit.testing.database import ScratchDatabase

REFUSAL = (b"SFATAL", b"C08P01", b"Munsupported startup parameter: jit")
"""What PgBouncer says to a setting that it cannot pass on."""


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a connection's first message like PgBouncer."""
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    await reader.readexactly(length - 4)
    body = b"".join(field + b"\0" for field in REFUSAL) + b"\0"
    writer.write(b"E" + struct.pack("!i", len(body) + 4) + body)
    await writer.drain()
    writer.close()


async def test_pooler_that_refuses_our_settings_is_named() -> None:
    """
    A refusal of the session's settings says that a pooler is in between; it is not retried as an outage.
    """
    pooler = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = pooler.sockets[0].getsockname()[1]
    async with pooler:
        with pytest.raises(UnsafeDatabaseError, match="pooler in transaction mode"):
            await Database(f"postgresql://remit_app:x@127.0.0.1:{port}/remit?sslmode=disable").connect()


async def test_prepared_statement_that_is_gone_is_named(scratch: ScratchDatabase) -> None:
    """
    A statement that the server does not know any more, as after a change of servers, says that a pooler is in between.
    """
    database = Database(scratch.app_url)
    await database.connect()
    statements = {"probe": "select 1", "forget": "deallocate all"}
    async with database.session() as session:
        await session.fetch(statements, "probe")
        await session.fetch(statements, "forget")
        with pytest.raises(UnsafeDatabaseError, match="pooler in transaction mode"):
            await session.fetch(statements, "probe")
    await database.close()
