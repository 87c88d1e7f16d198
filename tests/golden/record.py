"""Recording golden histories: real runs on PostgreSQL, written to a new file that is never written again.

Owns: which runs are recorded. Does not know: what a history must fold to.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from remit.bootstrap import OPERATOR, Kernel
from remit.core.definition import Bounds, Definition, definition_digest
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, encode_policy
from remit.ids import Digest, PrincipalId, RunId, TenantId
from remit.settings import Settings
from remit.testing.database import ScratchDatabase, ScratchServer, scratch_database
from remit_commerce.simulators.client import running_simulators
from tests.crash.kernels import TENANT as SHOP_TENANT
from tests.crash.kernels import MortalKernel, set_up
from tests.crash.points import Point, Watch
from tests.crash.programs.play import Ground, Plan, Play
from tests.crash.world import World, live, rescue
from tests.golden.history import FOLDER, Entry, History, files, folds
from tests.golden.tools import TOOLS, WAITS

PROGRAMS = 450
COPIES = 6
CRASHES = (
    "append:after:7", "stripe.payment_intents.authorize:after:1", "stripe.payment_intents.capture:before:1",
    "printful.orders.create_draft:after:1", "shopify.fulfillments.create:after:1", "sendgrid.mail.send:after:1",
    "sendgrid.mail.send:before:1",
)  # fmt: skip
ROWS = ("runs", "heads", "run_salts", "approvals", "correlations")
"""Tables that an unfinished run needs, beside journal and payloads."""

APPROVAL_SECONDS = 90 * 86_400


async def record() -> Path:
    """Record everything into a new file and return its path."""
    recorded: list[History] = []
    with ScratchServer() as server:
        for make in (approvals, waits, orders, programs):
            async with scratch_database(server) as database:
                recorded += await make(database)
            sys.stderr.write(f"{make.__name__}: {len(recorded)} histories so far\n")
    path = FOLDER / f"{len(files()) + 1:04}.jsonl.gz"
    await asyncio.to_thread(write, path, recorded)
    return path


def write(path: Path, recorded: Sequence[History]) -> None:
    """Write a file that is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        for history in recorded:
            packed.write(msgspec.json.encode(history) + b"\n")


# --- what is recorded -------------------------------------------------------------------------------------------------


async def programs(database: ScratchDatabase) -> list[History]:
    """Random programs under a few kills: every step kind and ending."""
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(app_url=database.app_url, admin_url=database.admin_url, folder=Path(folder))
        plan = Plan(programs=PROGRAMS, workers=3, kills=3, server_kills=0, seconds_max=400.0)
        played = await Play(ground, plan, seed=secrets.randbelow(2**32)).run()
    assert [] == played.findings
    return await collect(database, "random program", TenantId("default"))


async def waits(database: ScratchDatabase) -> list[History]:
    """Runs that have not ended: they wait in every way there is."""
    async with kernel_on(database, "golden") as kernel:
        await allow(kernel, ApprovalRule(id="ask", tool="golden.asked", timeout_seconds=APPROVAL_SECONDS))
        waiting = {}
        for name, step in WAITS.items():
            for number in range(COPIES):
                definition = Definition(
                    name=f"golden.{step.id}", version="1", steps=(step,), output={"end": "${{ steps.last.output }}"}
                )
                waiting[await submit(kernel, definition, number)] = name
        for run_id, name in waiting.items():
            run = await kernel.store.reader.get_run(kernel.tenant_id, run_id)
            while run.waiting_for != name:
                assert run.status in {"pending", "running", "waiting"}, run
                run = await kernel.store.reader.wait_for_change(
                    kernel.tenant_id, run_id, after_sequence=run.sequence, timeout_seconds=1.0
                )
        await kernel.stop()
        await kernel.start()
        return await collect(database, "unfinished", kernel.tenant_id)


async def approvals(database: ScratchDatabase) -> list[History]:
    """Requests that expire, or are withdrawn because the run is cancelled."""
    async with kernel_on(database, "asking") as kernel:
        brief = ApprovalRule(id="brief", tool="golden.asked", condition="input.n >= 100", timeout_seconds=1)
        long = ApprovalRule(id="long", tool="golden.asked", condition="input.n < 100", timeout_seconds=APPROVAL_SECONDS)
        await allow(kernel, brief, long)
        definition = Definition(name="golden.asking", version="1", steps=(WAITS["approval of last"],))
        cancelled = [await submit(kernel, definition, number) for number in range(COPIES)]
        expiring = [await submit(kernel, definition, 100 + number) for number in range(COPIES)]
        for run_id in cancelled:
            await kernel.runs.wait(kernel.tenant_id, run_id, timeout_seconds=10, until="at_rest")
            await kernel.runs.cancel(kernel.tenant_id, run_id, requested_by=OPERATOR)
        for run_id in (*cancelled, *expiring):
            await kernel.runs.wait(kernel.tenant_id, run_id, timeout_seconds=30)
        return await collect(database, "approval", kernel.tenant_id)


async def orders(database: ScratchDatabase) -> list[History]:
    """Orders of the commerce pack: undisturbed, and each crashed at another point."""
    with tempfile.TemporaryDirectory() as folder, running_simulators(Path(folder)) as running:
        shop = await set_up(database, running, Path(folder))
        connection = await asyncpg.connect(database.admin_url)
        for point in (None, *CRASHES):
            world = World(shop, connection)
            world.open_shop()
            settings = shop.settings(world.account)
            watch = Watch(None if point is None else Point.parse(point))
            if not await live(MortalKernel(settings, watch), world):
                await world.bury()
                await rescue(MortalKernel(settings, Watch()), world)
        await connection.close()
        return await collect(database, "order", SHOP_TENANT)


# --- how --------------------------------------------------------------------------------------------------------------


def kernel_on(database: ScratchDatabase, tenant: str) -> Kernel:
    """Return a kernel with the golden tools."""
    settings = Settings(
        database_app_url=database.app_url, tenant=tenant, heartbeat=timedelta(seconds=1), poll=timedelta(seconds=0.1)
    )
    return Kernel(tools=TOOLS, packs=[], settings=settings)


async def allow(kernel: Kernel, *rules: ApprovalRule) -> None:
    """Grant the golden tools, with approval rules."""
    config = BusinessConfig(
        name="golden", version="1", bounds=Bounds(), scopes=(Scope(tool="golden.*"),), approval_rules=rules
    )
    body = encode_policy(config)
    await kernel.store.directory.put_policy(kernel.tenant_id, digest=Digest(definition_digest(body)), body=body)
    kernel.catalogue.forget(kernel.tenant_id)


async def submit(kernel: Kernel, definition: Definition, number: int) -> RunId:
    """Submit a run."""
    stored = await kernel.put_definition(definition)
    submitted = await kernel.runs.submit(
        kernel.tenant_id, definition_digest=stored.digest, run_input={"n": number}, principal_id=OPERATOR
    )
    return submitted.run_id


async def collect(database: ScratchDatabase, source: str, tenant_id: TenantId) -> list[History]:
    """Return the histories of all of a tenant's runs."""
    connection = await asyncpg.connect(database.admin_url)
    settings = Settings(database_app_url=database.app_url, tenant=tenant_id)
    async with Kernel(packs=[], settings=settings, has_worker=False) as kernel:
        run_ids = [
            RunId(str(row["run_id"]))
            for row in await connection.fetch(
                "select run_id from remit.runs where tenant_id = $1 order by run_id", tenant_id
            )
        ]
        found = [await history_of(kernel, connection, source, run_id) for run_id in run_ids]
    await connection.close()
    return found


async def history_of(kernel: Kernel, connection: asyncpg.Connection[Any], source: str, run_id: RunId) -> History:
    """Return everything that is stored of a run."""
    tenant_id, reader = kernel.tenant_id, kernel.store.reader
    run, summary = await reader.read_run(tenant_id, run_id), await reader.get_run(tenant_id, run_id)
    receipts = await reader.list_receipts(tenant_id, run_id=run_id, limit=10_000)
    stored = await kernel.store.directory.get_definition(tenant_id, digest=run.definition_digest)
    program = await kernel.catalogue.program(tenant_id, run.definition_digest)
    policy = await kernel.store.directory.get_policy(tenant_id, run.policy_digest)
    return History(
        source=source,
        tenant_id=tenant_id,
        run_id=run_id,
        epoch=run.epoch,
        head=run.hash,
        definition=stored.body,
        policy=policy,
        principal_id=PrincipalId(run.principal_id),
        policy_digest=run.policy_digest,
        input=run.input,
        trigger=run.trigger,
        salt=run.salt,
        created_at=run.created_at.isoformat(),
        status=summary.status,
        waiting_for=summary.waiting_for,
        output=summary.output,
        state_hash=summary.state_hash,
        entries=tuple(
            Entry(stored=entry, folded=folded) for entry, folded in zip(run.entries, folds(program, run), strict=True)
        ),
        receipts=tuple(one.receipt for one in receipts),
        rows={} if summary.state_hash is not None else await rows_of(connection, run_id),
    )


async def rows_of(connection: asyncpg.Connection[Any], run_id: RunId) -> dict[str, list[dict[str, Any]]]:
    """Return a run's rows as data, by table."""
    rows = {}
    for table in ROWS:
        with suppress(asyncpg.UndefinedTableError):
            query = f"select to_jsonb(x)::text as row from remit.{table} x where run_id = $1"
            found = await connection.fetch(query, run_id)
            rows[table] = [json.loads(row["row"]) for row in found]
    return rows
