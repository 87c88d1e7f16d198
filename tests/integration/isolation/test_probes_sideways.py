"""Probes of side doors: existence oracles, statistics, errors, plans, notifications, what others can see (P25 to P38).

Each asks about another tenant without reading its rows.
"""

from __future__ import annotations

import asyncio
import json
import re
import traceback
from typing import Any

import asyncpg
import pytest

from remit.errors import RemitError
from remit.ids import Digest, PrincipalId
from remit.ports.store import Decision, Message
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, connect_store
from tests.integration.isolation.houses import TABLES, House
from tests.integration.isolation.probing import DENIED, context, outcome, shipped_sql

CANARY = "canary-7f3a91c2"
ABSENT = {"uuid": "00000000-0000-7000-8000-00000000abcd", "text": "absent", "bytea": "\\x" + "ab" * 32}
KEY_COLUMNS = """
select distinct a.attname, a.atttypid::regtype::text from pg_index i
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
where i.indrelid = $1::regclass and i.indisunique and a.attname <> 'tenant_id'
"""
SEQUENCES = "select relname from pg_class where relkind = 'S' and relnamespace = 'remit'::regnamespace"


async def test_p25_unique_keys_answer_alike_for_foreign_and_absent_values(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], theirs: House
) -> None:
    """
    Writing a row under another tenant's key into one's own tenant answers as under a key that nobody has.
    """
    insert = (
        "insert into remit.{table} overriding system value select (jsonb_populate_record(null::remit.{table}, "
        "to_jsonb($1::remit.{table}) || jsonb_build_object('tenant_id', 'newcomer') || $2::jsonb)).* "
        "on conflict do nothing"
    )
    answers = {}
    for (table,) in await admin.fetch(TABLES):
        row = await admin.fetchval(f"select t from remit.{table} t where tenant_id = $1 limit 1", theirs.tenant_id)
        columns = [tuple(column) for column in await admin.fetch(KEY_COLUMNS, f"remit.{table}")]
        elsewhere = json.dumps({name: ABSENT[kind] for name, kind in columns if kind in ABSENT})
        async with context(app, "newcomer"):
            if table != "tenants":
                await app.execute("insert into remit.tenants (tenant_id, display_name) values ('newcomer', '')")
            statement = insert.format(table=table)
            answers[table] = [await outcome(app, statement, row, change) for change in ("{}", elsewhere)]

    assert len(answers) >= 26
    assert {} == {table: pair for table, pair in answers.items() if pair[0] != pair[1]}
    assert sum(pair == [1, 1] for pair in answers.values()) >= 12


async def test_p26_references_answer_alike_for_foreign_and_absent_rows(
    store: PostgresStore, app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    A row that points to another tenant's definition or person is refused like one that points nowhere.
    """
    insert = (
        "insert into remit.runs (tenant_id, run_id, definition_digest, definition_name, principal_id, policy_digest, "
        "input, created_at) values ($1, gen_random_uuid(), $2, 'n', $3, '', '', now())"
    )
    async with context(app, mine.tenant_id):
        answers = [
            await outcome(app, insert, mine.tenant_id, digest, principal)
            for digest, principal in (
                (theirs.definition_digest, mine.operator), (Digest("0" * 64), mine.operator),
                (mine.definition_digest, theirs.operator), (mine.definition_digest, PrincipalId("nobody")),
                (mine.definition_digest, mine.operator),
            )
        ]  # fmt: skip

    assert ["23503"] * 4 == answers[:4]
    assert 1 == answers[4]


async def test_p27_plans_count_hidden_rows_and_none_is_shown(app: asyncpg.Connection[Any], mine: House) -> None:
    """
    EXPLAIN ANALYZE tells how many rows a policy removed, so nothing of ours explains anything to anybody.
    """
    async with context(app, mine.tenant_id):
        await app.execute(
            "set local enable_indexscan = off; set local enable_bitmapscan = off; set local enable_indexonlyscan = off"
        )
        plan = "\n".join(row[0] for row in await app.fetch("explain analyze select * from remit.definitions"))

    assert "Rows Removed by Filter" in plan
    assert [] == [name for name, text in shipped_sql().items() if re.search(r"\bexplain\b|auto_explain", text)]


async def test_p28_statistics_show_no_values(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House
) -> None:
    """
    After ANALYZE the views of statistics are empty for tables with policies, and their table is out of reach.
    """
    await admin.execute("analyze")
    full = await admin.fetchval(
        "select count(*) from pg_stats where schemaname = 'remit' and most_common_vals is not null"
    )
    async with context(app, mine.tenant_id):
        tenant_columns = (
            "select count(*) from pg_stats where schemaname = 'remit' "
            "and tablename not in ('run_partitions', 'schema_versions', 'workers')"
        )
        seen = await outcome(app, tenant_columns)
        extended = await outcome(app, "select count(*) from pg_stats_ext where schemaname = 'remit'")
        raw = [await outcome(app, f"select 1 from {table}") for table in ("pg_statistic", "pg_statistic_ext_data")]

    assert full > 0
    assert [0, 0] == [seen, extended]
    assert [DENIED, DENIED] == raw


@pytest.mark.parametrize(
    "condition",
    [
        "1 / (case when tenant_id = '{theirs}' then 0 else 1 end) = 1",
        "cast((case when tenant_id = '{theirs}' then 'x' else '1' end) as integer) = 1",
        "(select 1 / (case when d.tenant_id = '{theirs}' then 0 else 1 end)) = 1",
        "tenant_id = '{theirs}' and 1 / length(left(name, 0)) = 1",
        "exists (select from remit.runs r where 1 / (case when r.tenant_id = '{theirs}' then 0 else 1 end) = 1)",
    ],
    ids=["division", "cast", "sub-select", "and", "join"],
)
async def test_p29_leaky_expressions_run_after_the_policy(
    app: asyncpg.Connection[Any], mine: House, theirs: House, condition: str
) -> None:
    """
    An expression that fails on another tenant's row is never evaluated on one.
    """
    text = condition.replace("{theirs}", theirs.tenant_id)
    async with context(app, mine.tenant_id):
        answer = await outcome(app, f"select count(*) from remit.definitions d where {text}")
        control = await outcome(
            app, f"select count(*) from remit.definitions d where {text.replace(theirs.tenant_id, mine.tenant_id)}"
        )

    assert isinstance(answer, int)
    assert control in {"22012", "22P02"}


async def test_p30_copy_obeys_policies(
    database: ScratchDatabase, app: asyncpg.Connection[Any], mine: House, theirs: House, tmp_path: Any
) -> None:
    """
    COPY out gives one's own rows; COPY in, from files, to files and to programs is refused.
    """
    target = tmp_path / "copied"
    async with context(app, mine.tenant_id):
        await app.copy_from_query("select * from remit.definitions", output=target)
        answers = [
            await outcome(app, statement)
            for statement in (
                "copy remit.runs to program 'cat'", "copy remit.runs to '/tmp/x'", "copy remit.runs from '/tmp/x'",
            )
        ]  # fmt: skip
        with pytest.raises(asyncpg.PostgresError) as caught:
            await app.copy_to_table("rates", schema_name="remit", source=_rows(b"acme\tx\t2030-01-01\n"))
    copied = target.read_bytes()

    assert mine.tenant_id.encode() in copied
    assert theirs.tenant_id.encode() not in copied
    assert [DENIED] * 3 == answers
    assert "0A000" == caught.value.sqlstate


async def _rows(text: bytes) -> Any:
    yield text


async def test_p31_places_of_rows_lead_nowhere(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    Another tenant's row is not found by its physical place either, by which the append finds heads.
    """
    place = await admin.fetchval("select ctid from remit.heads where run_id = $1", theirs.waiting_id)
    found = "select count(*) from remit.heads where ctid = $1"
    async with context(app, mine.tenant_id):
        seen = await outcome(app, found, place)
        changed = await outcome(app, "update remit.heads set sequence = 0 where ctid = $1", place)
    async with context(app, theirs.tenant_id):
        control = await outcome(app, found, place)

    assert [0, 0, 1] == [seen, changed, control]


async def test_p32_errors_carry_no_rows(store: PostgresStore, database: ScratchDatabase, mine: House) -> None:
    """
    Whatever the database refuses, neither the error nor what it was raised from quotes a stored or sent value.
    """
    acts = [
        store.directory.create_api_key(mine.tenant_id, PrincipalId(CANARY)),
        store.directory.put_principal(_principal(mine, kind=CANARY)),
        store.directory.put_definition(
            mine.tenant_id, name=f"{CANARY}\x00", version="1", digest=Digest("c" * 64), body=b""
        ),
        store.inbox.deliver(mine.tenant_id, mine.waiting_id, Message(kind=CANARY, message_id="p32", body={})),  # type: ignore[arg-type]
        store.reader.list_receipts(mine.tenant_id, run_id=CANARY),  # type: ignore[arg-type]
    ]
    errors = [error for error in await asyncio.gather(*acts, return_exceptions=True) if isinstance(error, RemitError)]
    told = [text for error in errors for text in _texts(error)]

    assert len(acts) == len(errors)
    assert [] == [text for text in told if CANARY in text]


def _principal(mine: House, *, kind: str) -> Any:
    from remit.ports.store import Principal

    return Principal(tenant_id=mine.tenant_id, principal_id=PrincipalId("p32"), kind=kind, roles=())


def _texts(error: BaseException) -> list[str]:
    """Return everything that a log could print of an error: its message, its fields, and all that led to it."""
    trace = "".join(traceback.format_exception(error))
    causes = [error, error.__cause__]
    return [trace, *(repr(vars(cause)) for cause in causes if cause is not None)]


async def test_p33_sequences_count_nothing_for_tenants(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], mine: House
) -> None:
    """
    Sequences are shared by all tenants and may be read by none, so nobody learns how busy others are.
    """
    sequences = [row["relname"] for row in await admin.fetch(SEQUENCES)]
    async with context(app, mine.tenant_id):
        reads = [await outcome(app, f"select last_value from remit.{name}") for name in sequences]
        draws = [await outcome(app, f"select nextval('remit.{name}')") for name in sequences]
        views = await app.fetch("select last_value from pg_sequences where schemaname = 'remit'")

    assert len(sequences) >= 2
    assert {DENIED} == set(reads + draws)
    assert {None} == {row["last_value"] for row in views}


async def test_p34_notifications_carry_nothing(
    database: ScratchDatabase, app: asyncpg.Connection[Any], store: PostgresStore
) -> None:
    """
    Anybody who can connect can listen, so a wake-up has no payload.
    """
    heard: asyncio.Queue[str] = asyncio.Queue()
    await app.add_listener("remit_wake", lambda *told: heard.put_nowait(told[-1]))
    await store.dispatch.announce()
    async with asyncio.timeout(10):
        payload = await heard.get()
    notifies = [text for text in shipped_sql().values() if re.search(r"\bnotify\b|pg_notify", text)]

    assert "" == payload
    assert ["notify remit_wake"] == notifies


async def test_p35_advisory_locks_are_apart_and_say_nothing(
    app: asyncpg.Connection[Any], database: ScratchDatabase, mine: House, theirs: House
) -> None:
    """
    Locks of one correlation are different for two tenants: neither waits for the other; what all can see is a hash.
    """
    lock = "select pg_try_advisory_xact_lock(remit.correlation_lock($1, 'shop.paid', $2))"
    other = await asyncpg.connect(database.app_url)
    async with context(app, None), context(other, None):
        first = await app.fetchval(lock, mine.tenant_id, CANARY)
        same = await other.fetchval(lock, mine.tenant_id, CANARY)
        foreign = await other.fetchval(lock, theirs.tenant_id, CANARY)
        held = await other.fetch("select l::text as shown from pg_locks l where locktype = 'advisory'")
    await other.close()

    assert [True, False, True] == [first, same, foreign]
    assert len(held) >= 2
    assert [] == [row for row in held if CANARY in row["shown"]]


async def test_p36_statements_of_others_show_no_values(
    admin: asyncpg.Connection[Any], app: asyncpg.Connection[Any], database: ScratchDatabase, theirs: House
) -> None:
    """
    The list of activities shows each statement of the same role: values are sent apart from it and are not in it.
    """
    store = await connect_store(database)
    async with context(admin, None):
        await admin.execute("select 1 from remit.heads where run_id = $1 for update", theirs.asking_id)
        word = Decision(
            approval_id=theirs.approval_id, decision="deny", principal_id=PrincipalId(CANARY),
            digest=theirs.approval_digest, reason=CANARY,
        )  # fmt: skip
        deciding = asyncio.ensure_future(store.approvals.decide(theirs.tenant_id, word))
        blocked: list[asyncpg.Record] = []
        async with asyncio.timeout(10):
            while not blocked:
                blocked = await app.fetch(
                    "select query from pg_stat_activity where wait_event_type = 'Lock' and query like '%decide%'"
                )
        everything = await app.fetch("select query from pg_stat_activity")
        deciding.cancel()
        await asyncio.gather(deciding, return_exceptions=True)
    await store.close()

    assert [] == [row["query"] for row in everything if row["query"] and CANARY in row["query"]]


async def test_p37_server_keeps_values_out_of_its_log(admin: asyncpg.Connection[Any]) -> None:
    """
    The embedded server logs no statements, parameters or details of rows.
    """
    names = (
        "log_error_verbosity", "log_min_error_statement", "log_parameter_max_length",
        "log_parameter_max_length_on_error", "log_statement", "log_min_duration_statement",
    )  # fmt: skip
    settings = [await admin.fetchval("select current_setting($1)", name) for name in names]

    assert ["terse", "panic", "0", "0", "none", "-1"] == settings


async def test_p38_sizes_are_all_that_a_connection_learns(
    app: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    The catalogue shows every connection the shape and size of tables over all tenants, and no value of any.
    """
    sources = (
        "select x::text from pg_class x where relnamespace = 'remit'::regnamespace",
        "select x::text from pg_attribute x where attrelid = 'remit.runs'::regclass",
        "select x::text from pg_stat_user_tables x", "select x::text from pg_statio_all_tables x",
        "select x::text from pg_description x", "select x::text from pg_prepared_statements x",
        "select x::text from pg_cursors x", "select x::text from pg_locks x",
        "select x::text from pg_settings x where name like 'remit.%'",
    )  # fmt: skip
    async with context(app, mine.tenant_id):
        shown = [row[0] for source in sources for row in await app.fetch(source)]

    assert len(shown) > 100
    secrets = (theirs.tenant_id, theirs.done_id, theirs.approval_id, theirs.definition_digest, theirs.key)
    assert [] == [row for row in shown for secret in secrets if re.search(rf"\b{re.escape(secret)}\b", row)]
