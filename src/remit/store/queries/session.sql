-- name: begin
-- With the context of this transaction; it is gone at its end. The tenant id was checked to be a slug.
begin; set local remit.tenant_id = '{tenant}'

-- name: commit
commit

-- name: rollback
rollback

-- name: server_version
-- The version as a number to compare, and as text to show.
select current_setting('server_version_num')::integer as number, current_setting('server_version') as version

-- name: inspect
-- What the application role must not be able to do, and what the server must promise.
select
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    r.rolname as role_name,
    r.rolsuper as is_superuser,
    r.rolbypassrls as bypasses_row_security,
    s.rolsuper or s.rolbypassrls as is_disguised,
    exists (
        select from pg_class c
        where c.relnamespace = to_regnamespace('remit') and pg_has_role(current_user, c.relowner, 'member')
    ) or exists (
        select from pg_namespace n where n.nspname = 'remit' and pg_has_role(current_user, n.nspowner, 'member')
    ) as is_owner,
    coalesce(
        (select pg_has_role(current_user, d.oid, 'member') from pg_roles d where d.rolname = 'remit_dispatch'), false
    ) as is_dispatch,
    exists (
        select from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = to_regnamespace('remit') and c.relkind in ('r', 'p')
            and not (c.relrowsecurity and c.relforcerowsecurity)
    ) as is_leaky,
    exists (
        select from pg_policy p
        join pg_class c on c.oid = p.polrelid and c.relnamespace = to_regnamespace('remit')
        where p.polpermissive and p.polname <> 'tenant' and exists (
            select from unnest(p.polroles) as r(id) where r.id = 0 or pg_has_role(current_user, r.id, 'member')
        )
    ) as is_lenient,
    coalesce(current_setting('remit.tenant_id', true), '') <> '' as is_preset,
    coalesce(
        (select pg_has_role(current_user, a.oid, 'member') from pg_roles a where a.rolname = 'remit_app'), false
    ) as is_app,
    exists (
        select from pg_class c where c.relnamespace = to_regnamespace('remit') and c.relname = 'schema_versions'
    ) as has_schema,
    clock_timestamp() as now
from pg_roles r, pg_roles s
where r.rolname = current_user and s.rolname = session_user

-- name: schema_version
select version_num from remit.schema_versions

-- name: count_commits
-- The next transaction id: every writing transaction takes one.
select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as commits
