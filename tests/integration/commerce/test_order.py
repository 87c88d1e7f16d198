"""A whole order through the kernel: from the signed webhook to receipts, also when every provider misbehaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import remit_commerce
from remit import Kernel, Settings
from remit.clock import wall_clock
from remit.ids import PrincipalId, RunId, TenantId
from remit.ports.store import Decision, Principal, RunSummary, WebhookEndpoint
from remit.testing.database import ScratchServer, scratch_database
from remit_commerce.ingress.signers import sign
from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import CONFIRM, DRAFT, FULFIL, HOLD, MAIL, TAKE, Shop, sample_order

TENANT, SERVICE, APPROVER = TenantId("default"), PrincipalId("commerce"), PrincipalId("approver")
SECRETS = {"shopify": "shpss_test", "printful": "00ff" * 8}
EFFECTS = (HOLD, DRAFT, TAKE, CONFIRM, FULFIL, MAIL)
SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    with ScratchServer() as server:
        yield server


@asynccontextmanager
async def serving(server: ScratchServer, shop: Shop) -> AsyncIterator[Kernel]:
    """Run a kernel whose tenant has this shop's remit, workflow and webhook endpoints."""
    pack = remit_commerce.pack()
    async with scratch_database(server) as scratch:
        named = {f"default__{name}": value for name, value in shop.credentials.items()}
        named |= {f"default__{source}_webhook": secret for source, secret in SECRETS.items()}
        settings = Settings(database_app_url=scratch.app_url, secrets=named)
        async with Kernel(packs=[pack], settings=settings) as kernel:
            service = Principal(tenant_id=TENANT, principal_id=SERVICE, kind="service")
            await kernel.store.directory.put_principal(service)
            for source in SECRETS:
                endpoint = WebhookEndpoint(
                    endpoint_id=f"{shop.name}-{source}",
                    tenant_id=TENANT,
                    source=source,
                    secret_name=f"{source}_webhook",
                    principal_id=SERVICE,
                )
                await kernel.store.endpoints.put_endpoint(endpoint)
            remit_file = document(pack.business_configs[0], "http://127.0.0.1:4610", shop.simulators.url)
            await kernel.apply_business(remit_file, path="business.yaml", tenant_id=TENANT)
            workflow = document(pack.definitions[0], "delay_initial: 500ms", "delay_initial: 10ms")
            await kernel.apply_orchestration(workflow, path="order_fulfilment.yaml", tenant_id=TENANT)
            yield kernel


def document(path: Path, old: str, new: str) -> bytes:
    text = path.read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new).encode()


async def deliver(kernel: Kernel, shop: Shop, source: str, event: dict[str, Any], **headers: str) -> tuple[RunId, ...]:
    """Send a signed webhook and return the runs that it started."""
    body = json.dumps(event).encode()
    signed = sign(source, body=body, secret=SECRETS[source], now=wall_clock())
    lowered = {name.lower(): value for name, value in {**signed, **headers}.items()}
    delivery = await kernel.ingress.receive(f"{shop.name}-{source}", headers=lowered, body=body)
    return delivery.started


async def order_placed(kernel: Kernel, shop: Shop) -> RunId:
    """Seed the sample order, deliver its webhook twice, and return the one run."""
    shop.seed()
    order = sample_order()
    headers = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "print-shop.myshopify.com",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    }
    (run_id,) = await deliver(kernel, shop, "shopify", order, **headers)
    assert () == await deliver(kernel, shop, "shopify", order, **headers)
    return run_id


async def reached(kernel: Kernel, run_id: RunId, waiting_for: str | None) -> RunSummary:
    """Return the run once it waits for something, or has ended."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:  # bound: the timeout
            run = await kernel.store.reader.get_run(TENANT, run_id)
            is_over = run.status in {"completed", "failed", "cancelled", "aborted"}
            if is_over or (waiting_for is not None and waiting_for in str(run.waiting_for)):
                return run
            await kernel.store.reader.wait_for_change(TENANT, run_id, after_sequence=run.sequence, timeout_seconds=0.2)


async def approve_capture(kernel: Kernel, run_id: RunId) -> None:
    """Approve what waits, as the approver."""
    waiting = await reached(kernel, run_id, "approval")
    assert "waiting" == waiting.status, waiting
    (asked,) = await kernel.store.approvals.list(TENANT)
    assert TAKE == asked.tool
    decision = Decision(approval_id=asked.approval_id, decision="approve", principal_id=APPROVER, digest=asked.digest)
    await kernel.store.approvals.decide(TENANT, decision)
    await kernel.runs.announce(run_id)


async def ship(kernel: Kernel, shop: Shop, run_id: RunId) -> None:
    """Have the factory ship the run's order and deliver the webhook three times."""
    await reached(kernel, run_id, "event")
    (drafted,) = shop.effects(DRAFT)
    for retries in range(3):
        event = shop.simulators.ship(drafted["object_id"], retries=retries)["event"]
        await deliver(kernel, shop, "printful", event)


@pytest.mark.parametrize(
    "kind",
    [
        None,
        FaultKind.RESET_AFTER,
        FaultKind.WRONG_ID,
        FaultKind.GARBAGE,
        FaultKind.SERVER_ERROR_BEFORE,
        FaultKind.RATE_LIMITED,
    ],
)
async def test_order_has_each_effect_once_whatever_the_providers_do(
    server: ScratchServer, shop: Shop, kind: FaultKind | None
) -> None:
    """
    Each provider fails once at each thing it does; the order completes, and the books match the receipts one to one.
    """
    async with serving(server, shop) as kernel:
        for tool in (HOLD, DRAFT, TAKE, CONFIRM, FULFIL) if kind is not None else ():
            provider, _, operation = tool.partition(".")
            shop.simulators.fault(provider, kind, operation=operation)

        run_id = await order_placed(kernel, shop)
        await approve_capture(kernel, run_id)
        await ship(kernel, shop, run_id)
        run = await reached(kernel, run_id, None)
        receipts = await kernel.store.reader.list_receipts(TENANT, run_id=run_id)

    assert "completed" == run.status
    assert [] == shop.simulators.pending_faults()
    assert dict.fromkeys(EFFECTS, 1) == {tool: len(shop.effects(tool)) for tool in EFFECTS}
    assert sorted(effect["reference"] for tool in EFFECTS for effect in shop.effects(tool)) == sorted(
        str(stored.receipt.external_key)[-32:] for stored in receipts
    )


async def test_declined_card_ends_the_order_without_goods(server: ScratchServer, shop: Shop) -> None:
    """
    Without money nothing is drafted, made or written.
    """
    async with serving(server, shop) as kernel:
        order_id = shop.seed()
        definition = await kernel.store.directory.get_definition(TENANT, name="order-fulfilment")
        submitted = await kernel.runs.submit(
            TENANT,
            definition_digest=definition.digest,
            run_input={"order_id": order_id, "payment_method": "pm_card_chargeDeclined"},
            principal_id=SERVICE,
        )
        run = await reached(kernel, submitted.run_id, None)

    assert "failed" == run.status
    assert dict.fromkeys(EFFECTS, 0) == {tool: len(shop.effects(tool)) for tool in EFFECTS}


async def test_lost_answer_to_a_mail_parks_the_order(server: ScratchServer, shop: Shop) -> None:
    """
    A mail that may or may not have gone out is not sent again: a person is asked.
    """
    async with serving(server, shop) as kernel:
        shop.simulators.fault("sendgrid", FaultKind.RESET_AFTER)

        run_id = await order_placed(kernel, shop)
        await approve_capture(kernel, run_id)
        await ship(kernel, shop, run_id)
        run = await reached(kernel, run_id, "settlement")

    assert "waiting" == run.status
    assert 1 == len(shop.effects(MAIL))
