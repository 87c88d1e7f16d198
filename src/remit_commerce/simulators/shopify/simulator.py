"""A simulated Shopify shop: the Admin GraphQL API over seeded orders, on the vendor's whole schema.

Owns: the order of things: the document against the vendor's schema, against what is modelled, its cost, then its
execution. Orders are seeded in the REST shape, which is also the shape of webhook bodies.
Does not know: HTTP, faults, what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode, execute_sync, get_operation_ast, parse
from graphql.error import GraphQLError
from graphql.language import FieldNode

from remit.core.canonical import JsonValue
from remit_commerce.simulators.book import EVERYONE, Book, JsonObject
from remit_commerce.simulators.exchange import UNKNOWN_OPERATION, Answer, Call, SimulatedClock, account_of, match_path
from remit_commerce.simulators.faults import Fault
from remit_commerce.simulators.shopify import cost, graph, orders
from remit_commerce.simulators.shopify.root import SHOP_DOMAIN, Root

__all__ = ["SHOP_DOMAIN", "ShopifySimulator"]

API_PATH: Final = ("admin", "api", ":version", "graphql.json")
API_VERSION: Final = "2026-10"
THROTTLED_QUERY_COST: Final = 12
"""What a scripted throttling says that the query would have cost."""

OPERATIONS: Final = {
    "order": "orders.get",
    "orderByIdentifier": "orders.get",
    "orders": "orders.list",
    "job": "jobs.get",
    "fulfillmentOrders": "fulfillment_orders.list",
    "shop": "shop.get",
    "fulfillmentCreate": "fulfillments.create",
    "orderUpdate": "orders.update",
    "orderCancel": "orders.cancel",
    "orderCapture": "orders.capture",
    "refundCreate": "refunds.create",
    "tagsAdd": "orders.tags_add",
    "tagsRemove": "orders.tags_remove",
    "transactionVoid": "transactions.void",
}
"""The provider's name for an operation, by its first root field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: dict[str, Any]


class ShopifySimulator:
    """One shop on its book."""

    name: Final = "shopify"
    carried: Final = (b'"id":"gid://shopify/Fulfillment/', b'"name":"#')

    def __init__(self, book: Book, clock: SimulatedClock) -> None:
        self.book = book
        self._clock = clock
        self._bucket = cost.CostBucket()

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
        """Execute a document; errors before execution come without ``data``, and nothing happened."""
        if not call.headers.get("x-shopify-access-token"):
            return Answer(status=401, body={"errors": "[API] Invalid API key or access token"})
        if call.operation == UNKNOWN_OPERATION:
            return Answer(status=404, body={"errors": "Not Found"})
        read = _read_request(call.json() or {})
        if isinstance(read, list):
            return _errors(read)
        requested = cost.requested_cost(read.document, read.operation, read.variables)
        refusal = self._refusal(call, requested)
        if refusal is not None:
            return refusal
        root = Root(book=self.book, clock=self._clock, call=call)
        result = execute_sync(
            graph.admin_schema(),
            read.document,
            root_value=root,
            variable_values=read.variables,
            operation_name=read.operation.name.value if read.operation.name else None,
            field_resolver=graph.resolve_field,
        )
        assert isinstance(result, ExecutionResult)
        return self._answer(call, result, requested)

    def rate_limited(self, fault: Fault) -> Answer:
        """Return a throttled query, or the edge's 429 if the script names what to wait."""
        wait = fault.retry_after()
        if wait is not None:
            return Answer(status=429, body={"errors": "Too Many Requests"}, headers={"Retry-After": wait})
        throttle: JsonObject = {
            "maximumAvailable": self._bucket.capacity,
            "currentlyAvailable": 0,
            "restoreRate": cost.RESTORE_RATES[0],
        }
        spent: JsonObject = {"requestedQueryCost": THROTTLED_QUERY_COST, "throttleStatus": throttle}
        return _errors([graph.refused("Throttled", code="THROTTLED")], spent=spent)

    def server_error(self) -> Answer:
        """Return Shopify's 500."""
        return Answer(status=500, body={"errors": "Internal Server Error"})

    def inner_error(self, answer: Answer) -> Answer:
        """Return the answer with an error inside: 200, and nobody knows how far it came."""
        error = graph.refused("Internal error. Looks like something went wrong on our end.", code=INNER_ERROR)
        return replace(answer, status=200, body={"errors": [_formatted(error)]})

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
        order = orders.from_rest(rest_order, now=self._clock.text())
        account = EVERYONE if access_token is None else account_of(access_token)
        self.book.put("order", f"{account}:{order['id']}", order, account=account)
        return str(order["id"])

    def set_plan(self, points_per_second: int) -> None:
        """Move the shop to the plan with this restore rate.

        Raises:
            ValueError: no plan has it.
        """
        if points_per_second not in cost.RESTORE_RATES:
            message = f"expected one of {cost.RESTORE_RATES} points a second, got {points_per_second}"
            raise ValueError(message)
        self._bucket.restore_rate = points_per_second

    def _refusal(self, call: Call, requested: int) -> Answer | None:
        now = self._clock.now().timestamp()
        spent = self._bucket.status(call.account, requested, actual=None, now=now)
        if requested > cost.QUERY_COST_MAX:
            message = (
                f"Query cost is {requested}, which exceeds the single query max cost limit ({cost.QUERY_COST_MAX})."
            )
            return _errors([graph.refused(message, code="MAX_COST_EXCEEDED")], spent=spent)
        if requested > self._bucket.available(call.account, now=now):
            return _errors([graph.refused("Throttled", code="THROTTLED")], spent=spent)
        return None

    def _answer(self, call: Call, result: ExecutionResult, requested: int) -> Answer:
        now = self._clock.now().timestamp()
        is_mutation = not call.operation.endswith((".get", ".list"))
        actual = requested if is_mutation else min(requested, cost.actual_cost(result.data))
        self._bucket.spend(call.account, actual, now=now)
        spent = self._bucket.status(call.account, requested, actual=actual, now=now)
        body: JsonObject = {"data": cast("JsonValue", result.data), "extensions": {"cost": spent}}
        if result.errors:
            body["errors"] = cast("JsonValue", [_formatted(error) for error in result.errors])
        return Answer(body=body)


INNER_ERROR: Final = "INTERNAL_SERVER_ERROR"


def _read_request(body: JsonObject) -> _Request | list[GraphQLError]:
    """Return what is to be executed, or why it is not."""
    text, variables = body.get("query"), body.get("variables")
    if not isinstance(text, str):
        return [graph.refused("Required parameter missing or invalid: query", code="BAD_REQUEST")]
    try:
        document = parse(text)
    except GraphQLError as error:
        return [error]
    errors = graph.check(document)
    if errors:
        return errors
    operation = get_operation_ast(document, cast("str | None", body.get("operationName")))
    if operation is None:
        return [graph.refused("An operation name is required", code="BAD_REQUEST")]
    given: dict[str, Any] = variables if isinstance(variables, dict) else {}
    return graph.check_operation(operation, given) or _Request(document=document, operation=operation, variables=given)


def _root_field(body: JsonObject) -> str:
    """Return the first root field of a document's operation, or nothing if it does not parse."""
    try:
        document = parse(str(body.get("query", "")))
        operation = get_operation_ast(document, cast("str | None", body.get("operationName")))
    except GraphQLError:
        return ""
    if operation is None:
        return ""
    fields = [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    return next((name for name in fields if name != "shop"), fields[0] if fields else "")


def _errors(errors: list[GraphQLError], *, spent: JsonObject | None = None) -> Answer:
    """Return errors without data: nothing was executed."""
    body: JsonObject = {"errors": cast("JsonValue", [_formatted(error) for error in errors])}
    return Answer(body=body if spent is None else {**body, "extensions": {"cost": spent}})


def _formatted(error: GraphQLError) -> JsonObject:
    extensions: JsonObject = dict(error.extensions) if error.extensions else {"code": "undefinedField"}
    return {"message": error.message, "extensions": extensions}
