-- name: list_workers
select worker_id, version, started_at, heartbeat_at, lease_ends_at, tools
from remit.list_workers_v1()

-- name: now
select clock_timestamp() as now

-- name: list_suspect_tenants
select tenant_id from remit.suspect_tenants_v1($1)

-- name: list_suspects
-- Runs that are quarantined, owned, claimable, or that nobody will ever claim although something is there for them. What
-- rests is left out here: there may be a hundred thousand that wait for people.
select
    h.run_id, r.definition_name, r.definition_digest, h.status, h.waiting_for, h.sequence, h.epoch, h.worker_id,
    h.claimable_at, h.due_at, h.updated_at, h.quarantined_at,
    (
        select min(i.created_at) from remit.inbox i
        where i.tenant_id = h.tenant_id and i.run_id = h.run_id and i.consumed_sequence is null
    ) as unread_at,
    case when h.worker_id is null and h.waiting_for like 'approval of %' then (
        select min(a.decided_at) from remit.approvals a
        where a.tenant_id = h.tenant_id and a.run_id = h.run_id and a.status in ('approved', 'denied', 'expired')
            and not exists (
                select from remit.inbox i
                where i.tenant_id = a.tenant_id and i.run_id = a.run_id
                    and i.message_id = 'approval:' || a.approval_id and i.consumed_sequence is not null
            )
    ) end as decided_at,
    case when h.sequence >= 16 and (
        select sum(j.fact_count) = 0 from remit.journal j
        where j.tenant_id = h.tenant_id and j.run_id = h.run_id and j.sequence > h.sequence - 16
    ) then (
        select j.at from remit.journal j
        where j.tenant_id = h.tenant_id and j.run_id = h.run_id and j.fact_count > 0
        order by j.sequence desc limit 1
    ) end as idle_since
from remit.heads h
join remit.runs r on r.tenant_id = h.tenant_id and r.run_id = h.run_id
where h.tenant_id = $1 and h.finished_at is null and ($2::uuid[] is null or h.run_id = any ($2))
    and (
        h.quarantined_at is not null
        or h.worker_id is not null
        or h.claimable_at <= clock_timestamp()
        or h.wake_sequence > h.seen_wake_sequence
        or (
            h.claimable_at is null
            and (
                h.status in ('pending', 'running')
                or h.due_at is not null
                or h.waiting_for like 'approval of %' and not exists (
                    select from remit.approvals a
                    where a.tenant_id = h.tenant_id and a.run_id = h.run_id and a.status = 'pending'
                )
                or h.waiting_for like 'event %' and not exists (
                    select from remit.correlations c where c.tenant_id = h.tenant_id and c.run_id = h.run_id
                )
            )
        )
    )
order by h.updated_at
limit $3
