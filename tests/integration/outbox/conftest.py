"""Kernels on a database of their own whose steps publish to receivers on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from remit.testing.database import ScratchDatabase, ScratchServer, scratch_database
from tests.integration.outbox.receiver import Receiver


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    """The embedded server that all test processes share."""
    with ScratchServer() as server:
        yield server


@pytest.fixture
async def scratch(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    """A database with the newest schema."""
    async with scratch_database(scratch_server) as database:
        yield database


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A subscriber that takes everything."""
    async with Receiver() as receiver:
        yield receiver
