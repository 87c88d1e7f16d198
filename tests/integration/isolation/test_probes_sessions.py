"""Probes of what stays on a connection for whoever borrows it next (P14 to P24).

Each shows what PostgreSQL would carry over, and that nothing of ours does.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import asyncpg
import pytest

from remit.errors import InputInvalidError, NotFoundError, StoreUnavailableError, TenantContextError
from remit.ids import TenantId
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, connect_store
from tests.integration.isolation.houses import House
from tests.integration.isolation.probing import DENIED, NO_CONTEXT, context, outcome, shipped_sql

NAMES = "select string_agg(distinct tenant_id, ',') from remit.definitions"
LEFT_OVER = {"left_over": "select coalesce(current_setting('remit.tenant_id', true), '') as tenant"}


async def test_p14_session_wide_context_reaches_the_next_borrower(
    app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    A context set for the session would be the next borrower's: our SQL sets it for one transaction only.
    """
    await app.execute(f"set remit.tenant_id = '{theirs.tenant_id}'")
    leaked = await app.fetchval(NAMES)
    await app.execute("reset remit.tenant_id")
    settings = [
        (name, text[place.start() : place.start() + 60])
        for name, text in shipped_sql().items()
        for place in re.finditer(r"set_config\(|\bset (session )?(local )?remit\.", text)
    ]
    local = re.compile(r"set_config\('remit\.tenant_id', [\w.']+, true\)|set local remit\.tenant_id = '\{tenant\}'")

    assert theirs.tenant_id == leaked
    assert len(settings) > 30
    assert [] == [place for place in settings if not local.match(place[1])]


async def test_p15_context_is_gone_after_the_transaction(app: asyncpg.Connection[Any], theirs: House) -> None:
    """
    After a transaction the setting is an empty text and not null: a statement then fails, and finds no tenant ''.
    """
    async with app.transaction():
        await app.execute(f"set local remit.tenant_id = '{theirs.tenant_id}'")
        inside = await app.fetchval(NAMES)

    assert theirs.tenant_id == inside
    assert "" == await app.fetchval("select current_setting('remit.tenant_id', true)")
    assert NO_CONTEXT == await outcome(app, NAMES)
    assert NO_CONTEXT == await outcome(app, "select * from remit.definitions where tenant_id = ''")


async def test_p16_context_set_in_a_savepoint_goes_with_it(app: asyncpg.Connection[Any], theirs: House) -> None:
    """
    What a savepoint set is undone with it: the rest of the transaction has no context.
    """
    async with context(app, None):
        await app.execute(f"savepoint a; set local remit.tenant_id = '{theirs.tenant_id}'; rollback to savepoint a")
        answer = await outcome(app, NAMES)

    assert NO_CONTEXT == answer


async def test_p17_free_sql_would_reset_the_context_and_there_is_none(
    app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    Whoever could send SQL could choose a tenant: statements are constants, and only a checked slug is put into one.
    """
    async with context(app, mine.tenant_id):
        await app.execute(f"set local remit.tenant_id = '{theirs.tenant_id}'")
        chosen = await app.fetchval(NAMES)
    templates = {name for name, text in shipped_sql().items() if re.search(r"\{[a-z]+\}", text)}

    assert theirs.tenant_id == chosen
    assert {"session.begin", "migrate.set_app_password"} == templates


@pytest.mark.parametrize(
    "tenant_id", ["", "other' or '1'='1", "acme; set role remit_owner", "Acme", "acme\x00", "*", "a" * 41]
)
async def test_p18_context_takes_slugs_only(store: PostgresStore, tenant_id: str) -> None:
    """
    What is no tenant id never becomes part of a statement.
    """
    with pytest.raises(InputInvalidError):
        await store.reader.list_runs(TenantId(tenant_id))


async def test_p19_functions_leave_no_context_behind(store: PostgresStore, mine: House, theirs: House) -> None:
    """
    After each way to use the pool, answered, refused or given up, no connection knows a tenant.
    """
    for house in (mine, theirs):
        await store.reservation.find_key(house.tenant_id, house.key)
        await store.reservation.load_breaker(house.tenant_id, house.dependency)
        await store.reader.list_runs(house.tenant_id)
        await store.reader.read_run(house.tenant_id, house.done_id)
        await store.inbox.mark_started(house.tenant_id, -1)
        with pytest.raises(NotFoundError):
            await store.reader.get_run(house.tenant_id, (theirs if house is mine else mine).done_id)
        asking = asyncio.ensure_future(store.reader.list_runs(house.tenant_id))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    sessions = [store.database.session() for _ in range(4)]
    found = [await (await lent.__aenter__()).fetch(LEFT_OVER, "left_over") for lent in sessions]
    for lent in sessions:
        await lent.__aexit__(None, None, None)

    assert [""] * 4 == [rows[0]["tenant"] for rows in found]


async def test_p20_transaction_is_not_lent_with_its_connection(store: PostgresStore, theirs: House) -> None:
    """
    A connection that comes back inside a transaction is rolled back or cut before anybody else gets it.
    """
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: told.append(fault))
    async with store.database.session() as session:
        await session.fetch({"begin": "begin"}, "begin")
        await session.fetch({"set": f"set local remit.tenant_id = '{theirs.tenant_id}'"}, "set")
        inside = await session.fetch({"names": f"{NAMES} -- inside"}, "names")
    async with store.database.session() as session:
        with pytest.raises(TenantContextError):
            await session.fetch({"names": NAMES}, "names")
        left_over = await session.fetch(LEFT_OVER, "left_over")

    assert theirs.tenant_id == inside[0][0]
    assert "" == left_over[0]["tenant"]
    assert 1 == len(told)


async def test_p21_prepared_statements_follow_the_context(
    app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    A statement prepared in one tenant's context sees the next one's rows only, with a generic plan too.
    """
    seen = []
    for mode in ("auto", "force_generic_plan", "force_custom_plan"):
        await app.execute(f"set plan_cache_mode = {mode}")
        statement = await app.prepare(f"{NAMES} where digest <> $1")
        for house in [theirs, mine] * 8:
            async with app.transaction():
                await app.execute(f"set local remit.tenant_id = '{house.tenant_id}'")
                seen.append(await statement.fetchval(""))
        with pytest.raises(asyncpg.PostgresError) as caught:
            await statement.fetchval("")
        assert NO_CONTEXT == caught.value.sqlstate

    assert [theirs.tenant_id, mine.tenant_id] * 24 == seen


async def test_p22_prepared_statement_does_not_keep_a_better_role(admin: asyncpg.Connection[Any], mine: House) -> None:
    """
    A plan made for a role that sees everything is not used for one that does not (CVE-2024-10976's family).
    """
    async with context(admin, mine.tenant_id):
        statement = await admin.prepare("select count(distinct tenant_id) from remit.definitions")
        as_superuser = [await statement.fetchval() for _ in range(8)]
        await admin.execute("set local role remit_app")
        as_application = await statement.fetchval()

    assert min(as_superuser) >= 2
    assert 1 == as_application


async def test_p23_cursor_that_outlives_its_transaction_would_leak_and_there_is_none(
    app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    A cursor WITH HOLD keeps a tenant's rows for the next borrower: our SQL declares no cursor.
    """
    async with app.transaction():
        await app.execute(
            f"set local remit.tenant_id = '{theirs.tenant_id}'; declare kept cursor with hold for {NAMES}"
        )
    async with context(app, mine.tenant_id):
        kept = await app.fetchval("fetch next from kept")
    await app.execute("close kept")

    assert theirs.tenant_id == kept
    assert [] == [name for name, text in shipped_sql().items() if re.search(r"\bcursor\b|\bwith hold\b", text)]


async def test_p24_temporary_tables_and_large_objects_are_not_used(
    database: ScratchDatabase, admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House
) -> None:
    """
    Temporary tables outlive a transaction and are refused; large objects know no policies, and there are none.
    """
    async with context(app, mine.tenant_id):
        temporary = await outcome(app, "create temporary table kept as select * from remit.runs")
        imported = await outcome(app, "select lo_import('/etc/hostname')")
    large = await admin.fetchval("select count(*) from pg_largeobject_metadata")
    store = await connect_store(database)
    await store.close()
    with pytest.raises(StoreUnavailableError):
        await store.reader.list_runs(mine.tenant_id)

    assert [DENIED, DENIED] == [temporary, imported]
    assert 0 == large
    assert [] == [name for name, text in shipped_sql().items() if re.search(r"\blo_|\btemp(orary)? table", text)]
