"""A simulated Printful: v2 orders from draft to fulfilled, their costs and shipments; cancelling through v1.

Owns: states, the unique external id, what confirming charges, and what the factory does when the control API says so.
Does not know: HTTP, faults, webhooks (the control API sends them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, cast

from remit.core.canonical import JsonValue
from remit_commerce.money import from_minor, to_minor
from remit_commerce.simulators.book import Book, Effect, JsonObject
from remit_commerce.simulators.exchange import (
    UNKNOWN_OPERATION,
    Answer,
    Call,
    SimulatedClock,
    account_of,
    bearer,
    match_path,
)
from remit_commerce.simulators.faults import Fault

STORE_ID: Final = 12
ORDER_ID_FIRST: Final = 100_000
ITEM_COST_MINOR: Final = 1_250
SHIPPING_COST_MINOR: Final = 495
ITEMS_MAX: Final = 100
EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
DELETABLE: Final = frozenset({"draft", "failed", "canceled"})
CANCELLABLE: Final = frozenset({"draft", "pending"})
RECIPIENT_FIELDS: Final = ("name", "address1", "city", "country_code", "zip")

ROUTES: Final = (
    ("POST", ("v2", "orders"), "orders.create_draft"),
    ("GET", ("v2", "orders", ":id"), "orders.get"),
    ("DELETE", ("v2", "orders", ":id"), "orders.delete"),
    ("POST", ("v2", "orders", ":id", "confirmation"), "orders.confirm"),
    ("GET", ("v2", "orders", ":id", "shipments"), "shipments.list"),
    ("DELETE", ("orders", ":id"), "orders.cancel"),
)


class PrintfulSimulator:
    """Printful's rules on its book. One store; every token has its own orders."""

    name: Final = "printful"
    carried: Final = (b'"status":"draft', b'"status":"pending', b'"carrier":"')

    def __init__(self, book: Book, clock: SimulatedClock) -> None:
        self.book = book
        self._clock = clock
        self._handlers: dict[str, Callable[[Call, JsonObject], Answer]] = {
            "orders.get": lambda _, order: _data(order),
            "orders.delete": self._delete,
            "orders.confirm": self._confirm,
            "shipments.list": self._shipments,
            "orders.cancel": self._cancel,
        }

    def identify(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Call:
        """Name the operation by its path."""
        operation, arguments = UNKNOWN_OPERATION, dict[str, str]()
        for route_method, template, name in ROUTES:
            found = match_path(path, template) if method == route_method else None
            if found is not None:
                operation, arguments = name, found
        call = Call(
            operation=operation,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            account=account_of(bearer(headers) or ""),
            arguments=arguments,
        )
        external_id = (call.json() or {}).get("external_id") if operation == "orders.create_draft" else None
        return replace(call, external_key=external_id) if isinstance(external_id, str) else call

    def execute(self, call: Call, fault: Fault | None) -> Answer:  # noqa: ARG002 - the protocol's; only Stripe stores errors
        """Execute a call."""
        if not bearer(call.headers):
            return _problem(401, "The access token is missing")
        if call.headers.get("x-pf-store-id", str(STORE_ID)) != str(STORE_ID):
            return _problem(403, "This token has no access to the store")
        if call.operation == "orders.create_draft":
            return self._create(call)
        handler = self._handlers.get(call.operation)
        order = self.find_order(call.arguments.get("id", ""), account=call.account)
        if handler is None or order is None:
            return _problem(404, "Not found")
        return handler(call, order)

    def rate_limited(self, fault: Fault) -> Answer:
        """Return Printful's 429 with its token bucket headers."""
        answer = _problem(429, "Too many requests").with_headers(
            **{"X-Ratelimit-Policy": "120;w=60", "X-Ratelimit-Remaining": "0"}
        )
        wait = fault.retry_after()
        return answer if wait is None else answer.with_headers(Retry_After=wait)

    def server_error(self) -> Answer:
        """Return Printful's 500."""
        return _problem(500, "Internal server error")

    def inner_error(self, answer: Answer) -> Answer:  # noqa: ARG002 - the protocol's
        """Return an error with a status of success."""
        return _problem(200, "Internal server error")

    def mistaken(self, answer: Answer) -> Answer:
        """Return the answer with another order's ids."""
        match answer.body:
            case {"data": dict(order)} if "id" in order:
                return replace(answer, body={"data": {**order, "id": 999_999, "external_id": "0" * 32}})
            case _:
                return answer

    def find_order(self, order_id: str, *, account: str) -> JsonObject | None:
        """Return an order by its number or by ``@`` and its external id."""
        if order_id.startswith("@"):
            index = self.book.find("external_id", f"{account}:{order_id[1:]}", account=account)
            order_id = "" if index is None else str(index["order_id"])
        order = self.book.find("order", order_id, account=account)
        return None if order is None else {**order, "costs": _costs(order)}

    def list_orders(self) -> list[tuple[str, JsonObject]]:
        """Return every account's orders with their accounts; for the control API."""
        rows = cast("list[JsonObject]", self.book.dump()["objects"])
        return [(str(row["account"]), cast("JsonObject", row["body"])) for row in rows if row["kind"] == "order"]

    def set_status(self, order: JsonObject, status: str, *, account: str) -> JsonObject:
        """Move an order, as the factory does."""
        stored = {name: value for name, value in order.items() if name != "costs"}
        order = {**stored, "status": status, "updated_at": self._clock.text()}
        self.book.put("order", str(order["id"]), order, account=account)
        return order

    def ship(self, order: JsonObject, *, account: str, tracking_number: str) -> JsonObject:
        """Make and send the goods of a confirmed order; the same call again returns the same shipment."""
        for sent in self.book.objects("shipment", account=account):
            if sent["order_id"] == order["id"]:
                return sent
        shipment: JsonObject = {
            "id": ORDER_ID_FIRST + self.book.count("shipment"),
            "order_id": order["id"],
            "order_external_id": order["external_id"],
            "carrier": "USPS",
            "service": "USPS First Class Mail",
            "shipment_status": "shipped",
            "shipped_at": self._clock.text(),
            "delivery_status": "pre_transit",
            "delivered_at": None,
            "is_reshipment": False,
            "tracking_number": tracking_number,
            "tracking_url": f"https://tracking.example.com/{tracking_number}",
            "tracking_events": [],
            "shipment_items": [],
        }
        self.book.put("shipment", str(shipment["id"]), shipment, account=account)
        self.set_status(order, "fulfilled", account=account)
        return shipment

    def _create(self, call: Call) -> Answer:
        body = call.json()
        if body is None:
            return _problem(400, "The body is not valid JSON")
        if refusal := _validation(body):
            return _problem(400, refusal)
        external_id = body.get("external_id")
        if self.book.find("external_id", f"{call.account}:{external_id}", account=call.account):
            return _problem(400, f"Order with external ID {external_id} already exists")
        order_id = ORDER_ID_FIRST + self.book.count("order")
        now = self._clock.text()
        order: JsonObject = {
            "id": order_id,
            "external_id": external_id,
            "store_id": STORE_ID,
            "shipping": body.get("shipping") or "STANDARD",
            "status": "draft",
            "created_at": now,
            "updated_at": now,
            "recipient": body["recipient"],
            "order_items": body["order_items"],
        }
        self.book.put("order", str(order_id), order, account=call.account)
        if isinstance(external_id, str):
            index: JsonObject = {"order_id": order_id}
            self.book.put("external_id", f"{call.account}:{external_id}", index, account=call.account)
        self._record(call, order)
        # Printful computes costs later; whoever wants them asks again or waits for order_updated.
        return _data({**order, "costs": {**_costs(order), **_COSTS_UNKNOWN}})

    def _confirm(self, call: Call, order: JsonObject) -> Answer:
        if order["status"] != "draft":
            return _problem(409, f"Order in status {order['status']} can not be confirmed")
        moved = self.set_status(order, "pending", account=call.account)
        self._record(call, moved)
        return _data({**moved, "costs": _costs(moved)})

    def _delete(self, call: Call, order: JsonObject) -> Answer:
        if order["status"] not in DELETABLE:
            return _problem(409, f"Order in status {order['status']} can not be deleted")
        self.book.delete("order", str(order["id"]))
        self.book.delete("external_id", f"{call.account}:{order['external_id']}")
        self._record(call, order)
        return Answer(status=204)

    def _cancel(self, call: Call, order: JsonObject) -> Answer:
        if order["status"] not in CANCELLABLE:
            return _problem(409, f"Order in status {order['status']} can not be canceled")
        canceled = self.set_status(order, "canceled", account=call.account)
        self._record(call, order)
        return Answer(body={"code": 200, "result": canceled})

    def _shipments(self, call: Call, order: JsonObject) -> Answer:
        found = [
            shipment
            for shipment in self.book.objects("shipment", account=call.account)
            if shipment["order_id"] == order["id"]
        ]
        # The vendor's v2 shipment has a tracking URL but no number: that comes in the webhook.
        public = [{name: value for name, value in shipment.items() if name != "tracking_number"} for shipment in found]
        return Answer(
            body={"data": cast("JsonValue", public), "paging": {"total": len(public), "offset": 0, "limit": 20}}
        )

    def _record(self, call: Call, order: JsonObject) -> None:
        moves_money = call.operation in {"orders.confirm", "orders.cancel"} and order["status"] == "pending"
        external_id = order["external_id"]
        effect = Effect(
            operation=call.operation,
            account=call.account,
            object_id=str(order["id"]),
            external_key=str(external_id) if external_id else None,
            reference=call.reference,
            amount_minor=to_minor(str(_costs(order)["total"]), currency="USD") if moves_money else None,
            currency="USD" if moves_money else None,
            details={"status": order["status"]},
        )
        self.book.record(effect, occurred_at=self._clock.text())


_COSTS_UNKNOWN: Final[JsonObject] = {
    "calculation_status": "calculating",
    "subtotal": None,
    "shipping": None,
    "total": None,
}


def _costs(order: JsonObject) -> JsonObject:
    items = cast("list[JsonObject]", order["order_items"])
    subtotal = sum(ITEM_COST_MINOR * cast("int", item["quantity"]) for item in items)
    return {
        "calculation_status": "done",
        "currency": "USD",
        "subtotal": from_minor(subtotal, currency="USD"),
        "shipping": from_minor(SHIPPING_COST_MINOR, currency="USD"),
        "tax": "0.00",
        "total": from_minor(subtotal + SHIPPING_COST_MINOR, currency="USD"),
    }


def _validation(body: JsonObject) -> str | None:
    """Return what is wrong with a new order, or ``None``."""
    external_id, recipient, items = body.get("external_id"), body.get("recipient"), body.get("order_items")
    if external_id is not None and not (isinstance(external_id, str) and EXTERNAL_ID.match(external_id)):
        return "external_id may have up to 32 letters, digits, dashes and underscores"
    if not isinstance(recipient, dict) or any(not recipient.get(name) for name in RECIPIENT_FIELDS):
        return f"recipient needs {', '.join(RECIPIENT_FIELDS)}"
    if not isinstance(items, list) or not 0 < len(items) <= ITEMS_MAX:
        return "order_items must not be empty"
    is_whole = all(
        isinstance(item, dict)
        and item.get("source") == "catalog"
        and isinstance(item.get("catalog_variant_id"), int)
        and isinstance(quantity := item.get("quantity"), int)
        and quantity > 0
        and item.get("placements")
        for item in items
    )
    return None if is_whole else "each order item needs source, catalog_variant_id, quantity and placements"


def _data(body: JsonObject) -> Answer:
    return Answer(body={"data": body})


def _problem(status: int, detail: str) -> Answer:
    """Return an RFC 9457 problem document."""
    title = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 429: "Too Many Requests"}.get(
        status, "Error"
    )
    body: JsonObject = {"type": "about:blank", "status": str(status), "title": title, "detail": detail}
    return Answer(status=status, body=body, headers={"Content-Type": "application/problem+json"})
