-- What runs of one tenant share.

-- Returns what is known of an idempotency key; no row if it is free.
create function remit.find_key_v1(tenant text, wanted text)
returns table (status text, run_id uuid, step text, slot integer, outcome bytea, receipt_id text)
language plpgsql set enable_seqscan = off as $$
begin
    perform set_config('remit.tenant_id', tenant, true);
    return query
    select k.status, k.run_id, k.step, k.slot, k.outcome, k.receipt_id
    from remit.idempotency_keys k
    where k.tenant_id = tenant and k.key = wanted and k.status <> 'released'
        and (k.status <> 'succeeded' or k.expires_at > clock_timestamp());
    perform set_config('remit.tenant_id', '', true);
end
$$;

-- Takes one call out of an allowance and answers the seconds to wait before making it. Calls are spaced evenly (GCRA);
-- a quarter of a minute's allowance may go at once.
create function remit.take_rate_v1(tenant text, rate text, per_minute integer) returns double precision
language plpgsql as $$
declare
    spacing constant interval := interval '1 minute' / per_minute;
    burst constant interval := spacing * (greatest(1, per_minute / 4) - 1);
    moment constant timestamptz := clock_timestamp();
    whole_at timestamptz;
begin
    perform set_config('remit.tenant_id', tenant, true);
    insert into remit.rates as r (tenant_id, name, next_at) values (tenant, rate, moment + spacing)
    on conflict (tenant_id, name) do update set next_at = greatest(r.next_at, moment) + spacing
    returning r.next_at into whole_at;
    perform set_config('remit.tenant_id', '', true);
    return greatest(0, extract(epoch from whole_at - spacing - burst - moment));
end
$$;

-- Returns a breaker's state, or null.
create function remit.load_breaker_v1(tenant text, of_dependency text) returns jsonb
language plpgsql set enable_seqscan = off as $$
declare
    stored jsonb;
begin
    perform set_config('remit.tenant_id', tenant, true);
    select b.state into stored from remit.breakers b where b.tenant_id = tenant and b.dependency = of_dependency;
    perform set_config('remit.tenant_id', '', true);
    return stored;
end
$$;

-- Stores a breaker's state.
create function remit.save_breaker_v1(tenant text, of_dependency text, new_state jsonb) returns void
language plpgsql as $$
begin
    perform set_config('remit.tenant_id', tenant, true);
    insert into remit.breakers (tenant_id, dependency, state) values (tenant, of_dependency, new_state)
    on conflict (tenant_id, dependency) do update set state = excluded.state, updated_at = clock_timestamp();
    perform set_config('remit.tenant_id', '', true);
end
$$;
