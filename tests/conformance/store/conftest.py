"""A fresh database per test, on a server of each version that all test processes share."""

from collections.abc import AsyncIterator, Iterator

import pytest

from remit.store import PostgresStore
from remit.testing.database import MAJORS, ScratchDatabase, ScratchServer, connect_store, scratch_database
from tests.conformance.store.world import World, make_world
from tests.servers import Servers, open_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A server of each version."""
    with open_servers() as servers:
        yield servers


@pytest.fixture(params=MAJORS, ids=str)
def scratch_server(request: pytest.FixtureRequest, servers: Servers) -> ScratchServer:
    """The server of one version."""
    return servers.of(request.param)


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
