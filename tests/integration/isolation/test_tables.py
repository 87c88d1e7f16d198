"""Every tenant table of the catalogue, asked as the application role in another tenant's context, and in none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from tests.integration.isolation.houses import TABLES, House, take_stock

NO_CONTEXT = "RM001"
DENIED = "42501"

Attempts = list[tuple[str, str, Sequence[object]]]


async def tables_of(admin: asyncpg.Connection[Any]) -> list[str]:
    return [row["relname"] for row in await admin.fetch(TABLES)]


def attempts(table: str, theirs: House) -> Attempts:
    """Return what somebody might try on another tenant's rows of a table, in one's own context."""
    copy = f"(select jsonb_populate_record(x, $2::jsonb) as y from remit.{table} x limit 1) z"
    return [
        ("read", f"select * from remit.{table} where tenant_id = $1", (theirs.tenant_id,)),
        ("read around", f"select * from remit.{table} where tenant_id > 'acme' or tenant_id = $1", (theirs.tenant_id,)),
        ("change", f"update remit.{table} set tenant_id = tenant_id where tenant_id = $1", (theirs.tenant_id,)),
        ("take", f"update remit.{table} set tenant_id = 'acme' where tenant_id = $1", (theirs.tenant_id,)),
        ("give", f"update remit.{table} set tenant_id = $1", (theirs.tenant_id,)),
        ("delete", f"delete from remit.{table} where tenant_id = $1", (theirs.tenant_id,)),
        (
            "plant",
            f"insert into remit.{table} overriding system value select (y).* from {copy} where $1 <> ''",
            (theirs.tenant_id, f'{{"tenant_id": "{theirs.tenant_id}"}}'),
        ),
        ("lock", f"select 1 from remit.{table} where tenant_id = $1 for update", (theirs.tenant_id,)),
    ]  # fmt: skip


async def attempt(app: asyncpg.Connection[Any], context: str, statement: str, arguments: Sequence[object]) -> object:
    """Try a statement in a context and undo it; return its rows, or the SQLSTATE that it was refused with."""
    transaction = app.transaction()
    await transaction.start()
    try:
        if context:
            await app.execute(f"set local remit.tenant_id = '{context}'")
        prepared = await app.prepare(statement)
        rows = await prepared.fetch(*arguments)
        status = prepared.get_statusmsg()
    except asyncpg.PostgresError as error:
        return error.sqlstate
    finally:
        await transaction.rollback()
    return len(rows) if status.startswith("SELECT") else int(status.rpartition(" ")[2])


async def test_both_tenants_have_rows_in_every_table(
    admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    Nothing is proven about an empty table: each tenant has rows in every one that the catalogue knows.
    """
    stocks = [await take_stock(admin, house.tenant_id) for house in (mine, theirs)]

    assert len(stocks[0]) >= 26
    assert [] == [table for stock in stocks for table, (count, _) in stock.items() if not count]


async def test_no_statement_reaches_another_tenant(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    In one tenant's context no row of another can be read, locked, changed, taken, given, deleted or planted.
    """
    before = await take_stock(admin, theirs.tenant_id)
    leaks = []
    tried = 0
    for table in await tables_of(admin):
        for name, statement, arguments in attempts(table, theirs):
            tried += 1
            result = await attempt(app, mine.tenant_id, statement, arguments)
            if result not in (0, DENIED):
                leaks.append((table, name, result))

    assert [] == leaks
    assert tried >= 8 * 26
    assert before == await take_stock(admin, theirs.tenant_id)


async def test_own_rows_are_all_that_is_seen(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    Without any condition a tenant sees exactly its own rows.
    """
    wrong = []
    for house in (mine, theirs):
        stock = await take_stock(admin, house.tenant_id)
        for table, (count, _) in stock.items():
            seen = await attempt(app, house.tenant_id, f"select * from remit.{table}", ())
            if seen != count:
                wrong.append((house.tenant_id, table, seen, count))

    assert [] == wrong


@pytest.mark.parametrize("context", ["", "nobody"])
async def test_no_statement_works_without_a_tenant(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], theirs: House, context: str
) -> None:
    """
    Without a context every statement on tenant data fails; in that of a tenant that does not exist it finds nothing.
    """
    passed = []
    for table in await tables_of(admin):
        statements: Attempts = [("read all", f"select * from remit.{table}", ()), *attempts(table, theirs)]
        for name, statement, arguments in statements:
            result = await attempt(app, context, statement, arguments)
            expected = (0, DENIED) if context else (NO_CONTEXT, DENIED)
            if result not in expected:
                passed.append((table, name, result))

    assert [] == passed
