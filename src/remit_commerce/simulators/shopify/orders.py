"""A shop's orders: as they are kept, as they are read from the REST shape, and as the graph sees them.

Owns: the stored shape (the graph's names, lists in place of connections), and what time does to an order whose
cancellation was accepted. Does not know: which requests there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from remit.core.canonical import JsonValue
from remit_commerce.money import from_minor, to_minor
from remit_commerce.simulators.book import EVERYONE, Book, JsonObject
from remit_commerce.simulators.shopify.graph import not_simulated, refused

ORDER_GID: Final = "gid://shopify/Order/"
FULFILMENT_ORDER_GID: Final = "gid://shopify/FulfillmentOrder/"
TRANSACTION_GID: Final = "gid://shopify/OrderTransaction/"
GATEWAY: Final = "bogus"
AUTHORIZED: Final = frozenset({"AUTHORIZED"})
PAID: Final = frozenset({"PAID", "PARTIALLY_REFUNDED"})
PAGE_MAX: Final = 250


class Orders:
    """The orders that one caller sees: its own go before those that everybody sees."""

    def __init__(self, book: Book, *, account: str, now: int) -> None:
        self._book = book
        self._account = account
        self._now = now

    def find(self, order_id: str) -> JsonObject | None:
        """Return an order by its global id, as time left it."""
        found = self._book.find("order", f"{self._account}:{order_id}", account=self._account)
        if found is None:
            found = self._book.find("order", f"{EVERYONE}:{order_id}", account=EVERYONE)
        return None if found is None else settled(found, now=self._now)

    def find_by_part(self, global_id: str, *, digits: int) -> JsonObject | None:
        """Return the order of a part whose number is the order's with so many digits appended."""
        return self.find(f"{ORDER_GID}{global_id.rpartition('/')[2][:-digits]}")

    def all(self) -> list[JsonObject]:
        """Return all orders, oldest first."""
        own = self._book.objects("order", account=self._account)
        known = {order["id"] for order in own}
        others = [order for order in self._book.objects("order", account=EVERYONE) if order["id"] not in known]
        return [settled(order, now=self._now) for order in reversed([*own, *others])]

    def put(self, order: JsonObject) -> None:
        """Write an order back."""
        owner = self._account
        if self._book.find("order", f"{owner}:{order['id']}", account=owner) is None:
            owner = EVERYONE
        self._book.put("order", f"{owner}:{order['id']}", order, account=owner)


def settled(order: JsonObject, *, now: int) -> JsonObject:
    """Return an order whose accepted cancellation has taken place, if its time has come."""
    pending = order.get("cancelling")
    if not isinstance(pending, dict) or cast("int", pending["done_at"]) > now:
        return order
    order = {name: value for name, value in order.items() if name != "cancelling"}
    order |= {"cancelledAt": pending["at"], "updatedAt": pending["at"], "cancelReason": pending["reason"]}
    for group in cast("list[JsonObject]", order["fulfillmentOrders"]):
        group["status"] = "CANCELLED"
    held, paid = held_minor(order), refundable_minor(order)
    if held:
        # A hold is given back, whatever was said about refunds.
        add_transaction(order, "VOID", held, at=str(pending["at"]), parent=first_of_kind(order, "AUTHORIZATION"))
        order["displayFinancialStatus"] = "VOIDED"
    elif paid and pending["refunds"]:
        parent = first_of_kind(order, "CAPTURE") or first_of_kind(order, "SALE")
        add_transaction(order, "REFUND", paid, at=str(pending["at"]), parent=parent)
        order["displayFinancialStatus"] = "REFUNDED"
    return order


# --- money ---------------------------------------------------------------------------------------------------------


def transactions(order: JsonObject) -> list[JsonObject]:
    """Return the order's transactions, oldest first."""
    return cast("list[JsonObject]", order["transactions"])


def first_of_kind(order: JsonObject, kind: str) -> str | None:
    """Return the id of the first transaction of a kind."""
    return next((str(item["id"]) for item in transactions(order) if item["kind"] == kind), None)


def sum_minor(order: JsonObject, *kinds: str, parent: str | None = None) -> int:
    """Return what successful transactions of these kinds amount to, in minor units."""
    found = [
        cast("int", item["amountMinor"])
        for item in transactions(order)
        if item["kind"] in kinds and item["status"] == "SUCCESS" and parent in {None, item["parentId"]}
    ]
    return sum(found)


def held_minor(order: JsonObject) -> int:
    """Return what is held and not taken; a capture ends its hold, because no payment here is multi-capturable."""
    if first_of_kind(order, "CAPTURE") or first_of_kind(order, "VOID"):
        return 0
    return sum_minor(order, "AUTHORIZATION")


def refundable_minor(order: JsonObject) -> int:
    """Return what was taken and not given back."""
    return sum_minor(order, "SALE", "CAPTURE") - sum_minor(order, "REFUND")


def add_transaction(order: JsonObject, kind: str, amount_minor: int, *, at: str, parent: str | None) -> JsonObject:
    """Append a successful transaction and return it."""
    number = f"{order['legacyResourceId']}{len(transactions(order)) + 1:02d}"
    transaction: JsonObject = {
        "id": f"{TRANSACTION_GID}{number}",
        "kind": kind,
        "status": "SUCCESS",
        "gateway": GATEWAY,
        "test": True,
        "createdAt": at,
        "amountMinor": amount_minor,
        "amountSet": money(from_minor(amount_minor, currency=currency_of(order)), currency_of(order)),
        "parentId": parent,
    }
    transactions(order).append(transaction)
    return transaction


def currency_of(order: JsonObject) -> str:
    """Return the order's currency."""
    return str(order["currencyCode"])


def money(amount: JsonValue, currency: str) -> JsonValue:
    """Return a bag of one amount in the shop's currency, or ``None`` for none."""
    if amount is None:
        return None
    one: JsonObject = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": one, "presentmentMoney": one}


# --- the graph's view ----------------------------------------------------------------------------------------------


def view(order: JsonObject) -> dict[str, Any]:
    """Return a stored order as the graph reads it: lists become connections, arguments are honoured."""
    fulfilments = [fulfilment_view(item) for item in cast("list[JsonObject]", order["fulfillments"])]
    return {
        **order,
        "__typename": "Order",
        "lineItems": connection(cast("list[Any]", order["lineItems"])),
        "fulfillmentOrders": connection([group_view(item) for item in cast("list[Any]", order["fulfillmentOrders"])]),
        "fulfillments": first_of(fulfilments),
        "transactions": first_of([transaction_view(order, item) for item in transactions(order)]),
        "refunds": first_of(cast("list[Any]", order["refunds"])),
    }


def group_view(group: JsonObject) -> dict[str, Any]:
    """Return a fulfilment order as the graph reads it."""
    return {**group, "lineItems": connection(cast("list[Any]", group["lineItems"]))}


def fulfilment_view(fulfilment: JsonObject) -> dict[str, Any]:
    """Return a fulfilment as the graph reads it."""
    return {**fulfilment, "trackingInfo": first_of(cast("list[Any]", fulfilment["trackingInfo"]))}


def transaction_view(order: JsonObject, transaction: JsonObject) -> dict[str, Any]:
    """Return a transaction as the graph reads it."""
    parents = [item for item in transactions(order) if item["id"] == transaction["parentId"]]
    return {**transaction, "parentTransaction": transaction_view(order, parents[0]) if parents else None}


def connection(nodes: list[Any]) -> Callable[..., dict[str, Any]]:
    """Return the resolver of a connection: a page of nodes, found again by cursors."""

    def resolve(_: object, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        if first is None:
            raise refused("you must provide one of first or last", code="BAD_REQUEST")
        if not 0 < first <= PAGE_MAX:
            raise refused(f"first must be between 1 and {PAGE_MAX}", code="BAD_REQUEST")
        start = _position(after)
        page = nodes[start : start + first]
        cursors = [str(start + place + 1) for place in range(len(page))]
        return {
            "nodes": page,
            "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, page, strict=True)],
            "pageInfo": {
                "hasNextPage": len(nodes) > start + first,
                "hasPreviousPage": start > 0,
                "startCursor": cursors[0] if cursors else None,
                "endCursor": cursors[-1] if cursors else None,
            },
        }

    return resolve


def first_of(nodes: list[Any]) -> Callable[..., list[Any]]:
    """Return the resolver of a plain list."""
    return lambda _, first=None: nodes[:first]


def search(orders: list[JsonObject], query: str | None) -> list[JsonObject]:
    """Return the orders that a search finds: terms ``name:``, ``email:``, ``tag:`` and ``id:``, all of which hold."""
    for term in (query or "").split():
        name, _, wanted = term.partition(":")
        if name not in _SEARCHES or not wanted:
            raise not_simulated(f"the search term {term!r}")
        orders = [order for order in orders if _SEARCHES[name](order, wanted.strip("'\""))]
    return orders


_SEARCHES: Final[Mapping[str, Callable[[JsonObject, str], bool]]] = {
    "name": lambda order, wanted: str(order["name"]).lstrip("#") == wanted.lstrip("#"),
    "email": lambda order, wanted: str(order["email"]).lower() == wanted.lower(),
    "tag": lambda order, wanted: wanted in cast("list[str]", order["tags"]),
    "id": lambda order, wanted: str(order["legacyResourceId"]) == wanted,
}


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit()):
        raise refused(f"Invalid cursor: {cursor!r}", code="BAD_REQUEST")
    return int(cursor)


# --- the REST shape ------------------------------------------------------------------------------------------------


def from_rest(rest: JsonObject, *, now: str) -> JsonObject:
    """Return a stored order from Shopify's REST shape, whose one fulfilment order holds all that is to be shipped."""
    number, currency = str(rest["id"]), str(rest["currency"])
    lines = [_line_from_rest(line, currency=currency) for line in cast("list[JsonObject]", rest["line_items"])]
    customer = rest.get("customer")
    risk: JsonObject = {"recommendation": "ACCEPT"}
    order: JsonObject = {
        "id": f"{ORDER_GID}{number}",
        "legacyResourceId": number,
        "name": rest["name"],
        "test": rest["test"],
        "email": rest.get("email"),
        "phone": rest.get("phone"),
        "note": rest.get("note"),
        "poNumber": rest.get("po_number"),
        "tags": cast("JsonValue", tags_of(rest.get("tags"))),
        "cancelledAt": rest.get("cancelled_at"),
        "cancelReason": str(rest["cancel_reason"]).upper() if rest.get("cancel_reason") else None,
        "createdAt": rest.get("created_at") or now,
        "updatedAt": rest.get("updated_at") or now,
        "currencyCode": currency,
        "displayFinancialStatus": str(rest.get("financial_status") or "pending").upper(),
        "displayFulfillmentStatus": "UNFULFILLED",
        "totalPriceSet": money(rest["total_price"], currency),
        "subtotalPriceSet": money(rest.get("subtotal_price"), currency),
        "totalTaxSet": money(rest.get("total_tax"), currency),
        "shippingAddress": _address_from_rest(rest.get("shipping_address")),
        "customer": _customer_from_rest(customer) if isinstance(customer, dict) else None,
        "risk": risk,
        "lineItems": cast("JsonValue", lines),
        "fulfillmentOrders": [_group_from_lines(number, lines)],
        "fulfillments": [
            _fulfilment_from_rest(item) for item in cast("list[JsonObject]", rest.get("fulfillments") or [])
        ],
        "transactions": [],
        "refunds": [],
    }
    _add_payment(order, total_minor=to_minor(str(rest["total_price"]), currency=currency))
    return order


def tags_of(text: JsonValue) -> list[str]:
    """Return tags from the REST shape's list with commas."""
    return [tag.strip() for tag in str(text or "").split(",") if tag.strip()]


def _add_payment(order: JsonObject, *, total_minor: int) -> None:
    """Give an order the one transaction that its financial status speaks of; a pending order has none."""
    at, status = str(order["createdAt"]), order["displayFinancialStatus"]
    if status in AUTHORIZED:
        add_transaction(order, "AUTHORIZATION", total_minor, at=at, parent=None)
    elif status in PAID:
        add_transaction(order, "SALE", total_minor, at=at, parent=None)


def _group_from_lines(number: str, lines: list[JsonObject]) -> JsonObject:
    to_ship: list[JsonValue] = [
        {
            "id": f"gid://shopify/FulfillmentOrderLineItem/{str(line['id']).rpartition('/')[2]}",
            "lineItem": line,
            "sku": line["sku"],
            "remainingQuantity": line["quantity"],
            "totalQuantity": line["quantity"],
        }
        for line in lines
        if line["requiresShipping"]
    ]
    return {
        "id": f"{FULFILMENT_ORDER_GID}{number}1",
        "orderId": f"{ORDER_GID}{number}",
        "status": "OPEN",
        "requestStatus": "UNSUBMITTED",
        "fulfillmentHolds": [],
        "lineItems": to_ship,
    }


def _line_from_rest(line: JsonObject, *, currency: str) -> JsonObject:
    return {
        "id": f"gid://shopify/LineItem/{line['id']}",
        "sku": line.get("sku"),
        "title": line["title"],
        "quantity": line["quantity"],
        "currentQuantity": line["quantity"],
        "requiresShipping": line.get("requires_shipping", True),
        "originalUnitPriceSet": money(line["price"], currency),
    }


def _fulfilment_from_rest(fulfilment: JsonObject) -> JsonObject:
    status = str(fulfilment.get("status") or "success").upper()
    info: JsonObject = {
        "company": fulfilment.get("tracking_company"),
        "number": fulfilment.get("tracking_number"),
        "url": fulfilment.get("tracking_url"),
    }
    return {
        "id": f"gid://shopify/Fulfillment/{fulfilment['id']}",
        "legacyResourceId": str(fulfilment["id"]),
        "status": status,
        "displayStatus": "FULFILLED" if status == "SUCCESS" else "FAILURE",
        "createdAt": fulfilment.get("created_at"),
        "totalQuantity": 1,
        "trackingInfo": [info],
    }


def _customer_from_rest(customer: JsonObject) -> JsonObject:
    return {
        "id": f"gid://shopify/Customer/{customer['id']}",
        "firstName": customer.get("first_name"),
        "lastName": customer.get("last_name"),
    }


def _address_from_rest(address: JsonValue) -> JsonValue:
    if not isinstance(address, dict):
        return None
    names = {"name", "address1", "address2", "city", "zip", "phone", "company"}
    return {
        **{name: address.get(name) for name in names},
        "provinceCode": address.get("province_code"),
        "countryCodeV2": address.get("country_code"),
    }
