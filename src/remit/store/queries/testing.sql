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
