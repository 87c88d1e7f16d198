"""Production on demand: draft an order, confirm it (which charges), read it and its shipments.

Owns: four tools over Printful. Printful de-duplicates nothing but knows an order by our external id, so a lost answer
is looked up. Confirming is refused outside a simulator: there is no test mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Final, TypeVar

import msgspec

from remit.core.canonical import JsonValue
from remit.errors import InputInvalidError, ToolError
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.tools import tool
from remit_commerce.money import to_minor
from remit_commerce.providers import printful as provider
from remit_commerce.providers import wire
from remit_commerce.tools.settling import settle
from remit_commerce.tools.shopify import Address, LineItem

CONFIRMED: Final = frozenset({"pending", "inprocess", "onhold", "partial", "fulfilled"})
"""States that an order reaches only after it was confirmed and charged."""

PrintfulOrderId = Annotated[
    str, msgspec.Meta(pattern="^[1-9][0-9]{0,18}$", description="Printful's number of the order.")
]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
VariantId = Annotated[int, msgspec.Meta(ge=1)]
CostMax = Annotated[int, msgspec.Meta(ge=1, le=99_999_999, description="Most that it may cost us, in minor units.")]
Url = Annotated[str, msgspec.Meta(max_length=2_000, pattern="^https://")]

print_tool = partial(
    tool,
    version="1.0.0",
    timeout=timedelta(seconds=20),
    dependency="printful",
    credential=provider.CREDENTIAL,
    endpoint=provider.ENDPOINT,
    network=provider.HOSTS,
)


_Shape = TypeVar("_Shape")


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """What Printful makes for one of our SKUs."""

    variant_id: VariantId
    file_url: Url
    placement: str = "front"
    technique: str = "dtg"


class PrintOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A Printful order as workflows need it. The cost is what Printful takes from us, ``None`` while it is computed."""

    order_id: str
    external_id: str
    status: str
    cost_minor: int | None = None
    currency: str | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel of an order."""

    shipment_id: str
    status: str
    is_reshipment: bool
    carrier: str | None = None
    service: str | None = None
    tracking_url: str | None = None
    shipped_at: str | None = None


class Shipments(msgspec.Struct, frozen=True, kw_only=True):
    """All parcels of an order."""

    order_id: str
    shipments: list[Shipment]


class _Costs(msgspec.Struct, frozen=True, kw_only=True):
    calculation_status: str
    currency: str | None = None
    total: str | None = None


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    status: str
    external_id: str | None = None
    costs: _Costs | None = None


class _Shipment(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    order_id: int
    shipment_status: str
    is_reshipment: bool = False
    carrier: str | None = None
    service: str | None = None
    tracking_url: str | None = None
    shipped_at: str | None = None


async def find_draft(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:  # noqa: ARG001 - by reference
    """Look for the order with our external id."""
    found = await _find(context)
    return LookupResult(result=None) if found is None else _result(found)


@print_tool(
    "printful.orders.create_draft",
    side_effect="HARD_WRITE",
    delivery="queryable",
    operation="draft",
    lookup=find_draft,
    reference="order_id",
    sensitive_input=("recipient",),
)
async def create_draft(
    context: ToolContext, *, recipient: Address, items: list[LineItem], catalog: dict[str, Product]
) -> PrintOrder:
    """Draft an order for items of our catalog; nothing is made or charged. Our reference becomes its external id."""
    unknown = sorted({item.sku for item in items} - catalog.keys())
    if unknown or not items:
        raise ToolError(f"expected items of the catalog, got {unknown or 'none'}", reason="SKU_UNKNOWN")
    body: dict[str, JsonValue] = {
        "external_id": provider.require_external_id(context.reference),
        "recipient": {name: value for name, value in msgspec.to_builtins(recipient).items() if value is not None},
        "order_items": [_item(item, catalog[item.sku]) for item in items],
    }
    try:
        data = await provider.request(context, "POST", "/v2/orders", body=body)
    except ToolError as error:
        # Our own external id is taken when an earlier try arrived after it was given up; then that one is the order.
        if error.reason not in {"http_400", "CONFLICT"}:
            raise
        found = await settle(_find(context))
        if found is None:
            raise
        return found
    order = _decoded(data, _Order, changes=True)
    if order.external_id != context.reference:
        raise wire.misfit(provider.NAME, f"about order {order.id}", changes=True, reason="WRONG_OBJECT")
    return _order(order, changes=True)


async def find_confirmation(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
    """Read the order: past its draft it was confirmed, and that happens once."""
    found = await _read(context, str(arguments["order_id"]))
    if found.status in CONFIRMED:
        return _result(found)
    if found.status != "draft":
        raise ToolError(f"the order can no longer be confirmed: it is {found.status}", reason="ORDER_CLOSED")
    return LookupResult(result=None)


@print_tool(
    "printful.orders.confirm",
    side_effect="FINANCIAL",
    delivery="queryable",
    operation="confirm",
    lookup=find_confirmation,
    reference="order_id",
)
async def confirm(context: ToolContext, *, order_id: PrintfulOrderId, cost_max_minor: CostMax) -> PrintOrder:
    """Have a draft made if it costs no more than a limit: Printful charges us for it. Refused outside a simulator."""
    draft = await _read(context, order_id)
    if draft.status in CONFIRMED:
        return draft
    if draft.cost_minor is None:
        raise ToolError(
            "Printful is still computing the cost", retryable=True, reason="COST_PENDING", retry_after_seconds=5
        )
    if draft.cost_minor > cost_max_minor:
        message = f"expected a cost of at most {cost_max_minor}, got {draft.cost_minor} {draft.currency}"
        raise ToolError(message, reason="COST_TOO_HIGH")
    try:
        data = await provider.request(context, "POST", f"/v2/orders/{order_id}/confirmation")
    except ToolError as error:
        if error.reason != "CONFLICT":
            raise
        # Only a draft can be confirmed. If the order is past that, an earlier try of ours went through.
        found = await settle(_read(context, order_id))
        if found.status not in CONFIRMED:
            raise
        return found
    order = _decoded(data, _Order, changes=True)
    if str(order.id) != order_id or order.status not in CONFIRMED:
        message = f"about order {order.id} in status {order.status}"
        raise wire.misfit(provider.NAME, message, changes=True, reason="WRONG_OBJECT")
    return _order(order, changes=True)


@print_tool("printful.orders.get", side_effect="READ", delivery="pure", operation="read")
async def get_order(context: ToolContext, *, order_id: PrintfulOrderId) -> PrintOrder:
    """Read an order's status and cost."""
    return await _read(context, order_id)


@print_tool("printful.shipments.list", side_effect="READ", delivery="pure", operation="read")
async def list_shipments(context: ToolContext, *, order_id: PrintfulOrderId) -> Shipments:
    """Read the parcels of an order, as Printful knows them now."""
    data = await provider.request(context, "GET", f"/v2/orders/{order_id}/shipments")
    found = _decoded(data, list[_Shipment], changes=False)
    if any(str(shipment.order_id) != order_id for shipment in found):
        raise wire.misfit(provider.NAME, "with another order's shipments", changes=False, reason="WRONG_OBJECT")
    shipments = [
        Shipment(
            shipment_id=str(shipment.id),
            status=shipment.shipment_status,
            is_reshipment=shipment.is_reshipment,
            carrier=shipment.carrier,
            service=shipment.service,
            tracking_url=shipment.tracking_url,
            shipped_at=shipment.shipped_at,
        )
        for shipment in found
    ]
    return Shipments(order_id=order_id, shipments=shipments)


def _item(item: LineItem, product: Product) -> JsonValue:
    layer: dict[str, JsonValue] = {"type": "file", "url": product.file_url}
    placement: dict[str, JsonValue] = {
        "placement": product.placement,
        "technique": product.technique,
        "layers": [layer],
    }
    return {
        "source": "catalog",
        "catalog_variant_id": product.variant_id,
        "quantity": item.quantity,
        "name": item.title,
        "placements": [placement],
    }


async def _find(context: ToolContext) -> PrintOrder | None:
    """Return the order with our external id, ``None`` if Printful has none."""
    reference = provider.require_external_id(context.reference)
    try:
        data = await provider.request(context, "GET", f"/v2/orders/@{reference}")
    except ToolError as error:
        if error.reason == "NOT_FOUND":
            return None
        raise
    order = _decoded(data, _Order, changes=False)
    if order.external_id != reference:
        raise wire.misfit(provider.NAME, f"about order {order.id}", changes=False, reason="WRONG_OBJECT")
    return _order(order, changes=False)


async def _read(context: ToolContext, order_id: str) -> PrintOrder:
    data = await provider.request(context, "GET", f"/v2/orders/{provider.require_order_id(order_id)}")
    order = _decoded(data, _Order, changes=False)
    if str(order.id) != order_id:
        raise wire.misfit(provider.NAME, f"about order {order.id}", changes=False, reason="WRONG_OBJECT")
    return _order(order, changes=False)


def _order(order: _Order, *, changes: bool) -> PrintOrder:
    costs = order.costs
    cost_minor, currency = None, None
    if costs is not None and costs.calculation_status == "done" and costs.total is not None:
        currency = costs.currency or "USD"
        try:
            cost_minor = to_minor(costs.total, currency=currency)
        except InputInvalidError as error:
            raise wire.misfit(provider.NAME, f"with a cost that is none: {error.message}", changes=changes) from error
    return PrintOrder(
        order_id=str(order.id),
        external_id=order.external_id or "",
        status=order.status,
        cost_minor=cost_minor,
        currency=currency,
    )


def _result(order: PrintOrder) -> LookupResult:
    return LookupResult(result=ToolResult(output=msgspec.to_builtins(order), external_reference=order.order_id))


def _decoded(data: JsonValue, shape: type[_Shape], *, changes: bool) -> _Shape:
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise wire.misfit(provider.NAME, f"with another shape: {error}", changes=changes) from error
