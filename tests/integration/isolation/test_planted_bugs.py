"""The suite finds what it is there to find: each bug is planted, and the check that has to notice it does.

Each test runs twice, as the product is and with the bug, so that it is the bug that is found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import pytest

from remit.api.app import create_app
from remit.bootstrap import Kernel
from remit.core.program import Program
from remit.errors import NotFoundError, PermissionDeniedError
from remit.ids import Digest, RunId, TenantId
from remit.ports.store import RunSummary
from remit.runtime.catalogue import Catalogue
from remit.store.reader import PostgresReader
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store, pristine_database
from tests.conformance.store.world import ACME, OTHER, entry, make_world
from tests.integration.isolation.crowd import Tally, gathered
from tests.integration.isolation.houses import House, settings_of
from tests.integration.isolation.places import Place
from tests.integration.isolation.planting import open_policy, replant
from tests.integration.isolation.probing import context, outcome
from tests.integration.isolation.test_batches import named
from tests.integration.isolation.test_matrix_http import Asking, Watch

IS_PLANTED = pytest.mark.parametrize("is_planted", [False, True], ids=["as it is", "planted"])
SECOND_LINE = ("where k.tenant_id = tenant and k.key = wanted", "where k.key = wanted")
HEAD = ("where h.tenant_id = batch.tenant_id and h.run_id = e.run_id", "where h.run_id = e.run_id")


@pytest.fixture
async def pristine(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    async with pristine_database(scratch_server) as database:
        yield database


@pytest.fixture
async def owner(pristine: ScratchDatabase) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(pristine.admin_url)
    yield connection
    await connection.close()


async def asked(database: ScratchDatabase) -> Tally:
    async with gathered(database, tenants=6, seed=1) as crowd:
        await crowd.ask(400)
    return crowd.tally


@IS_PLANTED
async def test_open_policy_is_found_by_a_bare_statement(
    admin: asyncpg.Connection[Any], mine: House, *, is_planted: bool
) -> None:
    """
    A policy of one table that lets every row through shows in that tenant's own list without conditions.
    """
    async with context(admin, mine.tenant_id):
        if is_planted:
            await open_policy(admin, "receipts")
        await admin.execute("set local role remit_app")
        tenants = await outcome(admin, "select count(distinct tenant_id) from remit.receipts")

    assert is_planted == (tenants != 1)


@IS_PLANTED
async def test_context_of_a_session_is_found_by_the_crowd(
    pristine: ScratchDatabase, owner: asyncpg.Connection[Any], *, is_planted: bool
) -> None:
    """
    A function that sets the tenant for the session leaves it to the next borrower, whom the crowd asks.
    """
    if is_planted:
        edits = (("tenant, true)", "tenant, false)"), ("perform set_config('remit.tenant_id', '', true);", ""))
        await replant(owner, "find_key_v1", *edits)

    tally = await asked(pristine)

    assert is_planted == bool(tally.left_over)
    assert is_planted == bool(tally.leaks)


@IS_PLANTED
@pytest.mark.parametrize("broken", ["both", "predicate", "policy"])
async def test_function_without_tenant_is_found_when_the_policy_is_gone_too(
    pristine: ScratchDatabase, owner: asyncpg.Connection[Any], broken: str, *, is_planted: bool
) -> None:
    """
    A forgotten predicate alone leaks nothing, for the policy holds; nor does an open policy alone; both together leak,
    and the crowd tells.
    """
    if is_planted and broken != "policy":
        await replant(owner, "find_key_v1", SECOND_LINE)
    if is_planted and broken != "predicate":
        await open_policy(owner, "idempotency_keys")

    tally = await asked(pristine)

    assert (is_planted and broken == "both") == bool(tally.leaks)


@IS_PLANTED
async def test_append_to_any_tenant_s_head_is_found_by_a_mixed_batch(
    pristine: ScratchDatabase, owner: asyncpg.Connection[Any], *, is_planted: bool
) -> None:
    """
    An append that finds heads by their run alone takes an entry for another tenant's run.
    """
    if is_planted:
        await open_policy(owner, "heads")
        await replant(owner, "append_v1", HEAD)
    store = await connect_store(pristine)
    mine, theirs = await make_world(store, ACME), await make_world(store, OTHER)
    others = await theirs.submit()

    (reply,), _ = await mine.store.journal.append([entry(named(others, ACME))])
    await store.close()

    assert is_planted == (reply.outcome != "fenced")


@pytest.fixture
async def kernel(matrix_database: ScratchDatabase, matrix_houses: tuple[House, House]) -> AsyncIterator[Kernel]:
    async with Kernel(packs=[], settings=settings_of(matrix_database), has_worker=False) as kernel:
        yield kernel


@pytest.fixture
async def asking(kernel: Kernel, matrix_houses: tuple[House, House]) -> AsyncIterator[Asking]:
    transport = httpx2.ASGITransport(app=create_app(kernel))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Asking(client, Watch(), *matrix_houses)


@IS_PLANTED
async def test_forbidden_instead_of_absent_is_found_by_the_matrix(
    asking: Asking, matrix_database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A route that says 403 of what another tenant has and 404 of what nobody has tells that it exists.
    """
    honest = PostgresReader.get_run
    admin = await asyncpg.connect(matrix_database.admin_url)

    async def get_run(self: PostgresReader, tenant_id: TenantId, run_id: RunId) -> RunSummary:
        try:
            return await honest(self, tenant_id, run_id)
        except NotFoundError as error:
            if await admin.fetchval("select exists (select from remit.runs where run_id = $1)", run_id):
                raise PermissionDeniedError("this run is another tenant's") from error
            raise

    if is_planted:
        monkeypatch.setattr(PostgresReader, "get_run", get_run)
    differences = await asking.differences([(Place("GET /runs/{run_id}", "path.run_id"), "done_id")])
    await admin.close()

    assert is_planted == bool(differences)


@IS_PLANTED
async def test_cache_without_tenant_is_found_by_the_matrix(
    kernel: Kernel, asking: Asking, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    Definitions kept in memory by their digest alone are found by a tenant that does not have them.
    """
    honest = Catalogue.program
    kept: dict[Digest, Program] = {}

    async def program(self: Catalogue, tenant_id: TenantId, digest: Digest) -> Program:
        if digest not in kept:
            kept[digest] = await honest(self, tenant_id, digest)
        return kept[digest]

    if is_planted:
        monkeypatch.setattr(Catalogue, "program", program)
    await kernel.catalogue.program(asking.theirs.tenant_id, asking.theirs.definition_digest)
    differences = await asking.differences([(Place("POST /runs", "body.definition"), "definition_digest")])

    assert is_planted == bool(differences)
