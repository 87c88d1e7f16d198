"""Orders and fulfilments against the simulated shop."""

import orjson
import pytest

from remit.errors import ToolError
from remit_commerce.providers import shopify_orders, wire
from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import FULFIL, ORDER, TOOLS, Shop

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


async def test_order_is_read_with_exact_amount_and_address(shop: Shop) -> None:
    """
    The vendor's sample order comes back in our words: minor units, an address, the items to make.
    """
    order_id = shop.seed()

    order = await shop.call(ORDER, "read", order_id="450789469")

    assert (order_id, 40994, "USD") == (order["order_id"], order["amount_minor"], order["currency"])
    assert ("Bob Norman", "KY", "40202") == tuple(
        order["shipping_address"][name] for name in ("name", "state_code", "zip")
    )
    assert ["IPOD2008GREEN", "IPOD2008RED", "IPOD2008BLACK"] == [item["sku"] for item in order["line_items"]]


async def test_cancelled_order_is_an_error_where_an_open_one_is_needed(shop: Shop) -> None:
    """
    A workflow that asks for an open order does not get a cancelled one.
    """
    order_id = shop.seed(cancelled_at="2026-11-20T10:00:00Z")

    failure = await shop.fail(ORDER, "read", order_id=order_id, only="open")
    order = await shop.call(ORDER, "read", order_id=order_id)

    assert ("ORDER_CANCELLED", False) == (failure.reason, failure.retryable)
    assert order["is_cancelled"]


async def test_missing_order_is_final(shop: Shop) -> None:
    """
    An order that the shop does not have is not asked for again.
    """
    failure = await shop.fail(ORDER, "read", order_id="42")

    assert ("NOT_FOUND", False) == (failure.reason, failure.retryable)


async def test_fulfilment_marks_everything_left_as_shipped(shop: Shop) -> None:
    """
    One fulfilment takes all that remains, and the shop shows the order as fulfilled.
    """
    order_id = shop.seed()

    created = await shop.call(FULFIL, "fulfil", order_id=order_id, tracking_number="T1", carrier="USPS")
    order = await shop.call(ORDER, "read", order_id=order_id)

    assert ("SUCCESS", "T1") == (created["status"], created["tracking_number"])
    assert "FULFILLED" == order["fulfillment_status"]
    assert [order_id] == [effect["details"]["order_id"] for effect in shop.effects(FULFIL)]
    assert [shop.reference("fulfil")] == [effect["reference"] for effect in shop.effects(FULFIL)]


async def test_same_tracking_number_never_fulfils_twice(shop: Shop) -> None:
    """
    Asking again with the same parcel returns its fulfilment.
    """
    order_id = shop.seed()
    first = await shop.call(FULFIL, "fulfil", order_id=order_id, tracking_number="T1")

    again = await shop.call(FULFIL, "other", order_id=order_id, tracking_number="T1")

    assert first == again
    assert 1 == len(shop.effects(FULFIL))


async def test_reshipment_does_not_fulfil_a_second_time(shop: Shop) -> None:
    """
    A second parcel for goods that were fulfilled finds nothing left.
    """
    order_id = shop.seed()
    await shop.call(FULFIL, "fulfil", order_id=order_id, tracking_number="T1")

    failure = await shop.fail(FULFIL, "again", order_id=order_id, tracking_number="T2")

    assert ("NOTHING_TO_FULFIL", "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert 1 == len(shop.effects(FULFIL))


@pytest.mark.parametrize("kind", LOST)
async def test_lost_fulfilment_is_found_or_proven_absent(shop: Shop, kind: FaultKind) -> None:
    """
    After a lost answer the look-up finds the fulfilment by its tracking number; then there is exactly one.
    """
    order_id = shop.seed()
    arguments = {"order_id": order_id, "tracking_number": "T1"}
    await shop.call(ORDER, "warm", order_id=order_id)
    shop.simulators.fault("shopify", kind, operation="fulfillments.create", hold_seconds=3)

    failure = await shop.lose(FULFIL, "fulfil", **arguments)
    found = await shop.look_up(FULFIL, "fulfil", **arguments)
    if found is None:
        await shop.call(FULFIL, "fulfil", **arguments)

    assert ("unknown", True) == (failure.effect, failure.retryable)
    assert (kind in NEVER_EXECUTED) == (found is None)
    assert 1 == len(shop.effects(FULFIL))


@pytest.mark.parametrize(("wait", "expected", "reason"), [(None, 0.12, "THROTTLED"), (3, 3.0, "http_429")])
async def test_throttled_query_waits_until_its_cost_is_restored(
    shop: Shop, wait: int | None, expected: float, reason: str
) -> None:
    """
    Shopify throttles inside a 200, with the bucket's state, or with 429; both say how long to wait.
    """
    order_id = shop.seed()
    shop.simulators.fault("shopify", FaultKind.RATE_LIMITED, retry_after_seconds=wait)

    failure = await shop.fail(FULFIL, "fulfil", order_id=order_id, tracking_number="T1")

    assert (reason, "none", True) == (failure.reason, failure.effect, failure.retryable)
    assert expected == failure.retry_after_seconds


async def test_failed_earlier_fulfilment_is_not_taken_for_ours(shop: Shop) -> None:
    """
    The sample order has a fulfilment that failed; its tracking number does not count as shipped.
    """
    order_id = shop.seed()

    found = await shop.look_up(FULFIL, "fulfil", order_id=order_id, tracking_number="1Z2345")

    assert found is None


async def test_order_of_another_token_is_not_seen(shop: Shop) -> None:
    """
    A shop's token reads its own orders only.
    """
    order_id = shop.seed()
    stranger = Shop(simulators=shop.simulators, name=f"{shop.name}stranger")

    failure = await stranger.fail(ORDER, "read", order_id=order_id)

    assert "NOT_FOUND" == failure.reason


async def test_fulfilment_that_arrives_between_look_and_act_is_taken_for_ours(shop: Shop) -> None:
    """
    An earlier try that is executed late takes what was left; the refusal that follows is settled by reading.
    """
    order_id = shop.seed()
    arguments = {"order_id": order_id, "tracking_number": "T1"}
    shop.simulators.fault("shopify", FaultKind.LATE, operation="fulfillments.create", hold_seconds=1.0)
    shop.simulators.fault("shopify", FaultKind.DELAYED, operation="fulfillments.create", hold_seconds=3.0)

    failure = await shop.lose(FULFIL, "fulfil", seconds=0.5, **arguments)
    created = await shop.call(FULFIL, "fulfil", **arguments)

    assert ("PROVIDER_TIMEOUT", "unknown") == (failure.reason, failure.effect)
    assert ("SUCCESS", "T1") == (created["status"], created["tracking_number"])
    assert 1 == len(shop.effects(FULFIL))


def answered(body: object) -> wire.Reply:
    return wire.Reply(status=200, headers={}, body=orjson.dumps(body))


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        ({"errors": [{"message": "no such field"}]}, "none"),
        ({"errors": [{"message": "denied", "extensions": {"code": "ACCESS_DENIED"}}]}, "none"),
        ({"data": None, "errors": [{"message": "it broke on the way"}]}, "unknown"),
        ({"data": {"fulfillmentCreate": None}, "errors": [{"message": "it broke on the way"}]}, "unknown"),
        ({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, "unknown"),
        ({"errors": "Internal Server Error"}, "unknown"),
        ({"errors": ["Internal Server Error"]}, "unknown"),
        ({"error": "Internal Server Error"}, "unknown"),
    ],
)
async def test_errors_of_a_mutation_prove_nothing_unless_they_came_before_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, body: object, effect: str
) -> None:
    """
    Only a GraphQL error without any `data` says that nothing was executed.
    """

    async def exchange(_: str, __: wire.Outgoing) -> wire.Reply:
        return answered(body)

    context = shop.context(TOOLS[FULFIL], "key")
    monkeypatch.setattr(wire, "exchange", exchange)

    with pytest.raises(ToolError) as caught:
        await shopify_orders.create_fulfilment(context, {})

    assert effect == caught.value.effect
