-- name: register_worker
select remit.register_worker_v1($1, $2, $3, $4) as now

-- name: claim
select claims, answered_at from remit.claim_v1($1, $2, $3)

-- name: heartbeat
select owned, woken, lease_seconds, server_started_at, outbox_due, answered_at from remit.heartbeat_v1($1)

-- name: release
select remit.release_v1($1, $2::remit.run_ref_v1[])

-- name: sweep
-- This connection's age counts: see sweep_v1.
select swept, answered_at
from remit.sweep_v1($1, (select a.backend_start from pg_stat_activity a where a.pid = pg_backend_pid()))

-- name: retire_worker
select remit.retire_worker_v1($1)

-- name: announce
notify remit_wake
