"""A hundred callers of two tenants share five connections: nobody ever sees the other's rows, whatever goes wrong."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from remit.errors import NotFoundError
from remit.store import PostgresStore
from remit.store import database as database_module
from remit.testing.database import ScratchDatabase, connect_store
from tests.integration.isolation.houses import House, take_stock

CONNECTIONS = 5
CALLERS = 100
TURNS = 12
SEED = 20_260_710


@pytest.fixture
async def small_store(
    database: ScratchDatabase, houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PostgresStore]:
    monkeypatch.setattr(database_module, "POOL_SIZE_MAX", CONNECTIONS)
    store = await connect_store(database)
    yield store
    await store.close()


class Caller:
    """Somebody of one tenant, who asks many things and notes what should not have been answered."""

    def __init__(self, store: PostgresStore, mine: House, theirs: House, draw: random.Random) -> None:
        self._store = store
        self._mine = mine
        self._theirs = theirs
        self._draw = draw
        self.asked: Counter[str] = Counter()
        self.leaks: list[object] = []

    async def call(self) -> None:
        """Ask in turn, in an order of one's own."""
        questions = [self.runs, self.receipts, self.definitions, self.approvals, self.foreign, self.give_up, self.key]
        for _ in range(TURNS):
            question = self._draw.choice(questions)
            self.asked[question.__name__] += 1
            await question()

    def check(self, rows: list[Any]) -> None:
        """Note rows that are not one's own."""
        text = str(rows)
        if not rows or self._theirs.tenant_id in text or str(self._theirs.done_id) in text:
            self.leaks.append(rows)

    async def runs(self) -> None:
        self.check(await self._store.reader.list_runs(self._mine.tenant_id))

    async def receipts(self) -> None:
        self.check(await self._store.reader.list_receipts(self._mine.tenant_id))

    async def definitions(self) -> None:
        self.check(await self._store.directory.list_definitions(self._mine.tenant_id))

    async def approvals(self) -> None:
        self.check(await self._store.approvals.list(self._mine.tenant_id, status=None))

    async def key(self) -> None:
        self.check([await self._store.reservation.find_key(self._mine.tenant_id, self._mine.key)])
        if await self._store.reservation.find_key(self._mine.tenant_id, self._theirs.key) is not None:
            self.leaks.append("key")

    async def foreign(self) -> None:
        try:
            self.leaks.append(await self._store.reader.get_run(self._mine.tenant_id, self._theirs.done_id))
        except NotFoundError:
            return

    async def give_up(self) -> None:
        """Ask and leave before the answer, in the middle of a transaction or before it."""
        asking = asyncio.ensure_future(self._store.reader.list_runs(self._mine.tenant_id))
        for _ in range(self._draw.randint(0, 6)):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_hundred_callers_share_five_connections(
    small_store: PostgresStore, admin: asyncpg.Connection[Any], houses: tuple[House, House]
) -> None:
    """
    Mixed requests of two tenants, some refused and some given up half way, leak nothing into each other.
    """
    before = [await take_stock(admin, house.tenant_id) for house in houses]
    callers = [Caller(small_store, houses[n % 2], houses[(n + 1) % 2], random.Random(SEED + n)) for n in range(CALLERS)]

    await asyncio.gather(*(caller.call() for caller in callers))
    connections = await admin.fetchval(
        "select count(*) from pg_stat_activity where datname = current_database() and usename = 'remit_app'"
    )

    asked = sum((caller.asked for caller in callers), Counter[str]())
    assert [] == [leak for caller in callers for leak in caller.leaks]
    assert 7 == len(asked)
    assert min(asked.values()) > CALLERS
    assert connections <= CONNECTIONS + 1
    assert before == [await take_stock(admin, house.tenant_id) for house in houses]
