"""What the database's own catalogue must say for tenants to be apart, as checks that list what is wrong.

Owns: the checks, the allow-lists beside them, and for each check violations that it must find.
Does not know: any table by name but those without a tenant; what a new migration adds is checked without a word here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import asyncpg

SCHEMA: Final = "remit"
TENANTLESS: Final = ("run_partitions", "schema_versions", "workers")
"""Tables that hold nothing of any tenant."""

ACROSS: Final = ("api_keys", "heads", "outbox", "tenants", "webhook_endpoints")
"""Tables whose keys the dispatch role sees of all tenants."""

DEFINERS: Final = (
    "authenticate_v1", "claim_outbox_v1", "claim_v1", "find_endpoint_v1", "heartbeat_v1", "list_tenants_v1",
    "list_workers_v1", "make_partitions_v1", "register_worker_v1", "release_v1", "retire_worker_v1",
    "settle_outbox_v1", "suspect_tenants_v1", "sweep_v1",
)  # fmt: skip
"""Functions that run with another's rights; all but the maker of partitions belong to the dispatch role."""

STABLE: Final = (
    "authenticate_v1", "find_endpoint_v1", "list_tenants_v1", "list_workers_v1", "refuse_tenantless",
    "suspect_tenants_v1", "tenant_id",
)  # fmt: skip
IMMUTABLE: Final = ("correlation_lock", "run_id_floor", "run_id_instant")

UPDATED: Final = (
    "api_keys", "approvals", "breakers", "definitions", "heads", "idempotency_keys", "inbound_events", "inbox",
    "outbox", "principals", "quarantines", "rates", "tenants", "webhook_endpoints",
)  # fmt: skip
"""Tables in which the application may change a row, or some of its columns."""

DELETED: Final = ("correlations", "held_correlations")

POLICY: Final = "(tenant_id = ( SELECT remit.tenant_id() AS tenant_id))"

_TABLES: Final = f"""
tenant_tables as (
    select c.oid, c.relname::text as name, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, a.attnum,
        a.attnotnull, a.atttypid::regtype::text as type, l.collname
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    left join pg_collation l on l.oid = a.attcollation
    where c.relnamespace = '{SCHEMA}'::regnamespace and c.relkind in ('r', 'p')
)"""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """What somebody might do to the schema; ``found`` is in the finding that tells of it."""

    statement: str
    found: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must hold; ``query`` returns a text for each place where it does not."""

    check_id: str
    promise: str
    query: str
    violations: tuple[Violation, ...]


def _in_database(statement: str) -> str:
    return f"do $$ begin execute format('{statement}', current_database()); end $$"


def violation(statement: str, found: str) -> Violation:
    return Violation(statement=statement, found=found)


async def findings(connection: asyncpg.Connection[Any], check: Check) -> list[str]:
    """Return what is wrong, as the catalogue stands in this transaction."""
    return [str(row[0]) for row in await connection.fetch(check.query)]


CHECKS: Final = (
    Check(
        check_id="C01",
        promise="Every table has a tenant, but for three that hold nothing of any.",
        query=f"""
select c.relname from pg_class c
where c.relnamespace = '{SCHEMA}'::regnamespace and c.relkind in ('r', 'p', 'f')
    and c.relname not in ({_listed(TENANTLESS)}) and not exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    )""",
        violations=(violation("create table remit.notes (note text)", "notes"),),
    ),
    Check(
        check_id="C02",
        promise="A tenant column is text, compared byte by byte, and never null.",
        query=f"""
with {_TABLES} select name from tenant_tables
where not attnotnull or type <> 'text' or collname is distinct from 'C'""",
        violations=(
            violation('create table remit.notes (tenant_id text collate "C")', "notes"),
            violation("create table remit.notes (tenant_id text not null)", "notes"),
            violation("create table remit.notes (tenant_id integer not null)", "notes"),
        ),
    ),
    Check(
        check_id="C03",
        promise="Row-level security is enabled and forced on every tenant table and every partition.",
        query=f"with {_TABLES} select name from tenant_tables where not relrowsecurity or not relforcerowsecurity",
        violations=(
            violation('create table remit.notes (tenant_id text collate "C" not null)', "notes"),
            violation("alter table remit.receipts no force row level security", "receipts"),
            violation("alter table remit.receipts disable row level security", "receipts"),
            violation("alter table remit.journal_first no force row level security", "journal_first"),
        ),
    ),
    Check(
        check_id="C04",
        promise="Each tenant table has exactly the policy of the tenant in context, for reading and for writing.",
        query=f"""
with {_TABLES} select t.name from tenant_tables t
where not t.relispartition and not exists (
    select from pg_policy p
    where p.polrelid = t.oid and p.polname = 'tenant' and p.polcmd = '*' and p.polpermissive
        and pg_get_expr(p.polqual, p.polrelid) = '{POLICY}' and pg_get_expr(p.polwithcheck, p.polrelid) = '{POLICY}'
        and p.polroles @> array['remit_app'::regrole::oid]
)""",
        violations=(
            violation("drop policy tenant on remit.runs", "runs"),
            violation("alter policy tenant on remit.runs using (true)", "runs"),
            violation("alter policy tenant on remit.runs with check (true)", "runs"),
            violation("alter policy tenant on remit.runs to remit_owner", "runs"),
        ),
    ),
    Check(
        check_id="C05",
        promise="No other policy lets anybody past that one, but the dispatch role to the keys of five tables.",
        query=f"""
select p.polrelid::regclass || ': ' || p.polname from pg_policy p
join pg_class c on c.oid = p.polrelid and c.relnamespace = '{SCHEMA}'::regnamespace
where p.polname <> 'tenant' and not (
    p.polname = 'dispatch' and p.polroles = array['remit_dispatch'::regrole::oid] and c.relname in ({_listed(ACROSS)})
)""",
        violations=(
            violation("create policy support on remit.runs using (true)", "support"),
            violation("create policy support on remit.runs to remit_app using (true)", "support"),
            violation("alter policy dispatch on remit.heads to remit_app", "dispatch"),
            violation("create policy dispatch on remit.runs to remit_dispatch using (true)", "remit.runs"),
        ),
    ),
    Check(
        check_id="C06",
        promise="Every unique key begins with the tenant, so that nobody learns of another's value by hitting it.",
        query=f"""
with {_TABLES} select i.indrelid::regclass || ': ' || i.indexrelid::regclass
from pg_index i join tenant_tables t on t.oid = i.indrelid
where (i.indisunique or i.indisexclusion) and i.indkey[0] <> t.attnum""",
        violations=(
            violation("create unique index probe on remit.policies (digest)", "probe"),
            violation("create unique index probe on remit.policies (digest, tenant_id)", "probe"),
            violation("create unique index probe on remit.policies (lower(tenant_id), digest)", "probe"),
        ),
    ),
    Check(
        check_id="C07",
        promise="Every reference carries the tenant to the tenant, so that no row can point into another's house.",
        query=f"""
with {_TABLES} select f.conrelid::regclass || ': ' || f.conname
from pg_constraint f join tenant_tables t on t.oid = f.conrelid
left join tenant_tables r on r.oid = f.confrelid
where f.contype = 'f' and (r.oid is null or f.conkey[1] <> t.attnum or f.confkey[1] <> r.attnum)""",
        violations=(
            violation(
                "create unique index probe on remit.runs (run_id); "
                "alter table remit.receipts add constraint probe foreign key (run_id) references remit.runs (run_id)",
                "probe",
            ),
            violation(
                "create unique index probe on remit.policies (digest, tenant_id); alter table remit.policies "
                "add constraint crossed foreign key (tenant_id, digest) "
                "references remit.policies (digest, tenant_id) not valid",
                "crossed",
            ),
        ),
    ),
    Check(
        check_id="C08",
        promise="Functions with another's rights are a known few, of the right owner, and find names in fixed places.",
        query=f"""
select p.oid::regprocedure from pg_proc p
where p.pronamespace = '{SCHEMA}'::regnamespace and p.prosecdef and not (
    p.proname in ({_listed(DEFINERS)})
    and p.proowner = case p.proname when 'make_partitions_v1' then 'remit_owner' else 'remit_dispatch' end::regrole
    and 'search_path=pg_catalog, remit, pg_temp' = any (p.proconfig)
)""",
        violations=(
            violation(
                "create function remit.all_runs() returns bigint language sql security definer "
                "set search_path = pg_catalog, remit, pg_temp as 'select count(*) from remit.runs'",
                "all_runs",
            ),
            violation("alter function remit.claim_v1(uuid, text, integer) reset search_path", "claim_v1"),
            violation("alter function remit.claim_v1(uuid, text, integer) set search_path = remit", "claim_v1"),
            violation("alter function remit.claim_v1(uuid, text, integer) owner to remit_admin", "claim_v1"),
            violation("alter function remit.deliver_v1(text, uuid, text, text, bytea) security definer", "deliver_v1"),
        ),
    ),
    Check(
        check_id="C09",
        promise="All other functions are the owner's, of the agreed volatility, and none counts as leakproof.",
        query=f"""
select p.oid::regprocedure from pg_proc p
where p.pronamespace = '{SCHEMA}'::regnamespace and (
    (not p.prosecdef and p.proowner <> 'remit_owner'::regrole) or p.proleakproof or p.provolatile <> case
        when p.proname in ({_listed(STABLE)}) then 's' when p.proname in ({_listed(IMMUTABLE)}) then 'i' else 'v'
    end
)""",
        violations=(
            violation("alter function remit.tenant_id() immutable", "tenant_id"),
            violation("alter function remit.tenant_id() leakproof", "tenant_id"),
            violation("alter function remit.append_v1(remit.batch_v1[]) owner to remit_dispatch", "append_v1"),
        ),
    ),
    Check(
        check_id="C10",
        promise="Functions may be executed by the application alone.",
        query=f"""
select p.oid::regprocedure || ': ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'public') from pg_proc p
cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
where p.pronamespace = '{SCHEMA}'::regnamespace and a.grantee not in (p.proowner, 'remit_app'::regrole)
    and not (p.proname = 'make_partitions_v1' and a.grantee = 'remit_dispatch'::regrole)""",
        violations=(
            violation("create function remit.f() returns void language sql as ''", "public"),
            violation("grant execute on function remit.load_v1(remit.run_ref_v1[]) to remit_dispatch", "load_v1"),
        ),
    ),
    Check(
        check_id="C11",
        promise="The application may insert and read, change and delete only where it has to, and never truncate.",
        query=f"""
select c.relname || ': ' || a.privilege_type from pg_class c
cross join lateral (
    select x.grantee, x.privilege_type from aclexplode(c.relacl) x
    union
    select x.grantee, x.privilege_type from pg_attribute b cross join lateral aclexplode(b.attacl) x
    where b.attrelid = c.oid
) a
where c.relnamespace = '{SCHEMA}'::regnamespace and a.grantee = 'remit_app'::regrole and not case
    when c.relispartition or c.relkind not in ('r', 'p') or c.relname = 'workers' then false
    when a.privilege_type = 'SELECT' then true
    when a.privilege_type = 'INSERT' then c.relname not in ({_listed(TENANTLESS)})
    when a.privilege_type = 'UPDATE' then c.relname in ({_listed(UPDATED)})
    when a.privilege_type = 'DELETE' then c.relname in ({_listed(DELETED)})
    else false
end""",
        violations=(
            violation("grant truncate on remit.rates to remit_app", "TRUNCATE"),
            violation("grant references on remit.runs to remit_app", "REFERENCES"),
            violation("grant trigger on remit.runs to remit_app", "TRIGGER"),
            violation("grant update (kinds) on remit.journal to remit_app", "journal: UPDATE"),
            violation("grant delete on remit.runs to remit_app", "runs: DELETE"),
            violation("grant select on remit.journal_first to remit_app", "journal_first"),
            violation("grant select on remit.workers to remit_app", "workers"),
            violation("grant usage on sequence remit.inbox_inbox_id_seq to remit_app", "inbox_inbox_id_seq"),
        ),
    ),
    Check(
        check_id="C12",
        promise="Nobody else has any right: not the public, and the dispatch role to keys only.",
        query=f"""
select c.relname || ': ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'public') || ' ' || a.privilege_type
from pg_class c cross join lateral aclexplode(c.relacl) a
where c.relnamespace = '{SCHEMA}'::regnamespace and a.grantee not in (c.relowner, 'remit_app'::regrole)
    and not (a.grantee = 'remit_dispatch'::regrole and c.relname in ('run_partitions', 'workers'))
union all
select c.relname || '.' || b.attname || ': ' || coalesce(nullif(a.grantee, 0)::regrole::text, 'public')
from pg_class c join pg_attribute b on b.attrelid = c.oid cross join lateral aclexplode(b.attacl) a
where c.relnamespace = '{SCHEMA}'::regnamespace and not (
    a.grantee = 'remit_app'::regrole or (a.grantee = 'remit_dispatch'::regrole and c.relname in ({_listed(ACROSS)})
        and b.attname not in ('body', 'topic', 'hash', 'display_name', 'policy_digest', 'secret_name'))
)""",
        violations=(
            violation("grant select on remit.runs to public", "public"),
            violation("grant select on remit.outbox to remit_dispatch", "outbox: remit_dispatch"),
            violation("grant select (body) on remit.outbox to remit_dispatch", "outbox.body"),
            violation("grant select (input) on remit.runs to remit_dispatch", "runs.input"),
            violation("grant select (tenant_id) on remit.runs to public", "runs.tenant_id"),
        ),
    ),
    Check(
        check_id="C13",
        promise="The application owns nothing, is a member of nothing, and can neither create nor alter anything.",
        query="""
select 'owns ' || c.relname from pg_class c where c.relowner = 'remit_app'::regrole
union all
select 'creates in ' || n.nspname from pg_namespace n where has_schema_privilege('remit_app', n.oid, 'create')
union all
select 'may ' || p.name from unnest(array['create', 'temporary']) as p(name)
where has_database_privilege('remit_app', current_database(), p.name)
union all
select 'is a member of ' || m.roleid::regrole from pg_auth_members m where m.member = 'remit_app'::regrole
union all
select 'has attributes' from pg_roles r
where r.rolname = 'remit_app' and (
    r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
)""",
        violations=(
            violation("alter table remit.rates owner to remit_app", "owns rates"),
            violation("grant create on schema remit to remit_app", "creates in remit"),
            violation("grant create on schema public to public", "creates in public"),
            violation(_in_database("grant temporary on database %I to remit_app"), "may temporary"),
            violation("grant remit_dispatch to remit_app", "is a member of remit_dispatch"),
            violation("alter role remit_app bypassrls", "has attributes"),
        ),
    ),
    Check(
        check_id="C14",
        promise="Nothing shows tenants' rows by another way: no view, materialised view, rule or publication.",
        query=f"""
select c.relname::text from pg_class c
where c.relnamespace = '{SCHEMA}'::regnamespace and c.relkind in ('v', 'm', 'f')
union all
select r.rulename from pg_rewrite r join pg_class c on c.oid = r.ev_class
where c.relnamespace = '{SCHEMA}'::regnamespace
union all
select p.pubname from pg_publication p""",
        violations=(
            violation("create view remit.everything as select * from remit.runs", "everything"),
            violation("create materialized view remit.copied as select * from remit.policies with no data", "copied"),
            violation("create rule also as on insert to remit.rates do also notify x", "also"),
            violation("create publication changes for table remit.runs", "changes"),
        ),
    ),
    Check(
        check_id="C15",
        promise="Nothing new is granted by default, and no role or database brings a tenant with it.",
        query="""
select 'default privilege of ' || d.defaclobjtype::text from pg_default_acl d
cross join lateral aclexplode(d.defaclacl) a where a.grantee in (0, 'remit_app'::regrole, 'remit_dispatch'::regrole)
union all
select 'setting ' || s from pg_db_role_setting d cross join lateral unnest(d.setconfig) s
where (s like 'remit.%' or s like 'row_security%' or s like 'search_path%') and d.setdatabase in (
    0, (select oid from pg_database where datname = current_database())
)""",
        violations=(
            violation("alter default privileges in schema remit grant select on tables to remit_app", "privilege of r"),
            violation("alter default privileges grant execute on functions to remit_app", "privilege of f"),
            violation("alter role remit_app set remit.tenant_id = 'acme'", "setting remit.tenant_id"),
            violation(_in_database("alter database %I set search_path = x"), "search_path"),
        ),
    ),
    Check(
        check_id="C16",
        promise="Every trigger is one that refuses changes of records.",
        query=f"""
select t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = '{SCHEMA}'::regnamespace and not t.tgisinternal
    and (t.tgfoid <> 'remit.refuse_change()'::regprocedure or t.tgenabled <> 'O')""",
        violations=(
            violation("alter table remit.receipts disable trigger receipts_immutable", "receipts_immutable"),
            violation(
                "create function remit.copy() returns trigger language plpgsql as 'begin return new; end'; "
                "create trigger copying after insert on remit.runs for each row execute function remit.copy()",
                "copying",
            ),
        ),
    ),
)  # fmt: skip
