-- Creates runs, in the order of tenants given; answers in the order of submissions.
-- A submission key that was used before answers with that run and created = false. With a worker the new run is claimed.
-- No run id is minted for which there is no partition: that would fail every append of the run.
create function remit.submit_v1(batches remit.submission_batch_v1[])
returns table (run_id uuid, created boolean, epoch integer, salt bytea, created_at timestamptz, answered_at timestamptz)
language plpgsql as $$
declare
    batch remit.submission_batch_v1;
    submission remit.submission_v1;
    entry remit.entry_v1;
begin
    perform remit.require_partitions();
    foreach batch in array batches loop
        perform set_config('remit.tenant_id', batch.tenant_id, true);
        foreach submission in array batch.submissions loop
            run_id := coalesce(submission.run_id, remit.new_run_id());
            entry := submission.first_entry;
            created_at := clock_timestamp();
            insert into remit.runs as r (
                tenant_id, run_id, definition_digest, definition_name, principal_id, policy_digest, input,
                submission_key, trigger, created_at
            )
            values (
                batch.tenant_id, submit_v1.run_id, submission.definition_digest, submission.definition_name,
                submission.principal_id, submission.policy_digest, submission.input, submission.submission_key,
                submission.trigger, submit_v1.created_at
            )
            on conflict (tenant_id, definition_name, submission_key) where submission_key is not null do nothing;
            created := found;
            if created then
                epoch := case when submission.worker_id is null then 0 else 1 end;
                salt := coalesce(submission.salt, remit.new_salt());
                if entry.run_id is null then
                    insert into remit.heads (tenant_id, run_id, epoch, claimable_at, worker_id, updated_at)
                    values (
                        batch.tenant_id, submit_v1.run_id, submit_v1.epoch,
                        case when submission.worker_id is null then submit_v1.created_at end,
                        submission.worker_id, submit_v1.created_at
                    );
                else
                    perform remit.insert_first_entry(batch.tenant_id, submission.worker_id, entry);
                end if;
                insert into remit.run_salts (tenant_id, run_id, salt)
                values (batch.tenant_id, submit_v1.run_id, submit_v1.salt);
            else
                select r.run_id, r.created_at, h.epoch, coalesce(s.salt, '')
                into submit_v1.run_id, submit_v1.created_at, submit_v1.epoch, submit_v1.salt
                from remit.runs r
                join remit.heads h on h.tenant_id = r.tenant_id and h.run_id = r.run_id
                left join remit.run_salts s on s.tenant_id = r.tenant_id and s.run_id = r.run_id
                where r.tenant_id = batch.tenant_id
                    and r.definition_name = submission.definition_name
                    and r.submission_key = submission.submission_key;
            end if;
            answered_at := clock_timestamp();
            return next;
        end loop;
    end loop;
    perform set_config('remit.tenant_id', '', true);
end
$$;

-- Inserts a new run's head as it stands after its first entry, and that entry.
create function remit.insert_first_entry(tenant text, worker uuid, entry remit.entry_v1) returns void
language plpgsql as $$
begin
    if entry.sequence <> 1 or entry.disposition <> 'keep' or entry.payload is null then
        raise exception using errcode = 'RM002', message = 'expected a first entry that keeps the claim, with its payload';
    end if;
    insert into remit.heads (tenant_id, run_id, epoch, sequence, hash, status, worker_id, updated_at)
    values (tenant, entry.run_id, entry.epoch, entry.sequence, entry.hash, entry.status, worker, entry.at);
    insert into remit.journal (tenant_id, run_id, sequence, epoch, at, fact_count, hash, commitment, kinds)
    values (
        tenant, entry.run_id, entry.sequence, entry.epoch, entry.at, entry.fact_count, entry.hash, entry.commitment, entry.kinds
    );
    insert into remit.payloads (tenant_id, run_id, sequence, payload)
    values (tenant, entry.run_id, entry.sequence, entry.payload);
end
$$;

-- Returns 32 random bytes.
create function remit.new_salt() returns bytea
language sql volatile as $$
    select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
$$;

-- Mints run ids and salts ahead, so that a run and its first entry can be stored in one commit. Writes nothing.
create function remit.mint_v1(wanted integer) returns table (run_id uuid, salt bytea)
language sql volatile as $$
    select remit.new_run_id(), remit.new_salt() from generate_series(1, least(wanted, 1000))
$$;

-- Makes the partition of now if the sweeper did not do so in time; normally one look at a table of a few rows.
create function remit.require_partitions() returns void
language plpgsql as $$
begin
    if not exists (select from remit.run_partitions p where p.upper_at > clock_timestamp() + interval '1 day') then
        perform remit.make_partitions_v1(clock_timestamp() + interval '1 day');
    end if;
end
$$;
