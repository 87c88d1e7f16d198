-- name: submit
select run_id, created, epoch, salt, created_at, answered_at from remit.submit_v1($1::remit.submission_batch_v1[])

-- name: mint
select run_id, salt from remit.mint_v1($1)

-- name: append
select outcomes, released, wake_sequences, answered_at from remit.append_v1($1::remit.batch_v1[])

-- name: load
-- One row per run, in the order given, and a last one that carries the clock alone.
select * from remit.load_v1($1::remit.run_ref_v1[])

-- name: load_inbox
select wake_sequence, messages from remit.load_inbox_v1($1, $2)

-- name: store_payload
select remit.store_payload_v1($1, $2, $3, $4, $5)

-- name: quarantine
select remit.quarantine_v1($1, $2, $3, $4, $5) as quarantined

-- name: release_quarantine
select remit.release_quarantine_v1($1, $2) as released

-- name: make_partitions
-- Up to the instant inside a run id.
select remit.make_partitions_v1(remit.run_id_instant($1::uuid))
