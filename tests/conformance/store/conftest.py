"""A fresh database per test, on the server that all test processes share."""

from collections.abc import AsyncIterator, Iterator

import pytest

from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store, scratch_database
from tests.conformance.store.world import World, make_world


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    """The embedded server."""
    with ScratchServer() as server:
        yield server


@pytest.fixture
async def scratch(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """A database with the newest schema."""
    async with scratch_database(scratch_server) as database:
        yield database


@pytest.fixture
async def store(scratch: ScratchDatabase) -> AsyncIterator[PostgresStore]:
    """The adapters of one process."""
    store = await connect_store(scratch)
    yield store
    await store.close()


@pytest.fixture
async def other_store(scratch: ScratchDatabase) -> AsyncIterator[PostgresStore]:
    """The adapters of another process on the same database."""
    store = await connect_store(scratch)
    yield store
    await store.close()


@pytest.fixture
async def world(store: PostgresStore) -> World:
    """A tenant with people, a definition and a registered worker."""
    return await make_world(store)
