"""Appends as the arrays that ``append_v1`` takes.

Owns: grouping by tenant, the order of locks (tenants, run ids, keys) and the order of each record's fields, which is
that of ``functions/records.sql``.
Does not know: connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from remit.ports.store import Append, Disposition

PAYLOAD_INLINE_BYTES_MAX: Final = 262_144
"""Larger payloads are stored on another connection first, so that they do not hold up everybody's append."""

Row = tuple[object, ...]
Batch = tuple[object, ...]


def encode_batches(appends: Sequence[Append]) -> tuple[list[Batch], list[int]]:
    """Return the batches of all tenants, and for each answer the position of the append that it is for."""
    order = sorted(range(len(appends)), key=lambda index: (appends[index].tenant_id, appends[index].run_id))
    batches: list[Batch] = []
    start = 0
    for position in range(1, len(order) + 1):
        is_end = position == len(order)
        if is_end or appends[order[position]].tenant_id != appends[order[start]].tenant_id:
            batches.append(_encode_batch([appends[index] for index in order[start:position]]))
            start = position
    return batches, order


def _encode_batch(appends: list[Append]) -> Batch:
    entries: list[Row] = []
    steps: list[Row] = []
    receipts: list[Row] = []
    approvals: list[Row] = []
    withdrawals: list[Row] = []
    keys: list[Row] = []
    correlations: list[Row] = []
    results: list[Row] = []
    consumptions: list[Row] = []
    outbox: list[Row] = []
    for number, append in enumerate(appends, 1):
        entries.append(encode_entry(append))
        if append.steps:
            steps += _encode_steps(number, append)
        if append.receipts:
            receipts += _encode_receipts(number, append)
        if append.approvals:
            approvals += _encode_approvals(number, append)
        if append.withdrawn:
            withdrawals += [(number, approval_id) for approval_id in append.withdrawn]
        if append.keys:
            keys += _encode_keys(number, append)
        if append.correlations:
            correlations += [(number, c.action, c.step, c.name, c.correlation) for c in append.correlations]
        if append.disposition is Disposition.FINISH:
            results.append((number, append.state_hash, append.output, append.error))
        if append.consumed:
            consumptions += [(number, inbox_id) for inbox_id in append.consumed]
        outbox += [(number, o.message_id, o.step, o.topic, list(o.destinations), o.body) for o in append.outbox]
    keys.sort(key=lambda row: str(row[2]))
    return (
        appends[0].tenant_id,
        entries,
        steps or None,
        receipts or None,
        approvals or None,
        withdrawals or None,
        keys or None,
        correlations or None,
        results or None,
        consumptions or None,
        outbox or None,
    )


def encode_entry(append: Append) -> Row:
    """Return an append's entry as ``remit.entry_v1``, without the rows that follow from it."""
    return (
        append.run_id,
        append.epoch,
        append.sequence,
        append.at,
        append.hash,
        append.commitment,
        append.fact_count,
        append.kinds,
        append.payload if len(append.payload) <= PAYLOAD_INLINE_BYTES_MAX else None,
        append.status,
        append.disposition.value,
        append.wake_sequence,
        append.due_at,
        append.waiting_for,
    )


def _encode_steps(number: int, append: Append) -> list[Row]:
    return [
        (
            number,
            ordinal,
            row.attempt,
            row.tokens,
            row.cost_usd_micros,
            row.started_at,
            row.finished_at,
            row.step,
            row.status,
            row.tool,
            row.reason,
        )
        for ordinal, row in enumerate(append.steps)
    ]


def _encode_receipts(number: int, append: Append) -> list[Row]:
    return [
        (
            number,
            row.receipt_id,
            row.step,
            row.slot,
            row.attempt,
            row.tool,
            row.tool_version,
            row.side_effect_level,
            row.delivery_class,
            row.idempotency_key,
            row.arguments_digest,
            row.result_digest,
            row.external_key,
            row.external_reference,
            row.amount_minor,
            row.currency,
            row.approval_id,
        )
        for row in append.receipts
    ]


def _encode_approvals(number: int, append: Append) -> list[Row]:
    return [
        (
            number,
            row.approval_id,
            row.step,
            row.slot,
            row.tool,
            row.tool_version,
            row.rule_id,
            row.reason,
            row.digest,
            row.nonce,
            row.arguments,
            row.endpoint,
            row.credential,
            row.policy_digest,
            row.requested_by,
            row.approvers_required,
            row.expires_at,
        )
        for row in append.approvals
    ]


def _encode_keys(number: int, append: Append) -> list[Row]:
    return [
        (number, row.action, row.key, row.step, row.slot, row.outcome, row.receipt_id, row.window_seconds)
        for row in append.keys
    ]
