-- name: create_tenant
insert into remit.tenants (tenant_id, display_name, policy_digest, paused) values ($1, $2, $3, $4)
on conflict (tenant_id) do nothing

-- name: get_tenant
select tenant_id, display_name, policy_digest, paused from remit.tenants where tenant_id = $1

-- name: list_tenants
select tenant_id from remit.list_tenants_v1()

-- name: pause_tenant
update remit.tenants set paused = $2 where tenant_id = $1

-- name: put_principal
insert into remit.principals as p (tenant_id, principal_id, kind, roles, active) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, principal_id) do update
set kind = excluded.kind, roles = excluded.roles, active = excluded.active, updated_at = clock_timestamp()

-- name: get_principal
select tenant_id, principal_id, kind, roles, active from remit.principals
where tenant_id = $1 and principal_id = $2

-- name: list_principals
select tenant_id, principal_id, kind, roles, active from remit.principals where tenant_id = $1 order by principal_id

-- name: create_api_key
insert into remit.api_keys (tenant_id, key_sha256, principal_id) values ($1, $2, $3)

-- name: authenticate
select tenant_id, principal_id from remit.authenticate_v1($1)

-- name: put_definition
insert into remit.definitions as d (tenant_id, digest, name, version, body) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, digest) do update set activated_at = clock_timestamp()
returning digest, name, version, body, created_at

-- name: get_definition
select digest, name, version, body, created_at from remit.definitions where tenant_id = $1 and digest = $2

-- name: newest_definition
select digest, name, version, body, created_at from remit.definitions
where tenant_id = $1 and name = $2
order by activated_at desc limit 1

-- name: list_definitions
select distinct on (name) digest, name, version, body, created_at from remit.definitions
where tenant_id = $1
order by name, activated_at desc

-- name: put_policy
insert into remit.policies (tenant_id, digest, body) values ($1, $2, $3) on conflict (tenant_id, digest) do nothing

-- name: activate_policy
update remit.tenants set policy_digest = $2 where tenant_id = $1

-- name: get_policy
select body from remit.policies where tenant_id = $1 and digest = $2

-- name: find_endpoint
select tenant_id from remit.find_endpoint_v1($1)

-- name: put_endpoint
insert into remit.webhook_endpoints (tenant_id, endpoint_id, source, secret_name, principal_id)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, source, secret_name) do nothing

-- name: get_endpoint
select tenant_id, endpoint_id, source, secret_name, principal_id from remit.webhook_endpoints
where tenant_id = $1 and endpoint_id = $2

-- name: endpoint_of_source
select tenant_id, endpoint_id, source, secret_name, principal_id from remit.webhook_endpoints
where tenant_id = $1 and source = $2 and secret_name = $3

-- name: list_endpoints
select endpoint_id, tenant_id, source, secret_name, principal_id from remit.webhook_endpoints
where tenant_id = $1 order by source, secret_name
