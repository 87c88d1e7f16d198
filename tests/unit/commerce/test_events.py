"""What webhooks are read as: names, duplicates, correlations."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import remit_commerce
from remit.errors import InputInvalidError, JsonSyntaxError
from remit_commerce.ingress.printful import PrintfulWebhooks
from remit_commerce.ingress.shopify import ShopifyWebhooks
from remit_commerce.ingress.stripe import StripeWebhooks

SAMPLES = Path(remit_commerce.__file__).parent / "samples"
SHOPIFY_HEADERS = {
    "x-shopify-topic": "orders/create",
    "x-shopify-shop-domain": "print-shop.myshopify.com",
    "x-shopify-event-id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
}


def order_body() -> bytes:
    return json.dumps(json.loads((SAMPLES / "shopify_rest_order.json").read_bytes())["order"]).encode()


def shipment(**changes: Any) -> bytes:
    event = json.loads((SAMPLES / "printful_v2_shipment_sent.json").read_bytes())
    event["data"]["order"] |= {"id": 100001, "external_id": "a" * 32}
    event["data"]["shipment"] |= {"id": 7, "tracking_number": "T1"}
    return json.dumps({**event, **changes}).encode()


def stripe_event(**changes: Any) -> bytes:
    subject = {"id": "pi_1", "object": "payment_intent", "metadata": {"order_id": "1001", "reference": "b" * 32}}
    event = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1795000000, "livemode": False}
    return json.dumps({**event, "data": {"object": subject}, **changes}).encode()


def test_shopify_order_is_named_after_its_topic() -> None:
    """
    The vendor's sample order becomes `shopify.orders/create`, found by its number and its global id.
    """
    event = ShopifyWebhooks().parse(headers=SHOPIFY_HEADERS, body=order_body())

    assert ("shopify", "shopify.orders/create") == (event.source, event.name)
    assert ("450789469", "gid://shopify/Order/450789469") == event.correlations
    assert datetime.fromisoformat("2008-01-10T11:00:00-05:00") == event.occurred_at
    assert 64 == len(event.raw_sha256)


def test_shopify_duplicates_share_shop_event_and_topic() -> None:
    """
    A redelivery and another subscription's delivery of one event are duplicates; another topic is not.
    """
    source = ShopifyWebhooks()
    first = source.parse(headers=SHOPIFY_HEADERS, body=order_body())
    again = source.parse(headers={**SHOPIFY_HEADERS, "x-shopify-webhook-id": "other"}, body=order_body())
    topic = source.parse(headers={**SHOPIFY_HEADERS, "x-shopify-topic": "orders/paid"}, body=order_body())
    shop = source.parse(headers={**SHOPIFY_HEADERS, "x-shopify-shop-domain": "b.myshopify.com"}, body=order_body())

    assert first.event_key == again.event_key
    assert 3 == len({first.event_key, topic.event_key, shop.event_key})


def test_shopify_fulfilment_is_found_by_its_order() -> None:
    """
    An event about something else than an order is correlated by the order that it belongs to.
    """
    headers = {**SHOPIFY_HEADERS, "x-shopify-topic": "fulfillments/create"}

    event = ShopifyWebhooks().parse(headers=headers, body=b'{"id": 1, "order_id": 450789469}')

    assert ("450789469", "gid://shopify/Order/450789469") == event.correlations


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-shopify-topic", ""),
        ("x-shopify-topic", "orders"),
        ("x-shopify-topic", "../x"),
        ("x-shopify-topic", "orders/create\n"),
        ("x-shopify-shop-domain", ""),
        ("x-shopify-shop-domain", "evil.example.com"),
        ("x-shopify-shop-domain", "a.myshopify.com.evil.example"),
        ("x-shopify-shop-domain", "a|b.myshopify.com"),
        ("x-shopify-event-id", ""),
        ("x-shopify-event-id", "a b"),
        ("x-shopify-event-id", "a\n"),
        ("x-shopify-event-id", "x" * 101),
    ],
)
def test_shopify_header_of_another_shape_is_refused(header: str, value: str) -> None:
    """
    Headers are not signed: they are taken only in the shape that Shopify sends.
    """
    with pytest.raises(InputInvalidError):
        ShopifyWebhooks().parse(headers={**SHOPIFY_HEADERS, header: value}, body=order_body())


def test_shopify_event_of_another_shop_is_refused() -> None:
    """
    With an allow-list of shops, others are refused although they signed correctly.
    """
    source = ShopifyWebhooks(shops=frozenset({"mine.myshopify.com"}))

    with pytest.raises(InputInvalidError):
        source.parse(headers=SHOPIFY_HEADERS, body=order_body())


def test_printful_shipment_is_found_by_both_of_its_ids() -> None:
    """
    A shipment finds its run by Printful's number and by our external id.
    """
    event = PrintfulWebhooks().parse(headers={}, body=shipment())

    assert ("printful", "printful.shipment_sent") == (event.source, event.name)
    assert ("100001", "a" * 32) == event.correlations
    assert datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC) == event.occurred_at


def test_printful_retry_is_a_duplicate() -> None:
    """
    `retries` differs in each delivery attempt; key and hash leave it out, so that a redelivery is no conflict.
    """
    source = PrintfulWebhooks()
    first = source.parse(headers={}, body=shipment(retries=0))
    retry = source.parse(headers={}, body=shipment(retries=3))

    assert first.event_key == retry.event_key
    assert first.raw_sha256 == retry.raw_sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_at": "2023-04-05T06:07:09Z"},
        {"type": "shipment_returned"},
        {"store_id": 13},
        {"data": {"order": {"id": 100001, "external_id": "a" * 32}, "shipment": {"id": 8}}},
        {"data": {"order": {"id": 100002, "external_id": "a" * 32}, "shipment": {"id": 7}}},
    ],
)
def test_printful_other_event_is_no_duplicate(changes: dict[str, Any]) -> None:
    """
    Another instant, type, store, shipment or order is another event.
    """
    source = PrintfulWebhooks()

    first = source.parse(headers={}, body=shipment())
    other = source.parse(headers={}, body=shipment(**changes))

    assert first.event_key != other.event_key


@pytest.mark.parametrize(
    "changes",
    [
        {"type": None},
        {"type": "Shipment Sent"},
        {"store_id": "12"},
        {"data": []},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2023-04-05T06:07:08"},
    ],
)
def test_printful_event_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    """
    What a genuine event always has must be there.
    """
    with pytest.raises(InputInvalidError):
        PrintfulWebhooks().parse(headers={}, body=shipment(**changes))


def test_printful_event_of_another_store_is_refused() -> None:
    """
    With an allow-list of stores, others are refused.
    """
    with pytest.raises(InputInvalidError):
        PrintfulWebhooks(stores=frozenset({99})).parse(headers={}, body=shipment())


def test_stripe_event_is_identified_by_its_id() -> None:
    """
    Stripe's event id is the key; the object, the order and our reference are the correlations.
    """
    event = StripeWebhooks().parse(headers={}, body=stripe_event())

    assert ("stripe.payment_intent.succeeded", "evt_1") == (event.name, event.event_key)
    assert ("pi_1", "1001", "b" * 32) == event.correlations
    assert datetime.fromtimestamp(1795000000, UTC) == event.occurred_at


@pytest.mark.parametrize("livemode", [True, None, "false", 0])
def test_stripe_live_event_is_refused(livemode: object) -> None:
    """
    Only `livemode: false` is test mode; anything else is taken for live.
    """
    with pytest.raises(InputInvalidError):
        StripeWebhooks().parse(headers={}, body=stripe_event(livemode=livemode))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[" * 100])
@pytest.mark.parametrize("source", [ShopifyWebhooks(), PrintfulWebhooks(), StripeWebhooks()], ids=lambda s: s.name)
def test_body_that_is_no_strict_json_object_is_refused(source: Any, body: bytes) -> None:
    """
    Two readers must not understand a body differently: duplicate keys, NaN and deep nesting are refused.
    """
    with pytest.raises((JsonSyntaxError, InputInvalidError)):
        source.parse(headers=SHOPIFY_HEADERS, body=body)
