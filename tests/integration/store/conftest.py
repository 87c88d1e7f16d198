"""Databases for tests that look under the adapters, or change what is under them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from remit.store import EmbeddedServer, PostgresStore
from remit.testing.database import (
    MAJORS,
    ScratchDatabase,
    ScratchServer,
    connect_store,
    pristine_database,
    private_server,
    scratch_database,
)
from tests.servers import Servers, open_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A server of each version, shared by all test processes."""
    with open_servers() as servers:
        yield servers


@pytest.fixture(params=MAJORS, ids=str)
def scratch_server(request: pytest.FixtureRequest, servers: Servers) -> ScratchServer:
    """The server of one version."""
    return servers.of(request.param)


@pytest.fixture
async def scratch(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """An empty database whose schema is left alone."""
    async with scratch_database(scratch_server) as database:
        yield database


@pytest.fixture
async def pristine(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """A database of its own, to change."""
    async with pristine_database(scratch_server) as database:
        yield database


@pytest.fixture
async def store(scratch: ScratchDatabase) -> AsyncIterator[PostgresStore]:
    """The adapters of one process."""
    store = await connect_store(scratch)
    yield store
    await store.close()


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """A server of its own, not started yet, that may be killed."""
    with private_server() as server:
        yield server
