-- name: find_key
select status, run_id, step, slot, outcome, receipt_id from remit.find_key_v1($1, $2)

-- name: take_rate
select remit.take_rate_v1($1, $2, $3) as wait_seconds

-- name: load_breaker
select remit.load_breaker_v1($1, $2)::text as state

-- name: save_breaker
select remit.save_breaker_v1($1, $2, $3::text::jsonb)
