"""A server for benchmarks in small, and a database on it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from remit.testing.database import ScratchDatabase, ScratchServer, pristine_database


@pytest.fixture(scope="session")
def server() -> Iterator[ScratchServer]:
    """A server that all test processes share."""
    with ScratchServer() as server:
        yield server


@pytest.fixture
async def database(server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """A database that is thrown away afterwards."""
    async with pristine_database(server) as database:
        yield database
