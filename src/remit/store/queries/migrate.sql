-- name: lock
-- One migration at a time in a database.
select pg_advisory_xact_lock(hashtextextended('remit.migrate', 0))

-- name: create_schema
create schema if not exists remit

-- name: has_schema
select to_regclass('remit.schema_versions') is not null as has_schema

-- name: version
select version_num from remit.schema_versions

-- name: forget_versions
-- Alembic makes the table again when it begins at nothing.
drop table remit.schema_versions

-- name: missing_roles
select r.name from unnest(array['remit_app', 'remit_dispatch']) as r(name)
where not exists (select from pg_roles p where p.rolname = r.name)

-- name: can_create_roles
select rolsuper or rolcreaterole as can_create_roles from pg_roles where rolname = current_user

-- name: create_role_app
create role remit_app nologin

-- name: create_role_dispatch
create role remit_dispatch nologin

-- name: grant_dispatch
-- The migrating role hands the functions across tenants over to remit_dispatch.
grant remit_dispatch to current_user

-- name: set_app_password
-- The derived login of remit_app; the digits are hexadecimal.
alter role remit_app login password '{password}'

-- name: grant_connect
do $$ begin execute format('grant connect on database %I to remit_app', current_database()); end $$
