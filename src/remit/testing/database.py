"""PostgreSQL for tests: one embedded server for all test processes of a user, and an empty database in milliseconds.

Owns: the server's folder below the system's temporary one, templates, scratch databases, and how they are thrown away.
Does not know: any test framework. A session's fixture holds a `ScratchServer`, a test's fixture a `scratch_database`:

    @pytest.fixture(scope="session")
    def scratch_server() -> Iterator[ScratchServer]:
        with ScratchServer() as server:
            yield server

    @pytest.fixture
    async def store(scratch_server: ScratchServer) -> AsyncIterator[PostgresStore]:
        async with scratch_store(scratch_server) as store:
            yield store
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

from remit.settings import programs_of
from remit.store.binaries import MAJOR_DEFAULT
from remit.store.database import Database
from remit.store.embedded import EmbeddedServer, Lifetime, ServerAddress
from remit.store.migrate import upgrade
from remit.store.opening import PostgresStore
from remit.store.session import Observer, Session, connect_session
from remit.store.statements import FOLDER, load_statements

STATEMENTS: Final = load_statements("testing")
NAME_PREFIX: Final = "scratch"

MAJORS: Final = (18, 16, 15)
"""The versions that Remit's own tests run on: the wheel's two, and the oldest one that is supported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchDatabase:
    """A database with the newest schema and no rows. The URLs hold passwords."""

    name: str
    admin_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)


class ScratchServer:
    """The test server, started by whichever process comes first and stopped when the last one leaves.

    Its cluster stays in the temporary folder, so that the next session starts in an instant.

    Args:
        major: Major version of PostgreSQL; each has a server of its own. Those that the wheel does not carry come from
            the folder that ``REMIT_POSTGRESQL_<major>`` names, or from where the system's packages put them.
    """

    def __init__(self, major: int = MAJOR_DEFAULT) -> None:
        self.major = major
        programs = programs_of(major)
        # A cluster is not handed back and forth between builds: a newer one may write what an older one does not know.
        build = "" if programs is None else "-" + sha256(os.fsencode(programs)).hexdigest()[:8]
        self._folder = Path(tempfile.gettempdir()) / f"remit-tests-{os.geteuid()}-{major}{build}"
        self._server = EmbeddedServer(self._folder, major=major, programs=programs, lifetime=Lifetime.OWNED)
        self._address: ServerAddress | None = None
        self._template: str | None = None
        self._idle: list[ScratchDatabase] = []

    def __enter__(self) -> Self:
        self._address = self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.leave()

    @property
    def address(self) -> ServerAddress:
        """The running server's address."""
        assert self._address is not None, "expected to be inside `with ScratchServer()`"
        return self._address

    async def borrow(self) -> ScratchDatabase:
        """Return an empty database: one that was given back, or a new one."""
        return self._idle.pop() if self._idle else await self.create()

    async def give_back(self, database: ScratchDatabase) -> None:
        """Empty a database, whoever is connected to it, and keep it for the next borrower."""
        admin = await connect_session(database.admin_url)
        try:
            await admin.fetch(STATEMENTS, "disconnect_others")
            await admin.fetch(STATEMENTS, "empty_database")
        finally:
            await admin.close()
        self._idle.append(database)

    async def create(self) -> ScratchDatabase:
        """Return a new database; concurrent callers in several processes each get their own."""
        if self._template is None:
            self._template = await self._ensure_template()
        name = f"{NAME_PREFIX}_{os.getpid()}_{secrets.token_hex(6)}"
        admin = await connect_session(self.address.admin_url)
        try:
            await _define(admin, "create_scratch", name=name, template=self._template)
            await _define(admin, "close_scratch", name=name)
            await _define(admin, "open_scratch", name=name)
        finally:
            await admin.close()
        return self._database(name)

    async def drop(self, database: ScratchDatabase) -> None:
        """Throw a database away, whoever is connected to it."""
        admin = await connect_session(self.address.admin_url)
        try:
            await _define(admin, "drop_database", name=database.name)
        finally:
            await admin.close()

    async def _ensure_template(self) -> str:
        """Return the template of this version of the schema, making it if no process did so before."""
        name = f"template_{_schema_digest()[:16]}"
        descriptor = os.open(self._folder / "template.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        admin = await connect_session(self.address.admin_url)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            await _drop_orphans(admin)
            if not await admin.fetch(STATEMENTS, "find_database", name):
                draft = f"{name}_draft"
                await _define(admin, "drop_database", name=draft)
                await _define(admin, "create_template", name=draft)
                await upgrade(self._database(draft).owner_url)
                await _define(admin, "rename_template", name=draft, target=name)
        finally:
            os.close(descriptor)
            await admin.close()
        return name

    def _database(self, name: str) -> ScratchDatabase:
        address = self.address
        return ScratchDatabase(
            name=name,
            admin_url=_renamed(address.admin_url, name),
            owner_url=_renamed(address.owner_url, name),
            app_url=_renamed(address.app_url, name),
        )


@asynccontextmanager
async def scratch_database(server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """Lend an empty database, for tests that leave its schema and settings alone."""
    database = await server.borrow()
    try:
        yield database
    finally:
        await server.give_back(database)


@asynccontextmanager
async def pristine_database(server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """Lend a new database that is dropped afterwards, for tests that change its schema or settings."""
    database = await server.create()
    try:
        yield database
    finally:
        await server.drop(database)


@asynccontextmanager
async def scratch_store(server: ScratchServer, *, observer: Observer | None = None) -> AsyncIterator[PostgresStore]:
    """Lend a store on an empty database."""
    async with scratch_database(server) as scratch:
        store = await connect_store(scratch, observer=observer)
        try:
            yield store
        finally:
            await store.close()


async def connect_store(scratch: ScratchDatabase, *, observer: Observer | None = None) -> PostgresStore:
    """Return another store on the same database, as another process would have; the caller closes it."""
    database = Database(scratch.app_url, observer=observer)
    await database.connect()
    return PostgresStore(database)


@contextmanager
def private_server(major: int = MAJOR_DEFAULT, *, lifetime: Lifetime = Lifetime.OWNED) -> Iterator[EmbeddedServer]:
    """Lend a server of its own that may be killed, on a folder that its user can reach; not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="remit-server-"))
    server = EmbeddedServer(folder, major=major, programs=programs_of(major), lifetime=lifetime)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


async def _define(admin: Session, statement: str, **names: str) -> None:
    """Run a statement about a database; names cannot be arguments."""
    assert all(name.isidentifier() for name in names.values())
    await admin.fetch({statement: STATEMENTS[statement].format(**names)}, statement)


async def _drop_orphans(admin: Session) -> None:
    """Drop databases of processes that were killed."""
    for row in await admin.fetch(STATEMENTS, "list_scratch"):
        pid = int(row["datname"].split("_")[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            await _define(admin, "drop_database", name=row["datname"])
        except PermissionError:
            continue


def _schema_digest() -> str:
    """Return a digest over everything that the schema is made of."""
    folders = [FOLDER / "migrations", FOLDER / "migrations" / "versions", FOLDER / "functions"]
    paths = sorted(path for folder in folders for path in folder.iterdir() if path.suffix in {".sql", ".py"})
    return sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def _renamed(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
