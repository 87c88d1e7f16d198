-- Phases of append_v1 that most batches skip. Each takes the tenant's batch and which of its entries are accepted so far.

-- Says why entries were not accepted, and whether their claims ended. A plain read tells `already` from the rest.
create function remit.explain_refusals(
    batch remit.batch_v1, inout verdicts text[], inout releases boolean[]
)
language plpgsql as $$
declare
    entry remit.entry_v1;
    head record;
    stored bytea;
    position integer := 0;
begin
    foreach entry in array batch.entries loop
        position := position + 1;
        continue when verdicts[position] = 'applied';
        select h.epoch, h.worker_id into head
        from remit.heads h
        where h.tenant_id = batch.tenant_id and h.run_id = entry.run_id;
        if not found then
            verdicts[position] := 'fenced';
            continue;
        end if;
        releases[position] := head.worker_id is null or head.epoch <> entry.epoch;
        select j.hash into stored
        from remit.journal j
        where j.tenant_id = batch.tenant_id and j.run_id = entry.run_id and j.sequence = entry.sequence;
        if found and stored = entry.hash then
            verdicts[position] := 'already';
        end if;
    end loop;
end
$$;

-- Reserves keys, all of an entry or none, then records outcomes of accepted entries. The caller gives keys in order, so
-- that two batches that want the same ones wait for each other in one direction only.
create function remit.change_keys(batch remit.batch_v1, accepted boolean[]) returns boolean[]
language plpgsql as $$
declare
    change remit.key_change_v1;
    entry remit.entry_v1;
    taken text[] := '{}';
    holder record;
begin
    -- Rows that are there are locked first: what settles a key and what wants it next would else meet head-on.
    perform from remit.idempotency_keys k
    where k.tenant_id = batch.tenant_id and k.key = any (array(select c.key from unnest(batch.keys) as c))
    order by k.key
    for no key update;

    foreach change in array batch.keys loop
        continue when change.action <> 'reserve' or not accepted[change.entry];
        entry := batch.entries[change.entry];
        insert into remit.idempotency_keys as k (tenant_id, key, status, run_id, step, slot)
        values (batch.tenant_id, change.key, 'reserved', entry.run_id, change.step, change.slot)
        on conflict (tenant_id, key) do update
        set status = 'reserved', run_id = excluded.run_id, step = excluded.step, slot = excluded.slot,
            outcome = null, receipt_id = null, expires_at = null, updated_at = clock_timestamp()
        where k.status = 'released' or (k.status = 'succeeded' and k.expires_at <= clock_timestamp());
        if found then
            taken := taken || (change.entry || ' ' || change.key);
            continue;
        end if;
        select k.status, k.run_id, k.step, k.slot into holder
        from remit.idempotency_keys k
        where k.tenant_id = batch.tenant_id and k.key = change.key;
        accepted[change.entry] := holder.status = 'reserved' and holder.run_id = entry.run_id
            and holder.step = change.step and holder.slot = change.slot;
    end loop;

    foreach change in array batch.keys loop
        if change.action = 'reserve' then
            if not accepted[change.entry] and (change.entry || ' ' || change.key) = any (taken) then
                update remit.idempotency_keys k
                set status = 'released', updated_at = clock_timestamp()
                where k.tenant_id = batch.tenant_id and k.key = change.key;
            end if;
            continue;
        end if;
        continue when not accepted[change.entry];
        entry := batch.entries[change.entry];
        update remit.idempotency_keys k
        set status = case change.action when 'succeed' then 'succeeded' when 'release' then 'released' else 'unknown' end,
            outcome = change.outcome,
            receipt_id = change.receipt_id,
            expires_at = case change.action
                when 'succeed' then clock_timestamp() + make_interval(secs => change.window_seconds)
            end,
            updated_at = clock_timestamp()
        where k.tenant_id = batch.tenant_id and k.key = change.key
            and k.run_id = entry.run_id and k.step = change.step and k.slot = change.slot;
    end loop;
    return accepted;
end
$$;

-- Returns the advisory lock of one correlation; '' is the one of all events of a name.
create function remit.correlation_lock(tenant text, name text, correlation text) returns bigint
language sql immutable as $$
    select hashtextextended(concat_ws(chr(31), 'remit.correlation', tenant, name, correlation), 0)
$$;

-- Excludes receive_event_v1 for the correlations that this batch starts to wait for: else an event and a wait that are
-- committed at the same time could miss each other. Runs before any other lock is taken, in the order of locks.
create function remit.lock_correlations(batches remit.batch_v1[]) returns void
language plpgsql as $$
declare
    lock bigint;
begin
    for lock in
        select distinct remit.correlation_lock(b.tenant_id, c.name, coalesce(c.correlation, '')) as key
        from unnest(batches) as b
        cross join lateral unnest(b.correlations) as c
        where c.action = 'start'
        order by key
    loop
        perform pg_advisory_xact_lock(lock);
    end loop;
end
$$;

-- Starts and stops waits; held events that a started wait matches go to its run's inbox in this same commit, and raise
-- the wake sequence so that the claim is kept.
create function remit.change_correlations(batch remit.batch_v1, accepted boolean[], wakes integer[]) returns integer[]
language plpgsql as $$
declare
    change remit.correlation_v1;
    entry remit.entry_v1;
    held bigint;
begin
    foreach change in array batch.correlations loop
        continue when not accepted[change.entry];
        entry := batch.entries[change.entry];
        if change.action = 'stop' then
            delete from remit.correlations c
            where c.tenant_id = batch.tenant_id and c.run_id = entry.run_id and c.step = change.step;
            continue;
        end if;
        insert into remit.correlations (tenant_id, run_id, step, name, correlation)
        values (batch.tenant_id, entry.run_id, change.step, change.name, coalesce(change.correlation, ''))
        on conflict (tenant_id, run_id, step) do nothing;
        for held in
            select h.inbound_id from remit.held_correlations h
            where h.tenant_id = batch.tenant_id and h.name = change.name
                and h.correlation = coalesce(change.correlation, '')
            order by h.inbound_id
        loop
            perform remit.insert_event_message(batch.tenant_id, entry.run_id, held);
            delete from remit.held_correlations h
            where h.tenant_id = batch.tenant_id and h.inbound_id = held;
            update remit.inbound_events i set status = 'delivered'
            where i.tenant_id = batch.tenant_id and i.inbound_id = held;
            wakes[change.entry] := wakes[change.entry] + 1;
        end loop;
    end loop;
    return wakes;
end
$$;

-- Puts an inbound event into a run's inbox, once. The head's lock is held by the caller.
create function remit.insert_event_message(tenant text, run uuid, inbound bigint) returns void
language sql as $$
    insert into remit.inbox (tenant_id, run_id, kind, message_id, body, inbound_id)
    select
        e.tenant_id, run, 'event', 'event:' || e.inbound_id,
        convert_to(
            json_build_object(
                'name', e.name, 'source', e.source, 'event_key', e.event_key, 'occurred_at', e.occurred_at,
                'correlations', e.correlations, 'payload', convert_from(e.body, 'UTF8')::json
            )::text,
            'UTF8'
        ),
        e.inbound_id
    from remit.inbound_events e
    where e.tenant_id = tenant and e.inbound_id = inbound
    on conflict (tenant_id, run_id, message_id) do nothing
$$;

-- Marks messages as read by the entries that name them.
create function remit.consume_messages(batch remit.batch_v1, accepted boolean[]) returns void
language plpgsql as $$
declare
    consumption remit.consumption_v1;
    entry remit.entry_v1;
begin
    foreach consumption in array batch.consumptions loop
        continue when not accepted[consumption.entry];
        entry := batch.entries[consumption.entry];
        update remit.inbox i set consumed_sequence = entry.sequence
        where i.tenant_id = batch.tenant_id and i.inbox_id = consumption.inbox_id
            and i.run_id = entry.run_id and i.consumed_sequence is null;
    end loop;
end
$$;

-- Advances the heads of accepted entries, found by their places: they are locked, so those hold. Only scans by place are
-- left to the planner, because any other plan for this update is made once, on a young table, and stays when it has grown.
create function remit.advance_heads(
    entries remit.entry_v1[], places tid[], accepted boolean[], wakes integer[], releases boolean[]
) returns void
language plpgsql
set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
set plan_cache_mode = force_generic_plan
as $$
begin
    update remit.heads h
    set sequence = e.sequence,
        hash = e.hash,
        status = e.status,
        waiting_for = e.waiting_for,
        due_at = e.due_at,
        seen_wake_sequence = e.seen_wake_sequence,
        wake_sequence = e.wake_sequence,
        updated_at = e.at,
        worker_id = case when not e.is_released then h.worker_id end,
        claimable_at = case when e.is_released and e.disposition = 'wait' then e.due_at end,
        finished_at = case when e.disposition = 'finish' then e.at end
    from unnest(entries, places, accepted, wakes, releases) as e(
        run_id, epoch, sequence, at, hash, commitment, fact_count, kinds, payload, status, disposition,
        seen_wake_sequence, due_at, waiting_for, place, is_accepted, wake_sequence, is_released
    )
    where h.ctid = e.place and e.is_accepted;
end
$$;

-- Stores how runs ended, and forgets what they waited for.
create function remit.finish_runs(batch remit.batch_v1, accepted boolean[]) returns void
language plpgsql as $$
begin
    if batch.results is null then
        return;
    end if;
    insert into remit.run_results (tenant_id, run_id, status, state_hash, output, error, finished_at)
    select batch.tenant_id, e.run_id, e.status, r.state_hash, r.output, r.error, e.at
    from unnest(batch.results) as r
    cross join lateral unnest(batch.entries[r.entry:r.entry]) as e
    where accepted[r.entry] and e.disposition = 'finish';

    delete from remit.correlations c
    where c.tenant_id = batch.tenant_id and c.run_id = any (
        array(
            select e.run_id
            from unnest(batch.results) as r
            cross join lateral unnest(batch.entries[r.entry:r.entry]) as e
            where accepted[r.entry] and e.disposition = 'finish'
        )
    );
end
$$;

-- Refuses entries whose payload is neither here nor stored before.
create function remit.require_large_payloads(batch remit.batch_v1, accepted boolean[]) returns void
language plpgsql as $$
declare
    entry remit.entry_v1;
    position integer := 0;
begin
    foreach entry in array batch.entries loop
        position := position + 1;
        continue when entry.payload is not null or not accepted[position];
        if not exists (
            select from remit.large_payloads p
            where p.tenant_id = batch.tenant_id and p.run_id = entry.run_id and p.sequence = entry.sequence
                and p.commitment = entry.commitment
        ) then
            raise exception using errcode = 'RM002', message = 'expected the payload to be stored before its entry';
        end if;
    end loop;
end
$$;

-- Inserts requests for human decisions.
create function remit.insert_approvals(batch remit.batch_v1, accepted boolean[]) returns void
language sql as $$
    insert into remit.approvals (
        tenant_id, approval_id, run_id, step, slot, tool, tool_version, rule_id, reason, digest, nonce, arguments,
        endpoint, credential, policy_digest, requested_by, approvers_required, expires_at
    )
    select
        (batch).tenant_id, a.approval_id, e.run_id, a.step, a.slot, a.tool, a.tool_version, a.rule_id, a.reason,
        a.digest, a.nonce, a.arguments, a.endpoint, a.credential, a.policy_digest, a.requested_by,
        a.approvers_required, a.expires_at
    from unnest((batch).approvals) as a
    cross join lateral unnest((batch).entries[a.entry:a.entry]) as e
    where accepted[a.entry]
$$;

-- Withdraws requests that no longer stand; decided ones stay as they are.
create function remit.withdraw_approvals(batch remit.batch_v1, accepted boolean[]) returns void
language sql as $$
    update remit.approvals a
    set status = 'withdrawn', decided_at = clock_timestamp()
    where a.tenant_id = (batch).tenant_id and a.status = 'pending' and (a.approval_id, a.run_id) in (
        select w.approval_id, e.run_id
        from unnest((batch).withdrawals) as w
        cross join lateral unnest((batch).entries[w.entry:w.entry]) as e
        where accepted[w.entry]
    )
$$;
