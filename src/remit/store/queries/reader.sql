-- name: find_by_range
-- By prefix: all ids between two bounds.
select run_id from remit.runs where tenant_id = $1 and run_id between $2 and $3 limit 2

-- name: find_by_end
select run_id from remit.runs where tenant_id = $1 and right(run_id::text, length($2)) = $2 limit 2

-- name: get_run
select
    r.run_id, r.tenant_id, r.definition_name, r.definition_digest, h.status, h.waiting_for, r.principal_id, r.created_at,
    h.updated_at, h.sequence, h.epoch, e.state_hash, r.trigger, e.output, e.error,
    case when h.quarantined_at is not null then (
        select q.reason from remit.quarantines q
        where q.tenant_id = r.tenant_id and q.run_id = r.run_id and q.released_at is null
        order by q.quarantined_at desc limit 1
    ) end as quarantined
from remit.runs r
join remit.heads h on h.tenant_id = r.tenant_id and h.run_id = r.run_id
left join remit.run_results e on e.tenant_id = r.tenant_id and e.run_id = r.run_id
where r.tenant_id = $1 and r.run_id = $2

-- name: list_runs
-- Newest first.
select
    r.run_id, r.tenant_id, r.definition_name, r.definition_digest, h.status, h.waiting_for, r.principal_id, r.created_at,
    h.updated_at, h.sequence, h.epoch, e.state_hash, r.trigger, e.output, e.error,
    case when h.quarantined_at is not null then (
        select q.reason from remit.quarantines q
        where q.tenant_id = r.tenant_id and q.run_id = r.run_id and q.released_at is null
        order by q.quarantined_at desc limit 1
    ) end as quarantined
from remit.runs r
join remit.heads h on h.tenant_id = r.tenant_id and h.run_id = r.run_id
left join remit.run_results e on e.tenant_id = r.tenant_id and e.run_id = r.run_id
where r.tenant_id = $1 and ($2::text is null or r.definition_name = $2)
order by r.run_id desc
limit $3

-- name: list_live_runs
-- Newest first, of those that are not finished.
select
    r.run_id, r.tenant_id, r.definition_name, r.definition_digest, h.status, h.waiting_for, r.principal_id, r.created_at,
    h.updated_at, h.sequence, h.epoch, e.state_hash, r.trigger, e.output, e.error,
    case when h.quarantined_at is not null then (
        select q.reason from remit.quarantines q
        where q.tenant_id = r.tenant_id and q.run_id = r.run_id and q.released_at is null
        order by q.quarantined_at desc limit 1
    ) end as quarantined
from remit.runs r
join remit.heads h on h.tenant_id = r.tenant_id and h.run_id = r.run_id
left join remit.run_results e on e.tenant_id = r.tenant_id and e.run_id = r.run_id
where h.tenant_id = $1 and h.finished_at is null and ($2::text is null or r.definition_name = $2) and h.status = $4
order by h.run_id desc
limit $3

-- name: list_finished_runs
-- Newest first, of those that ended in one way.
select
    r.run_id, r.tenant_id, r.definition_name, r.definition_digest, h.status, h.waiting_for, r.principal_id, r.created_at,
    h.updated_at, h.sequence, h.epoch, e.state_hash, r.trigger, e.output, e.error,
    case when h.quarantined_at is not null then (
        select q.reason from remit.quarantines q
        where q.tenant_id = r.tenant_id and q.run_id = r.run_id and q.released_at is null
        order by q.quarantined_at desc limit 1
    ) end as quarantined
from remit.runs r
join remit.heads h on h.tenant_id = r.tenant_id and h.run_id = r.run_id
left join remit.run_results e on e.tenant_id = r.tenant_id and e.run_id = r.run_id
where e.tenant_id = $1 and ($2::text is null or r.definition_name = $2) and e.status = $4
order by e.run_id desc
limit $3

-- name: list_receipts
-- Oldest first.
select
    run_id, created_at, receipt_id, step, slot, attempt, tool, tool_version, side_effect_level, delivery_class,
    idempotency_key, arguments_digest, result_digest, external_key, external_reference, amount_minor, currency,
    approval_id
from remit.receipts
where tenant_id = $1 and ($2::uuid is null or run_id = $2)
order by created_at, receipt_id
limit $3

-- name: list_steps
select sequence, step, attempt, status, tool, started_at, finished_at, cost_usd_micros, tokens, reason
from remit.steps
where tenant_id = $1 and run_id = $2
order by sequence, ordinal

-- name: list_inbound
-- Newest first.
select
    e.inbound_id, e.source, e.name, e.event_key, e.status, e.received_at,
    array(
        select i.run_id from remit.inbox i where i.tenant_id = e.tenant_id and i.inbound_id = e.inbound_id
        order by i.inbox_id
    ) as run_ids
from remit.inbound_events e
where e.tenant_id = $1 and ($2::text is null or e.status = $2)
order by e.inbound_id desc
limit $3
