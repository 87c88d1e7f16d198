"""A database with a past: finished and waiting runs by the million, loaded with COPY.

Owns: the shapes of those runs, and the rows of a copy: heads, journals with true chains, payloads, steps, receipts,
approvals and correlations, as a worker would have left them. Each shape is rehearsed once; its copies differ in ids,
salts and instants, and every one of them replays.
Does not know: what is measured with it.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
import orjson

from remit.core.canonical import canonical_bytes
from remit.core.chain import EntryHeader, commitment, entry_hash, genesis_hash
from remit.core.definition import Definition, EventStep, SignalStep, TimerStep
from remit.core.events import ActionIntended, ActionSuspended
from remit.core.facts import FORMAT_VERSION, encode_facts
from remit.core.outstanding import describe_wait, next_due_us
from remit.core.state import RunState, project_state
from remit.ids import Digest, TenantId
from remit.runtime.actor import kinds_of
from remit.runtime.rows import EntryRows, instant_of, rows_of
from remit.testing.definitions import EVENT_NAME, PAY_TOOL, WRITE_TOOL, define, tool_step
from remit.testing.events import intended, receipt_of, submitted, succeeded, suspended
from remit.testing.rehearsal import RUN_ID, Rehearsal

FINISHED: Final = 1_000_000
WAITING: Final = 100_000
CHUNK: Final = 10_000
AGE_DAYS: Final = 20
"""How long ago the first of the runs was submitted; the last one a moment ago."""
WAIT_MS: Final = 30 * 86_400_000
"""What waits does so for thirty days: nothing of it becomes due while something is measured."""

OUTPUT: Final = {"ok": True, "text": "x" * 150, "tag": "abc"}
COLUMNS: Final = {
    "runs": "run_id definition_digest definition_name principal_id policy_digest input created_at",
    "heads": "run_id epoch sequence hash status waiting_for due_at claimable_at updated_at finished_at",
    "run_salts": "run_id salt",
    "journal": "run_id sequence epoch at fact_count hash commitment kinds",
    "payloads": "run_id sequence payload",
    "steps": "run_id sequence ordinal attempt tokens cost_usd_micros started_at finished_at step status tool",
    "receipts": "receipt_id run_id sequence created_at step slot attempt tool tool_version side_effect_level "
    "delivery_class idempotency_key arguments_digest result_digest",
    "run_results": "run_id status state_hash output finished_at",
    "approvals": "approval_id run_id step slot tool tool_version rule_id reason digest nonce arguments endpoint "
    "credential policy_digest requested_by approvers_required expires_at",
    "correlations": "run_id step name correlation",
}
"""Columns of each table after ``tenant_id``, in the order in which rows are made and tables are filled."""

STEP_US: Final = 1_200
_IDENTITY: Final = RUN_ID.encode()

Rows = dict[str, list[tuple[Any, ...]]]
"""Records by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a rehearsed run: what its copies' entries are made of, and the rows that follow from it."""

    payload: bytes
    fact_count: int
    kinds: str
    offset_us: int
    rows: EntryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A run to be copied: its end, its entries, and the projection that its state hash covers."""

    definition: Definition
    digest: Digest
    end: RunState
    entries: tuple[Entry, ...]
    projection: bytes


def shapes(tenant_id: TenantId, *, now_us: int) -> tuple[list[Shape], list[Shape]]:
    """Return the shapes of finished and of waiting runs."""
    finished = [_two_reads(tenant_id, now_us), _keyed_write(tenant_id, now_us)]
    waiting = [
        _waiting_for_approval(tenant_id, now_us),
        _begin(define(SignalStep(id="wait", signal="go"), name="history-signal"), tenant_id, now_us),
        _begin(
            define(EventStep(id="wait", event=EVENT_NAME, correlation="${{ run.id }}"), name="history-event"),
            tenant_id,
            now_us,
        ),
        _begin(define(TimerStep(id="wait", duration_ms=WAIT_MS), name="history-timer"), tenant_id, now_us),
    ]
    return [_shape(run) for run in finished], [_shape(run) for run in waiting]


async def load(
    admin: asyncpg.Connection[Any], tenant_id: TenantId, *, finished: int = FINISHED, waiting: int = WAITING
) -> int:
    """Load runs for a tenant that exists and has the principal ``operator``; returns how many rows that were.

    The connection is a superuser's: checks of foreign keys are skipped, because what they would find is loaded first.
    """
    now_us = time.time_ns() // 1_000
    done, open_ = shapes(tenant_id, now_us=now_us)
    await admin.execute("set session_replication_role = replica")
    for shape in (*done, *open_):
        await _put_definition(admin, tenant_id, shape)
    count = 0
    for rows in _chunks(tenant_id, [(done, finished), (open_, waiting)], now_us=now_us):
        for table, records in rows.items():
            columns = ["tenant_id", *COLUMNS[table].split()]
            await admin.copy_records_to_table(table, schema_name="remit", columns=columns, records=records)
            count += len(records)
    await admin.execute("set session_replication_role = origin")
    return count


async def _put_definition(admin: asyncpg.Connection[Any], tenant_id: TenantId, shape: Shape) -> None:
    body = canonical_bytes(msgspec.to_builtins(shape.definition))
    await admin.execute(
        "insert into remit.definitions (tenant_id, digest, name, version, body) values ($1, $2, $3, $4, $5)",
        *(tenant_id, shape.digest, shape.definition.name, shape.definition.version, body),
    )


def _chunks(tenant_id: TenantId, wanted: list[tuple[list[Shape], int]], *, now_us: int) -> Iterator[Rows]:
    """Yield rows of many runs at a time, the oldest first; shapes take turns."""
    total = sum(count for _, count in wanted)
    spacing_us = AGE_DAYS * 86_400_000_000 // max(1, total)
    number = 0
    rows: Rows = {table: [] for table in COLUMNS}
    for kinds, count in wanted:
        for position in range(count):
            created_us = now_us - (total - number) * spacing_us
            copy(kinds[position % len(kinds)], tenant_id, number, created_us, rows)
            number += 1
            if number % CHUNK == 0:
                yield rows
                rows = {table: [] for table in COLUMNS}
    yield rows


def copy(shape: Shape, tenant_id: TenantId, number: int, created_us: int, rows: Rows) -> None:
    """Add the rows of one run: the shape's, under an id and a salt that follow from its number and instant."""
    run_id = run_id_of(created_us, number)
    text = str(run_id)
    identity = text.encode()
    salt = hashlib.sha256(identity).digest()
    head = genesis_hash(tenant_id, text, shape.digest)
    at_us = created_us
    for sequence, entry in enumerate(shape.entries, 1):
        at_us = created_us + entry.offset_us
        payload = entry.payload.replace(_IDENTITY, identity)
        header = EntryHeader(
            format_version=FORMAT_VERSION,
            tenant_id=tenant_id,
            run_id=text,
            sequence=sequence,
            epoch=1,
            at_us=at_us,
            fact_count=entry.fact_count,
            kinds=entry.kinds,
        )
        commits = commitment(salt, payload)
        head = entry_hash(head, header, commits)
        at = instant_of(at_us)
        rows["journal"].append((tenant_id, run_id, sequence, 1, at, entry.fact_count, head, commits, entry.kinds))
        rows["payloads"].append((tenant_id, run_id, sequence, payload))
        _copy_rows(entry.rows, (tenant_id, run_id, sequence), at, rows)
    _copy_run(shape, (tenant_id, run_id, created_us, at_us), head, rows)
    rows["run_salts"].append((tenant_id, run_id, salt))


def _copy_run(shape: Shape, place: tuple[TenantId, uuid.UUID, int, int], head: bytes, rows: Rows) -> None:
    """Add what a run was asked to be, where it stands, and how it ended."""
    tenant_id, run_id, created_us, last_us = place
    end, name, last_at = shape.end, shape.definition.name, instant_of(last_us)
    asked = (shape.digest, name, end.principal_id, end.policy_digest, b"null", instant_of(created_us))
    rows["runs"].append((tenant_id, run_id, *asked))
    due_us = None if end.is_terminal else next_due_us(end)
    due_at = None if due_us is None else instant_of(due_us)
    status = end.status.value
    ended_at = last_at if end.is_terminal else None
    stands = (1, len(shape.entries), head, status, describe_wait(end), due_at, due_at, last_at, ended_at)
    rows["heads"].append((tenant_id, run_id, *stands))
    if end.is_terminal:
        state_hash = hashlib.sha256(shape.projection.replace(_IDENTITY, str(run_id).encode())).hexdigest()
        rows["run_results"].append((tenant_id, run_id, status, state_hash, orjson.dumps(end.output), last_at))


def _copy_rows(made: EntryRows, place: tuple[TenantId, uuid.UUID, int], at: datetime, rows: Rows) -> None:
    """Add the rows that follow from an entry."""
    tenant_id, run_id, sequence = place
    text = str(run_id)
    for ordinal, step in enumerate(made.steps):
        record = (ordinal, step.attempt, step.tokens, step.cost_usd_micros, at, at, step.step, step.status, step.tool)
        rows["steps"].append((*place, *record))
    for receipt in made.receipts:
        kept = [getattr(receipt, name) for name in _RECEIPT_FIELDS]
        key = receipt.idempotency_key.replace(RUN_ID, text)
        digests = (key, receipt.arguments_digest, receipt.result_digest)
        receipt_id = receipt.receipt_id.replace(RUN_ID, text)
        rows["receipts"].append((tenant_id, receipt_id, run_id, sequence, at, *kept, *digests))
    for approval in made.approvals:
        kept = [getattr(approval, name) for name in _APPROVAL_FIELDS]
        rows["approvals"].append((tenant_id, approval.approval_id.replace(RUN_ID, text), run_id, *kept))
    for wait in made.correlations:
        correlation = (wait.correlation or "").replace(RUN_ID, text)
        rows["correlations"].append((tenant_id, run_id, wait.step, wait.name, correlation))


_RECEIPT_FIELDS: Final = ["step", "slot", "attempt", "tool", "tool_version", "side_effect_level", "delivery_class"]
_APPROVAL_FIELDS: Final = COLUMNS["approvals"].split()[2:]


def run_id_of(created_us: int, number: int) -> uuid.UUID:
    """Return a UUIDv7 as the database would have minted it at an instant; the number makes it unique."""
    milliseconds, rest_us = divmod(created_us, 1_000)
    fraction = rest_us * 4096 // 1_000
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | number)


# --- shapes ------------------------------------------------------------------------------------------------------


def _two_reads(tenant_id: TenantId, now_us: int) -> Rehearsal:
    definition = define(tool_step("s1"), tool_step("s2", "s1"), name="history-reads", output="${{ steps.s2.output }}")
    run = _begin(definition, tenant_id, now_us)
    for step in ("s1", "s2"):
        run.now_us += STEP_US
        run.send(succeeded(run.call(step), OUTPUT))
    return run


def _keyed_write(tenant_id: TenantId, now_us: int) -> Rehearsal:
    definition = define(tool_step("s1", tool=WRITE_TOOL), name="history-write", output="${{ steps.s1.output }}")
    run = _begin(definition, tenant_id, now_us)
    key = f"{tenant_id}:{RUN_ID}:s1:1"
    intent = intended(run.call("s1"), tool=WRITE_TOOL, now_us=now_us).intent
    run.now_us += STEP_US
    run.send(ActionIntended(intent=msgspec.structs.replace(intent, idempotency_key=key)))
    run.now_us += STEP_US
    receipt = receipt_of(run.call("s1"), tool=WRITE_TOOL)
    receipt = msgspec.structs.replace(receipt, receipt_id=f"rcpt_{RUN_ID}", idempotency_key=key)
    run.send(succeeded(run.call("s1"), OUTPUT, receipt=receipt))
    return run


def _waiting_for_approval(tenant_id: TenantId, now_us: int) -> Rehearsal:
    definition = define(tool_step("pay", tool=PAY_TOOL, arguments={"amount": 4_200}), name="history-approval")
    run = _begin(definition, tenant_id, now_us)
    asked = suspended(run.call("pay"), f"appr_{RUN_ID}").request
    request = msgspec.structs.replace(asked, expires_us=now_us + WAIT_MS * 1_000)
    run.now_us += STEP_US
    run.send(ActionSuspended(request=request))
    return run


def _begin(definition: Definition, tenant_id: TenantId, now_us: int) -> Rehearsal:
    run = Rehearsal(definition)
    run.state.tenant_id = tenant_id
    run.now_us = now_us
    run.send(submitted(run.program))
    return run


def _shape(run: Rehearsal) -> Shape:
    entries = tuple(
        Entry(
            payload=encode_facts(facts),
            fact_count=len(facts),
            kinds=kinds_of(facts),
            offset_us=at_us - run.instants[0],
            rows=rows_of(run.state, facts, at=instant_of(at_us)),
        )
        for facts, at_us in zip(run.entries, run.instants, strict=True)
    )
    return Shape(
        definition=run.program.definition,
        digest=run.program.digest,
        end=run.state,
        entries=entries,
        projection=canonical_bytes(project_state(run.state)),
    )
