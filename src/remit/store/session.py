"""One connection, and the only place where statements leave for the server.

Owns: running named statements, their observation, and the translation of failures.
Does not know: what the statements mean.

Tests stop the world here: an observer may raise before a statement (it never left) or after it (it was executed and its
reply is dropped). Either way the connection is cut, as a crash would.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import asyncpg

from remit.errors import InputInvalidError, StoreReadOnlyError, StoreUnavailableError, UnsafeDatabaseError
from remit.ids import TenantId
from remit.store.binaries import MAJOR_MIN
from remit.store.faults import DRIVER_ERRORS, loggable, translate
from remit.store.room import StoreRoom
from remit.store.statements import load_statements

CONNECT_SECONDS_MAX: Final = 10.0
COMMAND_SECONDS_MAX: Final = 30.0
"""A statement that takes longer is lost; half-open connections end here."""

_SESSION: Final = load_statements("session")
_TENANT: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_SETTINGS: Final = {"application_name": "remit", "jit": "off", "timezone": "UTC"}


class Observer(Protocol):
    """Sees every statement by its stable name."""

    async def before(self, statement: str) -> None:
        """Run before a statement is sent; raising cuts the connection."""
        ...

    async def after(self, statement: str) -> None:
        """Run after a statement was executed; raising drops its reply and cuts the connection."""
        ...


class Session:
    """An open connection that runs named statements.

    Concurrency: one statement at a time; `Line` and the pool see to that.
    """

    __slots__ = ("_connection", "_observer", "_room")

    def __init__(
        self, connection: asyncpg.Connection[Any], observer: Observer | None = None, room: StoreRoom | None = None
    ) -> None:
        self._connection = connection
        self._observer = observer
        self._room = room

    async def fetch(self, statements: Mapping[str, str], name: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement and return its rows.

        Raises:
            RemitError: what `translate` makes of the failure.
        """
        rows: list[asyncpg.Record] = await self._run(name, self._connection.fetch, statements[name], *arguments)
        return rows

    async def fetch_row(self, statements: Mapping[str, str], name: str, *arguments: object) -> asyncpg.Record | None:
        """Run a statement and return its first row, if any."""
        rows = await self.fetch(statements, name, *arguments)
        return rows[0] if rows else None

    @asynccontextmanager
    async def transaction(self, tenant_id: TenantId) -> AsyncIterator[None]:
        """Run what is inside in one transaction that sees this tenant and no other.

        A lost reply to the commit raises ``StoreUnavailableError``: whether it happened is unknown.
        """
        if not _TENANT.fullmatch(tenant_id):
            raise InputInvalidError(f"expected a tenant id of a-z, 0-9, _ and -, got {tenant_id!r}")
        await self._execute("begin", _SESSION["begin"].format(tenant=tenant_id))
        try:
            yield
            await self._execute("commit", _SESSION["commit"])
        except BaseException:  # boundary: whatever happened inside, the transaction must not stay open
            await self._roll_back()
            raise

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone. The driver's pool takes lost ones away from their borrower."""
        try:
            return bool(self._connection.is_closed())
        except asyncpg.InterfaceError:
            return True

    def cut(self) -> None:
        """End the connection without a word, as a crash does."""
        if not self.is_closed:
            self._connection.terminate()

    async def close(self) -> None:
        """Say goodbye and close."""
        if not self.is_closed:
            try:
                await self._connection.close(timeout=1.0)
            except DRIVER_ERRORS:
                self.cut()

    async def _execute(self, name: str, text: str) -> None:
        await self._run(name, self._connection.execute, text)

    async def _run(self, name: str, call: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
        if self._observer is not None:
            await self._observed(self._observer.before, name)
        try:
            answer = await call(*arguments)
        except (*DRIVER_ERRORS, ValueError, TypeError) as error:
            failure = translate(error, statement=name)
            if isinstance(failure, StoreReadOnlyError) and self._room is not None:
                self._room.refused(failure)
            if not isinstance(error, asyncpg.PostgresError) or isinstance(failure, StoreReadOnlyError):
                # After a failover the server that takes writes is another one: connect anew.
                self.cut()
            raise failure from loggable(error)
        except AttributeError as error:
            if not self.is_closed:
                raise
            # The driver asks about a statement's types in between, and does not notice that the connection is gone.
            raise StoreUnavailableError(f"{name}: the connection to the database was lost", retryable=True) from error
        except asyncio.CancelledError:
            # The reply may still be under way: nobody must read it as the answer to something else.
            self.cut()
            raise
        if self._observer is not None:
            await self._observed(self._observer.after, name)
        return answer

    async def _roll_back(self) -> None:
        if self.is_closed:
            return
        try:
            await self._connection.execute(_SESSION["rollback"])
        except DRIVER_ERRORS:
            self.cut()

    async def _observed(self, hook: Callable[[str], Awaitable[None]], name: str) -> None:
        try:
            await hook(name)
        except BaseException:  # boundary: an observer that raises stands for a crash
            self.cut()
            raise


async def connect_session(url: str, observer: Observer | None = None, room: StoreRoom | None = None) -> Session:
    """Open a connection.

    Raises:
        StoreUnavailableError: the server cannot be reached.
        UnsafeDatabaseError: it refuses us.
    """
    try:
        connection = await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS_MAX,
            command_timeout=COMMAND_SECONDS_MAX,
            max_cached_statement_lifetime=0,
            server_settings=_SETTINGS,
        )
    except (*DRIVER_ERRORS, ValueError) as error:
        raise translate(error, statement="connect") from loggable(error)
    return Session(connection, observer, room)


async def require_supported(session: Session) -> str:
    """Refuse a server that is too old; returns its version, such as ``15.18``.

    Raises:
        UnsafeDatabaseError: it is older than `MAJOR_MIN`.
    """
    row = await session.fetch_row(_SESSION, "server_version")
    assert row is not None
    version = str(row["version"]).partition(" ")[0]
    if row["number"] < MAJOR_MIN * 10_000:
        raise UnsafeDatabaseError(f"expected PostgreSQL {MAJOR_MIN} or newer, got {version}", version=version)
    return version


class Line:
    """A connection of its own for one role, opened when first used and again after it was lost.

    Concurrency: statements queue up.
    """

    def __init__(self, url: str, observer: Observer | None = None, room: StoreRoom | None = None) -> None:
        self._url = url
        self._observer = observer
        self._room = room
        self._session: Session | None = None
        self._lock = asyncio.Lock()
        self._is_closed = False

    async def fetch(self, statements: Mapping[str, str], name: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement, connecting first if need be; never sends one twice."""
        async with self._lock:
            session = await self._open()
            return await session.fetch(statements, name, *arguments)

    async def fetch_row(self, statements: Mapping[str, str], name: str, *arguments: object) -> asyncpg.Record | None:
        """Run a statement and return its first row, if any."""
        rows = await self.fetch(statements, name, *arguments)
        return rows[0] if rows else None

    async def close(self) -> None:
        """Close the connection; later statements raise ``StoreUnavailableError``."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _open(self) -> Session:
        if self._is_closed:
            raise StoreUnavailableError("the store is closed")
        if self._session is None or self._session.is_closed:
            self._session = await connect_session(self._url, self._observer, self._room)
        return self._session
