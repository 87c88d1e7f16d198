-- name: decide
select remit.decide_approval_v1($1, $2, $3, $4, $5, $6) as answer

-- name: expire
select remit.expire_approvals_v1($1, $2) as expired

-- name: get
select
    a.approval_id, a.tenant_id, a.run_id, a.step, a.slot, a.tool, a.tool_version, a.rule_id, a.reason, a.digest,
    a.arguments, a.endpoint, a.credential, a.requested_by, a.approvers_required, a.status, a.created_at, a.expires_at,
    a.decided_at, a.decision_reason,
    array(
        select d.principal_id from remit.approval_decisions d
        where d.tenant_id = a.tenant_id and d.approval_id = a.approval_id
        order by d.decided_at
    ) as decided_by
from remit.approvals a
where a.tenant_id = $1 and a.approval_id = $2

-- name: find
-- By prefix; two rows say that it is not unique.
select
    a.approval_id, a.tenant_id, a.run_id, a.step, a.slot, a.tool, a.tool_version, a.rule_id, a.reason, a.digest,
    a.arguments, a.endpoint, a.credential, a.requested_by, a.approvers_required, a.status, a.created_at, a.expires_at,
    a.decided_at, a.decision_reason,
    array(
        select d.principal_id from remit.approval_decisions d
        where d.tenant_id = a.tenant_id and d.approval_id = a.approval_id
        order by d.decided_at
    ) as decided_by
from remit.approvals a
where a.tenant_id = $1 and starts_with(a.approval_id, $2)
limit 2

-- name: list
-- Oldest first.
select
    a.approval_id, a.tenant_id, a.run_id, a.step, a.slot, a.tool, a.tool_version, a.rule_id, a.reason, a.digest,
    a.arguments, a.endpoint, a.credential, a.requested_by, a.approvers_required, a.status, a.created_at, a.expires_at,
    a.decided_at, a.decision_reason,
    array(
        select d.principal_id from remit.approval_decisions d
        where d.tenant_id = a.tenant_id and d.approval_id = a.approval_id
        order by d.decided_at
    ) as decided_by
from remit.approvals a
where a.tenant_id = $1 and ($2::text is null or a.status = $2)
order by a.created_at, a.approval_id
limit $3
