"""Tenant isolation, probed at the database itself (reliability, section 2 (h))."""

import asyncio
import uuid

import asyncpg
import pytest

from remit.errors import NotFoundError, TenantContextError, UnsafeDatabaseError
from remit.ids import TenantId
from remit.ports.store import Tenant
from remit.store import Database, EmbeddedServer, PostgresStore
from remit.store.migrate import upgrade
from remit.store.session import connect_session
from remit.testing.database import ScratchDatabase

ACME, OTHER = TenantId("acme"), TenantId("other")
NO_CONTEXT = "RM001"

TENANT_TABLES = """
select c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.relowner::regrole::text
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p')
"""
LATE_TENANT_KEYS = """
select i.indrelid::regclass::text || ': ' || i.indexrelid::regclass::text
from pg_index i
join pg_class c on c.oid = i.indrelid and c.relnamespace = 'remit'::regnamespace
join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
where i.indisunique and i.indkey[0] <> t.attnum
"""
LATE_TENANT_REFERENCES = """
select f.conrelid::regclass::text || ': ' || f.conname
from pg_constraint f
join pg_attribute t on t.attrelid = f.conrelid and t.attname = 'tenant_id'
where f.connamespace = 'remit'::regnamespace and f.contype = 'f' and f.conkey[1] <> t.attnum
"""
LOOSE_DEFINERS = """
select p.proname from pg_proc p
where p.pronamespace = 'remit'::regnamespace and p.prosecdef
    and not exists (select from unnest(p.proconfig) s where s like 'search\\_path=pg\\_catalog, remit, pg\\_temp')
"""


@pytest.fixture
async def two_tenants(store: PostgresStore) -> PostgresStore:
    """Two tenants; the second has a definition."""
    for tenant_id in (ACME, OTHER):
        await store.directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id))
    await store.directory.put_definition(OTHER, name="n", version="1", digest="d" * 64, body=b"secret")
    return store


@pytest.fixture
async def app(scratch: ScratchDatabase, two_tenants: PostgresStore) -> asyncpg.Connection:
    """The application's own connection, without adapters."""
    connection = await asyncpg.connect(scratch.app_url)
    yield connection
    await connection.close()


async def rows(url: str, query: str) -> list[asyncpg.Record]:
    """Ask the catalogue."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def test_every_tenant_table_forces_row_security(scratch: ScratchDatabase) -> None:
    """
    No table with a tenant lacks forced row-level security, partitions included; none belongs to the application.
    """
    tables = await rows(scratch.admin_url, TENANT_TABLES)

    assert 25 < len(tables)
    assert [] == [table["relname"] for table in tables if not table["relrowsecurity"]]
    assert [] == [table["relname"] for table in tables if not table["relforcerowsecurity"]]
    assert {"remit_owner"} == {table["relowner"] for table in tables}


async def test_every_unique_key_begins_with_the_tenant(scratch: ScratchDatabase) -> None:
    """
    No unique key and no reference of a tenant table reaches across tenants: existence cannot be probed.
    """
    assert [] == [row[0] for row in await rows(scratch.admin_url, LATE_TENANT_KEYS)]
    assert [] == [row[0] for row in await rows(scratch.admin_url, LATE_TENANT_REFERENCES)]


async def test_definer_functions_pin_their_search_path(scratch: ScratchDatabase) -> None:
    """
    Functions that run with another's rights are a known few, find names in our schema only, and are not public.
    """
    definers = await rows(
        scratch.admin_url,
        "select proname, proowner::regrole::text as owner, coalesce(proacl::text, '') as acl from pg_proc "
        "where pronamespace = 'remit'::regnamespace and prosecdef",
    )

    assert [] == [row[0] for row in await rows(scratch.admin_url, LOOSE_DEFINERS)]
    assert {
        "register_worker_v1", "claim_v1", "heartbeat_v1", "release_v1", "sweep_v1", "retire_worker_v1",
        "authenticate_v1", "find_endpoint_v1", "list_tenants_v1", "make_partitions_v1", "claim_outbox_v1",
        "settle_outbox_v1", "list_workers_v1", "suspect_tenants_v1",
    } == {row["proname"] for row in definers}  # fmt: skip
    assert {"make_partitions_v1"} == {row["proname"] for row in definers if row["owner"] != "remit_dispatch"}
    assert [] == [row["proname"] for row in definers if "{=X" in row["acl"] or ",=X" in row["acl"] or not row["acl"]]


async def test_partitions_are_out_of_reach(scratch: ScratchDatabase, app: asyncpg.Connection) -> None:
    """
    The application reaches the journal through its parent only.
    """
    tables = await rows(scratch.admin_url, TENANT_TABLES)
    partitions = [table["relname"] for table in tables if table["relispartition"]]

    assert partitions
    for name in partitions:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.fetch(f"select * from remit.{name}")


async def test_statement_without_context_fails_closed(app: asyncpg.Connection) -> None:
    """
    Without a tenant in its context a transaction sees an error, not rows; also after a context was rolled back.
    """
    for statement in ("select * from remit.tenants", "update remit.tenants set paused = true"):
        with pytest.raises(asyncpg.PostgresError) as caught:
            await app.fetch(statement)
        assert NO_CONTEXT == caught.value.sqlstate
    async with app.transaction():
        await app.execute("savepoint inside; set local remit.tenant_id = 'other'; rollback to savepoint inside")
        with pytest.raises(asyncpg.PostgresError) as caught:
            await app.fetch("select * from remit.definitions")
        assert NO_CONTEXT == caught.value.sqlstate


async def test_context_ends_with_its_transaction(app: asyncpg.Connection) -> None:
    """
    The next transaction on the same connection does not inherit the tenant of the one before.
    """
    async with app.transaction():
        await app.execute("set local remit.tenant_id = 'other'")
        assert 1 == len(await app.fetch("select * from remit.definitions"))

    with pytest.raises(asyncpg.PostgresError) as caught:
        await app.fetch("select * from remit.definitions")

    assert NO_CONTEXT == caught.value.sqlstate


async def test_context_of_one_tenant_reaches_no_other(app: asyncpg.Connection) -> None:
    """
    Within a tenant's context the rows of others can neither be read, written, changed nor referred to.
    """
    await app.execute("begin; set local remit.tenant_id = 'acme'")

    assert [] == await app.fetch("select * from remit.definitions")
    assert [] == await app.fetch("select * from remit.tenants where tenant_id = 'other'")
    assert "UPDATE 0" == await app.execute("update remit.tenants set paused = true where tenant_id = 'other'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("insert into remit.policies (tenant_id, digest, body) values ('other', 'x', '')")
    await app.execute("rollback")


async def test_prepared_statement_follows_the_context(app: asyncpg.Connection) -> None:
    """
    A statement prepared in one tenant's context, and executed often enough to keep its plan, sees the next one's rows.
    """
    statement = await app.prepare("select count(*) from remit.definitions")
    counts = []
    for tenant_id in [OTHER, ACME] * 8:
        async with app.transaction():
            await app.execute(f"set local remit.tenant_id = '{tenant_id}'")
            counts.append(await statement.fetchval())

    assert [1, 0] * 8 == counts


@pytest.mark.parametrize(
    "statement",
    [
        "update remit.journal set kinds = ''",
        "delete from remit.journal",
        "truncate remit.journal",
        "truncate remit.heads",
        "delete from remit.runs",
        "update remit.runs set input = ''",
        "update remit.receipts set currency = 'EUR'",
        "delete from remit.approval_decisions",
        "delete from remit.inbox",
        "update remit.payloads set payload = ''",
        "delete from remit.heads",
        "select * from remit.workers",
        "alter table remit.runs disable row level security",
        "create table remit.mine (x integer)",
        "set role remit_owner",
        "set role remit_dispatch",
        "set session authorization remit_owner",
        "set session_replication_role = replica",
        "copy remit.runs to program 'true'",
    ],
)
async def test_application_lacks_privileges_it_does_not_need(app: asyncpg.Connection, statement: str) -> None:
    """
    The application can neither change what was recorded, nor reach workers, nor become somebody else.
    """
    await app.execute("begin; set local remit.tenant_id = 'acme'")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)

    await app.execute("rollback")


@pytest.mark.parametrize("table", ["journal", "steps", "receipts", "approval_decisions"])
async def test_owner_cannot_change_what_was_recorded(pristine: ScratchDatabase, table: str) -> None:
    """
    Records refuse truncation by their owner, and by the superuser; partitions of them too.
    """
    for url in (pristine.owner_url, pristine.admin_url):
        connection = await asyncpg.connect(url)
        names = [row[0] for row in await connection.fetch(
            "select c.relname from pg_class c where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p') "
            "and (c.relname = $1 or (c.relispartition and c.relname like $1 || '\\_%'))", table
        )]  # fmt: skip
        for name in names:
            with pytest.raises(asyncpg.PostgresError) as caught:
                await connection.execute(f"truncate remit.{name}")
            assert "RM005" == caught.value.sqlstate
        await connection.close()


async def test_superuser_owner_and_dispatch_are_refused(pristine: ScratchDatabase) -> None:
    """
    The kernel does not start as a role that could see all tenants, also when told to accept an unsafe server.
    """
    admin = await asyncpg.connect(pristine.admin_url)
    names = [f"probe_{kind}_{uuid.uuid4().hex[:8]}" for kind in ("bypass", "dispatch", "owner", "stranger")]
    bypass, dispatch, owner, stranger = names
    for name in names:
        await admin.execute(f"create role {name} login password 'probe'")
        await admin.execute(f"grant connect on database {pristine.name} to {name}")
    await admin.execute(f"alter role {bypass} bypassrls; grant remit_app to {bypass}, {dispatch}, {owner}")
    await admin.execute(f"grant remit_dispatch to {dispatch}; grant remit_owner to {owner}")
    urls = [pristine.admin_url, pristine.owner_url]
    userinfo = pristine.app_url.split("//")[1].split("@")[0]
    urls += [pristine.app_url.replace(userinfo, f"{name}:probe") for name in (bypass, dispatch, owner, stranger)]
    try:
        for url in urls:
            with pytest.raises(UnsafeDatabaseError):
                await Database(url, allow_unsafe=True).connect()
    finally:
        for name in names:
            await admin.execute(f"drop owned by {name}; drop role {name}")
        await admin.close()


async def test_member_of_the_application_role_is_accepted(pristine: ScratchDatabase) -> None:
    """
    A login of one's own that is a member of remit_app works as the kernel's.
    """
    name = f"member_{uuid.uuid4().hex[:8]}"
    admin = await asyncpg.connect(pristine.admin_url)
    await admin.execute(f"create role {name} login password 'probe' in role remit_app")
    userinfo = pristine.app_url.split("//")[1].split("@")[0]
    try:
        database = Database(pristine.app_url.replace(userinfo, f"{name}:probe"))
        await database.connect()
        store = PostgresStore(database)
        await store.directory.create_tenant(Tenant(tenant_id=ACME, display_name="Acme"))
        await store.close()
    finally:
        await admin.execute(f"drop owned by {name}; drop role {name}")
        await admin.close()


async def test_server_that_loses_work_is_refused_unless_accepted(pristine: ScratchDatabase) -> None:
    """
    A server that acknowledges before it has stored is refused; an explicit override is remembered as a warning.
    """
    admin = await asyncpg.connect(pristine.admin_url)
    await admin.execute(f"alter database {pristine.name} set synchronous_commit = off")
    await admin.close()

    with pytest.raises(UnsafeDatabaseError, match="synchronous_commit"):
        await Database(pristine.app_url).connect()
    accepted = Database(pristine.app_url, allow_unsafe=True)
    await accepted.connect()
    await accepted.close()

    assert ("synchronous_commit = off",) == accepted.warnings


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("alter table remit.receipts no force row level security", "row-level security"),
        ("alter table remit.receipts disable row level security", "row-level security"),
        ("create policy support on remit.receipts using (true)", "see other tenants"),
        ("create policy support on remit.receipts for select to remit_app using (true)", "see other tenants"),
        ("alter policy dispatch on remit.heads to remit_app", "see other tenants"),
        ("alter database {name} set remit.tenant_id = acme", "reset"),
    ],
)
async def test_weakened_isolation_is_noticed(pristine: ScratchDatabase, statement: str, match: str) -> None:
    """
    Row security that somebody turned off, a policy that lets more through, or a tenant that the database itself brings
    along keeps the kernel from starting, whatever it is told to accept.
    """
    admin = await asyncpg.connect(pristine.admin_url)
    await admin.execute(statement.format(name=pristine.name))
    await admin.close()

    with pytest.raises(UnsafeDatabaseError, match=match):
        await Database(pristine.app_url, allow_unsafe=True).connect()


async def test_hundred_connections_serve_tenants_in_turn(server: EmbeddedServer) -> None:
    """
    A hundred connections that serve one tenant after another never show one the other's rows.
    """
    address = await asyncio.to_thread(server.start)
    await upgrade(address.owner_url)
    database = Database(address.app_url)
    await database.connect()
    store = PostgresStore(database)
    tenants = [TenantId(f"tenant-{number}") for number in range(10)]
    for tenant_id in tenants:
        await store.directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id))
        await store.directory.put_definition(tenant_id, name=tenant_id, version="1", digest=tenant_id, body=b"")
    await store.close()
    sessions = await asyncio.gather(*[connect_session(address.app_url) for _ in range(100)])
    statements = {"names": "select name from remit.definitions"}

    async def ask(number: int) -> bool:
        for turn in range(10):
            tenant_id = tenants[(number + turn) % len(tenants)]
            async with sessions[number].transaction(tenant_id):
                found = [row["name"] for row in await sessions[number].fetch(statements, "names")]
            if found != [tenant_id]:
                return False
            with pytest.raises(TenantContextError):
                await sessions[number].fetch(statements, "names")
        return True

    answers = await asyncio.gather(*[ask(number) for number in range(100)])

    await asyncio.gather(*[session.close() for session in sessions])
    assert [True] * 100 == answers


async def test_pool_never_carries_a_tenant_over(two_tenants: PostgresStore) -> None:
    """
    Adapters that share a pool ask for many tenants at once and each get their own answer, failures included.
    """

    async def ask(number: int) -> str:
        tenant_id = (ACME, OTHER)[number % 2]
        try:
            return (await two_tenants.directory.get_definition(tenant_id, name="n")).name
        except NotFoundError:
            return "none"

    answers = await asyncio.gather(*[ask(number) for number in range(200)])

    assert ["none", "n"] * 100 == answers
