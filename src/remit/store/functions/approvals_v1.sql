-- Human decisions, by the database's clock. Lock order: the run's head, then its approvals, then the decider.

-- Tells a run what became of a request. The caller holds the head's lock.
create function remit.tell_decision(tenant text, approval remit.approvals, outcome text, deciders text, why text)
returns void language plpgsql as $$
begin
    perform remit.wake_run(tenant, approval.run_id);
    insert into remit.inbox (tenant_id, run_id, kind, message_id, body)
    values (
        tenant, approval.run_id, 'approval', 'approval:' || approval.approval_id,
        convert_to(
            json_build_object(
                'approval_id', approval.approval_id, 'decision', outcome, 'decided_by', deciders,
                'reason', why, 'digest', approval.digest
            )::text,
            'UTF8'
        )
    );
end
$$;

-- Records one person's word. Answers decided, recorded (more must agree), or why not: missing, not_human, not_approver,
-- requester, repeated, changed (other bytes than the person saw), expired, closed.
create function remit.decide_approval_v1(
    tenant text, approval text, word text, decider text, seen_digest text, why text
) returns text
language plpgsql set enable_seqscan = off as $$
declare
    answer text;
begin
    perform set_config('remit.tenant_id', tenant, true);
    answer := remit.decide_approval(tenant, approval, word, decider, seen_digest, why);
    perform set_config('remit.tenant_id', '', true);
    return answer;
end
$$;

create function remit.decide_approval(
    tenant text, approval text, word text, decider text, seen_digest text, why text
) returns text
language plpgsql as $$
declare
    request remit.approvals;
    person remit.principals;
    deciders text[];
begin
    select * into request from remit.approvals a where a.tenant_id = tenant and a.approval_id = approval;
    if not found then
        return 'missing';
    end if;
    perform from remit.heads h where h.tenant_id = tenant and h.run_id = request.run_id for no key update;
    select * into request from remit.approvals a
    where a.tenant_id = tenant and a.approval_id = approval for no key update;
    select * into person from remit.principals p
    where p.tenant_id = tenant and p.principal_id = decider for share;
    if person.kind is distinct from 'human' or not person.active then
        return 'not_human';
    elsif not 'approver' = any (person.roles) then
        return 'not_approver';
    elsif request.requested_by = decider then
        return 'requester';
    elsif request.status <> 'pending' then
        return 'closed';
    elsif request.expires_at <= clock_timestamp() then
        return 'expired';
    elsif request.digest <> seen_digest then
        return 'changed';
    end if;

    insert into remit.approval_decisions (tenant_id, approval_id, principal_id, decision, digest, reason)
    values (tenant, approval, decider, word, seen_digest, why)
    on conflict (tenant_id, approval_id, principal_id) do nothing;
    if not found then
        return 'repeated';
    end if;
    select array_agg(d.principal_id order by d.decided_at) into deciders
    from remit.approval_decisions d
    where d.tenant_id = tenant and d.approval_id = approval and d.decision = word;
    if word = 'approve' and cardinality(deciders) < request.approvers_required then
        return 'recorded';
    end if;

    update remit.approvals a
    set status = case word when 'approve' then 'approved' else 'denied' end,
        decided_at = clock_timestamp(), decision_reason = why
    where a.tenant_id = tenant and a.approval_id = approval
        and a.status = 'pending' and a.expires_at > clock_timestamp() and a.digest = seen_digest
    returning * into request;
    if not found then
        -- Its time ran out while we waited: the word just recorded must not stand.
        raise exception using errcode = 'RM004', message = 'the request expired while it was being decided';
    end if;
    perform remit.tell_decision(tenant, request, request.status, array_to_string(deciders, ','), why);
    return 'decided';
end
$$;

-- Expires a run's requests that are past their time, and tells the run; answers how many.
create function remit.expire_approvals_v1(tenant text, run uuid) returns integer
language plpgsql set enable_seqscan = off as $$
declare
    request remit.approvals;
    expired integer := 0;
begin
    perform set_config('remit.tenant_id', tenant, true);
    perform from remit.heads h where h.tenant_id = tenant and h.run_id = run for no key update;
    for request in
        update remit.approvals a
        set status = 'expired', decided_at = clock_timestamp()
        where a.tenant_id = tenant and a.run_id = run and a.status = 'pending' and a.expires_at <= clock_timestamp()
        returning *
    loop
        perform remit.tell_decision(tenant, request, 'expired', null, '');
        expired := expired + 1;
    end loop;
    perform set_config('remit.tenant_id', '', true);
    return expired;
end
$$;
