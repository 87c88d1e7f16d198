"""One server, one process of simulators and one shop for each process of tests; an order of its own for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from remit.testing.database import ScratchServer
from remit_commerce.simulators.client import Simulators, running_simulators
from tests.crash.kernels import QuickSimulators, Shop, set_up
from tests.crash.world import World


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    with ScratchServer() as server:
        yield server


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="session")
def simulators(books: Path) -> Iterator[Simulators]:
    with running_simulators(books) as running:
        yield QuickSimulators(url=running.url, token=running.token, pid=running.pid)


@pytest.fixture(scope="session")
def shared_shop(scratch_server: ScratchServer, simulators: Simulators, books: Path) -> Iterator[Shop]:
    database = asyncio.run(scratch_server.create())
    yield asyncio.run(set_up(database, simulators, books))
    asyncio.run(scratch_server.drop(database))


@pytest.fixture
async def own_shop(scratch_server: ScratchServer, simulators: Simulators, books: Path) -> AsyncIterator[Shop]:
    """A database that may be spoiled."""
    database = await scratch_server.create()
    yield await set_up(database, simulators, books)
    await scratch_server.drop(database)


@pytest.fixture
async def connection(shared_shop: Shop) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A superuser's connection; afterwards what a failed test left is put aside, so that it fails alone."""
    connection = await asyncpg.connect(shared_shop.database.admin_url)
    yield connection
    await connection.execute(
        "update remit.heads set quarantined_at = now(), worker_id = null, claimable_at = null where finished_at is null"
    )
    await connection.close()


@pytest.fixture
def world(shared_shop: Shop, connection: asyncpg.Connection[Any]) -> World:
    world = World(shared_shop, connection)
    world.open_shop()
    return world
