"""Ten thousand races of eight people who decide about one request at the same time, from two processes' connections."""

from __future__ import annotations

import asyncpg
import uvloop

from campaigns.record import Figure, Options, at_least, exactly
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store, pristine_database
from tests.conformance.store.world import make_world
from tests.integration.approvals.races import DECIDERS, Outcome, Races

PROMISE = "However many people decide about a request at the same time, exactly one decision counts."

RACES = 10_000


def run(options: Options) -> list[Figure]:
    """Race, and return how the races ended."""
    outcome = uvloop.run(_raced(options))
    races = options.count(RACES)
    return [
        exactly("races without exactly one winner", len(outcome.wrong)),
        at_least("races", outcome.races.total(), races),
        at_least("decisions sent", outcome.races.total() * DECIDERS, races * DECIDERS),
        at_least("races in which one must decide", outcome.races["one"], races * 0.5),
        at_least("races in which two must agree", outcome.races["two"], races * 0.1),
        at_least("races against the end of the request's time", outcome.races["late"], races * 0.1),
        at_least("requests approved", outcome.ends["approved"], races * 0.3),
        at_least("requests denied", outcome.ends["denied"], races * 0.1),
        at_least("requests expired", outcome.ends["expired"], races * 0.005),
        at_least("decisions refused", outcome.words["refused"], races * (DECIDERS - 3)),
    ]


async def _raced(options: Options) -> Outcome:
    with ScratchServer() as server:
        async with pristine_database(server) as database:
            return await _race(database, seed=options.seed, count=options.count(RACES))


async def _race(database: ScratchDatabase, *, seed: int, count: int) -> Outcome:
    store, other = await connect_store(database), await connect_store(database)
    admin = await asyncpg.connect(database.admin_url)
    races = Races(await make_world(store), other, seed)
    await races.invite()
    for _ in range(count):
        await races.race()
    await races.judge(admin)
    for resource in (admin, store, other):
        await resource.close()
    for found in races.outcome.wrong[:20]:
        print("WRONG", found)
    return races.outcome
