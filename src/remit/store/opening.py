"""From settings to an open store.

Owns: which server is used, when its schema is made, and the set of adapters over one database.
Does not know: what the kernel does with them.
"""

from __future__ import annotations

import asyncio
from typing import Final

from remit.errors import SettingsInvalidError
from remit.settings import Settings
from remit.store.approvals import PostgresApprovals
from remit.store.database import Database
from remit.store.directory import PostgresDirectory
from remit.store.dispatch import PostgresDispatch
from remit.store.embedded import EmbeddedServer, Lifetime
from remit.store.endpoints import PostgresEndpoints
from remit.store.inbox import PostgresInbox
from remit.store.journal import PostgresJournal
from remit.store.migrate import derive_app_url, status, upgrade
from remit.store.outbox import PostgresOutbox
from remit.store.reader import PostgresReader
from remit.store.reservation import PostgresReservation
from remit.store.room import MIB, StoreRoom
from remit.store.session import Observer
from remit.store.statements import load_statements
from remit.store.suspects import PostgresSuspects

STATEMENTS: Final = load_statements("session")


class PostgresStore:
    """Every adapter over one database; what `open_store` returns.

    ``server`` is the embedded server that was started or joined, if any.
    """

    def __init__(self, database: Database, server: EmbeddedServer | None = None) -> None:
        self.database = database
        self.server = server
        self.journal = PostgresJournal(database)
        self.dispatch = PostgresDispatch(database)
        self.inbox = PostgresInbox(database)
        self.approvals = PostgresApprovals(database)
        self.directory = PostgresDirectory(database)
        self.endpoints = PostgresEndpoints(database)
        self.outbox = PostgresOutbox(database)
        self.reader = PostgresReader(database)
        self.reservation = PostgresReservation(database)
        self.suspects = PostgresSuspects(database)

    @property
    def app_dsn(self) -> str:
        """The URL that the adapters connect with. It holds a password: never log it."""
        return self.database.url

    @property
    def room(self) -> StoreRoom:
        """Whether there is room for more work."""
        return self.database.room

    async def count_commits(self) -> int:
        """Return how many writing transactions the server has begun, ever; for measuring by difference."""
        async with self.database.session() as session:
            row = await session.fetch_row(STATEMENTS, "count_commits")
        assert row is not None
        count: int = row["commits"]
        return count

    async def close(self) -> None:
        """Close all connections and leave the embedded server; it ends if nobody else keeps it."""
        await self.dispatch.close()
        await self.database.close()
        if self.server is not None:
            self.server.leave()


async def open_store(
    settings: Settings, *, lifetime: Lifetime = Lifetime.DETACHED, observer: Observer | None = None
) -> PostgresStore:
    """Return the store that the settings ask for, with its connections open.

    Without ``database_url`` the embedded server is started (or joined) and its schema brought up to date. With one, the
    schema is left as it is: ``remit db upgrade`` is somebody's decision.

    Args:
        settings: Where the database is, and whether an unsafe one is accepted.
        lifetime: What becomes of an embedded server afterwards.
        observer: Sees every statement; for tests.

    Raises:
        UnsafeDatabaseError: the server, the role or the schema is not what we need.
        StoreUnavailableError: the server cannot be reached.
    """
    server, room = None, StoreRoom()
    if settings.database_url is None and settings.database_app_url is None:
        server = embedded_server(settings, lifetime=lifetime)
        address = await asyncio.to_thread(server.start)
        room = StoreRoom(server.volume_paths, reserve_bytes=_mebibytes(settings.disk_reserve_mb))
        found, newest = await status(address.owner_url)
        if found != newest:
            await upgrade(address.owner_url)
        app_url = address.app_url
    else:
        app_url = app_url_of(settings)
    database = Database(
        app_url, allow_unsafe=settings.allow_unsafe, observer=observer, room=room, pool_size=settings.pool_size
    )
    await database.connect()
    return PostgresStore(database, server)


def embedded_server(settings: Settings, *, lifetime: Lifetime = Lifetime.DETACHED) -> EmbeddedServer:
    """Return the embedded server that the settings ask for; not started yet."""
    return EmbeddedServer(
        settings.data_dir,
        lifetime=lifetime,
        ballast_bytes=settings.ballast_mb * MIB,
        reserve_bytes=_mebibytes(settings.disk_reserve_mb),
    )


def _mebibytes(count: int | None) -> int | None:
    return None if count is None else count * MIB


def app_url_of(settings: Settings) -> str:
    """Return the URL that the kernel connects with, given or derived from the owner's.

    Raises:
        SettingsInvalidError: neither is possible.
    """
    if settings.database_app_url is not None:
        return settings.database_app_url
    if settings.database_url is None:
        raise SettingsInvalidError("expected DATABASE_URL or DATABASE_APP_URL, got neither")
    return derive_app_url(settings.database_url)
