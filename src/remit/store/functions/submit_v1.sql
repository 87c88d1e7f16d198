-- Creates runs, in the order of tenants given; answers in the order of submissions.
-- A submission key that was used before answers with that run and created = false. With a worker the new run is claimed.
-- No run id is minted for which there is no partition: that would fail every append of the run.
create function remit.submit_v1(batches remit.submission_batch_v1[])
returns table (run_id uuid, created boolean, epoch integer, salt bytea, created_at timestamptz, answered_at timestamptz)
language plpgsql as $$
declare
    batch remit.submission_batch_v1;
    submission remit.submission_v1;
begin
    perform remit.require_partitions();
    foreach batch in array batches loop
        perform set_config('remit.tenant_id', batch.tenant_id, true);
        foreach submission in array batch.submissions loop
            run_id := remit.new_run_id();
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
                salt := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
                insert into remit.heads (tenant_id, run_id, epoch, claimable_at, worker_id, updated_at)
                values (
                    batch.tenant_id, submit_v1.run_id, submit_v1.epoch,
                    case when submission.worker_id is null then submit_v1.created_at end,
                    submission.worker_id, submit_v1.created_at
                );
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

-- Makes the partition of now if the sweeper did not do so in time; normally one look at a table of a few rows.
create function remit.require_partitions() returns void
language plpgsql as $$
begin
    if not exists (select from remit.run_partitions p where p.upper_at > clock_timestamp() + interval '1 day') then
        perform remit.make_partitions_v1(clock_timestamp() + interval '1 day');
    end if;
end
$$;
