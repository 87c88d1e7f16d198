"""The simulators themselves: their books are what everything else is judged by."""

import sqlite3
from pathlib import Path

import httpx2
import pytest
from pytest_httpserver import HTTPServer

from remit_commerce.simulators.client import SimulatorProcess, Simulators
from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import CONFIRM, DRAFT, HOLD, Shop, draft, payment


async def test_books_survive_a_killed_process(tmp_path: Path) -> None:
    """
    What was answered, and what was done without an answer, is on record after SIGKILL.
    """
    process = SimulatorProcess(tmp_path)
    shop = Shop(simulators=process.start(), name="killed")
    await shop.call(HOLD, "answered", **payment())
    shop.simulators.fault("stripe", FaultKind.TIMEOUT_AFTER, hold_seconds=3)
    await shop.lose(HOLD, "unanswered", **payment())

    process.kill()
    shop.simulators = process.start()
    held = await shop.call(HOLD, "unanswered", **payment())

    assert 2 == len(shop.effects(HOLD))
    assert "requires_capture" == held["status"]
    process.stop()


async def test_book_is_readable_without_the_process(tmp_path: Path) -> None:
    """
    An auditor needs no code of ours: the book is an SQLite file.
    """
    process = SimulatorProcess(tmp_path)
    shop = Shop(simulators=process.start(), name="audited")
    await shop.call(HOLD, "hold", **payment())
    process.stop()

    with sqlite3.connect(tmp_path / "stripe.sqlite") as book:
        rows = book.execute("SELECT operation, amount_minor, reference FROM effects").fetchall()
    book.close()

    assert [("payment_intents.authorize", 40994, shop.reference("hold"))] == rows


async def test_request_without_effect_is_on_record_with_its_fault(shop: Shop) -> None:
    """
    The book tells which faults were played, so that a test can prove that they fired.
    """
    shop.simulators.fault("stripe", FaultKind.SERVER_ERROR_BEFORE, operation="payment_intents.authorize")

    await shop.fail(HOLD, "hold", **payment())

    last = shop.simulators.book("stripe")["requests"][-1]
    assert ("payment_intents.authorize", "server_error_before", 500) == (
        last["operation"],
        last["fault"],
        last["status"],
    )
    assert shop.reference("hold") == last["reference"]


async def test_fault_waits_for_its_turn(shop: Shop) -> None:
    """
    A fault lets the asked number of requests pass and is then played the asked number of times.
    """
    shop.simulators.fault("stripe", FaultKind.RATE_LIMITED, skip=1, times=2)

    await shop.call(HOLD, "first", **payment())
    await shop.fail(HOLD, "second", **payment())
    await shop.fail(HOLD, "second", **payment())
    await shop.call(HOLD, "second", **payment())

    assert [] == shop.simulators.pending_faults()
    assert 2 == len(shop.effects(HOLD))


async def test_shipment_webhook_is_signed_and_delivered(shop: Shop, httpserver: HTTPServer) -> None:
    """
    Shipping sends Printful's thin event with its signature; a redelivery differs in `retries` alone.
    """
    httpserver.expect_request("/hook", method="POST").respond_with_data("", status=202)
    order = await shop.call(DRAFT, "draft", **draft())
    await shop.call(CONFIRM, "confirm", order_id=order["order_id"], cost_max_minor=5000)

    sent = shop.simulators.ship(order["order_id"], url=httpserver.url_for("/hook"), secret="00ff")
    again = shop.simulators.ship(order["order_id"], url=httpserver.url_for("/hook"), secret="00ff", retries=1)

    assert 202 == sent["delivery"]["status"]
    assert {**sent["event"], "retries": 1} == again["event"]
    request = httpserver.log[0][0]
    assert request.headers["x-pf-webhook-signature"]


async def test_webhook_goes_to_this_machine_only(simulators: Simulators) -> None:
    """
    The simulators send nothing to other hosts.
    """
    with pytest.raises(Exception, match="loopback"):
        simulators.send_webhook("shopify", url="http://example.com/hook", secret="s", body=b"{}")


async def test_control_needs_its_token(simulators: Simulators) -> None:
    """
    Who does not know the token controls nothing.
    """
    async with httpx2.AsyncClient(trust_env=False) as client:
        reply = await client.get(f"{simulators.url}/_control/book/stripe", headers={"Authorization": "Bearer no"})

    assert 401 == reply.status_code


async def test_draft_not_confirmed_is_not_shipped(shop: Shop) -> None:
    """
    The factory makes nothing that was not confirmed.
    """
    order = await shop.call(DRAFT, "draft", **draft())

    with pytest.raises(Exception, match="409"):
        shop.simulators.ship(order["order_id"])
