"""Eight people decide at the same time: exactly one word counts. The campaign lets them race ten thousand times."""

from __future__ import annotations

import asyncpg

from remit.testing.database import ScratchDatabase, connect_store
from tests.conformance.store.world import make_world
from tests.integration.approvals.races import DECIDERS, Outcome, Races

RACES = 60
SEED = 20_261_129


async def raced(database: ScratchDatabase, count: int) -> Outcome:
    """Return how so many races ended."""
    store, other = await connect_store(database), await connect_store(database)
    admin = await asyncpg.connect(database.admin_url)
    races = Races(await make_world(store), other, SEED)
    await races.invite()
    for _ in range(count):
        await races.race()
    await races.judge(admin)
    for resource in (admin, store, other):
        await resource.close()
    return races.outcome


async def test_race_of_eight_has_one_winner(database: ScratchDatabase) -> None:
    """
    Approvals and denials from two processes at once, also where two must agree or time runs out: each request ends in
    one state, with the decisions that this state needs and one message that says the same.
    """
    outcome = await raced(database, RACES)

    assert [] == outcome.wrong
    assert RACES == outcome.races.total() == outcome.ends.total()
    assert {"one", "two", "late"} == outcome.races.keys()
    assert {"approved", "denied"} <= outcome.ends.keys()
    assert outcome.words["taken"] >= RACES * 0.7
    assert outcome.words["refused"] >= RACES * (DECIDERS - 3)
