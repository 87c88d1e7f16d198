"""One furnished database for each process of attacks, and a kernel with its HTTP application on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

import remit_commerce
from remit.bootstrap import Kernel
from remit.testing.database import ScratchDatabase, ScratchServer
from tests.integration.isolation.houses import House, furnish_both, settings_of


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    with ScratchServer() as server:
        yield server


@pytest.fixture(scope="session")
def database(scratch_server: ScratchServer) -> Iterator[ScratchDatabase]:
    database = asyncio.run(scratch_server.create())
    yield database
    asyncio.run(scratch_server.drop(database))


@pytest.fixture(scope="session")
def house(database: ScratchDatabase) -> House:
    return asyncio.run(furnish_both(database))[0]


@pytest.fixture
async def kernel(database: ScratchDatabase, house: House) -> AsyncIterator[Kernel]:
    async with Kernel(packs=[remit_commerce.pack()], settings=settings_of(database), has_worker=False) as kernel:
        yield kernel
