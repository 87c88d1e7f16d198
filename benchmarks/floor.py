"""The floor: the same rows and bytes through the adapter's append in a bare loop, without kernel.

    python benchmarks/floor.py [--major 18] [--quick]

Owns: the cost of storing alone, on one connection, with fsync: what the kernel's figures are quoted against. Shapes:
W1, many runs in flight, one entry, payload, step row and head per run and batch; W2, one run per batch. As a program it
measures fresh, grown and never analysed, and 100-tenant databases.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from remit.ids import Digest, PrincipalId, RunId, TenantId, WorkerId
from remit.ids import Sequence as JournalSequence
from remit.ports.store import Append, Claimed, Disposition, Principal, ReceiptRow, StepRow, Submission, Tenant
from remit.store import Database, PostgresStore
from remit.testing.database import ScratchServer

PAYLOAD_BYTES = 450
IN_FLIGHT = 64
AT = datetime(2026, 1, 1, tzinfo=UTC)
DEFINITION = Digest("d" * 64)
PAYLOAD = (sha256(b"payload").hexdigest() * 8)[:PAYLOAD_BYTES].encode()
WORKER = WorkerId(str(uuid.uuid4()))
OPERATOR = PrincipalId("operator")
CLOSING: dict[str, Any] = {
    "status": "completed",
    "disposition": Disposition.FINISH,
    "state_hash": "0" * 64,
    "output": b"{}",
}


async def measure_floor(
    dsn: str,
    *,
    runs: int = 200,
    steps: int = 10,
    in_flight: int = IN_FLIGHT,
    tenants: int = 1,
    receipts_per_step: int = 0,
) -> dict[str, float]:
    """Return what storing alone costs.

    Args:
        dsn: The application role's URL of a database with the schema.
        runs: How many runs; their submission is not counted.
        steps: Sequential steps of each run.
        in_flight: Runs per batch.
        tenants: How many tenants the runs are spread over.
        receipts_per_step: How many receipts each step leaves.

    Returns:
        ``steps_per_second`` and ``batch_ms_p50`` in shape W1; ``append_ms_p50`` in shape W2; ``submit_us_per_run``.
    """
    database = Database(dsn)
    await database.connect()
    store = PostgresStore(database)
    try:
        names = await prepare(store, tenants)
        await work(store, await submit(store, names, in_flight), steps=steps, receipts=receipts_per_step)
        started = time.perf_counter()
        claims = [await submit(store, names, min(in_flight, runs - n)) for n in range(0, runs, in_flight)]
        submitting = time.perf_counter() - started
        batches: list[float] = []
        for batch in claims:
            batches += await work(store, batch, steps=steps, receipts=receipts_per_step)
        singles: list[float] = []
        for _ in range(10):
            singles += await work(store, await submit(store, names, 1), steps=steps, receipts=0)
    finally:
        await store.close()
    return {
        "steps_per_second": runs * steps / sum(batches),
        "batch_ms_p50": statistics.median(batches) * 1e3,
        "append_ms_p50": statistics.median(singles) * 1e3,
        "submit_us_per_run": submitting / runs * 1e6,
    }


async def prepare(store: PostgresStore, count: int) -> list[TenantId]:
    """Make tenants with what a run needs, and a worker; returns the tenants."""
    names = [TenantId(f"floor-{number}") for number in range(count)]
    for tenant_id in names:
        await store.directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id))
        await store.directory.put_principal(Principal(tenant_id=tenant_id, principal_id=OPERATOR, kind="human"))
        await store.directory.put_definition(tenant_id, name="floor", version="1", digest=DEFINITION, body=b"{}")
    await store.dispatch.register_worker(WORKER, lease_seconds=3600, version="floor")
    return names


async def submit(store: PostgresStore, tenants: list[TenantId], count: int) -> list[Claimed]:
    """Create runs that are claimed at once, spread over the tenants."""
    submissions = [
        Submission(
            tenant_id=tenants[number % len(tenants)],
            definition_digest=DEFINITION,
            definition_name="floor",
            principal_id=OPERATOR,
            policy_digest=DEFINITION,
            input=b"{}",
            worker_id=WORKER,
        )
        for number in range(count)
    ]
    submitted, _ = await store.journal.submit(submissions)
    return [
        Claimed(tenant_id=submission.tenant_id, run_id=reply.run_id, epoch=reply.epoch)
        for submission, reply in zip(submissions, submitted, strict=True)
    ]


async def work(store: PostgresStore, claims: list[Claimed], *, steps: int, receipts: int) -> list[float]:
    """Append every step of the claimed runs, one of each per batch; returns the seconds of each batch."""
    seconds: list[float] = []
    for sequence in range(1, steps + 1):
        changes = CLOSING if sequence == steps else {}
        started = time.perf_counter()
        batch = [_entry(claim, sequence, receipts=receipts, **changes) for claim in claims]
        replies, _ = await store.journal.append(batch)
        seconds.append(time.perf_counter() - started)
        assert {"applied"} == {reply.outcome.value for reply in replies}, replies
    return seconds


def _entry(claim: Claimed, sequence: int, *, receipts: int, **changes: Any) -> Append:
    step = StepRow(step="step", attempt=1, status="completed", tool="bench.step", started_at=AT, finished_at=AT)
    plain: dict[str, Any] = {"status": "running", "disposition": Disposition.KEEP}
    return Append(
        tenant_id=claim.tenant_id,
        run_id=claim.run_id,
        epoch=claim.epoch,
        sequence=JournalSequence(sequence),
        at=AT,
        hash=sha256(f"{claim.run_id}{sequence}".encode()).digest(),
        commitment=sha256(PAYLOAD).digest(),
        fact_count=2,
        kinds="step_completed,step_started",
        payload=PAYLOAD,
        wake_sequence=0,
        steps=(step,),
        receipts=tuple(_receipt(claim.run_id) for _ in range(receipts)),
        **{**plain, **changes},
    )


def _receipt(run_id: RunId) -> ReceiptRow:
    return ReceiptRow(
        receipt_id=str(uuid.uuid4()),
        step="step",
        slot=1,
        attempt=1,
        tool="bench.step",
        tool_version="1.0.0",
        side_effect_level="SOFT_WRITE",
        delivery_class="keyed",
        idempotency_key=f"{run_id}:step:1",
        arguments_digest="a" * 64,
        result_digest="b" * 64,
    )


async def _main(major: int, grown_runs: int) -> None:
    with ScratchServer(major) as server:
        database = await server.create()
        try:
            show("fresh", await measure_floor(database.app_url))
            show("with receipts", await measure_floor(database.app_url, receipts_per_step=1))
            show("100 tenants", await measure_floor(database.app_url, tenants=100))
            show(f"growing by {grown_runs} runs", await measure_floor(database.app_url, runs=grown_runs, in_flight=256))
            show("grown, never analysed", await measure_floor(database.app_url))
        finally:
            await server.drop(database)


def show(shape: str, figures: dict[str, float]) -> None:
    """Print one line of figures."""
    print(f"{shape:28}" + "  ".join(f"{name} {value:,.2f}" for name, value in figures.items()), file=sys.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--major", type=int, default=18)
    parser.add_argument("--quick", action="store_const", const=2_000, default=20_000, dest="grown_runs")
    arguments = parser.parse_args()
    try:
        import uvloop

        uvloop.run(_main(arguments.major, arguments.grown_runs))
    except ImportError:
        asyncio.run(_main(arguments.major, arguments.grown_runs))
