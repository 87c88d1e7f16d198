-- Who may touch what. Run after all tables and functions of the version are there.

-- Row-level security on every tenant table, forced, so that it holds for the owner too.
do $$
declare
    table_name text;
begin
    for table_name in
        select c.relname from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p')
        order by c.relname
    loop
        execute format('alter table remit.%I enable row level security', table_name);
        execute format('alter table remit.%I force row level security', table_name);
        execute format(
            'create policy tenant on remit.%I to remit_app, %I '
            'using (tenant_id = (select remit.tenant_id())) with check (tenant_id = (select remit.tenant_id()))',
            table_name, current_user
        );
    end loop;
end
$$;

-- The dispatch role sees keys and claims of heads and of the outbox, and which tenant an API key or endpoint belongs to;
-- nothing else.
create policy dispatch on remit.heads to remit_dispatch using (true) with check (true);
create policy dispatch on remit.outbox to remit_dispatch using (true) with check (true);
create policy dispatch on remit.api_keys for select to remit_dispatch using (true);
create policy dispatch on remit.webhook_endpoints for select to remit_dispatch using (true);
create policy dispatch on remit.tenants for select to remit_dispatch using (true);
grant select (
    tenant_id, run_id, epoch, wake_sequence, seen_wake_sequence, due_at, claimable_at, worker_id, claim_request,
    finished_at, quarantined_at, updated_at
) on remit.heads to remit_dispatch;
grant update (epoch, claimable_at, worker_id, claim_request) on remit.heads to remit_dispatch;
grant select (tenant_id, message_id, destination, status, attempt_count, next_attempt_at, worker_id) on remit.outbox
    to remit_dispatch;
grant update (status, attempt_count, next_attempt_at, worker_id, reason, settled_at) on remit.outbox to remit_dispatch;
grant select (tenant_id, key_sha256, principal_id, revoked_at) on remit.api_keys to remit_dispatch;
grant select (tenant_id, endpoint_id, created_at) on remit.webhook_endpoints to remit_dispatch;
grant select (tenant_id) on remit.tenants to remit_dispatch;
grant select, insert, update, delete on remit.workers to remit_dispatch;

-- The application: what is written once can be inserted and read, never changed.
grant select, insert on
    remit.runs, remit.run_results, remit.run_salts, remit.journal, remit.payloads, remit.large_payloads, remit.steps,
    remit.receipts, remit.approval_decisions, remit.policies
to remit_app;
grant select on remit.run_partitions, remit.schema_versions to remit_app;
grant select on remit.run_partitions to remit_dispatch;
grant select, insert, update on remit.heads to remit_app;
grant select, insert, update (display_name, policy_digest, paused) on remit.tenants to remit_app;
grant select, insert, update (kind, roles, active, updated_at) on remit.principals to remit_app;
grant select, insert, update (revoked_at) on remit.api_keys to remit_app;
grant select, insert, update (activated_at) on remit.definitions to remit_app;
grant select, insert, update (principal_id) on remit.webhook_endpoints to remit_app;
grant select, insert, update (status, decided_at, decision_reason) on remit.approvals to remit_app;
grant select, insert, update (status, conflict_count) on remit.inbound_events to remit_app;
grant select, insert, update (consumed_sequence) on remit.inbox to remit_app;
grant select, insert, update (status, attempt_count, next_attempt_at, worker_id, queued_at, settled_at) on remit.outbox
    to remit_app;
grant select, insert, delete on remit.held_correlations, remit.correlations to remit_app;
grant select, insert, update on remit.idempotency_keys, remit.breakers, remit.rates to remit_app;
grant select, insert, update (released_at) on remit.quarantines to remit_app;

-- Functions are for the application only. This comes before some of them are handed over: afterwards it would do nothing.
revoke all on all functions in schema remit from public;
grant execute on all functions in schema remit to remit_app;
grant execute on function remit.make_partitions_v1(timestamptz) to remit_dispatch;

-- Functions of the dispatch role: created by the owner, then handed over.
grant create on schema remit to remit_dispatch;
do $$
declare
    function_name regprocedure;
begin
    for function_name in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'remit'::regnamespace and p.prosecdef and p.proname <> 'make_partitions_v1'
    loop
        execute format('alter function %s owner to remit_dispatch', function_name);
    end loop;
end
$$;
revoke create on schema remit from remit_dispatch;

select remit.make_partitions_v1(clock_timestamp() + interval '3 months');
