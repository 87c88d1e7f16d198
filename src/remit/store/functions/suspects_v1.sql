-- What tells whether runs are stuck, across tenants: owned by remit_dispatch, answers ids only.

-- Returns the workers that are known, and until when each is taken to be alive; tools is null if it did not say.
create function remit.list_workers_v1()
returns table (
    worker_id uuid, version text, started_at timestamptz, heartbeat_at timestamptz, lease_ends_at timestamptz, tools text[]
)
language sql stable security definer set search_path = pg_catalog, remit, pg_temp as $$
    select
        w.worker_id, w.version, w.started_at, w.heartbeat_at,
        greatest(w.heartbeat_at, pg_postmaster_start_time()) + w.lease, w.tools
    from remit.workers w order by w.started_at, w.worker_id
$$;

-- Returns the tenants with a run that is quarantined, has news, was claimed very often, or is without an entry for longer than `patience` although
-- somebody owns it or could claim it. One walk through the runs that are not finished.
create function remit.suspect_tenants_v1(patience interval) returns table (tenant_id text)
language sql stable security definer set search_path = pg_catalog, remit, pg_temp set enable_seqscan = off as $$
    select distinct h.tenant_id from remit.heads h
    where h.finished_at is null
        and (
            h.quarantined_at is not null
            or h.wake_sequence > h.seen_wake_sequence
            or (h.epoch >= 16 and (h.worker_id is not null or h.claimable_at <= clock_timestamp()))
            or (
                h.updated_at <= clock_timestamp() - patience
                and (h.claimable_at is null or h.claimable_at <= clock_timestamp())
            )
        )
    order by h.tenant_id
$$;
