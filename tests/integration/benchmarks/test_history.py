"""A loaded history is one that workers could have left: it satisfies the schema, replays, and goes on."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from benchmarks import history
from remit import Kernel, Settings
from remit.core.program import load_program
from remit.ids import PrincipalId, RunId, TenantId
from remit.ports.store import Principal, Tenant
from remit.runtime.replay import VERIFIED, replay_run
from remit.testing.database import ScratchDatabase

TENANT = TenantId("history")
OPERATOR = PrincipalId("operator")
FINISHED, WAITING = 30, 12
ENTRIES_OF_FINISHED, ENTRIES_OF_APPROVAL = 3, 2

FOREIGN_KEYS = """
select c.conname, c.conrelid::regclass::text as child, c.confrelid::regclass::text as parent,
    (select array_agg(a.attname order by k.place) from unnest(c.conkey) with ordinality k(number, place)
     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as child_columns,
    (select array_agg(a.attname order by k.place) from unnest(c.confkey) with ordinality k(number, place)
     join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number) as parent_columns
from pg_constraint c where c.contype = 'f' and c.connamespace = 'remit'::regnamespace and c.conparentid = 0
"""


@pytest.fixture
async def kernel(database: ScratchDatabase) -> AsyncIterator[Kernel]:
    """A kernel with a worker, on a database with a small history."""
    settings = Settings(database_url=database.owner_url, database_app_url=database.app_url)
    async with Kernel(packs=[], settings=settings) as kernel:
        directory = kernel.store.directory
        await directory.create_tenant(Tenant(tenant_id=TENANT, display_name=TENANT))
        await directory.put_principal(
            Principal(tenant_id=TENANT, principal_id=OPERATOR, kind="human", roles=("operator",))
        )
        admin = await asyncpg.connect(database.admin_url)
        try:
            await history.load(admin, TENANT, finished=FINISHED, waiting=WAITING)
        finally:
            await admin.close()
        yield kernel


@pytest.fixture
async def admin(database: ScratchDatabase) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection, which sees all rows."""
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


async def test_history_has_a_row_for_everything_a_run_leaves(kernel: Kernel, admin: asyncpg.Connection) -> None:
    """
    Finished runs have results, steps and receipts, waiting ones what they wait for, and all of them a whole journal.
    """
    counts = {table: await admin.fetchval(f"select count(*) from remit.{table}") for table in history.COLUMNS}

    per_wait = WAITING // 4
    entries = FINISHED * ENTRIES_OF_FINISHED + WAITING - per_wait + per_wait * ENTRIES_OF_APPROVAL
    assert FINISHED + WAITING == counts["runs"] == counts["heads"] == counts["run_salts"]
    assert entries == counts["journal"] == counts["payloads"]
    assert (FINISHED, FINISHED // 2 * 3, FINISHED // 2) == (
        counts["run_results"],
        counts["steps"],
        counts["receipts"],
    )
    assert (per_wait, per_wait) == (counts["approvals"], counts["correlations"])


async def test_history_breaks_no_foreign_key(kernel: Kernel, admin: asyncpg.Connection) -> None:
    """
    The checks that loading skips would have passed: no row refers to one that is not there.
    """
    orphans = []
    for key in await admin.fetch(FOREIGN_KEYS):
        pairs = list(zip(key["child_columns"], key["parent_columns"], strict=True))
        joined = " and ".join(f"p.{parent} = c.{child}" for child, parent in pairs)
        filled = " and ".join(f"c.{child} is not null" for child, _ in pairs)
        parentless = f"not exists (select from {key['parent']} p where {joined})"
        query = f"select count(*) from {key['child']} c where {filled} and {parentless}"
        if await admin.fetchval(query):
            orphans.append(key["conname"])

    assert [] == orphans


async def test_every_loaded_run_replays(kernel: Kernel, admin: asyncpg.Connection) -> None:
    """
    Chains, facts, state hashes and receipts of all loaded runs agree, as they do for runs that workers made.
    """
    reader = kernel.store.reader
    verdicts = set()
    for row in await admin.fetch("select run_id, definition_digest from remit.runs"):
        run_id = RunId(str(row["run_id"]))
        body = await admin.fetchval("select body from remit.definitions where digest = $1", row["definition_digest"])
        report = replay_run(
            await reader.read_run(TENANT, run_id),
            load_program(body),
            recorded_state_hash=(await reader.get_run(TENANT, run_id)).state_hash,
            recorded_receipts=[stored.receipt for stored in await reader.list_receipts(TENANT, run_id=run_id)],
        )
        verdicts.add((report.verdict, report.findings))

    assert {(VERIFIED, ())} == verdicts


async def test_loaded_run_goes_on_when_what_it_waits_for_comes(kernel: Kernel, admin: asyncpg.Connection) -> None:
    """
    A worker takes up a loaded run that waits for a signal, and finishes it.
    """
    found = await admin.fetchval("select run_id from remit.heads where waiting_for = 'signal go' limit 1")
    run_id = RunId(str(found))

    await kernel.runs.signal(TENANT, run_id, name="go", payload={"ok": True}, sent_by=OPERATOR)
    ended = await kernel.runs.wait(TENANT, run_id, timeout_seconds=30, until="terminal")

    assert "completed" == ended.status


async def test_waiting_runs_are_not_claimed(kernel: Kernel, admin: asyncpg.Connection) -> None:
    """
    Nothing of a history is due: workers leave it alone, or what is measured beside it would not be comparable.
    """
    assert kernel.worker is not None
    claimed = await admin.fetchval("select count(*) from remit.heads where worker_id is not null or epoch > 1")
    due = await admin.fetchval("select count(*) from remit.heads where claimable_at < now() + interval '1 day'")

    assert (0, 0, 0) == (kernel.worker.owned_count, claimed, due)
