"""A server that may be killed, and the ground for plays on the server that may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from remit.store.embedded import EmbeddedServer
from remit.store.migrate import upgrade
from remit.testing.database import ScratchServer, private_server, scratch_database
from tests.crash.programs.play import Ground, postmaster_of


@pytest.fixture
def mortal_server() -> Iterator[EmbeddedServer]:
    with private_server() as server:
        asyncio.run(upgrade(server.start().owner_url))
        yield server


@pytest.fixture
def mortal_ground(mortal_server: EmbeddedServer, tmp_path: Path) -> Ground:
    address = mortal_server.start()
    return Ground(
        app_url=address.app_url,
        admin_url=address.admin_url,
        folder=tmp_path,
        postmaster=lambda: postmaster_of(mortal_server.folder),
        revive=mortal_server.revive,
    )


@pytest.fixture
async def ground(scratch_server: ScratchServer, tmp_path: Path) -> AsyncIterator[Ground]:
    async with scratch_database(scratch_server) as database:
        yield Ground(app_url=database.app_url, admin_url=database.admin_url, folder=tmp_path)
