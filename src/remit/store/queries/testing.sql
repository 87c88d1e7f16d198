-- name: find_database
select datname from pg_database where datname = $1

-- name: create_template
-- The name is made of letters, digits and underscores.
create database {name} owner remit_owner

-- name: create_scratch
create database {name} owner remit_owner template {template}

-- name: close_scratch
-- As the embedded database is: nobody but its owner and the application may connect.
revoke connect, temporary on database {name} from public

-- name: open_scratch
grant connect on database {name} to remit_app

-- name: drop_database
drop database if exists {name} with (force)

-- name: list_scratch
select datname from pg_database where datname like 'scratch\_%'

-- name: rename_template
alter database {name} rename to {target}

-- name: disconnect_others
select pg_terminate_backend(a.pid) from pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid()

-- name: empty_database
-- Deletes all rows but those of the schema itself, past foreign keys and row-level security; for superusers.
do $$
declare
    table_name text;
begin
    set local session_replication_role = replica;
    for table_name in
        select c.relname from pg_class c
        where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname not in ('schema_versions', 'run_partitions')
    loop
        execute format('delete from remit.%I', table_name);
    end loop;
end
$$
