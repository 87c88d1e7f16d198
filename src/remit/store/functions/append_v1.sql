-- The append: one entry for each of many runs, with all rows that follow, in one round trip and one commit.

-- Appends the batches, given in the order of tenants. Answers per entry, in order:
--   applied    it is in the journal, and its rows with it
--   already    the journal holds its hash at its sequence: a lost reply was sent again
--   busy       somebody holds the head's lock at this instant
--   conflict   the claim stands but the journal is elsewhere
--   fenced     the claim is another's, or ended
--   key_taken  one of its keys is another call's
-- Lock order over all writers: correlations (advisory), heads, keys, then everything else. Heads are never waited for.
-- The planner's settings are pinned because plans are made once per connection, often while the tables are empty.
create function remit.append_v1(
    batches remit.batch_v1[],
    out outcomes text[],
    out released boolean[],
    out wake_sequences integer[],
    out answered_at timestamptz
)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
set plan_cache_mode = force_generic_plan
as $$
declare
    batch remit.batch_v1;
    verdicts text[];
    accepted boolean[];
    places tid[];
    wakes integer[];
    releases boolean[];
    is_clean boolean;
    is_kept boolean;
    is_inline boolean;
begin
    foreach batch in array batches loop
        if batch.correlations is not null then
            perform remit.lock_correlations(batches);
            exit;
        end if;
    end loop;

    foreach batch in array batches loop
        perform set_config('remit.tenant_id', batch.tenant_id, true);

        select
            array_agg(
                case
                    when h.epoch is null then 'busy'
                    when h.epoch <> e.epoch or h.worker_id is null then 'fenced'
                    when h.sequence <> e.sequence - 1 then 'conflict'
                    else 'applied'
                end
            ),
            array_agg(h.epoch is not distinct from e.epoch and h.worker_id is not null and h.sequence = e.sequence - 1),
            array_agg(h.place),
            array_agg(false),
            array_agg(coalesce(h.wake_sequence, 0)),
            bool_and(h.epoch is not distinct from e.epoch and h.worker_id is not null and h.sequence = e.sequence - 1),
            bool_and(e.disposition = 'keep'),
            bool_and(e.payload is not null)
        into verdicts, accepted, places, releases, wakes, is_clean, is_kept, is_inline
        from unnest(batch.entries) with ordinality as e
        left join lateral (
            select h.ctid as place, h.epoch, h.sequence, h.wake_sequence, h.worker_id
            from remit.heads h
            where h.tenant_id = batch.tenant_id and h.run_id = e.run_id
            for no key update skip locked
        ) h on true;

        if not is_clean then
            select r.verdicts, r.releases into verdicts, releases
            from remit.explain_refusals(batch, verdicts, releases) r;
        end if;
        if batch.keys is not null then
            accepted := remit.change_keys(batch, accepted);
            for i in 1..array_length(accepted, 1) loop
                if verdicts[i] = 'applied' and not accepted[i] then
                    verdicts[i] := 'key_taken';
                end if;
            end loop;
        end if;
        if batch.correlations is not null then
            wakes := remit.change_correlations(batch, accepted, wakes);
        end if;
        if batch.consumptions is not null then
            perform remit.consume_messages(batch, accepted);
        end if;

        if not is_kept then
            select array_agg(
                case
                    when not accepted[e.ordinality] then releases[e.ordinality]
                    when e.disposition = 'finish' then true
                    when e.disposition = 'wait' then wakes[e.ordinality] = e.wake_sequence and not exists (
                        select from remit.inbox i
                        where i.tenant_id = batch.tenant_id and i.run_id = e.run_id and i.consumed_sequence is null
                    )
                    else false
                end
            )
            into releases
            from unnest(batch.entries) with ordinality as e;
            perform remit.finish_runs(batch, accepted);
        end if;
        perform remit.advance_heads(batch.entries, places, accepted, wakes, releases);

        insert into remit.journal (
            tenant_id, run_id, sequence, epoch, at, fact_count, hash, commitment, kinds
        )
        select batch.tenant_id, e.run_id, e.sequence, e.epoch, e.at, e.fact_count, e.hash, e.commitment, e.kinds
        from unnest(batch.entries) with ordinality as e
        where accepted[e.ordinality];

        insert into remit.payloads (tenant_id, run_id, sequence, payload)
        select batch.tenant_id, e.run_id, e.sequence, e.payload
        from unnest(batch.entries) with ordinality as e
        where accepted[e.ordinality] and e.payload is not null;

        if not is_inline then
            perform remit.require_large_payloads(batch, accepted);
        end if;
        if batch.steps is not null then
            insert into remit.steps (
                tenant_id, run_id, sequence, ordinal, attempt, tokens, cost_usd_micros, started_at, finished_at,
                step, status, tool, reason
            )
            select
                batch.tenant_id, (batch.entries)[s.entry].run_id, (batch.entries)[s.entry].sequence, s.ordinal, s.attempt, s.tokens,
                s.cost_usd_micros, s.started_at, s.finished_at, s.step, s.status, s.tool, s.reason
            from unnest(batch.steps) as s
            where accepted[s.entry];
        end if;
        if batch.receipts is not null then
            insert into remit.receipts (
                tenant_id, receipt_id, run_id, sequence, created_at, step, slot, attempt, tool, tool_version,
                side_effect_level, delivery_class, idempotency_key, arguments_digest, result_digest, external_key,
                external_reference, amount_minor, currency, approval_id
            )
            select
                batch.tenant_id, r.receipt_id, (batch.entries)[r.entry].run_id, (batch.entries)[r.entry].sequence,
                (batch.entries)[r.entry].at, r.step, r.slot,
                r.attempt, r.tool, r.tool_version, r.side_effect_level, r.delivery_class, r.idempotency_key,
                r.arguments_digest, r.result_digest, r.external_key, r.external_reference, r.amount_minor,
                r.currency, r.approval_id
            from unnest(batch.receipts) as r
            where accepted[r.entry];
        end if;
        if batch.approvals is not null then
            perform remit.insert_approvals(batch, accepted);
        end if;
        if batch.withdrawals is not null then
            perform remit.withdraw_approvals(batch, accepted);
        end if;
        if batch.outbox is not null then
            perform remit.insert_outbox(batch, accepted);
        end if;
        outcomes := outcomes || verdicts;
        released := released || releases;
        wake_sequences := wake_sequences || wakes;
    end loop;
    perform set_config('remit.tenant_id', '', true);
    answered_at := clock_timestamp();
end
$$;
