"""Probes of who may see what: owners, superusers, views, functions, roles and grants (P01 to P13).

Each shows the hole that PostgreSQL has or would have, and that it is closed here.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from remit.errors import UnsafeDatabaseError
from remit.store import Database
from remit.testing.database import ScratchDatabase
from tests.integration.isolation.catalogue import DEFINERS
from tests.integration.isolation.houses import TABLES, House, take_stock
from tests.integration.isolation.probing import DENIED, NO_CONTEXT, context, outcome, shipped_sql

OWNED = "set local role remit_owner"


async def test_p01_owner_is_subject_to_forced_policies(admin: asyncpg.Connection[Any], mine: House) -> None:
    """
    Without FORCE the owner would see all tenants; with it, as everywhere here, it fails without a context like anybody.
    """
    count = "select count(distinct tenant_id) from remit.runs"

    async with context(admin, None):
        await admin.execute(OWNED)
        forced = await outcome(admin, count)
        await admin.execute("reset role; alter table remit.runs no force row level security; " + OWNED)
        unforced = await outcome(admin, count)

    assert NO_CONTEXT == forced
    assert unforced >= 2


async def test_p02_superuser_sees_all_and_is_refused(database: ScratchDatabase, admin: asyncpg.Connection[Any]) -> None:
    """
    No policy binds a superuser, so a kernel that is given one's login does not start, whatever it is told to accept.
    """
    seen = await outcome(admin, "select count(distinct tenant_id) from remit.runs")

    assert seen >= 2
    for url in (database.admin_url, database.owner_url):
        with pytest.raises(UnsafeDatabaseError, match="expected a role that sees one tenant"):
            await Database(url, allow_unsafe=True).connect()


async def test_p03_bypassing_role_is_refused(database: ScratchDatabase, admin: asyncpg.Connection[Any]) -> None:
    """
    BYPASSRLS does what it says even with FORCE; no role of ours has it, and the login of one that has is refused.
    """
    roles = await admin.fetch("select rolname from pg_roles where rolbypassrls and not rolsuper")
    async with context(admin, None):
        await admin.execute("alter role remit_app bypassrls; set local role remit_app")
        seen = await outcome(admin, "select count(distinct tenant_id) from remit.runs")

    assert [] == [row["rolname"] for row in roles if row["rolname"].startswith("remit")]
    assert seen >= 2


async def test_p04_view_of_the_owner_shows_one_tenant(admin: asyncpg.Connection[Any], mine: House) -> None:
    """
    A plain view reads with its owner's rights: because policies are forced it shows the tenant in context only.
    """
    async with context(admin, mine.tenant_id):
        await admin.execute(
            f"{OWNED}; create view remit.everything as select tenant_id from remit.runs; "
            "grant select on remit.everything to remit_app; set local role remit_app"
        )
        forced = await outcome(admin, "select string_agg(distinct tenant_id, ',') from remit.everything")
        await admin.execute("reset role; alter table remit.runs no force row level security; set local role remit_app")
        unforced = await outcome(admin, "select count(distinct tenant_id) from remit.everything")

    assert mine.tenant_id == forced
    assert unforced >= 2


async def test_p05_function_of_the_owner_shows_one_tenant(admin: asyncpg.Connection[Any], mine: House) -> None:
    """
    The same holds for a function with the owner's rights; those that there are, are on the list of check C08.
    """
    async with context(admin, mine.tenant_id):
        await admin.execute(
            f"{OWNED}; create function remit.everybody() returns text language sql security definer as "
            "'select string_agg(distinct tenant_id, '','') from remit.runs'; set local role remit_app"
        )
        forced = await outcome(admin, "select remit.everybody()")
        await admin.execute("reset role; alter table remit.runs no force row level security; set local role remit_app")
        unforced = await outcome(admin, "select remit.everybody()")

    assert mine.tenant_id == forced
    assert "," in str(unforced)


async def test_p06_materialised_view_would_show_all_and_there_is_none(
    admin: asyncpg.Connection[Any], mine: House
) -> None:
    """
    No policy holds for a materialised view, so none is made of tenant data: neither in the schema nor in our SQL.
    """
    async with context(admin, mine.tenant_id):
        await admin.execute(
            "create materialized view remit.everything as select tenant_id from remit.runs; "
            "grant select on remit.everything to remit_app; set local role remit_app"
        )
        seen = await outcome(admin, "select count(distinct tenant_id) from remit.everything")
    views = await admin.fetchval(
        "select count(*) from pg_class where relkind in ('m', 'v') and relnamespace = 'remit'::regnamespace"
    )

    assert seen >= 2
    assert 0 == views
    assert [] == [name for name, text in shipped_sql().items() if "materialized" in text or "create view" in text]


async def test_p07_truncate_is_never_granted(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    TRUNCATE knows no rows and so no policies: the application may use it on no table.
    """
    before = await take_stock(admin, theirs.tenant_id)
    tables = [row["relname"] for row in await admin.fetch(TABLES)]
    async with context(app, mine.tenant_id):
        answers = {table: await outcome(app, f"truncate remit.{table} cascade") for table in tables}

    assert {DENIED} == set(answers.values())
    assert before == await take_stock(admin, theirs.tenant_id)


async def test_p08_new_tables_and_functions_are_closed(admin: asyncpg.Connection[Any], mine: House) -> None:
    """
    What the owner makes is granted to nobody by default; a function is the public's, which check C10 finds, and runs
    with its caller's rights, so that policies hold in it.
    """
    async with context(admin, mine.tenant_id):
        await admin.execute(
            f"{OWNED}; create table remit.notes (tenant_id text); create function remit.everybody() returns text "
            "language sql as 'select string_agg(distinct tenant_id, '','') from remit.runs'; set local role remit_app"
        )
        table = await outcome(admin, "select * from remit.notes")
        function = await outcome(admin, "select remit.everybody()")

    assert DENIED == table
    assert mine.tenant_id == function


async def test_p09_partitions_are_reached_through_their_parent(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House
) -> None:
    """
    A partition has its own rights and its own row security: nothing is granted on it, also on one made just now.
    """
    names = "select c.relname from pg_class c where c.relnamespace = 'remit'::regnamespace and c.relispartition"
    async with context(admin, mine.tenant_id):
        made = await admin.fetchval("select remit.make_partitions_v1(clock_timestamp() + interval '9 months')")
        partitions = [row["relname"] for row in await admin.fetch(f"{names} and c.relkind = 'r'")]
        await admin.execute("set local role remit_app")
        answers = {name: await outcome(admin, f"select * from remit.{name}") for name in partitions}

    assert made >= 5
    assert len(partitions) >= 4 * (made + 1)
    assert {DENIED} == set(answers.values())


async def test_p10_nobody_becomes_another_role(app: asyncpg.Connection[Any], mine: House) -> None:
    """
    The application is a member of no role that sees more, and may not make or change any.
    """
    attempts = [
        "set local role remit_owner", "set local role remit_dispatch", "set local role remit_admin",
        "set local session authorization remit_owner", "create role helper", "alter role remit_app bypassrls",
        "grant remit_owner to remit_app", "grant remit_dispatch to remit_app",
        "reassign owned by remit_owner to remit_app",
    ]  # fmt: skip
    async with context(app, mine.tenant_id):
        answers = [await outcome(app, attempt) for attempt in attempts]

    assert [DENIED] * len(attempts) == answers


async def test_p11_application_makes_nothing(app: asyncpg.Connection[Any], mine: House) -> None:
    """
    No table, view, function, operator, trigger, rule, policy, temporary table or server of the application's own.
    """
    attempts = [
        "create table remit.mine (x int)", "create table public.mine (x int)", "create temporary table mine (x int)",
        "create view remit.mine as select * from remit.runs", "create schema mine", "create extension hstore",
        "create function remit.leak(text) returns boolean language sql cost 0.0001 as 'select true'",
        "create function public.leak(text) returns boolean language sql as 'select true'",
        "create function pg_temp.leak(text) returns boolean language sql as 'select true'",
        "create operator public.~~~ (leftarg = text, rightarg = text, function = texteq)",
        "create trigger mine after insert on remit.runs for each row execute function remit.refuse_change()",
        "create rule mine as on insert to remit.runs do also notify x", "create policy mine on remit.runs using (true)",
        "alter table remit.runs disable row level security", "drop policy tenant on remit.runs",
        "comment on table remit.runs is 'mine'", "create statistics mine on tenant_id, run_id from remit.runs",
        "alter function remit.tenant_id() security definer", "create publication mine for table remit.runs",
        "do language plpython3u 'pass'", "alter system set fsync = off",
        "create event trigger mine on sql_drop execute function remit.refuse_change()",
    ]  # fmt: skip
    async with context(app, mine.tenant_id):
        answers = {attempt: await outcome(app, attempt) for attempt in attempts}

    refused = {DENIED, "0A000", "42704", "25001"}
    assert {} == {attempt: answer for attempt, answer in answers.items() if answer not in refused}


async def test_p12_row_security_cannot_be_switched_off(app: asyncpg.Connection[Any], mine: House) -> None:
    """
    With row_security off a query fails instead of seeing everything; replication's role is out of reach.
    """
    async with context(app, mine.tenant_id):
        await app.execute("set local row_security = off")
        answer = await outcome(app, "select * from remit.runs")
        replica = await outcome(app, "set local session_replication_role = replica")

    assert [DENIED, DENIED] == [answer, replica]


async def test_p13_search_path_takes_no_function_over(admin: asyncpg.Connection[Any], mine: House) -> None:
    """
    Functions with another's rights use none of the caller's names, also where the caller may create some.
    """
    tricks = {
        "clock_timestamp()": "timestamptz", "pg_postmaster_start_time()": "timestamptz",
        "hashtextextended(text, bigint)": "bigint", "date_trunc(text, timestamptz, text)": "timestamptz",
        "concat_ws(text, text, text, text)": "text", "random()": "double precision",
    }  # fmt: skip
    worker = "'00000000-0000-7000-8000-000000000009'"
    calls = [
        "sweep_v1(10, pg_catalog.clock_timestamp())", f"heartbeat_v1({worker})", f"claim_v1({worker}, 'x', 10)",
        f"register_worker_v1({worker}, interval '1 hour', 'x', null)", f"retire_worker_v1({worker})",
        f"claim_outbox_v1({worker}, 1, 1, interval '1 s', '{{}}')", "settle_outbox_v1('{}')",
        f"release_v1({worker}, '{{}}')",
        "make_partitions_v1(pg_catalog.clock_timestamp() + interval '1 year')", "authenticate_v1('x')",
        "find_endpoint_v1('x')", "list_tenants_v1()", "list_workers_v1()", "suspect_tenants_v1(interval '1 s')",
    ]  # fmt: skip
    trap = "language plpgsql as 'begin raise exception using errcode = ''RM666''; end'"
    async with context(admin, mine.tenant_id):
        await admin.execute("create schema evil; grant all on schema evil to remit_app; set local role remit_app")
        for signature, returned in tricks.items():
            await admin.execute(f"create function evil.{signature} returns {returned} {trap}")
        await admin.execute("set local search_path = evil, pg_catalog, remit")
        sprung = await outcome(admin, "select clock_timestamp()")
        answers = {call: await outcome(admin, f"select (remit.{call})::text") for call in calls}

    assert {call.partition("(")[0] for call in calls} == set(DEFINERS)
    assert "RM666" == sprung
    assert {} == {call: answer for call, answer in answers.items() if answer == "RM666"}
