"""The edges of a kernel that serves two tenants: webhooks, and everything that HTTP offers to one with a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import pytest

import remit_commerce
from remit.api.app import create_app
from remit.bootstrap import Kernel
from remit.errors import NotFoundError, SignatureInvalidError
from remit.testing.database import ScratchDatabase
from remit_commerce.ingress.signers import sign
from tests.integration.isolation.houses import House, settings_of, take_stock

BODY = json.dumps({"id": 4711, "updated_at": "2026-01-01T00:00:00Z"}).encode()


@pytest.fixture
async def kernel(database: ScratchDatabase, houses: tuple[House, House]) -> AsyncIterator[Kernel]:
    pack = remit_commerce.pack()
    async with Kernel(packs=[pack], settings=settings_of(database), has_worker=False) as kernel:
        yield kernel


@pytest.fixture
async def http(kernel: Kernel) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(kernel))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def delivery(secret: str, body: bytes = BODY) -> dict[str, str]:
    """Return the headers of an order's webhook, signed with a secret."""
    signed = sign("shopify", body=body, secret=secret, now=None)  # type: ignore[arg-type]  # Shopify signs no time
    return {
        "content-type": "application/json",
        "x-shopify-topic": "orders/create",
        "x-shopify-shop-domain": "remit-simulator.myshopify.com",
        "x-shopify-event-id": hashlib.sha256(body).hexdigest()[:32],
        **{name.lower(): value for name, value in signed.items()},
    }


async def test_webhook_signed_by_another_tenant_is_refused(
    kernel: Kernel, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    At my endpoint their secret is worth nothing: nothing is stored and nothing runs, for neither of us.
    """
    before = [await take_stock(admin, house.tenant_id) for house in (mine, theirs)]

    with pytest.raises(SignatureInvalidError):
        await kernel.ingress.receive(mine.endpoint_id, headers=delivery(theirs.webhook_secret), body=BODY)

    assert before == [await take_stock(admin, house.tenant_id) for house in (mine, theirs)]


async def test_webhook_at_an_unknown_endpoint_is_not_found(kernel: Kernel, theirs: House) -> None:
    """
    A genuine delivery to an address that does not exist reaches nobody.
    """
    with pytest.raises(NotFoundError):
        await kernel.ingress.receive("0" * 32, headers=delivery(theirs.webhook_secret), body=BODY)


async def test_genuine_webhook_starts_its_tenant_s_run_only(
    kernel: Kernel, admin: asyncpg.Connection[Any], mine: House, theirs: House
) -> None:
    """
    An event that definitions of both tenants would start on starts the one of the endpoint's tenant.
    """
    body = json.dumps({"id": 4712}).encode()
    before = await take_stock(admin, mine.tenant_id)

    delivered = await kernel.ingress.receive(
        theirs.endpoint_id, headers=delivery(theirs.webhook_secret, body), body=body
    )
    (run_id,) = delivered.started
    run = await kernel.store.reader.get_run(theirs.tenant_id, run_id)

    assert f"{theirs.tenant_id}-triggered" == run.definition_name
    assert before == await take_stock(admin, mine.tenant_id)


def requests(house: House) -> list[tuple[str, str, Any]]:
    """Return every request that names a thing of a house."""
    return [
        ("GET", f"/runs/{house.done_id}", None),
        ("GET", f"/runs/{house.waiting_id}", None),
        ("POST", f"/runs/{house.waiting_id}/cancellation", {}),
        ("POST", f"/runs/{house.waiting_id}/signals", {"name": "go"}),
        (
            "POST",
            f"/approvals/{house.approval_id}/decision",
            {"decision": "approve", "digest": house.approval_digest},
        ),
        ("POST", "/runs", {"definition": house.definition_name}),
        ("POST", "/runs", {"definition": house.definition_digest}),
    ]


@pytest.mark.parametrize("number", range(7))
async def test_foreign_thing_does_not_exist_over_http(
    http: httpx2.AsyncClient, admin: asyncpg.Connection[Any], mine: House, theirs: House, number: int
) -> None:
    """
    With my key their runs, approvals and definitions are 404, exactly like those that never were.
    """
    method, path, body = requests(theirs)[number]
    before = await take_stock(admin, theirs.tenant_id)

    answer = await http.request(method, path, json=body, headers={"Authorization": f"Bearer {mine.api_key}"})
    anonymous = await http.request(method, path, json=body)

    assert 404 == answer.status_code, answer.text
    assert theirs.tenant_id not in answer.text.replace(theirs.definition_name, "")
    assert 401 == anonymous.status_code
    assert before == await take_stock(admin, theirs.tenant_id)


@pytest.mark.parametrize("path", ["/runs", "/runs?limit=500", "/approvals?status=all", "/approvals"])
async def test_lists_over_http_show_one_s_own(http: httpx2.AsyncClient, mine: House, theirs: House, path: str) -> None:
    """
    A list of mine is not empty, and holds nothing of theirs.
    """
    answers = [await http.get(path, headers={"Authorization": f"Bearer {house.api_key}"}) for house in (mine, theirs)]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert mine.tenant_id in answers[0].text
    assert theirs.tenant_id not in answers[0].text
    assert mine.tenant_id not in answers[1].text
