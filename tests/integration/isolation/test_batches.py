"""Batches in which tenants are mixed: an item that names another tenant's thing is refused alone, the others are done.

Three known holes of an engine like this were of that kind: a request of one tenant, with an item that names another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest

from remit.errors import InputInvalidError, NotFoundError
from remit.ids import TenantId
from remit.ports.store import AppendOutcome, Claimed, Disposition, MintedRun
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store, scratch_database
from tests.conformance.store.world import ACME, OTHER, World, approval, entry, make_world, receipt, reserve, step
from tests.integration.isolation.houses import take_stock


@pytest.fixture
async def scratch(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    async with scratch_database(scratch_server) as database:
        yield database


@pytest.fixture
async def worlds(scratch: ScratchDatabase) -> AsyncIterator[tuple[World, World]]:
    """Two tenants on one store, with workers that own runs of theirs."""
    store = await connect_store(scratch)
    yield await make_world(store, ACME), await make_world(store, OTHER)
    await store.close()


@pytest.fixture
async def owner(scratch: ScratchDatabase) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(scratch.admin_url)
    yield connection
    await connection.close()


def named(claim: Claimed, tenant_id: TenantId) -> Claimed:
    """Return a claim of the same run in another tenant's name."""
    return msgspec.structs.replace(claim, tenant_id=tenant_id)


async def test_append_refuses_the_item_of_another_tenant_alone(
    worlds: tuple[World, World], owner: asyncpg.Connection[Any]
) -> None:
    """
    In one append of both tenants' runs, with all rows that an entry can have, the entries that name the other's run are
    fenced and leave nothing, and the two true ones are applied.
    """
    mine, theirs = worlds
    ours, others = await mine.submit(), await theirs.submit()
    expires_at = await mine.now()

    def rows(claim: Claimed, marker: str) -> Any:
        return entry(
            claim, marker=marker, steps=(step(),), receipts=(receipt(marker),), keys=(reserve(marker),),
            approvals=(approval(expires_at=expires_at),), disposition=Disposition.KEEP,
        )  # fmt: skip

    replies, _ = await mine.store.journal.append(
        [
            rows(ours, "mine"), rows(named(others, ACME), "stolen"),
            rows(others, "theirs"), rows(named(ours, OTHER), "stolen back"),
        ]
    )  # fmt: skip
    counts = {
        table: {row["tenant_id"]: row["count"] for row in await owner.fetch(
            f"select tenant_id, count(*) from remit.{table} group by 1"
        )}
        for table in ("journal", "payloads", "steps", "receipts", "approvals", "idempotency_keys")
    }  # fmt: skip

    outcomes = [reply.outcome for reply in replies]
    assert [AppendOutcome.APPLIED, AppendOutcome.FENCED] * 2 == outcomes
    assert [{ACME: 1, OTHER: 1}] * len(counts) == list(counts.values())


async def test_submit_of_another_tenant_s_definition_stores_nothing_of_the_batch(
    worlds: tuple[World, World], owner: asyncpg.Connection[Any]
) -> None:
    """
    A batch in which one submission names a definition or person of another tenant creates no run for anybody.
    """
    mine, theirs = worlds
    only = await mine.store.directory.put_definition(
        OTHER, name="only theirs", version="1", digest="f" * 64, body=b"{}"
    )  # type: ignore[arg-type]
    stolen = msgspec.structs.replace(mine.submission(), definition_digest=only.digest)
    before = [await take_stock(owner, tenant_id) for tenant_id in (ACME, OTHER)]

    with pytest.raises(NotFoundError):
        await mine.store.journal.submit([mine.submission(), stolen, theirs.submission()])

    assert before == [await take_stock(owner, tenant_id) for tenant_id in (ACME, OTHER)]


@pytest.mark.parametrize("what", ["tenant", "run", "no run"])
async def test_first_entry_of_another_run_is_refused(
    worlds: tuple[World, World], owner: asyncpg.Connection[Any], what: str
) -> None:
    """
    The entry inside a submission must be of the tenant and run that are submitted: what it says otherwise is no slip.
    """
    mine, theirs = worlds
    minted, foreign = await mine.store.journal.mint(2)
    claim = Claimed(tenant_id=ACME, run_id=minted.run_id, epoch=1)  # type: ignore[arg-type]
    inner = {
        "tenant": named(claim, OTHER),
        "run": msgspec.structs.replace(claim, run_id=foreign.run_id),
        "no run": claim,
    }[what]
    submission = msgspec.structs.replace(
        mine.submission(), minted=None if what == "no run" else minted, first=entry(inner)
    )
    before = [await take_stock(owner, tenant_id) for tenant_id in (ACME, OTHER)]

    with pytest.raises(InputInvalidError):
        await mine.store.journal.submit([submission])

    assert before == [await take_stock(owner, tenant_id) for tenant_id in (ACME, OTHER)]
    assert isinstance(minted, MintedRun)
    assert theirs.tenant_id == OTHER


async def test_load_and_release_hear_true_claims_only(
    worlds: tuple[World, World], owner: asyncpg.Connection[Any]
) -> None:
    """
    Of a mixed list of claims the true ones are loaded and handed back; those in another's name are as if not said.
    """
    mine, theirs = worlds
    ours, others = await mine.submit(), await theirs.submit()
    mixed = [ours, named(others, ACME), others, named(ours, OTHER)]

    loaded, _ = await mine.store.journal.load(mixed)
    await mine.store.dispatch.release(mine.worker_id, [named(ours, OTHER), others, named(others, ACME)])
    owned = await owner.fetchval("select count(*) from remit.heads where worker_id is not null")
    await mine.store.dispatch.release(mine.worker_id, mixed)
    left = await owner.fetch("select tenant_id from remit.heads where worker_id is not null")

    assert [(ACME, ours.run_id), (OTHER, others.run_id)] == [(run.tenant_id, run.run_id) for run in loaded]
    assert 2 == owned
    assert [OTHER] == [row["tenant_id"] for row in left]


async def test_claims_across_tenants_say_whose_each_run_is(worlds: tuple[World, World]) -> None:
    """
    A worker claims runs of all tenants in one call: each claim names the tenant of its run, and loads under it.
    """
    mine, theirs = worlds
    store: PostgresStore = mine.store
    unclaimed = [world.submission(claimed=False) for world in (mine, theirs) for _ in range(4)]
    submitted, _ = await store.journal.submit(unclaimed)
    whose = {one.run_id: submission.tenant_id for one, submission in zip(submitted, unclaimed, strict=True)}

    claims, _ = await store.dispatch.claim(mine.worker_id, request_id="both", limit=20)
    loaded, _ = await store.journal.load(claims)

    assert whose == {claim.run_id: claim.tenant_id for claim in claims}
    assert whose == {run.run_id: run.tenant_id for run in loaded}


async def test_concurrent_batches_of_both_tenants_stay_apart(worlds: tuple[World, World]) -> None:
    """
    Appends of one batch to twenty runs of both tenants, in any order, land in the journal of the run that each names.
    """
    mine, theirs = worlds
    claims = [await world.submit() for _ in range(10) for world in (mine, theirs)]
    batches = [
        [entry(claim, number, marker=claim.tenant_id) for claim in claims[number::-1] + claims[:number:-1]]
        for number in range(1, 4)
    ]  # fmt: skip
    for batch in batches:
        replies, _ = await mine.store.journal.append(batch)
        assert {AppendOutcome.APPLIED} == {reply.outcome for reply in replies}
    runs = await asyncio.gather(*(mine.store.reader.read_run(claim.tenant_id, claim.run_id) for claim in claims))

    assert [3] * len(claims) == [len(run.entries) for run in runs]
    assert [] == [
        run.run_id for run in runs for one in run.entries if f"{one.sequence}{run.tenant_id}" not in str(one.payload)
    ]
