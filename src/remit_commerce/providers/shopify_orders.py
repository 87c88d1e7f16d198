"""Orders as Shopify's graph tells them: the documents that are sent and the shape of what comes back.

Owns: one query, one mutation, and records that refuse any other shape. Does not know: tools.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from remit.core.canonical import JsonValue
from remit.errors import ToolError
from remit.ports.tool import ToolContext
from remit_commerce.providers import refusals, shopify, wire

LINES_MAX: Final = 100
GROUPS_MAX: Final = 5
FULFILMENTS_MAX: Final = 30
"""Most lines, fulfilment orders and fulfilments that are read; an order with more is refused, never half fulfilled.

Shopify refuses a query that may cost more than 1,000 points, and counts a connection at its full size, also inside
another one: the lines of all fulfilment orders alone are five hundred.
"""

ORDER_GID: Final = "gid://shopify/Order/"
OPEN: Final = frozenset({"OPEN", "IN_PROGRESS"})

ORDER: Final = shopify.Document(
    name="RemitOrder",
    changes=False,
    text="""
query RemitOrder($id: ID!, $lines: Int!, $groups: Int!, $fulfilments: Int!) {
  shop { plan { partnerDevelopment } }
  order(id: $id) {
    id legacyResourceId name test email cancelledAt displayFinancialStatus displayFulfillmentStatus
    totalPriceSet { shopMoney { amount currencyCode } }
    risk { recommendation }
    shippingAddress { name company address1 address2 city provinceCode countryCodeV2 zip phone }
    lineItems(first: $lines) {
      nodes { sku title currentQuantity requiresShipping }
      pageInfo { hasNextPage }
    }
    fulfillmentOrders(first: $groups) {
      nodes {
        id status
        lineItems(first: $lines) { nodes { id remainingQuantity } pageInfo { hasNextPage } }
      }
      pageInfo { hasNextPage }
    }
    fulfillments(first: $fulfilments) { id status trackingInfo(first: 5) { number } }
  }
}
""",
)

FULFIL: Final = shopify.Document(
    name="RemitFulfil",
    changes=True,
    text="""
mutation RemitFulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status trackingInfo(first: 5) { number } }
    userErrors { field message }
  }
}
""",
)


class _Node(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Plan(_Node, frozen=True, kw_only=True):
    """Whether the shop is one for development."""

    partner_development: bool


class Shop(_Node, frozen=True, kw_only=True):
    """The shop."""

    plan: Plan


class Money(_Node, frozen=True, kw_only=True):
    """A decimal string and its currency."""

    amount: str
    currency_code: str


class MoneyBag(_Node, frozen=True, kw_only=True):
    """An amount in the shop's currency."""

    shop_money: Money


class Risk(_Node, frozen=True, kw_only=True):
    """Shopify's advice: ACCEPT, INVESTIGATE, CANCEL or NONE."""

    recommendation: str


class MailingAddress(_Node, frozen=True, kw_only=True):
    """An address; any part may be missing."""

    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province_code: str | None = None
    country_code_v2: str | None = None
    zip: str | None = None
    phone: str | None = None


class Page(_Node, frozen=True, kw_only=True):
    """Whether there is more than was read."""

    has_next_page: bool


class Line(_Node, frozen=True, kw_only=True):
    """A line of the order."""

    title: str
    current_quantity: int
    requires_shipping: bool
    sku: str | None = None


class Lines(_Node, frozen=True, kw_only=True):
    """All lines."""

    nodes: list[Line]
    page_info: Page


class RemainingLine(_Node, frozen=True, kw_only=True):
    """What is left to ship of a line."""

    id: str
    remaining_quantity: int


class RemainingLines(_Node, frozen=True, kw_only=True):
    """All lines of a fulfilment order."""

    nodes: list[RemainingLine]
    page_info: Page


class FulfilmentOrder(_Node, frozen=True, kw_only=True):
    """What one location has to ship."""

    id: str
    status: str
    line_items: RemainingLines


class FulfilmentOrders(_Node, frozen=True, kw_only=True):
    """All fulfilment orders."""

    nodes: list[FulfilmentOrder]
    page_info: Page


class Tracking(_Node, frozen=True, kw_only=True):
    """A parcel."""

    number: str | None = None


class Fulfilment(_Node, frozen=True, kw_only=True):
    """What was shipped."""

    id: str
    status: str
    tracking_info: list[Tracking]

    def has_tracking(self, number: str) -> bool:
        """Tell whether this successful fulfilment is the parcel with that number."""
        return self.status == "SUCCESS" and any(parcel.number == number for parcel in self.tracking_info)


class Order(_Node, frozen=True, kw_only=True):
    """An order."""

    id: str
    legacy_resource_id: str
    name: str
    test: bool
    display_fulfillment_status: str
    total_price_set: MoneyBag
    risk: Risk
    line_items: Lines
    fulfillment_orders: FulfilmentOrders
    fulfillments: list[Fulfilment]
    email: str | None = None
    cancelled_at: str | None = None
    display_financial_status: str | None = None
    shipping_address: MailingAddress | None = None

    def fulfilment_with(self, tracking_number: str) -> Fulfilment | None:
        """Return the successful fulfilment with this tracking number."""
        return next((item for item in self.fulfillments if item.has_tracking(tracking_number)), None)

    def open_groups(self) -> list[JsonValue]:
        """Return what is left to ship, in the form in which a fulfilment asks for it."""
        groups: list[JsonValue] = []
        for group in self.fulfillment_orders.nodes:
            left = [line for line in group.line_items.nodes if line.remaining_quantity > 0]
            if group.status in OPEN and left:
                lines: list[JsonValue] = [{"id": line.id, "quantity": line.remaining_quantity} for line in left]
                groups.append({"fulfillmentOrderId": group.id, "fulfillmentOrderLineItems": lines})
        return groups

    def is_whole(self) -> bool:
        """Tell whether everything was read in one page."""
        pages = [self.line_items.page_info, self.fulfillment_orders.page_info]
        pages += [group.line_items.page_info for group in self.fulfillment_orders.nodes]
        return not any(page.has_next_page for page in pages) and len(self.fulfillments) < FULFILMENTS_MAX


class OrderAnswer(_Node, frozen=True, kw_only=True):
    """What ``RemitOrder`` returns."""

    shop: Shop
    order: Order | None = None


class FulfilPayload(_Node, frozen=True, kw_only=True):
    """The payload of ``fulfillmentCreate`` without user errors."""

    fulfillment: Fulfilment


class FulfilAnswer(_Node, frozen=True, kw_only=True):
    """What ``RemitFulfil`` returns."""

    fulfillment_create: FulfilPayload


async def read_order(context: ToolContext, order_id: str) -> Order:
    """Read an order by its number or global id.

    Raises:
        ToolError: ``NOT_FOUND``; ``LIVE_REFUSED`` for a real order outside a simulator; ``ORDER_TOO_LARGE``; or failed.
    """
    global_id = order_id if order_id.startswith(ORDER_GID) else f"{ORDER_GID}{order_id}"
    variables: dict[str, JsonValue] = {
        "id": global_id,
        "lines": LINES_MAX,
        "groups": GROUPS_MAX,
        "fulfilments": FULFILMENTS_MAX,
    }
    answer = _decoded(await shopify.execute(context, ORDER, variables), OrderAnswer, changes=False)
    order = answer.order
    if order is None:
        raise ToolError(f"the shop has no order {global_id}", reason="NOT_FOUND")
    if order.id != global_id:
        raise wire.misfit(shopify.NAME, f"about {order.id}", changes=False, reason="WRONG_OBJECT")
    refusals.require_development_order(
        refusals.shopify_endpoint(context),
        is_test_order=order.test,
        is_development_shop=answer.shop.plan.partner_development,
    )
    if not order.is_whole():
        most = f"{LINES_MAX} lines, {GROUPS_MAX} fulfilment orders and fewer than {FULFILMENTS_MAX} fulfilments"
        raise ToolError(f"expected an order with at most {most}", reason="ORDER_TOO_LARGE")
    return order


async def create_fulfilment(context: ToolContext, fulfilment: dict[str, JsonValue]) -> Fulfilment:
    """Create a fulfilment and return it; user errors are final."""
    data = await shopify.execute(context, FULFIL, {"fulfillment": fulfilment})
    payload = data.get("fulfillmentCreate")
    shopify.require_no_user_errors(payload if isinstance(payload, dict) else {})
    return _decoded(data, FulfilAnswer, changes=True).fulfillment_create.fulfillment


_Answer = TypeVar("_Answer")


def _decoded(data: JsonValue, shape: type[_Answer], *, changes: bool) -> _Answer:
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise wire.misfit(shopify.NAME, f"with another shape: {error}", changes=changes) from error
