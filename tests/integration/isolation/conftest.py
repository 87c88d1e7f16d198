"""Databases with two furnished tenants for each process: one in which tests change nothing, one for matrices."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from remit.store import PostgresStore
from remit.store.binaries import MAJOR_DEFAULT
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store
from tests.integration.isolation.houses import House, furnish_both

MAJOR = "REMIT_TEST_MAJOR"
"""The version of PostgreSQL to run on, if not the default one; the campaign ``isolation-versions`` sets it."""


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    with ScratchServer(int(os.environ.get(MAJOR, MAJOR_DEFAULT))) as server:
        yield server


@pytest.fixture(scope="session")
def database(scratch_server: ScratchServer) -> Iterator[ScratchDatabase]:
    database = asyncio.run(scratch_server.create())
    yield database
    asyncio.run(scratch_server.drop(database))


@pytest.fixture(scope="session")
def houses(database: ScratchDatabase) -> tuple[House, House]:
    return asyncio.run(furnish_both(database))


@pytest.fixture(scope="session")
def matrix_database(scratch_server: ScratchServer) -> Iterator[ScratchDatabase]:
    """Another database, in which each tenant may change what is its own."""
    database = asyncio.run(scratch_server.create())
    yield database
    asyncio.run(scratch_server.drop(database))


@pytest.fixture(scope="session")
def matrix_houses(matrix_database: ScratchDatabase) -> tuple[House, House]:
    return asyncio.run(furnish_both(matrix_database))


@pytest.fixture
def mine(houses: tuple[House, House]) -> House:
    return houses[0]


@pytest.fixture
def theirs(houses: tuple[House, House]) -> House:
    return houses[1]


@pytest.fixture
async def store(database: ScratchDatabase, houses: tuple[House, House]) -> AsyncIterator[PostgresStore]:
    store = await connect_store(database)
    yield store
    await store.close()


@pytest.fixture
async def admin(database: ScratchDatabase, houses: tuple[House, House]) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A superuser's connection, which sees both tenants."""
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database: ScratchDatabase, houses: tuple[House, House]) -> AsyncIterator[asyncpg.Connection[Any]]:
    """The application's own connection, without adapters."""
    connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()
