"""Runs that an older kernel left unfinished are taken up and come to their ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from remit.bootstrap import APPROVER, OPERATOR, Kernel
from remit.core.canonical import JsonValue
from remit.ids import Digest, RunId
from remit.ports.store import Decision, InboundEvent
from remit.runtime.runs import Settlement
from remit.settings import Settings
from remit.testing.database import ScratchDatabase, ScratchServer, scratch_database
from tests.golden.history import History, histories
from tests.golden.tools import TOOLS, WAITS, WHILE_RECORDING

SECONDS_MAX = 60.0
UNFINISHED = tuple(history for history in histories() if not history.is_finished)

Act = Callable[[Kernel, RunId], Awaitable[object]]


async def approve(kernel: Kernel, run_id: RunId) -> None:
    (approval,) = [one for one in await kernel.store.approvals.list(kernel.tenant_id) if one.run_id == run_id]
    decision = Decision(
        approval_id=approval.approval_id, decision="approve", principal_id=APPROVER, digest=approval.digest
    )
    await kernel.store.approvals.decide(kernel.tenant_id, decision)
    await kernel.runs.announce(run_id)


async def settle(kernel: Kernel, run_id: RunId) -> None:
    settlement = Settlement(step="last", outcome="happened", decided_by=OPERATOR, output={"n": 700})
    await kernel.runs.settle(kernel.tenant_id, run_id, settlement)


async def signal(kernel: Kernel, run_id: RunId) -> None:
    await kernel.runs.signal(kernel.tenant_id, run_id, name="golden", payload={"n": 800}, sent_by=OPERATOR)


async def send_event(kernel: Kernel, run_id: RunId) -> None:
    event = InboundEvent(
        source="golden",
        name="golden.paid",
        event_key=run_id,
        occurred_at=None,
        body={"n": 900},
        raw_sha256="0" * 64,
        correlations=(run_id,),
    )
    await kernel.store.inbox.receive(kernel.tenant_id, event)
    await kernel.runs.announce(run_id)


async def wait(kernel: Kernel, run_id: RunId) -> None:
    """Do nothing: time passes by itself."""


ACTS: dict[str, tuple[Act, JsonValue]] = {
    "approval of last": (approve, {"n": "input"}),
    "settlement of last": (settle, {"n": 700}),
    "retry of last": (wait, {"n": "input"}),
    "timer last": (wait, None),
    "signal golden": (signal, {"n": 800}),
    "event golden.paid": (send_event, {"n": 900}),
}
"""What the world does for a run that waits for something, and what then comes of its only step."""


def test_runs_wait_in_every_way() -> None:
    """
    There is an unfinished history for each way to wait.
    """
    assert set(WAITS) == set(ACTS) == {history.waiting_for for history in UNFINISHED}


async def store_old(kernel: Kernel, database: ScratchDatabase, history: History) -> None:
    """Put a history into a database as an older kernel left it there."""
    directory, tenant_id = kernel.store.directory, kernel.tenant_id
    program = history.program()
    await directory.put_policy(tenant_id, digest=Digest(history.policy_digest), body=history.policy)
    await directory.put_definition(
        tenant_id,
        name=program.definition.name,
        version=program.definition.version,
        digest=program.digest,
        body=history.definition,
    )
    connection = await asyncpg.connect(database.admin_url)
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        for table, rows in history.rows.items():
            for row in rows:
                await insert(connection, table, row)
        for entry in history.entries:
            stored = entry.stored
            place = (history.tenant_id, history.run_id, stored.sequence)
            await connection.execute(
                "insert into remit.journal (tenant_id, run_id, sequence, epoch, at, fact_count, format_version, hash, "
                "commitment, kinds) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                *place, stored.epoch, stored.at, stored.fact_count, stored.format_version, stored.hash,
                stored.commitment, stored.kinds,
            )  # fmt: skip
            await connection.execute(
                "insert into remit.payloads (tenant_id, run_id, sequence, payload) values ($1, $2, $3, $4)",
                *place,
                stored.payload,
            )
        # A request is open for ninety days at most; a history must last longer.
        await connection.execute(
            "update remit.approvals set expires_at = clock_timestamp() + interval '1 day' where run_id = $1",
            history.run_id,
        )
    await connection.close()


async def insert(connection: asyncpg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    await connection.execute(
        f"insert into remit.{table} select * from jsonb_populate_record(null::remit.{table}, $1::jsonb)",
        json.dumps(row),
    )


@pytest.mark.timeout(200)
async def test_unfinished_runs_of_old_kernels_come_to_their_ends(
    scratch_server: ScratchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Old journals in a new database: each run waits where it stood, is given what it waits for, ends well and verifies.
    """
    monkeypatch.setitem(WHILE_RECORDING, "flaky", False)
    async with scratch_database(scratch_server) as database:
        settings = Settings(
            database_app_url=database.app_url, tenant=UNFINISHED[0].tenant_id, poll=timedelta(seconds=0.2)
        )
        async with Kernel(tools=TOOLS, packs=[], settings=settings, has_worker=False) as outside:
            for history in UNFINISHED:
                await store_old(outside, database, history)
        async with Kernel(tools=TOOLS, packs=[], settings=settings) as kernel, asyncio.timeout(SECONDS_MAX * 2):
            found = [await go_on(kernel, history) for history in UNFINISHED]

    assert len(UNFINISHED) >= len(WAITS)
    assert [] == [finding for findings in found for finding in findings]


async def go_on(kernel: Kernel, history: History) -> list[str]:
    """Give a run what it waits for; return what is wrong with how it ends."""
    run_id = RunId(history.run_id)
    act, output = ACTS[history.waiting_for or ""]
    await act(kernel, run_id)
    run = await kernel.runs.wait(kernel.tenant_id, run_id, timeout_seconds=SECONDS_MAX)
    report = await kernel.runs.replay(kernel.tenant_id, run_id)
    expected = json.loads(history.input) if output == {"n": "input"} else output
    findings = [f"{history.waiting_for}: {finding}" for finding in report.findings]
    if (run.status, json.loads(run.output or b"null")) != ("completed", {"end": expected}):
        findings.append(f"{history.waiting_for}: {run.status}, {run.output!r}, {run.error!r}")
    if run.sequence <= len(history.entries):
        findings.append(f"{history.waiting_for}: nothing was added to the journal")
    return findings
