"""Many tenants share five connections: nobody sees another's rows, whatever goes wrong. A campaign asks a million."""

from __future__ import annotations

import asyncio

import asyncpg

from remit.testing.database import ScratchDatabase, ScratchServer, pristine_database
from tests.integration.isolation.crowd import CONNECTIONS, QUESTIONS, Crowd, gathered

REQUESTS = 4_000
TENANTS = 20
SEED = 20_260_710
ROUNDS = 8


async def asked(database: ScratchDatabase) -> Crowd:
    """Return a crowd that has asked, with connections killed in between."""
    admin = await asyncpg.connect(database.admin_url)
    async with gathered(database, tenants=TENANTS, seed=SEED) as crowd:
        for _ in range(ROUNDS):
            asking = asyncio.ensure_future(crowd.ask(REQUESTS // ROUNDS))
            await crowd.cut_off(admin)
            await asking
    await admin.close()
    return crowd


async def test_crowd_of_tenants_shares_five_connections(scratch_server: ScratchServer) -> None:
    """
    Of thousands of mixed requests, some refused, given up, timed out or cut off, each gets rows of its tenant's alone,
    and no connection is lent with a tenant on it.
    """
    async with pristine_database(scratch_server) as database:
        tally = (await asked(database)).tally

    assert [] == tally.leaks
    assert [] == tally.left_over
    assert 1 <= tally.connections <= CONNECTIONS
    assert REQUESTS == tally.requests.total()
    assert len(QUESTIONS) == len(tally.requests)
    assert tally.rows > REQUESTS // 2
    assert tally.contexts > REQUESTS // 50
    assert tally.faults["given up"] >= 5
    assert tally.faults["killed"] >= ROUNDS // 2
    assert min(tally.faults[name] for name in ("not found", "no context", "refused", "server error")) >= 10
