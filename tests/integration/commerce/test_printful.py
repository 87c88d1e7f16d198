"""Production on demand against the simulated Printful."""

import pytest

from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import CONFIRM, DRAFT, Shop, draft

COST = 1250 + 495

LOST = [
    FaultKind.SERVER_ERROR_BEFORE,
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.HTML_BEFORE,
    FaultKind.HTML_AFTER,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.RESET_BEFORE,
    FaultKind.RESET_AFTER,
    FaultKind.GARBAGE,
    FaultKind.WRONG_ID,
    FaultKind.SLOW_DRIP,
    FaultKind.OVERSIZED,
]
NEVER_EXECUTED = {
    FaultKind.SERVER_ERROR_BEFORE,
    FaultKind.HTML_BEFORE,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.RESET_BEFORE,
}


async def test_draft_charges_nothing_and_carries_our_reference(shop: Shop) -> None:
    """
    A draft has our 32 hex characters as its external id, no cost yet, and no amount in the book.
    """
    order = await shop.call(DRAFT, "draft", **draft())

    assert ("draft", shop.reference("draft"), None) == (order["status"], order["external_id"], order["cost_minor"])
    assert [None] == [effect["amount_minor"] for effect in shop.effects(DRAFT)]


async def test_confirmation_charges_the_computed_cost(shop: Shop) -> None:
    """
    Confirming moves the order on and charges its cost, once.
    """
    order = await shop.call(DRAFT, "draft", **draft())

    confirmed = await shop.call(CONFIRM, "confirm", order_id=order["order_id"], cost_max_minor=COST)

    assert ("pending", COST) == (confirmed["status"], confirmed["cost_minor"])
    assert [COST] == [effect["amount_minor"] for effect in shop.effects(CONFIRM)]


async def test_confirmation_above_its_limit_is_refused(shop: Shop) -> None:
    """
    An order that costs more than allowed stays a draft.
    """
    order = await shop.call(DRAFT, "draft", **draft())

    failure = await shop.fail(CONFIRM, "confirm", order_id=order["order_id"], cost_max_minor=COST - 1)

    assert ("COST_TOO_HIGH", "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert [] == shop.effects(CONFIRM)


@pytest.mark.parametrize("kind", LOST)
async def test_lost_draft_is_found_or_proven_absent(shop: Shop, kind: FaultKind) -> None:
    """
    After a lost answer the look-up tells by our reference whether the draft is there; then there is exactly one.
    """
    shop.simulators.fault("printful", kind, operation="orders.create_draft", hold_seconds=3)

    failure = await shop.lose(DRAFT, "draft", **draft())
    found = await shop.look_up(DRAFT, "draft", **draft())
    if found is None:
        await shop.call(DRAFT, "draft", **draft())

    assert ("unknown", True) == (failure.effect, failure.retryable)
    assert (kind in NEVER_EXECUTED) == (found is None)
    assert 1 == len(shop.effects(DRAFT))


@pytest.mark.parametrize("kind", LOST)
async def test_lost_confirmation_is_found_or_proven_absent(shop: Shop, kind: FaultKind) -> None:
    """
    After a lost answer the order's status tells whether it was confirmed; then it was charged exactly once.
    """
    order = await shop.call(DRAFT, "draft", **draft())
    arguments = {"order_id": order["order_id"], "cost_max_minor": COST}
    shop.simulators.fault("printful", kind, operation="orders.confirm", hold_seconds=3)

    failure = await shop.lose(CONFIRM, "confirm", **arguments)
    found = await shop.look_up(CONFIRM, "confirm", **arguments)
    if found is None:
        await shop.call(CONFIRM, "confirm", **arguments)

    assert ("unknown", True) == (failure.effect, failure.retryable)
    assert (kind in NEVER_EXECUTED) == (found is None)
    assert 1 == len(shop.effects(CONFIRM))


async def test_draft_that_exists_already_is_taken_over(shop: Shop) -> None:
    """
    When an earlier try arrived late, the taken external id is recognised as our own order.
    """
    first = await shop.call(DRAFT, "draft", **draft())

    again = await shop.call(DRAFT, "draft", **draft())

    assert first["order_id"] == again["order_id"]
    assert 1 == len(shop.effects(DRAFT))


async def test_confirmation_arriving_between_look_and_act_charges_once(shop: Shop) -> None:
    """
    A late confirmation makes the second one a conflict, which is read as the success that it is.
    """
    order = await shop.call(DRAFT, "draft", **draft())
    arguments = {"order_id": order["order_id"], "cost_max_minor": COST}
    shop.simulators.fault("printful", FaultKind.LATE, operation="orders.confirm", hold_seconds=0.5)

    await shop.lose(CONFIRM, "confirm", seconds=0.3, **arguments)
    shop.simulators.fault("printful", FaultKind.DELAYED, operation="orders.confirm", hold_seconds=0.6)
    confirmed = await shop.call(CONFIRM, "confirm", **arguments)

    assert "pending" == confirmed["status"]
    assert 1 == len(shop.effects(CONFIRM))


async def test_refusal_that_cannot_be_explained_leaves_it_unknown(shop: Shop) -> None:
    """
    A conflict may mean that an earlier try went through; if reading the order fails too, nobody knows.
    """
    await shop.call(DRAFT, "draft", **draft())
    shop.simulators.fault("printful", FaultKind.SERVER_ERROR_BEFORE, operation="orders.get")

    failure = await shop.fail(DRAFT, "draft", **draft())

    assert ("unknown", True) == (failure.effect, failure.retryable)
    assert 1 == len(shop.effects(DRAFT))


async def test_unknown_sku_is_refused_before_anything_is_sent(shop: Shop) -> None:
    """
    An item that the catalog does not have makes no order.
    """
    other = [{"sku": "RED", "title": "Shirt", "quantity": 1}]

    failure = await shop.fail(DRAFT, "draft", **draft(items=other))

    assert ("SKU_UNKNOWN", "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert [] == shop.effects(DRAFT)


async def test_cancelled_order_cannot_be_confirmed(shop: Shop) -> None:
    """
    What the factory cancelled is neither confirmed nor taken for confirmed.
    """
    order = await shop.call(DRAFT, "draft", **draft())
    shop.simulators.move_printful_order(order["order_id"], "canceled")

    failure = await shop.fail(CONFIRM, "confirm", order_id=order["order_id"], cost_max_minor=COST)

    assert ("CONFLICT", "none") == (failure.reason, failure.effect)
    assert [] == shop.effects(CONFIRM)


async def test_shipment_is_listed_once_it_is_sent(shop: Shop) -> None:
    """
    The parcels of an order appear with its shipment, and shipping twice sends one parcel.
    """
    order = await shop.call(DRAFT, "draft", **draft())
    await shop.call(CONFIRM, "confirm", order_id=order["order_id"], cost_max_minor=COST)
    before = await shop.call("printful.shipments.list", "list", order_id=order["order_id"])

    shop.simulators.ship(order["order_id"])
    shop.simulators.ship(order["order_id"], retries=1)
    after = await shop.call("printful.shipments.list", "list", order_id=order["order_id"])

    assert [] == before["shipments"]
    assert ["shipped"] == [shipment["status"] for shipment in after["shipments"]]
    assert "fulfilled" == (await shop.call("printful.orders.get", "get", order_id=order["order_id"]))["status"]


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.HTML_BEFORE, FaultKind.RATE_LIMITED])
async def test_failed_read_never_has_an_effect(shop: Shop, kind: FaultKind) -> None:
    """
    Whatever happens to a read, it may be tried again and changed nothing.
    """
    order = await shop.call(DRAFT, "draft", **draft())
    shop.simulators.fault("printful", kind, operation="orders.get", hold_seconds=3)

    failure = await shop.lose("printful.orders.get", "get", order_id=order["order_id"])

    assert ("none", True) == (failure.effect, failure.retryable)
