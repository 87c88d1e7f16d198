-- Producers of messages. Each locks the head and raises its wake sequence before it inserts, so that no append can let go
-- of a run and miss a message.

-- Raises a run's wake sequence, and makes the run claimable if nobody owns it. The caller holds the head's lock.
create function remit.wake_run(tenant text, run uuid) returns void
language sql as $$
    update remit.heads h
    set wake_sequence = h.wake_sequence + 1,
        claimable_at = case
            when h.worker_id is null and h.quarantined_at is null and h.finished_at is null
                then least(h.claimable_at, clock_timestamp())
        end
    where h.tenant_id = tenant and h.run_id = run
$$;

-- Stores a message for a run and wakes it. Answers stored, duplicate, missing or finished.
create function remit.deliver_v1(tenant text, run uuid, of_kind text, message text, content bytea) returns text
language plpgsql set enable_seqscan = off as $$
declare
    head record;
    answer text;
begin
    perform set_config('remit.tenant_id', tenant, true);
    select h.finished_at into head from remit.heads h
    where h.tenant_id = tenant and h.run_id = run for no key update;
    if not found then
        answer := 'missing';
    elsif exists (
        select from remit.inbox i where i.tenant_id = tenant and i.run_id = run and i.message_id = message
    ) then
        answer := 'duplicate';
    elsif head.finished_at is not null then
        answer := 'finished';
    else
        perform remit.wake_run(tenant, run);
        insert into remit.inbox (tenant_id, run_id, kind, message_id, body)
        values (tenant, run, of_kind, message, content);
        answer := 'stored';
    end if;
    perform set_config('remit.tenant_id', '', true);
    return answer;
end
$$;

-- Stores an inbound event once, and delivers it to every run that waits for it; one that nobody waits for is held.
-- Lock order: correlations (shared, excluding appends that start to wait for the same), the event's key, heads.
create function remit.receive_event_v1(
    tenant text,
    event_source text,
    event_name text,
    key text,
    occurred timestamptz,
    content bytea,
    sha256_hex text,
    correlated text[],
    out verdict text,
    out inbound bigint,
    out delivered_to uuid[],
    out is_held boolean
)
language plpgsql set enable_seqscan = off as $$
declare
    lock bigint;
    waiting uuid;
    stored record;
begin
    perform set_config('remit.tenant_id', tenant, true);
    delivered_to := '{}';
    is_held := false;
    for lock in
        select distinct remit.correlation_lock(tenant, event_name, c) as lock_key
        from unnest(correlated || ''::text) as c order by lock_key
    loop
        perform pg_advisory_xact_lock_shared(lock);
    end loop;

    insert into remit.inbound_events (
        tenant_id, source, event_key, name, occurred_at, body, raw_sha256, correlations, status
    )
    values (tenant, event_source, key, event_name, occurred, content, sha256_hex, correlated, 'held')
    on conflict (tenant_id, source, event_key) do nothing
    returning inbound_id into inbound;
    if inbound is null then
        select i.inbound_id, i.raw_sha256, i.status into stored
        from remit.inbound_events i
        where i.tenant_id = tenant and i.source = event_source and i.event_key = key;
        inbound := stored.inbound_id;
        is_held := stored.status = 'held';
        verdict := case when stored.raw_sha256 = sha256_hex then 'duplicate' else 'conflict' end;
        if verdict = 'conflict' then
            update remit.inbound_events i set conflict_count = i.conflict_count + 1
            where i.tenant_id = tenant and i.inbound_id = inbound;
        end if;
        perform set_config('remit.tenant_id', '', true);
        return;
    end if;

    verdict := 'stored';
    for waiting in
        select distinct c.run_id from remit.correlations c
        where c.tenant_id = tenant and c.name = event_name and c.correlation = any (correlated || ''::text)
        order by c.run_id
    loop
        perform from remit.heads h
        where h.tenant_id = tenant and h.run_id = waiting and h.finished_at is null for no key update;
        continue when not found;
        perform remit.wake_run(tenant, waiting);
        perform remit.insert_event_message(tenant, waiting, inbound);
        delivered_to := delivered_to || waiting;
    end loop;
    if delivered_to = '{}' then
        is_held := true;
        insert into remit.held_correlations (tenant_id, name, correlation, inbound_id)
        select distinct tenant, event_name, c, inbound from unnest(correlated || ''::text) as c;
    else
        update remit.inbound_events i set status = 'delivered'
        where i.tenant_id = tenant and i.inbound_id = inbound;
    end if;
    perform set_config('remit.tenant_id', '', true);
end
$$;

-- Notes that an event started a run, so that it is no longer held for one to come. Doing it again changes nothing.
create function remit.mark_event_started_v1(tenant text, inbound bigint) returns void
language plpgsql as $$
begin
    perform set_config('remit.tenant_id', tenant, true);
    delete from remit.held_correlations h where h.tenant_id = tenant and h.inbound_id = inbound;
    update remit.inbound_events i set status = 'delivered'
    where i.tenant_id = tenant and i.inbound_id = inbound and i.status = 'held';
    perform set_config('remit.tenant_id', '', true);
end
$$;
