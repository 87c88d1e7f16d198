"""A simulated Shopify shop: the Admin GraphQL API over seeded orders.

Owns: reading orders and creating fulfilments on the vendor's own types (a cut of its schema); fulfilment orders with
what remains; user errors. Orders are seeded in the REST shape, which is also the shape of webhook bodies.
Does not know: HTTP, faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from typing import Any, Final, cast

from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_operation_ast,
    graphql_sync,
    parse,
)
from graphql.error import GraphQLError
from graphql.language import FieldNode

from remit.core.canonical import JsonValue
from remit_commerce.simulators.book import EVERYONE, Book, Effect, JsonObject
from remit_commerce.simulators.exchange import UNKNOWN_OPERATION, Answer, Call, SimulatedClock, account_of, match_path
from remit_commerce.simulators.faults import Fault

API_PATH: Final = ("admin", "api", ":version", "graphql.json")
API_VERSION: Final = "2026-10"
SHOP_DOMAIN: Final = "remit-simulator.myshopify.com"
COST_MAX: Final = 2_000
COST_RESTORE_PER_SECOND: Final = 100
QUERY_COST: Final = 12
MUTATION_COST: Final = 10
FULFILMENT_ID_FIRST: Final = 500_000_000
OPEN: Final = frozenset({"OPEN", "IN_PROGRESS"})

OPERATIONS: Final = {"order": "orders.get", "shop": "shop.get", "fulfillmentCreate": "fulfillments.create"}
"""The provider's name for an operation, by its first root field."""


class ShopifySimulator:
    """One shop on its book."""

    name: Final = "shopify"

    def __init__(self, book: Book, clock: SimulatedClock) -> None:
        self.book = book
        self._clock = clock

    def identify(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Call:
        """Name the operation by the first field that the document asks for."""
        call = Call(
            operation=UNKNOWN_OPERATION,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            account=account_of(headers.get("x-shopify-access-token", "")),
        )
        found = match_path(path, API_PATH)
        if method != "POST" or found is None or found["version"] != API_VERSION:
            return call
        return replace(call, operation=OPERATIONS.get(_root_field(call.json() or {}), "graphql"), arguments=found)

    def execute(self, call: Call, fault: Fault | None) -> Answer:  # noqa: ARG002 - the protocol's; only Stripe stores errors
        """Execute a GraphQL document."""
        if not call.headers.get("x-shopify-access-token"):
            return Answer(status=401, body={"errors": "[API] Invalid API key or access token"})
        if call.operation == UNKNOWN_OPERATION:
            return Answer(status=404, body={"errors": "Not Found"})
        body = call.json()
        if body is None or not isinstance(body.get("query"), str):
            return Answer(status=400, body={"errors": "query is missing"})
        shop = _Shop(book=self.book, clock=self._clock, call=call)
        result = graphql_sync(
            self._schema,
            cast("str", body["query"]),
            root_value=shop,
            variable_values=cast("dict[str, Any] | None", body.get("variables")),
            operation_name=cast("str | None", body.get("operationName")),
        )
        answer: JsonObject = {"extensions": {"cost": _cost(QUERY_COST, available=COST_MAX - QUERY_COST)}}
        if result.data is not None:
            answer["data"] = cast("JsonValue", result.data)
        if result.errors:
            answer["errors"] = cast("JsonValue", [_formatted(error) for error in result.errors])
        return Answer(body=answer)

    def rate_limited(self, fault: Fault) -> Answer:
        """Return a throttled query, or the edge's 429 if the script names the seconds to wait."""
        if fault.retry_after_seconds is not None:
            return Answer(
                status=429,
                body={"errors": "Too Many Requests"},
                headers={"Retry-After": str(fault.retry_after_seconds)},
            )
        error: JsonObject = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return Answer(body={"errors": [error], "extensions": {"cost": _cost(QUERY_COST, available=0)}})

    def server_error(self) -> Answer:
        """Return Shopify's 500."""
        return Answer(status=500, body={"errors": "Internal Server Error"})

    def mistaken(self, answer: Answer) -> Answer:
        """Return the answer about another object."""
        match answer.body:
            case {"data": {"order": dict(order)}}:
                return replace(answer, body={"data": {"order": {**order, "id": "gid://shopify/Order/999"}}})
            case {"data": {"fulfillmentCreate": {"fulfillment": dict(fulfilment)}}}:
                other = {**fulfilment, "trackingInfo": [{"company": None, "number": "OTHER", "url": None}]}
                return replace(answer, body={"data": {"fulfillmentCreate": {"fulfillment": other, "userErrors": []}}})
            case _:
                return answer

    def seed_order(self, rest_order: JsonObject, *, access_token: str | None = None) -> str:
        """Add an order given in REST shape and return its global id; without a token every caller sees it."""
        order = _order_from_rest(rest_order, now=self._clock.text())
        account = EVERYONE if access_token is None else account_of(access_token)
        self.book.put("order", f"{account}:{order['id']}", order, account=account)
        return str(order["id"])

    @cached_property
    def _schema(self) -> GraphQLSchema:
        return build_schema(files(__package__).joinpath("shopify_admin.graphql").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    """The root of the graph: its methods are the root fields, called by name."""

    book: Book
    clock: SimulatedClock
    call: Call

    def shop(self, _: object) -> JsonObject:
        plan: JsonObject = {"partnerDevelopment": True, "shopifyPlus": False}
        return {
            "id": "gid://shopify/Shop/1",
            "name": "Remit Simulator",
            "myshopifyDomain": SHOP_DOMAIN,
            "currencyCode": "USD",
            "plan": plan,
        }

    def order(self, _: object, id: str) -> dict[str, Any] | None:  # noqa: A002 - the vendor's name of the argument
        _, order = self._find_order(id)
        return None if order is None else _resolvable(order)

    def fulfillmentCreate(  # noqa: N802 - the vendor's name of the field
        self, _: object, fulfillment: JsonObject, message: str | None = None
    ) -> dict[str, Any]:
        groups = cast("list[JsonObject]", fulfillment["lineItemsByFulfillmentOrder"])
        # Fulfilment orders have the order's number with a digit appended.
        number = str(groups[0]["fulfillmentOrderId"]).rpartition("/")[2][:-1] if groups else ""
        account, order = self._find_order(f"gid://shopify/Order/{number}")
        if order is None:
            return _refused("lineItemsByFulfillmentOrder", "Fulfillment order does not exist.")
        total, refusal = 0, None
        for group in groups:
            taken, refusal = _take(order, group)
            total += taken
            if refusal is not None:
                return _refused("lineItemsByFulfillmentOrder", refusal)
        tracking = fulfillment.get("trackingInfo")
        created = self._new_fulfilment(tracking if isinstance(tracking, dict) else {}, total=total)
        cast("list[JsonValue]", order["fulfillments"]).append(created)
        order |= {"displayFulfillmentStatus": _display_status(order), "updatedAt": self.clock.text()}
        self.book.put("order", f"{account}:{order['id']}", order, account=account)
        self._record(order, created, message=message)
        return {"fulfillment": created, "userErrors": []}

    def _find_order(self, order_id: str) -> tuple[str, JsonObject | None]:
        """Return an order and whose it is: the caller's own goes before one that everybody sees."""
        own = self.book.find("order", f"{self.call.account}:{order_id}", account=self.call.account)
        if own is not None:
            return self.call.account, own
        return EVERYONE, self.book.find("order", f"{EVERYONE}:{order_id}", account=EVERYONE)

    def _new_fulfilment(self, tracking: JsonObject, *, total: int) -> JsonObject:
        number = FULFILMENT_ID_FIRST + self.book.count("fulfillment")
        info: JsonObject = {
            "company": tracking.get("company"),
            "number": tracking.get("number"),
            "url": tracking.get("url"),
        }
        return {
            "id": f"gid://shopify/Fulfillment/{number}",
            "legacyResourceId": str(number),
            "status": "SUCCESS",
            "displayStatus": "FULFILLED",
            "createdAt": self.clock.text(),
            "totalQuantity": total,
            "trackingInfo": [info],
        }

    def _record(self, order: JsonObject, created: JsonObject, *, message: str | None) -> None:
        effect = Effect(
            operation="fulfillments.create",
            account=self.call.account,
            object_id=str(created["id"]),
            external_key=None,
            reference=self.call.reference,
            details={"order_id": order["id"], "tracking": created["trackingInfo"], "message": message},
        )
        self.book.record(effect, occurred_at=self.clock.text())


def _take(order: JsonObject, group: JsonObject) -> tuple[int, str | None]:
    """Take a group's quantities from what remains of a fulfilment order, or say why not."""
    wanted = cast("list[JsonObject] | None", group.get("fulfillmentOrderLineItems"))
    for target in cast("list[JsonObject]", order["fulfillmentOrders"]):
        if target["id"] != group["fulfillmentOrderId"]:
            continue
        if target["status"] not in OPEN:
            return 0, "Fulfillment order is not in a fulfillable state."
        lines = {str(line["id"]): line for line in cast("list[JsonObject]", target["lineItems"])}
        asked = {str(item["id"]): cast("int", item["quantity"]) for item in wanted or []}
        asked = asked or {line_id: cast("int", line["remainingQuantity"]) for line_id, line in lines.items()}
        for line_id, quantity in asked.items():
            if line_id not in lines or not 0 < quantity <= cast("int", lines[line_id]["remainingQuantity"]):
                return 0, "Invalid fulfillment order line item quantity requested."
        for line_id, quantity in asked.items():
            lines[line_id]["remainingQuantity"] = cast("int", lines[line_id]["remainingQuantity"]) - quantity
        if all(line["remainingQuantity"] == 0 for line in lines.values()):
            target["status"] = "CLOSED"
        return sum(asked.values()), None
    return 0, "Fulfillment order does not exist."


def _display_status(order: JsonObject) -> str:
    targets = cast("list[JsonObject]", order["fulfillmentOrders"])
    return "FULFILLED" if all(target["status"] == "CLOSED" for target in targets) else "PARTIALLY_FULFILLED"


def _refused(field: str, message: str) -> dict[str, Any]:
    return {"fulfillment": None, "userErrors": [{"field": ["fulfillment", field], "message": message}]}


def _order_from_rest(rest: JsonObject, *, now: str) -> JsonObject:
    """Return a stored order from Shopify's REST shape, whose one fulfilment order holds all that is to be shipped."""
    number, currency = str(rest["id"]), str(rest["currency"])
    lines = [_line_from_rest(line, currency=currency) for line in cast("list[JsonObject]", rest["line_items"])]
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
    customer = rest.get("customer")
    return {
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": number,
        "name": rest["name"],
        "test": rest["test"],
        "email": rest.get("email"),
        "cancelledAt": rest.get("cancelled_at"),
        "createdAt": rest.get("created_at") or now,
        "updatedAt": rest.get("updated_at") or now,
        "currencyCode": currency,
        "displayFinancialStatus": str(rest.get("financial_status") or "pending").upper(),
        "displayFulfillmentStatus": "UNFULFILLED",
        "totalPriceSet": _money(rest["total_price"], currency),
        "subtotalPriceSet": _money(rest.get("subtotal_price"), currency),
        "totalTaxSet": _money(rest.get("total_tax"), currency),
        "shippingAddress": _address_from_rest(rest.get("shipping_address")),
        "customer": _customer_from_rest(customer) if isinstance(customer, dict) else None,
        "risk": {"recommendation": "ACCEPT"},
        "lineItems": cast("JsonValue", lines),
        "fulfillmentOrders": [
            {
                "id": f"gid://shopify/FulfillmentOrder/{number}1",
                "orderId": f"gid://shopify/Order/{number}",
                "status": "OPEN",
                "requestStatus": "UNSUBMITTED",
                "fulfillmentHolds": [],
                "lineItems": to_ship,
            }
        ],
        "fulfillments": [
            _fulfilment_from_rest(item) for item in cast("list[JsonObject]", rest.get("fulfillments") or [])
        ],
    }


def _line_from_rest(line: JsonObject, *, currency: str) -> JsonObject:
    return {
        "id": f"gid://shopify/LineItem/{line['id']}",
        "sku": line.get("sku"),
        "title": line["title"],
        "quantity": line["quantity"],
        "currentQuantity": line["quantity"],
        "requiresShipping": line.get("requires_shipping", True),
        "originalUnitPriceSet": _money(line["price"], currency),
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


def _money(amount: JsonValue, currency: str) -> JsonValue:
    if amount is None:
        return None
    money: JsonObject = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _resolvable(order: JsonObject) -> dict[str, Any]:
    """Return a stored order as the graph reads it: lists become connections, arguments are honoured."""
    groups = [
        {**group, "lineItems": _connection(cast("list[Any]", group["lineItems"]))}
        for group in cast("list[dict[str, Any]]", order["fulfillmentOrders"])
    ]
    fulfilments = [
        {**item, "trackingInfo": _first(cast("list[Any]", item["trackingInfo"]))}
        for item in cast("list[dict[str, Any]]", order["fulfillments"])
    ]
    return {
        **order,
        "lineItems": _connection(cast("list[Any]", order["lineItems"])),
        "fulfillmentOrders": _connection(groups),
        "fulfillments": _first(fulfilments),
    }


def _connection(nodes: list[Any]) -> Any:
    def resolve(_: object, first: int | None = None, **__: object) -> dict[str, Any]:
        if first is None:
            message = "you must provide one of first or last"
            raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
        return {"nodes": nodes[:first], "pageInfo": {"hasNextPage": len(nodes) > first, "endCursor": str(first)}}

    return resolve


def _first(nodes: list[Any]) -> Any:
    return lambda _, first=None, **__: nodes[:first]


def _root_field(body: JsonObject) -> str:
    """Return the first root field of a document's operation, or nothing if it does not parse."""
    try:
        document = parse(str(body.get("query", "")))
        operation = get_operation_ast(document, cast("str | None", body.get("operationName")))
    except GraphQLError:
        return ""
    if not isinstance(operation, OperationDefinitionNode):
        return ""
    fields = [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    return next((name for name in fields if name != "shop"), fields[0] if fields else "")


def _formatted(error: GraphQLError) -> JsonObject:
    extensions: JsonObject = dict(error.extensions) if error.extensions else {"code": "undefinedField"}
    return {"message": error.message, "extensions": extensions}


def _cost(requested: int, *, available: int) -> JsonObject:
    throttle: JsonObject = {
        "maximumAvailable": COST_MAX,
        "currentlyAvailable": available,
        "restoreRate": COST_RESTORE_PER_SECOND,
    }
    return {"requestedQueryCost": requested, "actualQueryCost": requested, "throttleStatus": throttle}
