-- Work across tenants: owned by remit_dispatch, which sees keys and claims of heads only. They answer ids.
-- Lock order: the worker, then heads in (tenant, run) order where they are waited for.

-- Makes a worker known, or renews it. Its tools are null if it does not say which it has.
create function remit.register_worker_v1(
    worker uuid, worker_lease interval, worker_version text, worker_tools text[]
) returns timestamptz
language sql security definer set search_path = pg_catalog, remit, pg_temp as $$
    insert into remit.workers (worker_id, lease, version, tools)
    values (worker, worker_lease, worker_version, worker_tools)
    on conflict (worker_id) do update
    set lease = excluded.lease, version = excluded.version, tools = excluded.tools, heartbeat_at = clock_timestamp()
    returning clock_timestamp()
$$;

-- Claims up to `quantity` runs that are due, the longest waiting first, and raises their epochs.
-- The same request answers the same claims again. A worker that is not known (any more) claims nothing.
create function remit.claim_v1(
    worker uuid, request text, quantity integer, out claims remit.run_ref_v1[], out answered_at timestamptz
)
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
declare
    moment constant timestamptz := clock_timestamp();
    previous text;
    due record;
    claim remit.run_ref_v1;
begin
    claims := '{}';
    answered_at := moment;
    select coalesce(w.claim_request, '') into previous
    from remit.workers w where w.worker_id = worker for no key update;
    if not found then
        return;
    end if;
    if previous = request then
        select coalesce(array_agg(row(h.tenant_id, h.run_id, h.epoch)::remit.run_ref_v1), '{}') into claims
        from remit.heads h where h.worker_id = worker and h.claim_request = request;
        return;
    end if;
    for due in
        select h.tenant_id, h.run_id from remit.heads h
        where h.claimable_at <= moment
        order by h.claimable_at
        limit quantity
        for no key update skip locked
    loop
        update remit.heads h
        set worker_id = worker, epoch = h.epoch + 1, claimable_at = null, claim_request = request
        where h.tenant_id = due.tenant_id and h.run_id = due.run_id
        returning h.tenant_id, h.run_id, h.epoch into claim;
        claims := claims || claim;
    end loop;
    if claims <> '{}' then
        update remit.workers w set claim_request = request where w.worker_id = worker;
    end if;
end
$$;

-- Extends a worker's lease. Answers what it owns, and which of those have news: a message, or an instant that came; and
-- whether a message of the outbox is due, so that relays need not ask when there is none.
create function remit.heartbeat_v1(
    worker uuid,
    out owned remit.run_ref_v1[],
    out woken uuid[],
    out lease_seconds double precision,
    out server_started_at timestamptz,
    out outbox_due boolean,
    out answered_at timestamptz
)
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
begin
    answered_at := clock_timestamp();
    server_started_at := pg_postmaster_start_time();
    owned := '{}';
    woken := '{}';
    outbox_due := exists (
        select from remit.outbox o where o.status = 'pending' and o.next_attempt_at <= answered_at
    );
    update remit.workers w set heartbeat_at = answered_at where w.worker_id = worker
    returning extract(epoch from w.lease) into lease_seconds;
    if not found then
        lease_seconds := 0;
        return;
    end if;
    select
        coalesce(array_agg(row(h.tenant_id, h.run_id, h.epoch)::remit.run_ref_v1), '{}'),
        coalesce(
            array_agg(h.run_id) filter (where h.wake_sequence > h.seen_wake_sequence or h.due_at <= answered_at), '{}'
        )
    into owned, woken
    from remit.heads h where h.worker_id = worker;
end
$$;

-- Hands runs back, claimable at once; claims that ended are ignored.
create function remit.release_v1(worker uuid, refs remit.run_ref_v1[]) returns void
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
declare
    ref remit.run_ref_v1;
begin
    for ref in select r.* from unnest(refs) as r order by r.tenant_id, r.run_id loop
        update remit.heads h set worker_id = null, claimable_at = clock_timestamp()
        where h.tenant_id = ref.tenant_id and h.run_id = ref.run_id and h.epoch = ref.epoch and h.worker_id = worker;
    end loop;
end
$$;

-- Forgets workers whose lease ran out and makes up to `quantity` of their runs claimable, at a raised epoch.
-- A lease counts from the last heartbeat, the server's start, or when the caller connected, whichever is latest: after
-- an outage of the database everybody has a full lease to report. Also makes the partitions of the next two months.
create function remit.sweep_v1(
    quantity integer, connected_at timestamptz, out swept remit.run_ref_v1[], out answered_at timestamptz
)
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
declare
    orphan record;
    ref remit.run_ref_v1;
begin
    swept := '{}';
    answered_at := clock_timestamp();
    if not exists (select from remit.run_partitions p where p.upper_at > answered_at + interval '2 months') then
        perform remit.make_partitions_v1(answered_at + interval '2 months');
    end if;
    delete from remit.workers w
    where w.worker_id = any (
        array(
            select x.worker_id from remit.workers x
            where greatest(x.heartbeat_at, pg_postmaster_start_time(), connected_at) + x.lease <= answered_at
            for update skip locked
        )
    );
    for orphan in
        select h.tenant_id, h.run_id from remit.heads h
        where h.worker_id is not null
            and not exists (select from remit.workers w where w.worker_id = h.worker_id)
        limit quantity
        for no key update of h skip locked
    loop
        update remit.heads h
        set worker_id = null, epoch = h.epoch + 1, claimable_at = answered_at
        where h.tenant_id = orphan.tenant_id and h.run_id = orphan.run_id
        returning h.tenant_id, h.run_id, h.epoch into ref;
        swept := swept || ref;
    end loop;
end
$$;

-- Hands back everything a worker owns and forgets it.
create function remit.retire_worker_v1(worker uuid) returns void
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
declare
    owned record;
begin
    perform from remit.workers w where w.worker_id = worker for update;
    for owned in
        select h.tenant_id, h.run_id from remit.heads h where h.worker_id = worker order by h.tenant_id, h.run_id
    loop
        update remit.heads h set worker_id = null, claimable_at = clock_timestamp()
        where h.tenant_id = owned.tenant_id and h.run_id = owned.run_id and h.worker_id = worker;
    end loop;
    delete from remit.workers w where w.worker_id = worker;
end
$$;

-- Returns whose API key this is; no row if it is unknown or revoked.
create function remit.authenticate_v1(key_sha256 bytea)
returns table (tenant_id text, principal_id text)
language sql stable security definer set search_path = pg_catalog, remit, pg_temp as $$
    select k.tenant_id, k.principal_id from remit.api_keys k
    where k.key_sha256 = authenticate_v1.key_sha256 and k.revoked_at is null
$$;

-- Returns the tenant of a webhook endpoint; no row if it is unknown. Keys begin with the tenant, so another one could
-- register the same id: whoever had it first has it.
create function remit.find_endpoint_v1(endpoint text) returns table (tenant_id text)
language sql stable security definer set search_path = pg_catalog, remit, pg_temp as $$
    select e.tenant_id from remit.webhook_endpoints e where e.endpoint_id = endpoint order by e.created_at limit 1
$$;

-- Returns all tenants' ids, for operators of the installation.
create function remit.list_tenants_v1() returns table (tenant_id text)
language sql stable security definer set search_path = pg_catalog, remit, pg_temp as $$
    select t.tenant_id from remit.tenants t order by t.tenant_id
$$;
