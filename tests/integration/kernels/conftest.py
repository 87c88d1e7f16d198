"""One server for the folder, a databases for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from remit.testing.database import ScratchDatabase, ScratchServer, scratch_database


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    with ScratchServer() as server:
        yield server


@pytest.fixture
async def database(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    async with scratch_database(scratch_server) as database:
        yield database
