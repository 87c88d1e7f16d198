-- Records that cross the wire as arrays; a record never changes, its next version gets a new name.

-- A run and the claim that is meant.
create type remit.run_ref_v1 as (tenant_id text, run_id uuid, epoch integer);

-- What a run's owner reads.
create type remit.stored_entry_v1 as (
    sequence integer,
    epoch integer,
    at timestamptz,
    hash bytea,
    commitment bytea,
    fact_count integer,
    kinds text,
    payload bytea,
    format_version smallint
);
create type remit.stored_message_v1 as (
    inbox_id bigint,
    kind text,
    message_id text,
    body bytea,
    created_at timestamptz
);

-- Appends: one batch per tenant.
create type remit.entry_v1 as (
    run_id uuid,
    epoch integer,
    sequence integer,
    at timestamptz,
    hash bytea,
    commitment bytea,
    fact_count integer,
    kinds text,
    payload bytea,
    status text,
    disposition text,
    wake_sequence integer,
    due_at timestamptz,
    waiting_for text
);
-- Submissions: one batch per tenant. Of a run that is claimed at once, run_id and salt were minted before and first_entry is
-- its journal's first; else all three are null.
create type remit.submission_v1 as (
    definition_digest text,
    definition_name text,
    principal_id text,
    policy_digest text,
    input bytea,
    submission_key text,
    trigger text,
    worker_id uuid,
    run_id uuid,
    salt bytea,
    first_entry remit.entry_v1
);
create type remit.submission_batch_v1 as (tenant_id text, submissions remit.submission_v1[]);

-- In the types below, entry is the position (from 1) of the entry that a row belongs to.
create type remit.step_v1 as (
    entry integer,
    ordinal integer,
    attempt integer,
    tokens integer,
    cost_usd_micros bigint,
    started_at timestamptz,
    finished_at timestamptz,
    step text,
    status text,
    tool text,
    reason text
);
create type remit.receipt_v1 as (
    entry integer,
    receipt_id text,
    step text,
    slot integer,
    attempt integer,
    tool text,
    tool_version text,
    side_effect_level text,
    delivery_class text,
    idempotency_key text,
    arguments_digest text,
    result_digest text,
    external_key text,
    external_reference text,
    amount_minor bigint,
    currency text,
    approval_id text
);
create type remit.approval_v1 as (
    entry integer,
    approval_id text,
    step text,
    slot integer,
    tool text,
    tool_version text,
    rule_id text,
    reason text,
    digest text,
    nonce text,
    arguments bytea,
    endpoint text,
    credential text,
    policy_digest text,
    requested_by text,
    approvers_required integer,
    expires_at timestamptz
);
create type remit.withdrawal_v1 as (entry integer, approval_id text);
create type remit.key_change_v1 as (
    entry integer,
    action text,
    key text,
    step text,
    slot integer,
    outcome bytea,
    receipt_id text,
    window_seconds integer
);
create type remit.correlation_v1 as (entry integer, action text, step text, name text, correlation text);
create type remit.result_v1 as (entry integer, state_hash text, output bytea, error bytea);
create type remit.consumption_v1 as (entry integer, inbox_id bigint);
create type remit.outbox_row_v1 as (
    entry integer,
    message_id text,
    step text,
    topic text,
    destinations text[],
    body bytea
);
-- Everything of one tenant, entries in the order of run ids, keys in the order of keys; null for what there is none of.
create type remit.batch_v1 as (
    tenant_id text,
    entries remit.entry_v1[],
    steps remit.step_v1[],
    receipts remit.receipt_v1[],
    approvals remit.approval_v1[],
    withdrawals remit.withdrawal_v1[],
    keys remit.key_change_v1[],
    correlations remit.correlation_v1[],
    results remit.result_v1[],
    consumptions remit.consumption_v1[],
    outbox remit.outbox_row_v1[]
);

-- Messages to subscribers. A destination is a subscription of one tenant; leased_until tells an attempt from the next.
create type remit.outbox_place_v1 as (tenant_id text, destination text);
create type remit.outbox_ref_v1 as (tenant_id text, message_id text, destination text, leased_until timestamptz);
create type remit.outbox_message_v1 as (
    tenant_id text,
    message_id text,
    destination text,
    leased_until timestamptz,
    topic text,
    body bytea,
    attempt_count integer,
    queued_at timestamptz
);
create type remit.outbox_settlement_v1 as (
    tenant_id text,
    message_id text,
    destination text,
    leased_until timestamptz,
    status text,
    retry_after interval,
    reason text,
    is_attempt boolean
);
