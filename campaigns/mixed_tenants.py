"""A million requests of fifty tenants, mixed over five connections, while some are given up, refused and killed."""

from __future__ import annotations

import asyncio
import logging

import asyncpg
import structlog
import uvloop

from campaigns.record import Figure, Options, at_least, at_most, exactly, reading
from remit.testing.database import ScratchDatabase, ScratchServer, pristine_database
from tests.integration.isolation.crowd import CONNECTIONS, QUESTIONS, Tally, gathered

PROMISE = "One tenant never sees or touches another's data, whatever happens to the connections that all tenants share."

REQUESTS = 1_000_000
TENANTS = 50
BETWEEN_KILLS = 2_000
"""Requests from one killed connection to the next."""


def run(options: Options) -> list[Figure]:
    """Ask, and return what was asked, what went wrong on purpose, and what must not have happened."""
    tally = uvloop.run(_asked(options))
    requests = options.count(REQUESTS)
    faults = tally.faults
    return [
        exactly("rows of another tenant", len(tally.leaks)),
        exactly("contexts left on a connection", len(tally.left_over)),
        at_least("requests", tally.requests.total(), requests),
        at_least("kinds of requests", len(tally.requests), len(QUESTIONS)),
        reading("tenants", TENANTS),
        at_most("connections in the pool", tally.connections, CONNECTIONS),
        at_least("rows read, each with its tenant's canary", tally.rows, requests * 0.8),
        at_least("connections looked at for a left context", tally.contexts, requests * 0.03),
        at_least("statements without a context, refused", faults["no context"], requests * 0.03),
        at_least("things of another tenant, not found", faults["not found"], requests * 0.03),
        at_least("requests given up half way", faults["given up"], requests * 0.002),
        at_least("requests timed out", faults["timed out"], requests * 0.0002),
        at_least("transactions that the server refused", faults["server error"], requests * 0.005),
        at_least("decisions refused", faults["refused"], requests * 0.01),
        at_least("connections killed", faults["killed"], requests / BETWEEN_KILLS * 0.8),
        at_least("requests that met a killed connection", faults["unavailable"], requests / BETWEEN_KILLS * 0.1),
    ]


async def _asked(options: Options) -> Tally:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with ScratchServer() as server:
        async with pristine_database(server) as database:
            tally = await _ask(database, seed=options.seed, count=options.count(REQUESTS))
    for found in [*tally.leaks, *tally.left_over][:20]:
        print("LEAK", found)
    return tally


async def _ask(database: ScratchDatabase, *, seed: int, count: int) -> Tally:
    admin = await asyncpg.connect(database.admin_url)
    async with gathered(database, tenants=TENANTS, seed=seed) as crowd:
        for asked in range(0, count, BETWEEN_KILLS):
            asking = asyncio.ensure_future(crowd.ask(min(BETWEEN_KILLS, count - asked)))
            await asyncio.sleep(crowd.draw.random() * 0.2)
            await crowd.cut_off(admin)
            await asking
    await admin.close()
    return crowd.tally
