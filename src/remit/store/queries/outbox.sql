-- name: claim_outbox
select claims, next_due_at, answered_at from remit.claim_outbox_v1($1, $2, $3, $4, $5::remit.outbox_place_v1[])

-- name: load_outbox
select tenant_id, message_id, destination, leased_until, topic, body, attempt_count, queued_at
from remit.load_outbox_v1($1::remit.outbox_ref_v1[])

-- name: settle_outbox
select remit.settle_outbox_v1($1::remit.outbox_settlement_v1[]) as answers

-- name: list_outbox
-- One row for each message and subscriber, newest first.
select
    o.message_id, o.destination, o.run_id, o.step, o.topic, o.status, o.attempt_count, o.reason, o.created_at,
    o.next_attempt_at, o.settled_at,
    o.status = 'pending' and o.worker_id is not null and o.next_attempt_at > clock_timestamp() as is_under_way
from remit.outbox o
where o.tenant_id = $1
order by o.created_at desc, o.message_id, o.destination
limit $2

-- name: list_outbox_by_status
select
    o.message_id, o.destination, o.run_id, o.step, o.topic, o.status, o.attempt_count, o.reason, o.created_at,
    o.next_attempt_at, o.settled_at,
    o.status = 'pending' and o.worker_id is not null and o.next_attempt_at > clock_timestamp() as is_under_way
from remit.outbox o
where o.tenant_id = $1 and o.status = $3
order by o.created_at desc, o.message_id, o.destination
limit $2

-- name: find_outbox
-- Ids of messages that begin with a text.
select distinct o.message_id from remit.outbox o where o.tenant_id = $1 and starts_with(o.message_id, $2) limit 2

-- name: retry_outbox
-- Dead letters, and those that wait for another attempt, are due now, as if they were new. One under way is left alone.
update remit.outbox o
set status = 'pending', attempt_count = 0, next_attempt_at = clock_timestamp(), queued_at = clock_timestamp(),
    worker_id = null, settled_at = null
where o.tenant_id = $1
    and case when $2::text is null then o.status = 'dead' else o.message_id = $2 and o.status <> 'delivered' end
    and ($3::text is null or o.destination = $3)
    and (o.worker_id is null or o.next_attempt_at <= clock_timestamp())
returning o.message_id, o.destination
