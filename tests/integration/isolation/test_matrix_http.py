"""Two tenants, every route, every place of a request, every kind of id, every kind of principal.

Whatever of another tenant is put wherever, the answer is that for an id that nobody has, and nothing of theirs changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
import pytest

import remit_commerce
from remit.api import approvals, runs
from remit.api.app import create_app, routes_of
from remit.bootstrap import Kernel
from remit.testing.database import ScratchDatabase
from tests.crash.kernels import HeldClock, ObservedKernel
from tests.integration.isolation.houses import PRINCIPALS, House, settings_of, take_stock
from tests.integration.isolation.places import (
    BODIES,
    NATURAL,
    QUERIES,
    Place,
    bodies_of,
    kinds_of,
    names,
    places,
    queries_of,
    request,
)
from tests.integration.isolation.strangers import absent, comparable, foreign

Cell = tuple[Place, str]
ROUTES = [
    "POST /webhooks/{endpoint_id}", "GET /health", "HEAD /health", "GET /metrics", "HEAD /metrics", "POST /runs",
    "GET /runs", "HEAD /runs", "GET /runs/{run_id}", "HEAD /runs/{run_id}", "POST /runs/{run_id}/cancellation",
    "POST /runs/{run_id}/signals", "GET /approvals", "HEAD /approvals", "POST /approvals/{approval_id}/decision",
]  # fmt: skip
UNGUESSABLE = Place("POST /webhooks/{endpoint_id}", "path.endpoint_id")
"""Providers have no API key: the endpoint's id, 192 random bits, is theirs. Who has it learns that it exists (401)."""


@dataclass
class Watch:
    """Notes the names of statements in their order."""

    seen: list[str] = field(default_factory=list)

    async def before(self, statement: str) -> None:
        self.seen.append(statement)

    async def after(self, statement: str) -> None:
        """Nothing to note."""

    def take(self) -> list[str]:
        seen, self.seen = self.seen, []
        return [statement for statement in seen if statement != "announce"]


@pytest.fixture
def database(matrix_database: ScratchDatabase) -> ScratchDatabase:
    return matrix_database


@pytest.fixture
def houses(matrix_houses: tuple[House, House]) -> tuple[House, House]:
    return matrix_houses


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def kernel(database: ScratchDatabase, houses: tuple[House, House], watch: Watch) -> AsyncIterator[Kernel]:
    options = {"packs": [remit_commerce.pack()], "settings": settings_of(database), "has_worker": False}
    kernel = ObservedKernel(observer=watch, **options)
    # What is kept in memory for a second is kept throughout, so that no answer depends on when it is asked for.
    kernel.clock = HeldClock()
    async with kernel:
        for house in houses:
            await kernel.catalogue.policy(house.tenant_id)
            await kernel.catalogue.program(house.tenant_id, house.definition_digest)
        yield kernel


@pytest.fixture
async def http(kernel: Kernel) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(kernel))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@dataclass
class Asking:
    """Asks as one tenant, and compares what is answered about another one."""

    http: httpx2.AsyncClient
    watch: Watch
    mine: House
    theirs: House

    async def ask(self, place: Place, value: Any, *, who: str) -> tuple[object, ...]:
        """Return status, headers, body and statements of an answer."""
        self.watch.take()
        answer = await self.http.request(**request(place, value, self.mine, key=self.mine.keys.get(who)))
        text = answer.text
        if place.route.endswith(("/health", "/metrics")):
            text = str(len(text.splitlines()))
        headers = sorted((name, told) for name, told in answer.headers.items() if name != "content-length")
        return answer.status_code, comparable(str(headers), value), comparable(text, value), self.watch.take()

    async def differences(self, cells: list[Cell], who: str = "operator") -> list[str]:
        """Return what tells another tenant's ids from absent ones; nothing of that tenant may change meanwhile."""
        found = []
        for place, kind in cells:
            known = await self.ask(place, foreign(self.theirs, kind), who=who)
            unknown = await self.ask(place, absent(self.theirs, kind), who=who)
            if known != unknown:
                found.append(f"{place} {kind}: {known} but {unknown}")
        return found

    async def own(self, cells: list[Cell], who: str) -> int:
        """Return in how many cells one's own id is answered otherwise than an absent one."""
        count = 0
        for place, kind in cells:
            own = await self.ask(place, foreign(self.mine, kind), who=who)
            count += own[0] != (await self.ask(place, absent(self.mine, kind), who=who))[0]
        return count


def cells_of(kernel: Kernel, *, natural: bool) -> list[Cell]:
    """Return every place with every kind, or only with those that it is meant for."""
    found = [place for place in places(routes_of(kernel)) if place != UNGUESSABLE]
    if natural:
        found = [place for place in found if place.where in NATURAL and not place.where.startswith("header.")]
    return [(place, kind) for place in found for kind in (NATURAL[place.where] if natural else kinds_of(place))]


@dataclass
class Desk:
    """Where both tenants ask."""

    kernel: Kernel
    http: httpx2.AsyncClient
    watch: Watch
    admin: asyncpg.Connection[Any]
    houses: tuple[House, House]

    def asking(self, way: int) -> Asking:
        return Asking(self.http, self.watch, self.houses[way], self.houses[1 - way])

    @asynccontextmanager
    async def unchanged(self, theirs: House) -> AsyncIterator[None]:
        """Require that no row of a tenant changes inside."""
        before = await take_stock(self.admin, theirs.tenant_id)
        yield
        assert before == await take_stock(self.admin, theirs.tenant_id)


@pytest.fixture
def desk(
    kernel: Kernel, http: httpx2.AsyncClient, watch: Watch, admin: asyncpg.Connection[Any], houses: tuple[House, House]
) -> Desk:
    return Desk(kernel, http, watch, admin, houses)


def test_matrix_covers_every_route_and_place(kernel: Kernel) -> None:
    """
    A route, a record of a body or a name of the query that is added must come into the matrix.
    """
    routes = routes_of(kernel)
    found = list(places(routes))

    assert sorted(ROUTES) == sorted(names(routes))
    assert set(BODIES.values()) == bodies_of(approvals, runs)
    assert queries_of(approvals, runs) == {name for query in QUERIES.values() for name in query}
    assert set(NATURAL) <= {place.where for place in found}
    assert {place.where for place in found if place.where.startswith("path.")} <= set(NATURAL)
    assert len(cells_of(kernel, natural=False)) >= 600


@pytest.mark.parametrize("way", [0, 1], ids=["one way", "other way"])
async def test_foreign_id_is_answered_like_an_absent_one(way: int, desk: Desk) -> None:
    """
    Everywhere in every route another tenant's id of any kind gets the status, headers, body and even the statements
    of an id that nobody has, and no row of the other tenant changes.
    """
    asking = desk.asking(way)
    cells = cells_of(desk.kernel, natural=False)[way::2]
    async with desk.unchanged(asking.theirs):
        differences = await asking.differences(cells)

    assert [] == differences
    assert len(cells) >= 300


@pytest.mark.parametrize("who", [*PRINCIPALS, "nobody"])
async def test_every_principal_is_answered_alike(who: str, desk: Desk) -> None:
    """
    Whoever asks, of whatever kind and role or without a key: the ids that a place is meant for tell nothing of another
    tenant, while with a key one's own are answered otherwise.
    """
    cells = cells_of(desk.kernel, natural=True)
    for way in (0, 1):
        asking = desk.asking(way)
        async with desk.unchanged(asking.theirs):
            differences = await asking.differences(cells, who)
            own = await asking.own(cells, who)

        assert [] == differences
        assert (own >= 5) is (who != "nobody")
    assert len(cells) >= 15


async def test_endpoint_s_id_is_all_that_its_holder_knows(http: httpx2.AsyncClient, mine: House, theirs: House) -> None:
    """
    The one id that may be told from an absent one is the webhook endpoint's own: who has it learns that it exists.
    """
    headers = {"content-type": "application/json"}
    forged = [
        await http.post(f"/webhooks/{endpoint_id}", json={}, headers=headers)
        for endpoint_id in (theirs.endpoint_id, mine.endpoint_id, absent(theirs, "endpoint_id"))
    ]

    assert [401, 401, 404] == [answer.status_code for answer in forged]
    assert [] == [answer for answer in forged if theirs.tenant_id in answer.text or mine.tenant_id in answer.text]


async def test_tenant_and_principal_of_a_request_come_from_its_key(
    http: httpx2.AsyncClient, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    A tenant or principal in a body is refused, in a query or header it is not heard.
    """
    authorized = {"authorization": f"Bearer {mine.keys['operator']}"}
    body = {"definition": mine.definition_name}
    before = await take_stock(admin, theirs.tenant_id)

    refused = [
        await http.post("/runs", json={**body, name: value}, headers=authorized)
        for name, value in (
            ("tenant_id", theirs.tenant_id),
            ("tenant", theirs.tenant_id),
            ("principal_id", theirs.operator),
        )
    ]
    unheard = await http.post(
        "/runs",
        params={"tenant_id": theirs.tenant_id},
        json=body,
        headers={**authorized, "x-tenant-id": theirs.tenant_id},
    )

    assert [422] * 3 == [answer.status_code for answer in refused]
    assert 201 == unheard.status_code
    assert mine.operator == unheard.json()["principal_id"]
    assert before == await take_stock(admin, theirs.tenant_id)
