"""Shopify's webhooks.

Owns: ``X-Shopify-Hmac-Sha256`` over the raw body, the key of duplicates (shop, event id, topic), and which order an
event is about. Does not know: whether an order is a test order; the tool that reads it from the shop does.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from remit.core.canonical import JsonValue
from remit.errors import InputInvalidError
from remit.ports.store import InboundEvent
from remit_commerce.ingress import signatures

NAME: Final = "shopify"
SIGNATURE_HEADERS: Final = ("x-shopify-hmac-sha256", "shopify-hmac-sha256")
SHOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com\Z")
TOPIC: Final = re.compile(r"[a-z_]{1,60}/[a-z_]{1,60}\Z")
EVENT_ID: Final = re.compile(r"[\x21-\x7e]{1,100}\Z")


class ShopifyWebhooks:
    """Deliveries of one app. ``shops`` limits whose events are taken; empty takes every shop that signs correctly."""

    def __init__(self, *, shops: frozenset[str] = frozenset()) -> None:
        self._shops = shops

    @property
    def name(self) -> str:
        """Return ``shopify``."""
        return NAME

    def verify(self, *, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:  # noqa: ARG002
        """Check the signature: base64 of the HMAC under the app's secret. Shopify signs no time: there is no window."""
        signatures.require_size(body)
        given = [headers[name] for name in SIGNATURE_HEADERS if name in headers]
        keys = signatures.valid_secrets(secret)
        expected = [base64.b64encode(signatures.hmac_sha256(key.encode(), body)) for key in keys]
        signatures.require_match(given, expected)

    def parse(self, *, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        """Read a verified delivery; the event is named after its topic, such as ``shopify.orders/create``."""
        shop = _header(headers, "x-shopify-shop-domain", SHOP)
        topic = _header(headers, "x-shopify-topic", TOPIC)
        event_id = _header(headers, "x-shopify-event-id", EVENT_ID)
        if self._shops and shop not in self._shops:
            raise InputInvalidError(f"expected an event of an allowed shop, got {shop!r}", shop=shop)
        resource = signatures.read_body(body)
        return InboundEvent(
            source=NAME,
            name=f"{NAME}.{topic}",
            event_key=f"{shop}|{event_id}|{topic}",
            occurred_at=_instant(resource.get("updated_at")),
            body=resource,
            raw_sha256=hashlib.sha256(body).hexdigest(),
            correlations=_correlations(topic, resource),
        )


def _correlations(topic: str, resource: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the ids of the order that the event is about: plain and global. Other resources name their own."""
    kind = topic.partition("/")[0]
    order_id = resource.get("id") if kind == "orders" else resource.get("order_id")
    if isinstance(order_id, int):
        return (str(order_id), f"gid://shopify/Order/{order_id}")
    global_id = resource.get("admin_graphql_api_id")
    return (global_id,) if isinstance(global_id, str) else ()


def _header(headers: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not shape.match(value):
        raise InputInvalidError(f"expected a header {name} like {shape.pattern!r}, got {value[:100]!r}", header=name)
    return value


def _instant(value: JsonValue) -> datetime | None:
    """Return the resource's own time of change, if it is an instant."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo is not None else None
