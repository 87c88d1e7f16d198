"""What the schema repeats from Python, and the partitions that must be there before they are needed."""

import uuid
from datetime import UTC, datetime

import asyncpg
import pytest

from remit.core.states import (
    RUN_TERMINAL,
    ApprovalStatus,
    DeliveryClass,
    OutboxStatus,
    RunStatus,
    SideEffectLevel,
    StepStatus,
)
from remit.ids import Epoch, RunId, TenantId
from remit.ports.store import Append, AppendOutcome, Disposition, Tenant
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, connect_store

ACME = TenantId("acme")
VALUE_SETS = {
    "run_status_check": set(RunStatus),
    "step_status_check": set(StepStatus),
    "side_effect_level_check": set(SideEffectLevel),
    "delivery_class_check": set(DeliveryClass),
    "approvals_status_check": set(ApprovalStatus),
    "outbox_status_check": set(OutboxStatus),
    "run_results_status_check": set(RUN_TERMINAL),
}


@pytest.mark.parametrize("constraint", VALUE_SETS)
async def test_value_sets_agree_with_the_core(scratch: ScratchDatabase, constraint: str) -> None:
    """
    The database admits exactly the states that the core knows.
    """
    connection = await asyncpg.connect(scratch.admin_url)
    values = await connection.fetch(
        "select distinct m[1] as value from pg_constraint c, "
        "regexp_matches(pg_get_constraintdef(c.oid), '''([A-Za-z_]+)''', 'g') m "
        "where c.connamespace = 'remit'::regnamespace and c.conname = $1",
        constraint,
    )
    await connection.close()

    assert {str(value) for value in VALUE_SETS[constraint]} == {row["value"] for row in values}


async def test_states_use_the_value_sets(scratch: ScratchDatabase) -> None:
    """
    The columns that hold states are of the types that say which.
    """
    connection = await asyncpg.connect(scratch.admin_url)
    columns = await connection.fetch(
        "select c.relname || '.' || a.attname as name, format_type(a.atttypid, null) as type "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition "
        "and a.attname in ('status', 'side_effect_level', 'delivery_class')"
    )
    await connection.close()
    types = {row["name"]: row["type"].removeprefix("remit.") for row in columns}

    assert ("run_status", "step_status") == (types["heads.status"], types["steps.status"])
    assert ("side_effect_level", "delivery_class") == (
        types["receipts.side_effect_level"], types["receipts.delivery_class"],
    )  # fmt: skip


async def test_steps_of_a_run_are_one_hot_update_each(pristine: ScratchDatabase) -> None:
    """
    Advancing a head changes no index: every update after the claim stays on its page.
    """
    store = await connect_store(pristine)
    claim = await make_run(store)
    for sequence in range(1, 31):
        await store.journal.append([entry(claim, sequence)])
    await store.close()
    connection = await asyncpg.connect(pristine.admin_url)
    await connection.execute("select pg_stat_force_next_flush()")

    counts = await connection.fetchrow(
        "select pg_stat_get_tuples_updated(c) as updates, pg_stat_get_tuples_hot_updated(c) as hot "
        "from (select 'remit.heads'::regclass::oid as c) x"
    )

    await connection.close()
    assert 30 == counts["updates"] == counts["hot"]


async def test_partitions_are_made_ahead(scratch: ScratchDatabase) -> None:
    """
    A new schema has partitions for months to come, without gaps, and none that takes what fits nowhere.
    """
    connection = await asyncpg.connect(scratch.app_url)
    partitions = await connection.fetch("select lower_at, upper_at from remit.run_partitions order by lower_at")
    defaults = await connection.fetchval(
        "select count(*) from pg_class where relnamespace = 'remit'::regnamespace and relispartition "
        "and pg_get_expr(relpartbound, oid) = 'DEFAULT'"
    )
    now = await connection.fetchval("select clock_timestamp()")
    await connection.close()

    assert 60 < (partitions[-1]["upper_at"] - now).days
    assert [row["upper_at"] for row in partitions[:-1]] == [row["lower_at"] for row in partitions[1:]]
    assert 0 == defaults


async def test_run_beyond_the_last_partition_is_appended(pristine: ScratchDatabase) -> None:
    """
    An entry of a run whose id lies beyond all partitions makes the missing ones instead of failing.
    """
    store = await connect_store(pristine)
    claim = await make_run(store)
    now = datetime.now(UTC)
    future = now.replace(year=now.year + 1, month=6, day=15)
    far = RunId(str(uuid.UUID(int=(int(future.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | 1)))
    admin = await asyncpg.connect(pristine.admin_url)
    await admin.execute("set session_replication_role = replica")
    for table in ("runs", "heads", "run_salts"):
        await admin.execute(f"update remit.{table} set run_id = $1", far)
    await admin.close()

    (reply,), _ = await store.journal.append([entry((far, claim[1]), 1)])

    run = await store.reader.read_run(ACME, far)
    await store.close()
    assert AppendOutcome.APPLIED == reply.outcome
    assert 1 == len(run.entries)


async def test_submission_makes_the_partition_that_a_sweeper_forgot(pristine: ScratchDatabase) -> None:
    """
    When the clock runs into the last partition's end, a submission makes the next one first.
    """
    admin = await asyncpg.connect(pristine.admin_url)
    before = await admin.fetchval("select count(*) from remit.run_partitions")
    for table in ("journal", "payloads", "large_payloads", "steps"):
        for name in await admin.fetch(
            "select i.inhrelid::regclass::text from pg_inherits i where i.inhparent = $1::regclass", f"remit.{table}"
        ):
            await admin.execute(f"drop table {name[0]}")
    await admin.execute("delete from remit.run_partitions")
    store = await connect_store(pristine)

    claim = await make_run(store)
    (reply,), _ = await store.journal.append([entry(claim, 1)])

    await store.close()
    after = await admin.fetchval("select count(*) from remit.run_partitions")
    await admin.close()
    assert AppendOutcome.APPLIED == reply.outcome
    assert 1 <= after <= before


async def test_sweep_makes_partitions_in_time(pristine: ScratchDatabase) -> None:
    """
    The sweeper's cadence keeps two months of partitions ahead of the clock.
    """
    admin = await asyncpg.connect(pristine.admin_url)
    latest = await admin.fetch("select name from remit.run_partitions order by upper_at desc limit 2")
    for row in latest:
        for table in ("journal", "payloads", "large_payloads", "steps"):
            await admin.execute(f"drop table remit.{table}_{row['name']}")
        await admin.execute("delete from remit.run_partitions where name = $1", row["name"])
    store = await connect_store(pristine)

    await store.dispatch.sweep(limit=1)

    ahead = await admin.fetchval(
        "select max(upper_at) > clock_timestamp() + interval '2 months' from remit.run_partitions"
    )
    await store.close()
    await admin.close()
    assert ahead


Claim = tuple[RunId, int]


async def make_run(store: PostgresStore) -> Claim:
    """A run of a new tenant that a worker owns."""
    from remit.ids import PrincipalId, WorkerId
    from remit.ports.store import Principal, Submission

    await store.directory.create_tenant(Tenant(tenant_id=ACME, display_name="Acme"))
    await store.directory.put_principal(Principal(tenant_id=ACME, principal_id=PrincipalId("operator"), kind="human"))
    await store.directory.put_definition(ACME, name="n", version="1", digest="d" * 64, body=b"{}")
    worker_id = WorkerId(str(uuid.uuid4()))
    await store.dispatch.register_worker(worker_id, lease_seconds=60, version="test")
    submission = Submission(
        tenant_id=ACME, definition_digest="d" * 64, definition_name="n", principal_id=PrincipalId("operator"),
        policy_digest="e" * 64, input=b"{}", worker_id=worker_id,
    )  # fmt: skip
    (submitted,), _ = await store.journal.submit([submission])
    return submitted.run_id, submitted.epoch


def entry(claim: Claim, sequence: int) -> Append:
    """The next entry of a run."""
    run_id, epoch = claim
    return Append(
        tenant_id=ACME, run_id=run_id, epoch=Epoch(epoch), sequence=sequence, at=datetime(2026, 1, 1, tzinfo=UTC),
        hash=sequence.to_bytes(32), commitment=b"c" * 32, fact_count=1, kinds="step_completed", payload=b"[]",
        status="running", disposition=Disposition.KEEP, wake_sequence=0,
    )  # fmt: skip
