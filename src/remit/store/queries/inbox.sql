-- name: deliver
select remit.deliver_v1($1, $2, $3, $4, $5) as answer

-- name: receive_event
select verdict, inbound, delivered_to, is_held from remit.receive_event_v1($1, $2, $3, $4, $5, $6, $7, $8)

-- name: mark_event_started
select remit.mark_event_started_v1($1, $2)
