"""One server and one process of providers for each process of tests; a database of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from remit.testing.database import ScratchDatabase, ScratchServer
from tests.integration.faults.lanes import Providers, running_providers


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    with ScratchServer() as server:
        yield server


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    books: Path = tmp_path_factory.mktemp("books")
    with running_providers(books) as running:
        yield running


@pytest.fixture
async def database(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    database = await scratch_server.create()
    yield database
    await scratch_server.drop(database)
