-- The outbox: appends insert, relays claim, load and settle. Claims and settlements work across tenants: they are owned by
-- remit_dispatch, which sees where messages go and not what they say.

-- Inserts what an append's entries publish, a row for each subscriber. Part of append_v1.
create function remit.insert_outbox(batch remit.batch_v1, accepted boolean[]) returns void
language sql as $$
    insert into remit.outbox (tenant_id, message_id, destination, run_id, step, topic, body)
    select (batch).tenant_id, o.message_id, d.destination, e.run_id, o.step, o.topic, o.body
    from unnest((batch).outbox) as o
    cross join lateral unnest((batch).entries[o.entry:o.entry]) as e
    cross join lateral unnest(o.destinations) as d(destination)
    where accepted[o.entry]
$$;

-- Claims up to `quantity` due messages for `lease`; at most `each` of one destination are under way at a time, whoever has
-- them, and `held` destinations get none. They are visited in random order, so that none is always the last.
-- Also answers when the next message is due that is not due yet. A lost reply costs one lease, never a message.
create function remit.claim_outbox_v1(
    worker uuid,
    quantity integer,
    each integer,
    lease interval,
    held remit.outbox_place_v1[],
    out claims remit.outbox_ref_v1[],
    out next_due_at timestamptz,
    out answered_at timestamptz
)
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
declare
    place remit.outbox_place_v1;
    due record;
    room integer;
    claim remit.outbox_ref_v1;
begin
    claims := '{}';
    answered_at := clock_timestamp();
    for place in
        with recursive places as (
            (
                select o.tenant_id, o.destination from remit.outbox o where o.status = 'pending'
                order by o.tenant_id, o.destination limit 1
            )
            union all
            select n.tenant_id, n.destination
            from places p
            cross join lateral (
                select o.tenant_id, o.destination from remit.outbox o
                where o.status = 'pending' and (o.tenant_id, o.destination) > (p.tenant_id, p.destination)
                order by o.tenant_id, o.destination limit 1
            ) n
        )
        select p.tenant_id, p.destination from places p
        where exists (
            select from remit.outbox o
            where o.tenant_id = p.tenant_id and o.destination = p.destination and o.status = 'pending'
                and o.next_attempt_at <= answered_at
        )
        order by random()
    loop
        exit when cardinality(claims) >= quantity;
        continue when place = any (held);
        -- Two claims at once must not each take what is allowed to both together.
        continue when not pg_try_advisory_xact_lock(
            hashtextextended(concat_ws(chr(31), 'remit.outbox', place.tenant_id, place.destination), 0)
        );
        select least(each - count(*), quantity - cardinality(claims)) into room
        from remit.outbox o
        where o.tenant_id = place.tenant_id and o.destination = place.destination and o.status = 'pending'
            and o.worker_id is not null and o.next_attempt_at > answered_at;
        continue when room <= 0;
        for due in
            select o.message_id from remit.outbox o
            where o.tenant_id = place.tenant_id and o.destination = place.destination and o.status = 'pending'
                and o.next_attempt_at <= answered_at
            order by o.next_attempt_at limit room
            for no key update skip locked
        loop
            update remit.outbox o
            set worker_id = worker, attempt_count = o.attempt_count + 1, next_attempt_at = clock_timestamp() + lease
            where o.tenant_id = place.tenant_id and o.message_id = due.message_id and o.destination = place.destination
            returning o.tenant_id, o.message_id, o.destination, o.next_attempt_at into claim;
            claims := claims || claim;
        end loop;
    end loop;
    select min(o.next_attempt_at) into next_due_at
    from remit.outbox o where o.status = 'pending' and o.next_attempt_at > answered_at;
end
$$;

-- Returns the messages of claims that still stand.
create function remit.load_outbox_v1(refs remit.outbox_ref_v1[]) returns setof remit.outbox_message_v1
language plpgsql set enable_seqscan = off as $$
declare
    tenant text;
begin
    for tenant in select distinct r.tenant_id from unnest(refs) as r loop
        perform set_config('remit.tenant_id', tenant, true);
        return query
            select
                o.tenant_id, o.message_id, o.destination, o.next_attempt_at, o.topic, o.body, o.attempt_count,
                o.queued_at
            from unnest(refs) as r
            join remit.outbox o
                on o.tenant_id = tenant and o.message_id = r.message_id and o.destination = r.destination
            where r.tenant_id = tenant and o.status = 'pending' and o.next_attempt_at = r.leased_until;
    end loop;
    perform set_config('remit.tenant_id', '', true);
end
$$;

-- Records what became of attempts; answers for each whether it counted. The end of its lease tells one attempt from the
-- next: what a claim that is over says about trying again is ignored, but what arrived is delivered, whoever says so.
create function remit.settle_outbox_v1(settlements remit.outbox_settlement_v1[]) returns boolean[]
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
declare
    settlement record;
    answers boolean[] := array_fill(false, array[cardinality(settlements)]);
begin
    for settlement in
        select s.* from unnest(settlements) with ordinality as s
        order by s.tenant_id, s.message_id, s.destination
    loop
        update remit.outbox o
        set status = settlement.status,
            worker_id = null,
            reason = settlement.reason,
            attempt_count = o.attempt_count - case when settlement.is_attempt then 0 else 1 end,
            next_attempt_at = case settlement.status
                when 'pending' then clock_timestamp() + settlement.retry_after
                else o.next_attempt_at
            end,
            settled_at = case when settlement.status <> 'pending' then clock_timestamp() end
        where o.tenant_id = settlement.tenant_id and o.message_id = settlement.message_id
            and o.destination = settlement.destination and o.status = 'pending'
            and (settlement.status = 'delivered' or o.next_attempt_at = settlement.leased_until);
        answers[settlement.ordinality] := found;
    end loop;
    return answers;
end
$$;
