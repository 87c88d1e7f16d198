"""Migrations: up, down and up again, by whoever owns the database."""

import asyncio

import asyncpg
import pytest

from remit.errors import SettingsInvalidError, UnsafeDatabaseError
from remit.store import Database, EmbeddedServer
from remit.store.database import SCHEMA_VERSION
from remit.store.migrate import derive_app_url, downgrade, newest_version, status, upgrade
from remit.testing.database import MAJORS, ScratchDatabase, private_server

CATALOGUE = """
select 'table ' || c.relname || ' ' || c.relrowsecurity || c.relforcerowsecurity from pg_class c
where c.relnamespace = to_regnamespace('remit') and c.relkind in ('r', 'p')
union all
select 'column ' || a.attrelid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace = to_regnamespace('remit') and a.attnum > 0 and c.relkind in ('r', 'p', 'c')
union all
select 'function ' || p.oid::regprocedure || ' ' || p.proowner::regrole || ' ' || coalesce(p.proacl::text, '')
from pg_proc p where p.pronamespace = to_regnamespace('remit')
union all
select 'index ' || i.indexrelid::regclass from pg_index i
join pg_class c on c.oid = i.indexrelid where c.relnamespace = to_regnamespace('remit')
union all
select 'policy ' || p.polrelid::regclass || ' ' || p.polname from pg_policy p
union all
select 'type ' || t.typname from pg_type t where t.typnamespace = to_regnamespace('remit') and t.typtype in ('c', 'd')
order by 1
"""


async def catalogue(url: str) -> list[str]:
    """Everything that a migration makes, in words."""
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(CATALOGUE)]
    finally:
        await connection.close()


async def execute(url: str, *statements: str) -> None:
    """Run statements as they are."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_program_knows_the_newest_migration() -> None:
    """
    The version that the kernel insists on is that of the newest file.
    """
    assert newest_version() == SCHEMA_VERSION


async def test_down_and_up_again_leaves_the_same_schema(pristine: ScratchDatabase) -> None:
    """
    Going down leaves nothing behind, and going up again makes exactly what was there before.
    """
    before = await catalogue(pristine.admin_url)

    await downgrade(pristine.owner_url)
    nothing = await catalogue(pristine.admin_url)
    gone, _ = await status(pristine.owner_url)
    await upgrade(pristine.owner_url)

    assert [] == nothing
    assert gone is None
    assert before == await catalogue(pristine.admin_url)
    assert (SCHEMA_VERSION, SCHEMA_VERSION) == await status(pristine.owner_url)


async def test_upgrade_again_changes_nothing(pristine: ScratchDatabase) -> None:
    """
    Bringing up to date what is up to date, several times at once, changes nothing.
    """
    before = await catalogue(pristine.admin_url)

    await asyncio.gather(*[upgrade(pristine.owner_url) for _ in range(3)])

    assert before == await catalogue(pristine.admin_url)


async def test_concurrent_first_upgrades_make_one_schema(pristine: ScratchDatabase) -> None:
    """
    Processes that start at once on an empty database make its schema once.
    """
    await downgrade(pristine.owner_url)

    await asyncio.gather(*[upgrade(pristine.owner_url) for _ in range(3)])

    assert (SCHEMA_VERSION, SCHEMA_VERSION) == await status(pristine.owner_url)


async def test_schema_of_a_newer_version_is_refused(pristine: ScratchDatabase) -> None:
    """
    A schema that this program does not know is neither used nor changed.
    """
    await execute(pristine.owner_url, "update remit.schema_versions set version_num = '9999'")

    with pytest.raises(UnsafeDatabaseError):
        await upgrade(pristine.owner_url)
    with pytest.raises(UnsafeDatabaseError):
        await Database(pristine.app_url).connect()

    assert ("9999", SCHEMA_VERSION) == await status(pristine.owner_url)


async def test_database_without_schema_is_refused(pristine: ScratchDatabase) -> None:
    """
    The kernel does not make a schema by itself in a database that it was pointed at.
    """
    await downgrade(pristine.owner_url)

    with pytest.raises(UnsafeDatabaseError, match="remit db upgrade"):
        await Database(pristine.app_url).connect()


@pytest.mark.parametrize("major", MAJORS)
async def test_owner_that_creates_roles_needs_one_url(major: int) -> None:
    """
    With an owner that may create roles, everything else follows from its URL, the application's login included.

    Version 16 changed what CREATEROLE allows.
    """
    with private_server(major) as server:
        await migrate_as_customer((await asyncio.to_thread(server.start)).admin_url)


async def migrate_as_customer(admin_url: str) -> None:
    """Make an owner that may create roles and no more, let it make the schema, and connect as the application."""
    await execute(
        admin_url,
        "drop owned by remit_app",
        "drop role remit_app",
        "drop role remit_dispatch",
        "create role customer login createrole password 'secret@1'",
        "create database customer owner customer",
    )
    owner_url = admin_url.replace("/remit?", "/customer?")
    userinfo = owner_url.split("//")[1].split("@")[0]
    owner_url = owner_url.replace(userinfo, "customer:secret%401")

    await upgrade(owner_url)

    database = Database(derive_app_url(owner_url))
    await database.connect()
    await database.close()


async def test_missing_roles_are_named(server: EmbeddedServer) -> None:
    """
    An owner that may not create roles is told which ones to ask for; nothing was made.
    """
    address = await asyncio.to_thread(server.start)
    await execute(address.admin_url, "drop owned by remit_app", "drop role remit_app")

    with pytest.raises(UnsafeDatabaseError, match="remit_app"):
        await upgrade(address.owner_url)

    assert [] == await catalogue(address.owner_url)


def test_url_without_password_derives_nothing() -> None:
    """
    Without a password in the owner's URL there is nothing to derive the application's from.
    """
    with pytest.raises(SettingsInvalidError):
        derive_app_url("postgresql://owner@localhost/remit")
