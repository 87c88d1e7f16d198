-- Reading runs as their owners do, many at once.

-- Returns the runs that are still claimed at the epochs given, with their journals and unread messages.
-- An epoch of null asks for the run whoever owns it. One row per run, plus a last one that carries only the clock.
create function remit.load_v1(refs remit.run_ref_v1[])
returns table (
    tenant_id text, run_id uuid, epoch integer, sequence integer, hash bytea, wake_sequence integer,
    definition_digest text, principal_id text, policy_digest text, input bytea, trigger text, salt bytea,
    created_at timestamptz, entries remit.stored_entry_v1[], messages remit.stored_message_v1[], answered_at timestamptz
)
language plpgsql set enable_seqscan = off as $$
declare
    ref remit.run_ref_v1;
begin
    foreach ref in array refs loop
        perform set_config('remit.tenant_id', ref.tenant_id, true);
        return query
        select
            h.tenant_id, h.run_id, h.epoch, h.sequence, h.hash, h.wake_sequence,
            r.definition_digest, r.principal_id, r.policy_digest, r.input, r.trigger, coalesce(s.salt, ''), r.created_at,
            array(
                select row(
                    j.sequence, j.epoch, j.at, j.hash, j.commitment, j.fact_count, j.kinds,
                    coalesce(p.payload, l.payload), j.format_version
                )::remit.stored_entry_v1
                from remit.journal j
                left join remit.payloads p
                    on p.tenant_id = j.tenant_id and p.run_id = j.run_id and p.sequence = j.sequence
                left join remit.large_payloads l
                    on l.tenant_id = j.tenant_id and l.run_id = j.run_id and l.sequence = j.sequence
                        and l.commitment = j.commitment
                where j.tenant_id = ref.tenant_id and j.run_id = ref.run_id and j.sequence <= h.sequence
                order by j.sequence
            ),
            array(
                select row(i.inbox_id, i.kind, i.message_id, i.body, i.created_at)::remit.stored_message_v1
                from remit.inbox i
                where i.tenant_id = ref.tenant_id and i.run_id = ref.run_id and i.consumed_sequence is null
                order by i.inbox_id
            ),
            clock_timestamp()
        from remit.heads h
        join remit.runs r on r.tenant_id = h.tenant_id and r.run_id = h.run_id
        left join remit.run_salts s on s.tenant_id = h.tenant_id and s.run_id = h.run_id
        where h.tenant_id = ref.tenant_id and h.run_id = ref.run_id
            and (ref.epoch is null or (h.epoch = ref.epoch and h.worker_id is not null));
    end loop;
    perform set_config('remit.tenant_id', '', true);
    load_v1.tenant_id := null;
    load_v1.run_id := null;
    answered_at := clock_timestamp();
    return next;
end
$$;

-- Returns a run's unread messages and its wake sequence, as of one instant.
create function remit.load_inbox_v1(
    tenant text, run uuid, out wake_sequence integer, out messages remit.stored_message_v1[]
)
language plpgsql set enable_seqscan = off as $$
begin
    perform set_config('remit.tenant_id', tenant, true);
    select
        h.wake_sequence,
        array(
            select row(i.inbox_id, i.kind, i.message_id, i.body, i.created_at)::remit.stored_message_v1
            from remit.inbox i
            where i.tenant_id = tenant and i.run_id = run and i.consumed_sequence is null
            order by i.inbox_id
        )
    into load_inbox_v1.wake_sequence, messages
    from remit.heads h where h.tenant_id = tenant and h.run_id = run;
    perform set_config('remit.tenant_id', '', true);
end
$$;

-- Stores a payload that is too large to travel with its entry.
create function remit.store_payload_v1(tenant text, run uuid, at_sequence integer, of_commitment bytea, content bytea)
returns void language plpgsql as $$
begin
    perform set_config('remit.tenant_id', tenant, true);
    insert into remit.large_payloads (tenant_id, run_id, sequence, commitment, payload)
    values (tenant, run, at_sequence, of_commitment, content)
    on conflict (tenant_id, run_id, sequence, commitment) do nothing;
    perform set_config('remit.tenant_id', '', true);
end
$$;

-- Takes a run out of circulation because the database refuses its rows; only its claim's owner can.
create function remit.quarantine_v1(tenant text, run uuid, at_epoch integer, at_sequence integer, why text) returns boolean
language plpgsql as $$
begin
    perform set_config('remit.tenant_id', tenant, true);
    update remit.heads h
    set worker_id = null, claimable_at = null, epoch = h.epoch + 1, quarantined_at = clock_timestamp()
    where h.tenant_id = tenant and h.run_id = run and h.epoch = at_epoch and h.worker_id is not null;
    if not found then
        return false;
    end if;
    insert into remit.quarantines (tenant_id, run_id, sequence, reason) values (tenant, run, at_sequence, why);
    perform set_config('remit.tenant_id', '', true);
    return true;
end
$$;

-- Lets a quarantined run be claimed again.
create function remit.release_quarantine_v1(tenant text, run uuid) returns boolean
language plpgsql as $$
declare
    was_quarantined boolean;
begin
    perform set_config('remit.tenant_id', tenant, true);
    update remit.heads h set quarantined_at = null, claimable_at = clock_timestamp()
    where h.tenant_id = tenant and h.run_id = run and h.quarantined_at is not null;
    was_quarantined := found;
    update remit.quarantines q set released_at = clock_timestamp()
    where q.tenant_id = tenant and q.run_id = run and q.released_at is null;
    perform set_config('remit.tenant_id', '', true);
    return was_quarantined;
end
$$;
