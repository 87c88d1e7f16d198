"""Which servers are taken: every version from 15 on, from wherever its programs are; older ones are refused."""

from pathlib import Path

import asyncpg
import pytest

from remit.errors import UnsafeDatabaseError
from remit.settings import programs_of
from remit.store import Database
from remit.store.binaries import PLACES, find_programs
from remit.store.migrate import downgrade, status, upgrade
from remit.testing.database import MAJORS, ScratchDatabase, ScratchServer

PRETEND = """
create schema pretended;
create function pretended.current_setting(name text) returns text language sql stable as $$
    select case name
        when 'server_version_num' then '140022'
        when 'server_version' then '14.22 (Debian 14.22-1)'
        else pg_catalog.current_setting(name)
    end
$$;
grant usage on schema pretended to public;
"""
"""What makes a server say that it is version 14 to whoever has the schema before the system's in his path."""


async def pretend_to_be_old(database: ScratchDatabase) -> None:
    """Let a database say that its server is of version 14."""
    admin = await asyncpg.connect(database.admin_url)
    try:
        await admin.execute(PRETEND)
        for role in ("remit_app", "remit_owner"):
            await admin.execute(
                f"alter role {role} in database {database.name} set search_path = pretended, pg_catalog, public"
            )
    finally:
        await admin.close()


async def test_server_tells_its_version(scratch_server: ScratchServer, scratch: ScratchDatabase) -> None:
    """
    A connected database knows the version of its server, without the name of its packager.
    """
    database = Database(scratch.app_url)
    await database.connect()
    await database.close()

    major, _, minor = database.server_version.partition(".")

    assert str(scratch_server.major) == major
    assert minor.isdigit()


async def test_server_older_than_15_is_refused_by_the_kernel(pristine: ScratchDatabase) -> None:
    """
    A kernel does not start on a server of version 14, and says which it wants.
    """
    await pretend_to_be_old(pristine)

    with pytest.raises(UnsafeDatabaseError, match=r"expected PostgreSQL 15 or newer, got 14\.22"):
        await Database(pristine.app_url, allow_unsafe=True).connect()


async def test_server_older_than_15_is_refused_by_migrations(pristine: ScratchDatabase) -> None:
    """
    No schema is made on a server of version 14.
    """
    await downgrade(pristine.owner_url)
    await pretend_to_be_old(pristine)

    with pytest.raises(UnsafeDatabaseError, match="expected PostgreSQL 15 or newer"):
        await upgrade(pristine.owner_url)

    assert (await status(pristine.owner_url))[0] is None


def test_every_version_is_there() -> None:
    """
    The versions that the suites run on are 18, 16 and 15, and this machine has all of them.
    """
    folders = {major: find_programs(major, programs_of(major)) for major in MAJORS}

    assert {18, 16, 15} == folders.keys()
    assert 3 == len(set(folders.values()))


def test_named_programs_are_used_if_they_are_of_that_version() -> None:
    """
    The folder that is given wins over every other place, unless it holds another version.
    """
    programs = find_programs(15, programs_of(15))

    assert programs == find_programs(15, programs)
    with pytest.raises(UnsafeDatabaseError, match="expected the programs of PostgreSQL 16"):
        find_programs(16, programs)


def test_folder_without_programs_is_refused(tmp_path: Path) -> None:
    """
    A folder that holds no server is named in the refusal.
    """
    with pytest.raises(UnsafeDatabaseError, match=str(tmp_path)):
        find_programs(15, tmp_path)


def test_missing_version_says_where_it_was_looked_for() -> None:
    """
    A version that nobody has made yet is in none of the places, and the refusal names them and the variable.
    """
    with pytest.raises(UnsafeDatabaseError) as caught:
        find_programs(99)

    assert all(place.format(major=99) in caught.value.message for place in PLACES)
    assert "REMIT_POSTGRESQL_99" in caught.value.message


def test_version_that_is_too_old_is_not_looked_for(tmp_path: Path) -> None:
    """
    Programs of version 14 are refused without being run.
    """
    with pytest.raises(UnsafeDatabaseError, match="expected PostgreSQL 15 or newer, got 14"):
        find_programs(14, tmp_path)
