-- Tables of the first version: everything lives in the schema remit, which the migration's runner has made.
-- Roles: the runner owns all objects; remit_app is who the kernel connects as; remit_dispatch (NOLOGIN) owns the
-- functions that work across tenants. Every tenant table has tenant_id first in its keys and forced row-level security.
-- The insert-only tables of the hot path have no foreign keys: append_v1 is their only writer, under the head's lock.

grant usage on schema remit to remit_app, remit_dispatch;

-- Context ---------------------------------------------------------------------------------------------------------------

-- Raises RM001: a forgotten context fails closed.
create function remit.refuse_tenantless() returns text
language plpgsql stable parallel safe as $$
begin
    raise exception using errcode = 'RM001', message = 'expected a tenant context, got none';
end
$$;

-- Returns the tenant of this transaction. One expression, so that the planner puts it into policies as it stands.
create function remit.tenant_id() returns text
language sql stable parallel safe as $$
    select coalesce(nullif(current_setting('remit.tenant_id', true), ''), remit.refuse_tenantless())
$$;

-- Mints a UUIDv7: 48 bits of milliseconds, 12 bits of their fraction, 62 random bits.
do $$
begin
    if current_setting('server_version_num')::integer >= 180000 then
        create function remit.new_run_id() returns uuid language sql volatile as 'select uuidv7()';
    else
        create function remit.new_run_id() returns uuid language sql volatile as $body$
            select encode(
                overlay(
                    uuid_send(gen_random_uuid())
                    placing int8send(((t.micros / 1000) << 16) | 28672 | (((t.micros % 1000) * 4096) / 1000))
                    from 1 for 8
                ),
                'hex'
            )::uuid
            from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros) t
        $body$;
    end if;
end
$$;

-- Returns the smallest run id of an instant; the bounds of partitions are made of these.
create function remit.run_id_floor(at timestamptz) returns uuid
language sql immutable strict as $$
    select rpad(lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Returns the instant inside a run id, to the millisecond.
create function remit.run_id_instant(run uuid) returns timestamptz
language sql immutable strict as $$
    select to_timestamp(('x' || left(replace(run::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;

-- Value sets -------------------------------------------------------------------------------------------------------------

-- The sets of core/states.py, said a second time; a test compares both. On the hot path they are domains and not checks
-- of the table: the server parses a table's checks again for every statement, and a domain's once per connection.
create domain remit.run_status as text constraint run_status_check check (
    value in ('pending', 'running', 'waiting', 'checkpoint', 'completed', 'failed', 'aborted', 'cancelled')
);
create domain remit.step_status as text constraint step_status_check check (
    value in ('pending', 'ready', 'running', 'waiting', 'completed', 'failed', 'skipped', 'unknown', 'compensated')
);
create domain remit.side_effect_level as text constraint side_effect_level_check check (
    value in ('READ', 'SOFT_WRITE', 'HARD_WRITE', 'FINANCIAL')
);
create domain remit.delivery_class as text constraint delivery_class_check check (
    value in ('pure', 'local', 'keyed', 'queryable', 'opaque')
);
create domain remit.chain_hash as bytea constraint chain_hash_check check (length(value) = 32);

-- Directory -------------------------------------------------------------------------------------------------------------

create table remit.tenants (
    tenant_id text collate "C" primary key,
    display_name text not null,
    policy_digest text,
    paused boolean not null default false,
    created_at timestamptz not null default clock_timestamp(),
    constraint tenants_tenant_id_check check (tenant_id ~ '^[a-z][a-z0-9_-]{0,39}$')
);

create table remit.principals (
    tenant_id text collate "C" not null references remit.tenants,
    principal_id text collate "C" not null,
    kind text not null,
    roles text[] not null default '{}',
    active boolean not null default true,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, principal_id),
    constraint principals_principal_id_check check (length(principal_id) between 1 and 200),
    constraint principals_kind_check check (kind in ('human', 'agent', 'service')),
    constraint principals_roles_check check (roles <@ array['operator', 'approver', 'admin'])
);

create table remit.api_keys (
    tenant_id text collate "C" not null,
    key_sha256 bytea not null,
    principal_id text collate "C" not null,
    created_at timestamptz not null default clock_timestamp(),
    revoked_at timestamptz,
    primary key (tenant_id, key_sha256),
    foreign key (tenant_id, principal_id) references remit.principals,
    constraint api_keys_key_sha256_check check (length(key_sha256) = 32)
);
create index api_keys_key_sha256_idx on remit.api_keys (key_sha256);

create table remit.definitions (
    tenant_id text collate "C" not null references remit.tenants,
    digest text collate "C" not null,
    name text not null,
    version text not null,
    body bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    activated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, digest)
);
create index definitions_tenant_id_name_activated_at_idx on remit.definitions (tenant_id, name, activated_at desc);

create table remit.policies (
    tenant_id text collate "C" not null references remit.tenants,
    digest text collate "C" not null,
    body bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, digest)
);

create table remit.webhook_endpoints (
    tenant_id text collate "C" not null,
    endpoint_id text collate "C" not null,
    source text not null,
    secret_name text not null,
    principal_id text collate "C" not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, endpoint_id),
    unique (tenant_id, source, secret_name),
    foreign key (tenant_id, principal_id) references remit.principals
);
create index webhook_endpoints_endpoint_id_idx on remit.webhook_endpoints (endpoint_id);

-- Workers belong to no tenant. tools are the names of those that a worker has; null if it did not say.
create table remit.workers (
    worker_id uuid primary key,
    version text not null,
    lease interval not null,
    started_at timestamptz not null default clock_timestamp(),
    heartbeat_at timestamptz not null default clock_timestamp(),
    claim_request text,
    tools text[],
    constraint workers_lease_check check (lease >= interval '0')
) with (fillfactor = 50);

-- Runs ------------------------------------------------------------------------------------------------------------------

-- What a run was asked to be; never changes.
create table remit.runs (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    definition_digest text collate "C" not null,
    definition_name text not null,
    principal_id text collate "C" not null,
    policy_digest text collate "C" not null,
    input bytea not null,
    submission_key text collate "C",
    trigger text,
    created_at timestamptz not null,
    primary key (tenant_id, run_id),
    foreign key (tenant_id, definition_digest) references remit.definitions,
    foreign key (tenant_id, principal_id) references remit.principals
);
create unique index runs_submission_key_idx on remit.runs (tenant_id, definition_name, submission_key)
    where submission_key is not null;
create index runs_definition_name_idx on remit.runs (tenant_id, definition_name, run_id);

-- Where a run stands. Narrow, half empty pages, and no index on what a step changes: each step is one HOT update.
-- claimable_at is null while the run is claimed, finished, quarantined, or waits without a deadline.
create table remit.heads (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    epoch integer not null default 0,
    sequence integer not null default 0,
    hash bytea not null default '',
    status remit.run_status not null default 'pending',
    waiting_for text,
    wake_sequence integer not null default 0,
    seen_wake_sequence integer not null default 0,
    due_at timestamptz,
    claimable_at timestamptz,
    worker_id uuid,
    claim_request text,
    updated_at timestamptz not null,
    finished_at timestamptz,
    quarantined_at timestamptz,
    primary key (tenant_id, run_id),
    foreign key (tenant_id, run_id) references remit.runs
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
create index heads_claimable_at_idx on remit.heads (claimable_at) where claimable_at is not null;
create index heads_worker_id_idx on remit.heads (worker_id) where worker_id is not null;
create index heads_live_idx on remit.heads (tenant_id, run_id) where finished_at is null;

-- How a run ended.
create table remit.run_results (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    status text not null,
    state_hash text,
    output bytea,
    error bytea,
    finished_at timestamptz not null,
    primary key (tenant_id, run_id),
    foreign key (tenant_id, run_id) references remit.runs,
    constraint run_results_status_check check (status in ('completed', 'failed', 'aborted', 'cancelled'))
);
create index run_results_unsuccessful_idx on remit.run_results (tenant_id, status, run_id) where status <> 'completed';

-- Secret of a run's commitments; deleting it together with the payloads erases the run's content.
create table remit.run_salts (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    salt bytea not null,
    primary key (tenant_id, run_id),
    foreign key (tenant_id, run_id) references remit.runs,
    constraint run_salts_salt_check check (length(salt) >= 16)
);

-- Runs that the database refused to store for their own data; nobody claims them until an operator lets them go.
create table remit.quarantines (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    sequence integer not null,
    reason text not null,
    quarantined_at timestamptz not null default clock_timestamp(),
    released_at timestamptz,
    primary key (tenant_id, run_id, quarantined_at),
    foreign key (tenant_id, run_id) references remit.runs
);

-- Journal ---------------------------------------------------------------------------------------------------------------

-- One row per append of one run: the chain's header and hashes.
create table remit.journal (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    sequence integer not null,
    epoch integer not null,
    at timestamptz not null,
    fact_count integer not null,
    format_version smallint not null default 1,
    hash remit.chain_hash not null,
    commitment remit.chain_hash not null,
    kinds text not null,
    primary key (tenant_id, run_id, sequence)
) partition by range (run_id);

-- The facts of an entry, written with it.
create table remit.payloads (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    sequence integer not null,
    payload bytea not null,
    primary key (tenant_id, run_id, sequence)
) partition by range (run_id);

-- The facts of an entry that were too large to travel with it: stored before, under their commitment, so that what a
-- fenced or corrected writer leaves behind is never taken for another entry's.
create table remit.large_payloads (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    sequence integer not null,
    commitment bytea not null,
    payload bytea not null,
    primary key (tenant_id, run_id, sequence, commitment)
) partition by range (run_id);

-- One row per finished attempt, for people to query.
create table remit.steps (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    sequence integer not null,
    ordinal integer not null,
    attempt integer not null,
    tokens integer not null,
    cost_usd_micros bigint not null,
    started_at timestamptz not null,
    finished_at timestamptz not null,
    step text not null,
    status remit.step_status not null,
    tool text,
    reason text,
    primary key (tenant_id, run_id, sequence, ordinal)
) partition by range (run_id);

-- Proof of effects; kept longer than the journal, so not partitioned with it.
create table remit.receipts (
    tenant_id text collate "C" not null,
    receipt_id text collate "C" not null,
    run_id uuid not null,
    sequence integer not null,
    created_at timestamptz not null,
    step text not null,
    slot integer not null,
    attempt integer not null,
    tool text not null,
    tool_version text not null,
    side_effect_level remit.side_effect_level not null,
    delivery_class remit.delivery_class not null,
    idempotency_key text not null,
    arguments_digest text not null,
    result_digest text not null,
    external_key text,
    external_reference text,
    amount_minor bigint,
    currency text,
    approval_id text,
    primary key (tenant_id, receipt_id)
);
create index receipts_run_id_idx on remit.receipts (tenant_id, run_id);

-- What was recorded stays as it was, for the owner too: these tables are inserted into and dropped, never changed.
create function remit.refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception using
        errcode = 'RM005', message = format('expected only inserts into %s, got %s', tg_table_name, lower(tg_op));
end
$$;
create trigger journal_immutable before update or delete on remit.journal
    for each row execute function remit.refuse_change();
create trigger journal_untruncated before truncate on remit.journal
    for each statement execute function remit.refuse_change();
create trigger steps_immutable before update or delete on remit.steps
    for each row execute function remit.refuse_change();
create trigger steps_untruncated before truncate on remit.steps
    for each statement execute function remit.refuse_change();
create trigger receipts_immutable before update or delete on remit.receipts
    for each row execute function remit.refuse_change();
create trigger receipts_untruncated before truncate on remit.receipts
    for each statement execute function remit.refuse_change();

-- Partitions made so far: half-open ranges of instants of run ids, without gaps.
create table remit.run_partitions (
    name text primary key,
    lower_at timestamptz not null,
    upper_at timestamptz not null unique,
    created_at timestamptz not null default clock_timestamp()
);

-- Waiting ---------------------------------------------------------------------------------------------------------------

create table remit.approvals (
    tenant_id text collate "C" not null,
    approval_id text collate "C" not null,
    run_id uuid not null,
    step text not null,
    slot integer not null,
    tool text not null,
    tool_version text not null,
    rule_id text not null,
    reason text not null,
    digest text not null,
    nonce text not null,
    arguments bytea not null,
    endpoint text not null,
    credential text not null,
    policy_digest text not null,
    requested_by text collate "C" not null,
    approvers_required integer not null,
    status text not null default 'pending',
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    decided_at timestamptz,
    decision_reason text,
    primary key (tenant_id, approval_id),
    foreign key (tenant_id, run_id) references remit.runs,
    constraint approvals_status_check check (status in ('pending', 'approved', 'denied', 'expired', 'withdrawn')),
    constraint approvals_approvers_required_check check (approvers_required >= 1),
    constraint approvals_decided_at_check check ((status = 'pending') = (decided_at is null))
);
create index approvals_status_idx on remit.approvals (tenant_id, status, created_at);
create index approvals_run_id_idx on remit.approvals (tenant_id, run_id) where status = 'pending';

-- Who said what, about which bytes; insert-only (see the trigger below).
create table remit.approval_decisions (
    tenant_id text collate "C" not null,
    approval_id text collate "C" not null,
    principal_id text collate "C" not null,
    decision text not null,
    digest text not null,
    reason text not null,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, approval_id, principal_id),
    foreign key (tenant_id, approval_id) references remit.approvals,
    foreign key (tenant_id, principal_id) references remit.principals,
    constraint approval_decisions_decision_check check (decision in ('approve', 'deny'))
);

create trigger approval_decisions_immutable before update or delete on remit.approval_decisions
    for each row execute function remit.refuse_change();
create trigger approval_decisions_untruncated before truncate on remit.approval_decisions
    for each statement execute function remit.refuse_change();

create table remit.inbound_events (
    tenant_id text collate "C" not null references remit.tenants,
    inbound_id bigint generated always as identity,
    source text collate "C" not null,
    event_key text collate "C" not null,
    name text collate "C" not null,
    occurred_at timestamptz,
    received_at timestamptz not null default clock_timestamp(),
    body bytea not null,
    raw_sha256 text not null,
    correlations text[] not null,
    status text not null,
    conflict_count integer not null default 0,
    primary key (tenant_id, inbound_id),
    unique (tenant_id, source, event_key),
    constraint inbound_events_status_check check (status in ('held', 'delivered'))
);

-- Where a held event can be found by a run that starts waiting later; '' stands for each event of its name.
create table remit.held_correlations (
    tenant_id text collate "C" not null,
    name text collate "C" not null,
    correlation text collate "C" not null,
    inbound_id bigint not null,
    primary key (tenant_id, name, correlation, inbound_id),
    foreign key (tenant_id, inbound_id) references remit.inbound_events on delete cascade
);

-- What waiting runs want to be found by; '' stands for any event of that name.
create table remit.correlations (
    tenant_id text collate "C" not null,
    run_id uuid not null,
    step text collate "C" not null,
    name text collate "C" not null,
    correlation text collate "C" not null,
    primary key (tenant_id, run_id, step),
    foreign key (tenant_id, run_id) references remit.runs
);
create index correlations_name_correlation_idx on remit.correlations (tenant_id, name, correlation);

-- Messages for runs. A producer locks the head and raises its wake sequence before it inserts.
create table remit.inbox (
    tenant_id text collate "C" not null,
    inbox_id bigint generated always as identity,
    run_id uuid not null,
    kind text not null,
    message_id text collate "C" not null,
    body bytea not null,
    inbound_id bigint,
    consumed_sequence integer,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, inbox_id),
    unique (tenant_id, run_id, message_id),
    foreign key (tenant_id, run_id) references remit.runs,
    foreign key (tenant_id, inbound_id) references remit.inbound_events,
    constraint inbox_kind_check check (kind in ('signal', 'cancel', 'settle', 'event', 'approval'))
);
create index inbox_unread_idx on remit.inbox (tenant_id, run_id, inbox_id) where consumed_sequence is null;
create index inbox_inbound_id_idx on remit.inbox (tenant_id, inbound_id) where inbound_id is not null;

-- Outbox ----------------------------------------------------------------------------------------------------------------

-- What steps publish: a row for each message and subscriber, inserted with the entry whose facts it follows from.
-- next_attempt_at is when a relay may take it; while an attempt is under way (worker_id is set) it is the end of its lease.
-- queued_at is when the attempts began: with the message, or when a person asked for them again.
create table remit.outbox (
    tenant_id text collate "C" not null,
    message_id text collate "C" not null,
    destination text collate "C" not null,
    run_id uuid not null,
    step text not null,
    topic text not null,
    body bytea not null,
    status text not null default 'pending',
    attempt_count integer not null default 0,
    next_attempt_at timestamptz not null default clock_timestamp(),
    worker_id uuid,
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    queued_at timestamptz not null default clock_timestamp(),
    settled_at timestamptz,
    primary key (tenant_id, message_id, destination),
    constraint outbox_status_check check (status in ('pending', 'delivered', 'dead')),
    constraint outbox_settled_at_check check ((status = 'pending') = (settled_at is null))
) with (fillfactor = 70);
create index outbox_due_idx on remit.outbox (next_attempt_at) where status = 'pending';
create index outbox_destination_idx on remit.outbox (tenant_id, destination, next_attempt_at) where status = 'pending';
create index outbox_leased_idx on remit.outbox (tenant_id, destination)
    where status = 'pending' and worker_id is not null;
create index outbox_created_at_idx on remit.outbox (tenant_id, created_at desc);
create index outbox_status_idx on remit.outbox (tenant_id, status, created_at desc);

-- Reservations ----------------------------------------------------------------------------------------------------------

create table remit.idempotency_keys (
    tenant_id text collate "C" not null,
    key text collate "C" not null,
    status text not null,
    run_id uuid not null,
    step text not null,
    slot integer not null,
    outcome bytea,
    receipt_id text,
    expires_at timestamptz,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, key),
    constraint idempotency_keys_status_check check (
        status in ('reserved', 'succeeded', 'unknown', 'released', 'tombstone')
    )
);

create table remit.breakers (
    tenant_id text collate "C" not null references remit.tenants,
    dependency text collate "C" not null,
    state jsonb not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, dependency)
);

-- next_at is when the allowance will be whole again if nobody takes from it.
create table remit.rates (
    tenant_id text collate "C" not null references remit.tenants,
    name text collate "C" not null,
    next_at timestamptz not null,
    primary key (tenant_id, name)
) with (fillfactor = 50);
