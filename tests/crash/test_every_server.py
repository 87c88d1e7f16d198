"""A governed order with a crash in its middle, on every version of PostgreSQL that is supported."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from remit.testing.database import MAJORS
from remit_commerce.simulators.client import Simulators
from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel, set_up
from tests.crash.points import Watch
from tests.crash.test_processes import PATIENCE_SECONDS, victim
from tests.crash.world import World, rescue
from tests.servers import open_servers

POINT = "stripe.payment_intents.capture:after:1"
"""The provider was charged, and nothing that says so is stored."""


@pytest.fixture(params=MAJORS, ids=str)
async def world_anywhere(request: pytest.FixtureRequest, simulators: Simulators, books: Path) -> AsyncIterator[World]:
    """A shop of its own on the server of one version."""
    with open_servers() as servers:
        server = servers.of(request.param)
        database = await server.create()
        shop = await set_up(database, simulators, books)
        connection = await asyncpg.connect(database.admin_url)
        world = World(shop, connection)
        world.open_shop()
        yield world
        await connection.close()
        await server.drop(database)


async def test_order_survives_a_crash_on(world_anywhere: World) -> None:
    """
    A kernel is killed right after the charge; another one finishes the order, the books and the replay agree.
    """
    world = world_anywhere
    async with victim(world, POINT, signal.SIGKILL) as process:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status = await process.wait()
    await world.expire_leases()
    replay = await rescue(MortalKernel(world.shop.settings(world.account), Watch()), world)

    assert -signal.SIGKILL == status
    assert [] == await audit(world.order)
    assert replay is not None
    assert replay.is_verified, replay.findings
