"""The connections of one process to one database, and the refusal to use an unsafe one.

Owns: the pool for reading, the dedicated lines of writers, and the check at the start.
Does not know: what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from remit.errors import StoreUnavailableError, UnsafeDatabaseError
from remit.ids import TenantId
from remit.store.faults import DRIVER_ERRORS, loggable, translate
from remit.store.room import StoreRoom
from remit.store.session import (
    COMMAND_SECONDS_MAX,
    CONNECT_SECONDS_MAX,
    Line,
    Observer,
    Session,
    connect_session,
    require_supported,
)
from remit.store.statements import load_statements

SCHEMA_VERSION: Final = "0001"
"""The newest migration; a test compares it with the files."""

POOL_SIZE_MAX: Final = 8
"""Readers and producers of messages; writers have lines of their own."""

CLOSE_SECONDS_MAX: Final = 2.0
"""Whoever still reads after that is cut off."""

_SESSION: Final = load_statements("session")
_ISOLATION: Final = {
    "is_leaky": "expected forced row-level security on every tenant table: run `remit db upgrade`",
    "is_lenient": "expected only the policies of the schema, found one that lets this role see other tenants: drop it",
    "is_preset": "expected no tenant context to begin with, but this role or database sets remit.tenant_id: reset it",
}
"""What would mix tenants up, found by the statement ``inspect``."""

_COMMIT_LEVELS: Final = frozenset({"on", "remote_apply", "remote_write", "local"})


class Database:
    """One database, as the application role.

    Args:
        app_url: Where it is; the role must neither own the schema nor be able to bypass row-level security.
        allow_unsafe: Use a server that may lose acknowledged work. Never allows a role that sees all tenants.
        observer: Sees every statement; for tests.
        room: What is known of the server's volume; by default only what the server itself says.
        pool_size: Connections for reading, at least 1.
    """

    def __init__(
        self,
        app_url: str,
        *,
        allow_unsafe: bool = False,
        observer: Observer | None = None,
        room: StoreRoom | None = None,
        pool_size: int = POOL_SIZE_MAX,
    ) -> None:
        self._url = app_url
        self._allow_unsafe = allow_unsafe
        self._observer = observer
        self._pool_size = pool_size
        self.room = room or StoreRoom()
        self._pool: asyncpg.Pool[Any] | None = None
        self._lines: list[Line] = []
        self.warnings: tuple[str, ...] = ()
        """What ``allow_unsafe`` let pass; shown in health."""
        self.server_version = ""
        """Of the server as it was when we connected, such as ``15.18``."""

    @property
    def url(self) -> str:
        """Where it is; holds a password."""
        return self._url

    async def connect(self) -> None:
        """Check the database and open the pool.

        Raises:
            UnsafeDatabaseError: the role, the server's settings, its version or the schema's are not what we need.
            StoreUnavailableError: the server cannot be reached.
        """
        session = await connect_session(self._url, self._observer)
        try:
            self.server_version = await require_supported(session)
            self.warnings = await _inspect(session, allow_unsafe=self._allow_unsafe)
        finally:
            await session.close()
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._pool_size,
            reset=_require_idle,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=COMMAND_SECONDS_MAX,
            max_cached_statement_lifetime=0,
            server_settings={"application_name": "remit", "jit": "off", "timezone": "UTC"},
        )

    async def close(self) -> None:
        """Close all connections."""
        for line in self._lines:
            await line.close()
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS_MAX):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    @property
    def is_exhausted(self) -> bool:
        """Whether every connection of the pool is lent at this instant."""
        pool = self._pool
        return pool is not None and pool.get_idle_size() == 0 and pool.get_size() >= self._pool_size

    def line(self) -> Line:
        """Return a connection of its own, opened at its first statement and closed with the database."""
        line = Line(self._url, self._observer, self.room)
        self._lines.append(line)
        return line

    async def listen(self, channel: str, heard: Any) -> Session:
        """Open a connection that calls ``heard`` for every notification on a channel."""
        connection = await self._connect_listener(channel, heard)
        return Session(connection, self._observer)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Lend a connection of the pool, without any tenant: for functions that set their own context."""
        pool = self._pool
        if pool is None:
            raise StoreUnavailableError("the store is closed")
        try:
            connection = await pool.acquire(timeout=CONNECT_SECONDS_MAX)
        except (*DRIVER_ERRORS, ValueError) as error:
            raise translate(error, statement="acquire") from loggable(error)
        try:
            yield Session(connection, self._observer, self.room)
        finally:
            # Of the pool that lent it: `close` may have been called meanwhile.
            await pool.release(connection)

    @asynccontextmanager
    async def tenant(self, tenant_id: TenantId) -> AsyncIterator[Session]:
        """Lend a connection inside a transaction that sees one tenant."""
        async with self.session() as session, session.transaction(tenant_id):
            yield session

    async def _connect_listener(self, channel: str, heard: Any) -> asyncpg.Connection[Any]:
        try:
            connection = await asyncpg.connect(
                self._url, timeout=CONNECT_SECONDS_MAX, command_timeout=COMMAND_SECONDS_MAX
            )
            await connection.add_listener(channel, heard)
        except (*DRIVER_ERRORS, ValueError) as error:
            raise translate(error, statement="listen") from loggable(error)
        return connection


async def _require_idle(connection: asyncpg.Connection[Any]) -> None:
    """Cut a connection that comes back inside a transaction: its next borrower would see its tenant."""
    if connection.is_in_transaction():
        connection.terminate()


async def _inspect(session: Session, *, allow_unsafe: bool) -> tuple[str, ...]:
    facts = await session.fetch_row(_SESSION, "inspect")
    assert facts is not None
    privileges = {
        "is_superuser": "is a superuser",
        "bypasses_row_security": "bypasses row-level security",
        "is_disguised": "logs in as one that bypasses row-level security",
        "is_owner": "owns the schema or a table in it",
        "is_dispatch": "is a member of remit_dispatch",
    }
    for column, meaning in privileges.items():
        if facts[column]:
            raise UnsafeDatabaseError(
                f"expected a role that sees one tenant at a time, but {facts['role_name']!r} {meaning}: "
                "connect as remit_app or a member of it",
                role=facts["role_name"],
            )
    if not facts["has_schema"]:
        raise UnsafeDatabaseError("expected the schema remit, found none: run `remit db upgrade`")
    if not facts["is_app"]:
        raise UnsafeDatabaseError(f"expected remit_app or a member of it, got the role {facts['role_name']!r}")
    _require_schema_version(await session.fetch(_SESSION, "schema_version"))
    for column, meaning in _ISOLATION.items():
        if facts[column]:
            raise UnsafeDatabaseError(meaning)
    risks = [f"{name} = {facts[name]}" for name in ("fsync", "full_page_writes") if facts[name] != "on"]
    if facts["synchronous_commit"] not in _COMMIT_LEVELS:
        risks.append(f"synchronous_commit = {facts['synchronous_commit']}")
    if risks and not allow_unsafe:
        raise UnsafeDatabaseError(
            f"expected a server that keeps what it acknowledges, got {', '.join(risks)}", settings=risks
        )
    return tuple(risks)


def _require_schema_version(rows: list[asyncpg.Record]) -> None:
    found = rows[0]["version_num"] if rows else None
    if found is not None and found > SCHEMA_VERSION:
        raise UnsafeDatabaseError(
            f"expected schema version {SCHEMA_VERSION}, got the newer {found}: use the newer Remit", found=found
        )
    if found != SCHEMA_VERSION:
        raise UnsafeDatabaseError(
            f"expected schema version {SCHEMA_VERSION}, got {found}: run `remit db upgrade`", found=found
        )
