"""Orders of the shop: read one, and say that its goods are on their way.

Owns: ``shopify.orders.get`` and ``shopify.fulfillments.create``. Shopify de-duplicates no fulfilment, so the second
reads the order first, and its look-up recognises a fulfilment by its tracking number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.errors import InputInvalidError, ToolError
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.tools import tool
from remit_commerce.money import currency_code, to_minor
from remit_commerce.providers import shopify as provider
from remit_commerce.providers import shopify_orders, wire
from remit_commerce.tools.settling import settle

OrderId = Annotated[
    str,
    msgspec.Meta(pattern="^(gid://shopify/Order/)?[1-9][0-9]{0,18}$", description="Number or global id of the order."),
]
TrackingNumber = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Short = Annotated[str, msgspec.Meta(max_length=100)]
Link = Annotated[str, msgspec.Meta(max_length=2_000, pattern="^https?://")]

shop_tool = partial(
    tool,
    version="1.0.0",
    timeout=timedelta(seconds=20),
    dependency="shopify",
    credential=provider.CREDENTIAL,
    endpoint=provider.ENDPOINT,
    network=provider.HOSTS,
)


class LineItem(msgspec.Struct, frozen=True, kw_only=True):
    """What was bought, as far as it was not removed again and needs shipping."""

    sku: str
    title: str
    quantity: int


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the goods go."""

    name: str
    address1: str
    city: str
    country_code: str
    zip: str
    address2: str | None = None
    state_code: str | None = None
    company: str | None = None
    phone: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as workflows need it. The amount is in minor units of the shop's currency."""

    order_id: str
    number: str
    name: str
    is_test: bool
    is_cancelled: bool
    amount_minor: int
    currency: str
    financial_status: str
    fulfillment_status: str
    risk: str
    line_items: list[LineItem]
    email: str | None = None
    shipping_address: Address | None = None


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True):
    """A fulfilment of an order."""

    fulfillment_id: str
    order_id: str
    status: str
    tracking_number: str


@shop_tool(
    "shopify.orders.get",
    side_effect="READ",
    delivery="pure",
    operation="read",
    sensitive_output=("email", "shipping_address"),
)
async def get_order(context: ToolContext, *, order_id: OrderId, only: Literal["any", "open"] = "any") -> Order:
    """Read an order from the shop; outside a simulator only test orders of a development shop.

    With ``only: open`` a cancelled order is an error, so that nothing is done for it.
    """
    order = await shopify_orders.read_order(context, order_id)
    if only == "open" and order.cancelled_at is not None:
        raise ToolError("expected an open order, got a cancelled one", reason="ORDER_CANCELLED")
    money = order.total_price_set.shop_money
    try:
        amount_minor = to_minor(money.amount, currency=money.currency_code)
    except InputInvalidError as error:
        raise wire.misfit(provider.NAME, f"with an amount that is none: {error.message}", changes=False) from error
    return Order(
        order_id=order.id,
        number=order.legacy_resource_id,
        name=order.name,
        is_test=order.test,
        is_cancelled=order.cancelled_at is not None,
        amount_minor=amount_minor,
        currency=currency_code(money.currency_code),
        financial_status=order.display_financial_status or "",
        fulfillment_status=order.display_fulfillment_status,
        risk=order.risk.recommendation,
        line_items=[
            LineItem(sku=line.sku or "", title=line.title, quantity=line.current_quantity)
            for line in order.line_items.nodes
            if line.requires_shipping and line.current_quantity > 0
        ],
        email=order.email,
        shipping_address=_address(order.shipping_address),
    )


async def find_fulfilment(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
    """Look for a successful fulfilment of the order with this tracking number."""
    order = await shopify_orders.read_order(context, str(arguments["order_id"]))
    tracking_number = str(arguments["tracking_number"])
    found = order.fulfilment_with(tracking_number)
    if found is None:
        return LookupResult(result=None)
    output = msgspec.to_builtins(_fulfilment(found, order_id=order.id, tracking_number=tracking_number))
    return LookupResult(result=ToolResult(output=output, external_reference=found.id))


@shop_tool(
    "shopify.fulfillments.create",
    side_effect="HARD_WRITE",
    delivery="queryable",
    operation="fulfil",
    lookup=find_fulfilment,
    reference="fulfillment_id",
)
async def create_fulfilment(
    context: ToolContext,
    *,
    order_id: OrderId,
    tracking_number: TrackingNumber,
    carrier: Short | None = None,
    tracking_url: Link | None = None,
    notify_customer: bool = False,
) -> Fulfilment:
    """Mark what is left of an order as shipped, with its tracking. The same tracking number never fulfils it twice."""
    order = await shopify_orders.read_order(context, order_id)
    existing = order.fulfilment_with(tracking_number)
    if existing is not None:
        return _fulfilment(existing, order_id=order.id, tracking_number=tracking_number)
    if order.cancelled_at is not None:
        raise ToolError("expected an order that is not cancelled", reason="ORDER_CANCELLED")
    groups = order.open_groups()
    if not groups:
        raise ToolError("nothing is left to fulfil on this order", reason="NOTHING_TO_FULFIL")
    tracking: dict[str, JsonValue] = {"number": tracking_number}
    tracking |= {name: value for name, value in (("company", carrier), ("url", tracking_url)) if value is not None}
    wanted: dict[str, JsonValue] = {
        "lineItemsByFulfillmentOrder": groups,
        "notifyCustomer": notify_customer,
        "trackingInfo": tracking,
    }
    try:
        created = await shopify_orders.create_fulfilment(context, wanted)
    except ToolError as error:
        if error.reason != provider.USER_ERROR:
            raise
        # An earlier try of ours may have arrived after it was given up: then nothing is left, because it took it.
        late = (await settle(shopify_orders.read_order(context, order_id))).fulfilment_with(tracking_number)
        if late is None:
            raise
        return _fulfilment(late, order_id=order.id, tracking_number=tracking_number)
    if not created.has_tracking(tracking_number):
        raise wire.misfit(provider.NAME, "with another fulfilment", changes=True, reason="WRONG_OBJECT")
    return _fulfilment(created, order_id=order.id, tracking_number=tracking_number)


def _fulfilment(found: shopify_orders.Fulfilment, *, order_id: str, tracking_number: str) -> Fulfilment:
    return Fulfilment(fulfillment_id=found.id, order_id=order_id, status=found.status, tracking_number=tracking_number)


def _address(address: shopify_orders.MailingAddress | None) -> Address | None:
    """Return a whole address, or ``None`` if nothing can be sent to it."""
    if address is None or not (address.name and address.address1 and address.city and address.country_code_v2):
        return None
    return Address(
        name=address.name,
        address1=address.address1,
        city=address.city,
        country_code=address.country_code_v2,
        zip=address.zip or "",
        address2=address.address2 or None,
        state_code=address.province_code,
        company=address.company,
        phone=address.phone,
    )
