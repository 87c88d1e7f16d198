"""The root of the graph: what can be read, and what can be done.

Owns: the root fields, called by their names, and the run-time rules of mutations: remaining quantities, cancelled
orders, cancellations that take place later and cannot be undone, refunds that never exceed what was taken.
Does not know: HTTP, documents, costs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

import orjson
from graphql import GraphQLResolveInfo

from remit.core.canonical import JsonValue
from remit.errors import InputInvalidError
from remit_commerce.money import from_minor, to_minor
from remit_commerce.simulators.book import Book, Effect, JsonObject
from remit_commerce.simulators.exchange import Call, SimulatedClock
from remit_commerce.simulators.shopify import orders
from remit_commerce.simulators.shopify.graph import idempotency_key, not_simulated
from remit_commerce.simulators.shopify.orders import ORDER_GID, Orders

SHOP_DOMAIN: Final = "remit-simulator.myshopify.com"
FULFILMENT_ID_FIRST: Final = 500_000_000
REFUND_ID_FIRST: Final = 600_000_000
OPEN: Final = frozenset({"OPEN", "IN_PROGRESS"})
CANCEL_SECONDS: Final = 2
"""How long a cancellation takes after it was accepted."""

Payload = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Root:
    """The root object of one request."""

    book: Book
    clock: SimulatedClock
    call: Call

    # --- reading ---------------------------------------------------------------------------------------

    def shop(self, _: object) -> JsonObject:
        plan: JsonObject = {"partnerDevelopment": True, "shopifyPlus": False}
        return {
            "id": "gid://shopify/Shop/1",
            "name": "Remit Simulator",
            "myshopifyDomain": SHOP_DOMAIN,
            "currencyCode": "USD",
            "plan": plan,
        }

    def order(self, _: object, id: str) -> Payload | None:  # noqa: A002 - the vendor's name of the argument
        return _view(self._orders.find(id))

    def orderByIdentifier(self, _: object, identifier: JsonObject) -> Payload | None:  # noqa: N802 - the vendor's name
        return _view(self._orders.find(str(identifier.get("id"))))

    def orders(
        self,
        info: GraphQLResolveInfo[Any],
        *,
        query: str | None = None,
        reverse: bool = False,
        **page: Any,
    ) -> Payload:
        found = orders.search(self._orders.all(), query)
        views = [orders.view(order) for order in (reversed(found) if reverse else found)]
        return orders.connection(views)(info, **page)

    def fulfillmentOrders(  # noqa: N802 - the vendor's name
        self,
        info: GraphQLResolveInfo[Any],
        *,
        includeClosed: bool = False,  # noqa: N803
        **page: Any,
    ) -> Payload:
        groups = [
            orders.group_view(group)
            for order in self._orders.all()
            for group in cast("list[JsonObject]", order["fulfillmentOrders"])
            if includeClosed or group["status"] in OPEN
        ]
        return orders.connection(groups)(info, **page)

    def job(self, _: object, id: str) -> Payload | None:  # noqa: A002 - the vendor's name of the argument
        job = self.book.find("job", id, account=self.call.account)
        return None if job is None else {"id": id, "done": cast("int", job["done_at"]) <= self.clock.epoch()}

    # --- goods -----------------------------------------------------------------------------------------

    def fulfillmentCreate(  # noqa: N802 - the vendor's name
        self, _: object, fulfillment: JsonObject, message: str | None = None
    ) -> Payload:
        groups = cast("list[JsonObject]", fulfillment["lineItemsByFulfillmentOrder"])
        place = ["fulfillment", "lineItemsByFulfillmentOrder"]
        first_id = str(groups[0]["fulfillmentOrderId"]) if groups else ""
        order = self._orders.find_by_part(first_id, digits=1)
        if order is None:
            return _refused("fulfillment", place, "Fulfillment order does not exist.")
        total = 0
        for group in groups:
            taken, refusal = _take(order, group)
            total += taken
            if refusal is not None:
                return _refused("fulfillment", place, refusal)
        tracking = fulfillment.get("trackingInfo")
        created = self._new_fulfilment(tracking if isinstance(tracking, dict) else {}, total=total)
        cast("list[JsonValue]", order["fulfillments"]).append(created)
        order["displayFulfillmentStatus"] = _display_status(order)
        self._put(order)
        details = {"order_id": order["id"], "tracking": created["trackingInfo"], "message": message}
        self._record("fulfillments.create", str(created["id"]), details=details)
        return {"fulfillment": orders.fulfilment_view(created), "userErrors": []}

    # --- the order itself ------------------------------------------------------------------------------

    def orderUpdate(self, _: object, input: JsonObject) -> Payload:  # noqa: A002, N802 - the vendor's names
        order = self._orders.find(str(input["id"]))
        if order is None:
            return _refused("order", ["id"], "Order does not exist")
        order |= {name: value for name, value in input.items() if name != "id"}
        self._put(order)
        self._record(
            "orders.update", str(order["id"]), details={"fields": cast("JsonValue", sorted(input.keys() - {"id"}))}
        )
        return {"order": orders.view(order), "userErrors": []}

    def tagsAdd(self, _: object, id: str, tags: list[str]) -> Payload:  # noqa: A002, N802 - the vendor's names
        return self._tag(id, tags, add=True)

    def tagsRemove(self, _: object, id: str, tags: list[str]) -> Payload:  # noqa: A002, N802 - the vendor's names
        return self._tag(id, tags, add=False)

    def orderCancel(  # noqa: N802 - the vendor's name
        self,
        _: object,
        *,
        orderId: str,  # noqa: N803
        reason: str,
        restock: bool,
        refundMethod: JsonObject | None = None,  # noqa: N803
        **remarks: Any,
    ) -> Payload:
        order = self._orders.find(orderId)
        if order is None:
            return _not_cancelled("NOT_FOUND", ["orderId"], "Order does not exist")
        if order["cancelledAt"] is not None or "cancelling" in order:
            return _not_cancelled("INVALID", ["orderId"], "Cannot cancel an order that has already been canceled")
        if any(item["status"] == "SUCCESS" for item in cast("list[JsonObject]", order["fulfillments"])):
            message = "Cannot cancel an order with fulfillments that can't be canceled"
            return _not_cancelled("INVALID", ["orderId"], message)
        job_id = f"gid://shopify/Job/{hashlib.sha256(orderId.encode()).hexdigest()[:32]}"
        done_at = self.clock.epoch() + CANCEL_SECONDS
        refunds = bool((refundMethod or {}).get("originalPaymentMethodsRefund"))
        order["cancelling"] = {"done_at": done_at, "at": self.clock.text(), "reason": reason, "refunds": refunds}
        self._put(order)
        self.book.put("job", job_id, {"done_at": done_at}, account=self.call.account)
        details = {"reason": reason, "restock": restock, "refunds": refunds, **remarks}
        self._record("orders.cancel", orderId, details=details)
        job = {"id": job_id, "done": False}
        return {"job": job, "orderCancelUserErrors": [], "userErrors": []}

    # --- money -----------------------------------------------------------------------------------------

    def orderCapture(self, _: object, input: JsonObject) -> Payload:  # noqa: A002, N802 - the vendor's names
        order = self._orders.find(str(input["id"]))
        if order is None:
            return _refused("transaction", ["id"], "Order does not exist")
        parent, held = str(input["parentTransactionId"]), orders.held_minor(order)
        if parent != orders.first_of_kind(order, "AUTHORIZATION") or not held:
            return _refused("transaction", ["parentTransactionId"], "Transaction is not capturable")
        if input.get("currency") not in {None, orders.currency_of(order)}:
            return _refused("transaction", ["currency"], "Currency does not match the order's currency")
        amount = _minor(input["amount"], order)
        if amount is None or not 0 < amount <= held:
            return _refused("transaction", ["amount"], "Amount exceeds the authorized amount")
        taken = orders.add_transaction(order, "CAPTURE", amount, at=self.clock.text(), parent=parent)
        is_whole = amount == orders.sum_minor(order, "AUTHORIZATION")
        order["displayFinancialStatus"] = "PAID" if is_whole else "PARTIALLY_PAID"
        self._put(order)
        self._record("orders.capture", str(taken["id"]), order=order, amount_minor=amount)
        return {"transaction": orders.transaction_view(order, taken), "userErrors": []}

    def transactionVoid(self, _: object, parentTransactionId: str) -> Payload:  # noqa: N802, N803 - the vendor's names
        order = self._orders.find_by_part(parentTransactionId, digits=2)
        known = [] if order is None else [item["id"] for item in orders.transactions(order)]
        if order is None or parentTransactionId not in known:
            return _not_voided("TRANSACTION_NOT_FOUND", "Transaction does not exist")
        held = orders.held_minor(order)
        if parentTransactionId != orders.first_of_kind(order, "AUTHORIZATION") or not held:
            return _not_voided("AUTH_NOT_VOIDABLE", "Transaction can not be voided")
        voided = orders.add_transaction(order, "VOID", held, at=self.clock.text(), parent=parentTransactionId)
        order["displayFinancialStatus"] = "VOIDED"
        self._put(order)
        self._record("transactions.void", str(voided["id"]), order=order, amount_minor=held)
        return {"transaction": orders.transaction_view(order, voided), "userErrors": []}

    def refundCreate(self, info: GraphQLResolveInfo[Any], input: JsonObject) -> Payload:  # noqa: A002, N802 - the vendor's
        key = idempotency_key(info)
        assert key is not None, "the document was checked before"
        stored_id = f"{self.call.account}:{key}"
        fingerprint = hashlib.sha256(orjson.dumps(input, option=orjson.OPT_SORT_KEYS)).hexdigest()
        stored = self.book.find("refund_key", stored_id, account=self.call.account)
        if stored is None:
            answer = self._refund(input, key=key)
            if not answer["userErrors"]:
                entry: JsonObject = {"fingerprint": fingerprint, "refund": answer["refund"]}
                self.book.put("refund_key", stored_id, entry, account=self.call.account)
            return answer
        if stored["fingerprint"] != fingerprint:
            message = "The same idempotency key was used with different parameters."
            return {**_refused("refund", ["input"], message), "order": None}
        return {"refund": stored["refund"], "order": _view(self._orders.find(str(input["orderId"]))), "userErrors": []}

    # --- inside ----------------------------------------------------------------------------------------

    @cached_property
    def _orders(self) -> Orders:
        return Orders(self.book, account=self.call.account, now=self.clock.epoch())

    def _refund(self, wanted: JsonObject, *, key: str) -> Payload:
        order = self._orders.find(str(wanted["orderId"]))
        if order is None:
            return {**_refused("refund", ["orderId"], "Order does not exist"), "order": None}
        amount, refusal = _refund_amount(order, cast("list[JsonObject]", wanted.get("transactions") or []))
        lines = cast("list[JsonObject]", wanted.get("refundLineItems") or [])
        refusal = refusal or _unrefundable(order, lines)
        if refusal is None and not (amount or lines):
            refusal = "Refund must have something to refund"
        if refusal is not None:
            return {**_refused("refund", ["input"], refusal), "order": None}
        _take_back(order, lines)
        if amount:
            parent = orders.first_of_kind(order, "CAPTURE") or orders.first_of_kind(order, "SALE")
            orders.add_transaction(order, "REFUND", amount, at=self.clock.text(), parent=parent)
            is_all = orders.refundable_minor(order) == 0
            order["displayFinancialStatus"] = "REFUNDED" if is_all else "PARTIALLY_REFUNDED"
        number = REFUND_ID_FIRST + self.book.count("refund")
        currency = orders.currency_of(order)
        refund: JsonObject = {
            "id": f"gid://shopify/Refund/{number}",
            "legacyResourceId": str(number),
            "createdAt": self.clock.text(),
            "note": wanted.get("note"),
            "totalRefundedSet": orders.money(from_minor(amount, currency=currency), currency),
        }
        cast("list[JsonValue]", order["refunds"]).append(refund)
        self._put(order)
        self._record("refunds.create", str(refund["id"]), order=order, amount_minor=amount, key=key)
        return {"refund": refund, "order": orders.view(order), "userErrors": []}

    def _tag(self, subject_id: str, tags: list[str], *, add: bool) -> Payload:
        if not subject_id.startswith(ORDER_GID):
            raise not_simulated(f"tagging {subject_id}")
        order = self._orders.find(subject_id)
        if order is None:
            return _refused("node", ["id"], "Order does not exist")
        kept = [tag for tag in cast("list[str]", order["tags"]) if tag not in tags]
        order["tags"] = cast("JsonValue", sorted({*kept, *(tags if add else ())}))
        self._put(order)
        operation = "orders.tags_add" if add else "orders.tags_remove"
        self._record(operation, subject_id, details={"tags": cast("JsonValue", tags)})
        return {"node": orders.view(order), "userErrors": []}

    def _new_fulfilment(self, tracking: JsonObject, *, total: int) -> JsonObject:
        number = FULFILMENT_ID_FIRST + self.book.count("fulfillment")
        info: JsonObject = {name: tracking.get(name) for name in ("company", "number", "url")}
        return {
            "id": f"gid://shopify/Fulfillment/{number}",
            "legacyResourceId": str(number),
            "status": "SUCCESS",
            "displayStatus": "FULFILLED",
            "createdAt": self.clock.text(),
            "totalQuantity": total,
            "trackingInfo": [info],
        }

    def _put(self, order: JsonObject) -> None:
        order["updatedAt"] = self.clock.text()
        self._orders.put(order)

    def _record(
        self,
        operation: str,
        object_id: str,
        *,
        order: JsonObject | None = None,
        amount_minor: int | None = None,
        key: str | None = None,
        details: Mapping[str, JsonValue] | None = None,
    ) -> None:
        effect = Effect(
            operation=operation,
            account=self.call.account,
            object_id=object_id,
            external_key=key,
            reference=self.call.reference,
            amount_minor=amount_minor,
            currency=None if order is None else orders.currency_of(order),
            details=details or ({} if order is None else {"order_id": order["id"]}),
        )
        self.book.record(effect, occurred_at=self.clock.text())


def _view(order: JsonObject | None) -> Payload | None:
    return None if order is None else orders.view(order)


def _take(order: JsonObject, group: JsonObject) -> tuple[int, str | None]:
    """Take a group's quantities from what remains of a fulfilment order, or say why not."""
    wanted = cast("list[JsonObject] | None", group.get("fulfillmentOrderLineItems"))
    for target in cast("list[JsonObject]", order["fulfillmentOrders"]):
        if target["id"] != group["fulfillmentOrderId"]:
            continue
        if target["status"] not in OPEN or order["cancelledAt"] is not None or "cancelling" in order:
            return 0, "Fulfillment order is not in a fulfillable state."
        lines = {str(line["id"]): line for line in cast("list[JsonObject]", target["lineItems"])}
        asked = {str(item["id"]): cast("int", item["quantity"]) for item in wanted or []}
        left = {line_id: cast("int", line["remainingQuantity"]) for line_id, line in lines.items()}
        asked = asked or {line_id: quantity for line_id, quantity in left.items() if quantity}
        if not asked or any(not 0 < quantity <= left.get(line_id, 0) for line_id, quantity in asked.items()):
            return 0, "Invalid fulfillment order line item quantity requested."
        for line_id, quantity in asked.items():
            lines[line_id]["remainingQuantity"] = left[line_id] - quantity
        if all(line["remainingQuantity"] == 0 for line in lines.values()):
            target["status"] = "CLOSED"
        return sum(asked.values()), None
    return 0, "Fulfillment order does not exist."


def _display_status(order: JsonObject) -> str:
    targets = cast("list[JsonObject]", order["fulfillmentOrders"])
    return "FULFILLED" if all(target["status"] == "CLOSED" for target in targets) else "PARTIALLY_FULFILLED"


def _minor(amount: JsonValue, order: JsonObject) -> int | None:
    try:
        return to_minor(str(amount), currency=orders.currency_of(order))
    except InputInvalidError:
        return None


def _refund_amount(order: JsonObject, wanted: list[JsonObject]) -> tuple[int, str | None]:
    """Return what is to be given back, or why it cannot be."""
    total = 0
    taken = {item["id"] for item in orders.transactions(order) if item["kind"] in {"SALE", "CAPTURE"}}
    for item in wanted:
        amount = _minor(item["amount"], order)
        if item["kind"] != "REFUND" or item.get("parentId") not in taken or not amount or amount < 0:
            return 0, "Transactions must refund a successful sale or capture"
        total += amount
    if total > orders.refundable_minor(order):
        return 0, "Refund amount exceeds the available amount for this refund"
    return total, None


def _unrefundable(order: JsonObject, wanted: list[JsonObject]) -> str | None:
    left = {line["id"]: cast("int", line["currentQuantity"]) for line in cast("list[JsonObject]", order["lineItems"])}
    is_possible = all(0 < cast("int", item["quantity"]) <= left.get(item["lineItemId"], 0) for item in wanted)
    return None if is_possible else "Refund line items quantity cannot exceed the quantity that can be refunded"


def _take_back(order: JsonObject, wanted: list[JsonObject]) -> None:
    quantities = {item["lineItemId"]: cast("int", item["quantity"]) for item in wanted}
    for line in cast("list[JsonObject]", order["lineItems"]):
        line["currentQuantity"] = cast("int", line["currentQuantity"]) - quantities.get(line["id"], 0)


def _refused(subject: str, field: list[str], message: str) -> Payload:
    return {subject: None, "userErrors": [{"field": field, "message": message}]}


def _not_cancelled(code: str, field: list[str], message: str) -> Payload:
    error = {"code": code, "field": field, "message": message}
    return {"job": None, "orderCancelUserErrors": [error], "userErrors": [{"field": field, "message": message}]}


def _not_voided(code: str, message: str) -> Payload:
    error = {"code": code, "field": ["parentTransactionId"], "message": message}
    return {"transaction": None, "userErrors": [error]}
