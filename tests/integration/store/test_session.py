"""The seam that all statements go through: observed, cut, opened again."""

import asyncio
import contextlib
import os
import signal
import uuid

import asyncpg
import pytest

from remit.errors import InputInvalidError, StoreUnavailableError, UnsafeDatabaseError
from remit.ids import TenantId
from remit.ports.store import Tenant
from remit.store import Database, EmbeddedServer, PostgresStore
from remit.store.dispatch import STATEMENTS
from remit.store.migrate import upgrade
from remit.store.session import connect_session
from remit.testing.database import ScratchDatabase, connect_store

ACME = TenantId("acme")
TENANT = Tenant(tenant_id=ACME, display_name="Acme")


class Crash(BaseException):
    """What a killed process would be."""


class CrashAt:
    """Raises before or after the statement of a number, and counts them all."""

    def __init__(self, number: int, *, phase: str) -> None:
        self.number = number
        self.phase = phase
        self.seen: list[str] = []

    async def before(self, statement: str) -> None:
        """Count a statement; crash before it."""
        self.seen.append(statement)
        if self.phase == "before" and len(self.seen) == self.number:
            raise Crash

    async def after(self, statement: str) -> None:
        """Crash after a statement."""
        if self.phase == "after" and len(self.seen) == self.number:
            raise Crash


async def test_every_statement_has_a_stable_name(scratch: ScratchDatabase) -> None:
    """
    An observer sees each statement by name, in order, with the transaction around it.
    """
    observer = CrashAt(0, phase="never")
    store = await connect_store(scratch, observer=observer)
    observer.seen.clear()

    await store.directory.create_tenant(TENANT)

    await store.close()
    assert ["begin", "create_tenant", "commit", "begin", "get_tenant", "commit"] == observer.seen


@pytest.mark.parametrize("phase", ["before", "after"])
async def test_crash_at_each_statement_leaves_all_or_nothing(scratch: ScratchDatabase, phase: str) -> None:
    """
    Stopping at any statement of a change leaves it whole or undone, and what reads afterwards works on.
    """
    stored = []
    for number in range(1, 4):
        observer = CrashAt(number, phase=phase)
        store = await connect_store(scratch)
        store_under_test = PostgresStore(await observed(scratch, observer))
        observer.seen.clear()
        with pytest.raises(Crash):
            await store_under_test.directory.create_tenant(Tenant(tenant_id=TenantId(f"t{number}"), display_name="x"))
        await store_under_test.close()
        stored.append(len(await store.directory.list_tenants()))
        await store.close()

    assert ([0, 0, 0] if phase == "before" else [0, 0, 1]) == stored


async def observed(scratch: ScratchDatabase, observer: CrashAt) -> Database:
    """A connected database whose observer counts from now on."""
    quiet, observer.number = observer.number, 0
    database = Database(scratch.app_url, observer=observer)
    await database.connect()
    observer.number = quiet
    return database


async def test_lost_connection_is_replaced(scratch: ScratchDatabase, store: PostgresStore) -> None:
    """
    Connections that the server ended raise as unavailable at most once, and are opened again.
    """
    await store.directory.create_tenant(TENANT)
    await store.dispatch.sweep(limit=1)
    admin = await asyncpg.connect(scratch.admin_url)
    await admin.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await admin.close()

    for call in (lambda: store.dispatch.sweep(limit=1), lambda: store.directory.get_tenant(ACME)):
        # The driver may have heard of the end before: then nothing is raised at all.
        with contextlib.suppress(StoreUnavailableError):
            await call()

    assert TENANT == await store.directory.get_tenant(ACME)
    assert [] == await store.dispatch.sweep(limit=1)


async def test_restarted_server_is_found_again(server: EmbeddedServer) -> None:
    """
    After the server was killed and started again, the same store goes on by itself.
    """
    address = await asyncio.to_thread(server.start)
    await upgrade(address.owner_url)
    database = Database(address.app_url)
    await database.connect()
    store = PostgresStore(database)
    await store.directory.create_tenant(TENANT)
    os.kill(address.pid, signal.SIGKILL)

    failures = 0
    for _ in range(100):
        try:
            await store.directory.get_tenant(ACME)
        except StoreUnavailableError:
            failures += 1
            await asyncio.to_thread(server.start)
            break
    for _ in range(10):
        try:
            found = await store.directory.get_tenant(ACME)
            break
        except StoreUnavailableError:
            failures += 1

    await store.close()
    assert TENANT == found
    assert 1 <= failures


async def test_unreachable_server_is_unavailable() -> None:
    """
    A server that is not there is an outage; a URL that makes no sense is a mistake.
    """
    with pytest.raises(StoreUnavailableError):
        await connect_session("postgresql://nobody:x@127.0.0.1:1/none")


async def test_wrong_password_is_no_outage(scratch: ScratchDatabase) -> None:
    """
    Waiting does not help against a wrong password.
    """
    userinfo = scratch.app_url.split("//")[1].split("@")[0]
    with pytest.raises(UnsafeDatabaseError):
        await connect_session(scratch.app_url.replace(userinfo, "remit_app:wrong"))


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["nul", "surrogate"])
async def test_text_that_cannot_be_stored_is_refused(store: PostgresStore, text: str) -> None:
    """
    Text that PostgreSQL has no form for is the caller's fault, and the connection serves on.
    """
    with pytest.raises(InputInvalidError):
        await store.directory.create_tenant(Tenant(tenant_id=ACME, display_name=text))

    assert [] == await store.directory.list_tenants()


async def test_closed_store_refuses_work(scratch: ScratchDatabase) -> None:
    """
    Nothing is sent after a store was closed, and closing twice is harmless.
    """
    store = await connect_store(scratch)
    await store.close()
    await store.close()

    with pytest.raises(StoreUnavailableError):
        await store.directory.list_tenants()
    with pytest.raises(StoreUnavailableError):
        await store.dispatch.sweep(limit=1)


async def test_connection_that_is_lost_at_any_moment_of_a_statement_is_an_outage(scratch: ScratchDatabase) -> None:
    """
    A first statement asks for its types in between; wherever the connection is lost, the caller hears of an outage.
    """
    for yields in range(12):
        database = Database(scratch.app_url)
        await database.connect()
        line = database.line()
        asking = asyncio.create_task(line.fetch(STATEMENTS, "claim", str(uuid.uuid4()), "request", 1))
        async with asyncio.timeout(30):
            while line._session is None and not asking.done():  # bound: the timeout
                await asyncio.to_thread(int)
        assert line._session is not None
        for _ in range(yields):
            await asyncio.to_thread(int)
        line._session.cut()
        with contextlib.suppress(StoreUnavailableError):
            await asking
        await database.close()
