"""The vendor's Admin schema, and what of it this simulator models.

Owns: loading the schema, refusing what is not modelled before anything is executed, the run-time rules that no schema
states (``@idempotent``), and resolving fields from plain mappings.
Does not know: orders, the book, costs.

A field that the vendor has and this simulator does not model is refused by name (``NOT_SIMULATED``). It is never
answered with invented data: a test against such an answer would prove nothing.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from graphql import (
    SKIP,
    DocumentNode,
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    ValidationRule,
    build_client_schema,
    get_named_type,
    specified_rules,
    validate,
)
from graphql.error import GraphQLError
from graphql.execution.values import get_directive_values, get_variable_values
from graphql.utilities import value_from_ast_untyped

SCHEMA_FILE: Final = "admin_2026-10.introspection.json.gz"
NOT_SIMULATED: Final = "NOT_SIMULATED"
IDEMPOTENT_REQUIRED: Final = frozenset({"refundCreate"})
"""Modelled mutations that need ``@idempotent`` since 2026-04: the vendor's changelog says so, its schema does not."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PAGE: Final = _names("edges nodes pageInfo")
_EDGE: Final = _names("cursor node")

SIMULATED: Final[Mapping[str, frozenset[str]]] = {
    "QueryRoot": _names("fulfillmentOrders job order orderByIdentifier orders shop"),
    "Mutation": _names(
        "fulfillmentCreate orderCancel orderCapture orderUpdate refundCreate tagsAdd tagsRemove transactionVoid"
    ),
    "Shop": _names("currencyCode id myshopifyDomain name plan"),
    "ShopPlan": _names("partnerDevelopment shopifyPlus"),
    "Order": _names(
        "cancelReason cancelledAt createdAt currencyCode customer displayFinancialStatus displayFulfillmentStatus "
        "email fulfillmentOrders fulfillments id legacyResourceId lineItems name note phone poNumber refunds risk "
        "shippingAddress subtotalPriceSet tags test totalPriceSet totalTaxSet transactions updatedAt"
    ),
    "OrderConnection": _PAGE,
    "OrderEdge": _EDGE,
    "OrderRiskSummary": _names("recommendation"),
    "Customer": _names("firstName id lastName"),
    "MoneyBag": _names("presentmentMoney shopMoney"),
    "MoneyV2": _names("amount currencyCode"),
    "MailingAddress": _names("address1 address2 city company countryCodeV2 name phone provinceCode zip"),
    "LineItem": _names("currentQuantity id originalUnitPriceSet quantity requiresShipping sku title"),
    "LineItemConnection": _PAGE,
    "LineItemEdge": _EDGE,
    "FulfillmentOrder": _names("fulfillmentHolds id lineItems orderId requestStatus status"),
    "FulfillmentOrderConnection": _PAGE,
    "FulfillmentOrderEdge": _EDGE,
    "FulfillmentHold": _names("reason"),
    "FulfillmentOrderLineItem": _names("id lineItem remainingQuantity sku totalQuantity"),
    "FulfillmentOrderLineItemConnection": _PAGE,
    "FulfillmentOrderLineItemEdge": _EDGE,
    "Fulfillment": _names("createdAt displayStatus id legacyResourceId status totalQuantity trackingInfo"),
    "FulfillmentTrackingInfo": _names("company number url"),
    "OrderTransaction": _names("amountSet createdAt gateway id kind parentTransaction status test"),
    "Refund": _names("createdAt id legacyResourceId note totalRefundedSet"),
    "Job": _names("done id"),
    "Node": _names("id"),
    "PageInfo": _names("endCursor hasNextPage hasPreviousPage startCursor"),
    "FulfillmentCreatePayload": _names("fulfillment userErrors"),
    "OrderCancelPayload": _names("job orderCancelUserErrors userErrors"),
    "OrderCapturePayload": _names("transaction userErrors"),
    "OrderUpdatePayload": _names("order userErrors"),
    "RefundCreatePayload": _names("order refund userErrors"),
    "TagsAddPayload": _names("node userErrors"),
    "TagsRemovePayload": _names("node userErrors"),
    "TransactionVoidPayload": _names("transaction userErrors"),
    "UserError": _names("field message"),
    "OrderCancelUserError": _names("code field message"),
    "TransactionVoidUserError": _names("code field message"),
}
"""Every type and field that is modelled."""

ARGUMENTS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("QueryRoot", "fulfillmentOrders"): _names("after first includeClosed"),
    ("QueryRoot", "job"): _names("id"),
    ("QueryRoot", "order"): _names("id"),
    ("QueryRoot", "orderByIdentifier"): _names("identifier"),
    ("QueryRoot", "orders"): _names("after first query reverse"),
    ("Order", "fulfillmentOrders"): _names("after first"),
    ("Order", "fulfillments"): _names("first"),
    ("Order", "lineItems"): _names("after first"),
    ("Order", "refunds"): _names("first"),
    ("Order", "transactions"): _names("first"),
    ("FulfillmentOrder", "lineItems"): _names("after first"),
    ("Fulfillment", "trackingInfo"): _names("first"),
    ("Mutation", "fulfillmentCreate"): _names("fulfillment message"),
    ("Mutation", "orderCancel"): _names("notifyCustomer orderId reason refundMethod restock staffNote"),
    ("Mutation", "orderCapture"): _names("input"),
    ("Mutation", "orderUpdate"): _names("input"),
    ("Mutation", "refundCreate"): _names("input"),
    ("Mutation", "tagsAdd"): _names("id tags"),
    ("Mutation", "tagsRemove"): _names("id tags"),
    ("Mutation", "transactionVoid"): _names("parentTransactionId"),
}
"""The arguments that are honoured, by type and field; all others are refused."""

INPUTS: Final[Mapping[str, frozenset[str]]] = {
    "OrderIdentifierInput": _names("id"),
    "FulfillmentInput": _names("lineItemsByFulfillmentOrder notifyCustomer trackingInfo"),
    "FulfillmentOrderLineItemsInput": _names("fulfillmentOrderId fulfillmentOrderLineItems"),
    "FulfillmentOrderLineItemInput": _names("id quantity"),
    "FulfillmentTrackingInput": _names("company number url"),
    "OrderCancelRefundMethodInput": _names("originalPaymentMethodsRefund"),
    "OrderCaptureInput": _names("amount currency id parentTransactionId"),
    "OrderInput": _names("email id note phone poNumber tags"),
    "RefundInput": _names("note notify orderId refundLineItems transactions"),
    "RefundLineItemInput": _names("lineItemId quantity restockType"),
    "OrderTransactionInput": _names("amount gateway kind orderId parentId"),
}
"""The fields of input objects that are honoured."""


@cache
def admin_schema() -> GraphQLSchema:
    """Return the vendor's schema; the first call takes about half a second.

    The vendor's schema breaks a rule about deprecated fields of interfaces, so it is taken as it is.
    """
    packed = files(__package__).joinpath(SCHEMA_FILE).read_bytes()
    return build_client_schema(orjson.loads(gzip.decompress(packed))["data"], assume_valid=True)


def refused(message: str, *, code: str) -> GraphQLError:
    """Return an error with the vendor's kind of code."""
    return GraphQLError(message, extensions={"code": code})


def not_simulated(what: str) -> GraphQLError:
    """Return the error for what the vendor has and this simulator does not."""
    return refused(f"{what} is not simulated; the vendor's schema has it", code=NOT_SIMULATED)


def check(document: DocumentNode) -> list[GraphQLError]:
    """Return why a document is not executed: what the vendor's schema does not know, or what is not modelled."""
    schema = admin_schema()
    return validate(schema, document, specified_rules) or validate(schema, document, [_ModelledFields])


def check_operation(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> list[GraphQLError]:
    """Return why an operation is not executed with these variables: inputs that are not modelled, or a missing key."""
    schema = admin_schema()
    values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
    if isinstance(values, list):
        return values
    root = schema.mutation_type if operation.operation is OperationType.MUTATION else schema.query_type
    assert root is not None
    errors: list[GraphQLError] = []
    for node in operation.selection_set.selections:
        if not isinstance(node, FieldNode) or node.name.value.startswith("__"):
            continue
        field = root.fields[node.name.value]
        # As the caller wrote them: the schema's own defaults are no business of ours.
        given = {item.name.value: value_from_ast_untyped(item.value, dict(variables)) for item in node.arguments or ()}
        errors += _unmodelled_inputs(field, given)
        if operation.operation is OperationType.MUTATION:
            errors += _key_errors(node, values)
    return errors


def idempotency_key(info: GraphQLResolveInfo[Any]) -> str | None:
    """Return the key of ``@idempotent`` on the field that is being resolved."""
    return _key_of(info.field_nodes[0], info.variable_values)


def resolve_field(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """Return a field of a mapping, or the answer of a root's method; functions in mappings are called."""
    name = info.field_name
    value = source.get(name, _ABSENT) if isinstance(source, Mapping) else getattr(source, name, _ABSENT)
    if value is _ABSENT:
        raise not_simulated(f"{info.parent_type.name}.{name}")
    if not callable(value):
        return value
    honoured = ARGUMENTS.get((info.parent_type.name, name), frozenset())
    # The schema's defaults of arguments that nobody gave are among them.
    return value(info, **{argument: given for argument, given in arguments.items() if argument in honoured})


_ABSENT: Final = object()


class _ModelledFields(ValidationRule):
    """Refuses fields and arguments that are not modelled."""

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        parent = self.context.get_parent_type()
        name = node.name.value
        if parent is None or name.startswith("__"):
            return None
        if name not in SIMULATED.get(parent.name, frozenset()):
            self.report_error(not_simulated(f"{parent.name}.{name}"))
            return SKIP
        honoured = ARGUMENTS.get((parent.name, name), frozenset())
        for argument in node.arguments or ():
            if argument.name.value not in honoured:
                self.report_error(not_simulated(f"{parent.name}.{name}({argument.name.value}:)"))
        return None


def _unmodelled_inputs(field: GraphQLField, arguments: Mapping[str, Any]) -> list[GraphQLError]:
    found = [
        name
        for argument, value in arguments.items()
        for name in _unmodelled(field.args[argument].type if argument in field.args else None, value)
    ]
    return [not_simulated(name) for name in found]


def _unmodelled(kind: Any, value: Any) -> Iterator[str]:
    """Yield the names of input fields that are given and not modelled."""
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList) and isinstance(value, list):
        for item in value:
            yield from _unmodelled(kind.of_type, item)
    if not (isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict)):
        return
    for name, inner in value.items():
        if name not in INPUTS.get(kind.name, frozenset()):
            yield f"{kind.name}.{name}"
        else:
            yield from _unmodelled(kind.fields[name].type, inner)


def _key_errors(node: FieldNode, variables: Any) -> list[GraphQLError]:
    name, key = node.name.value, _key_of(node, variables)
    if name not in IDEMPOTENT_REQUIRED:
        message = f"The @idempotent directive is not supported on {name}."
        return [] if key is None else [refused(message, code="BAD_REQUEST")]
    if key is None:
        return [refused(f"The @idempotent directive is required for {name}.", code="BAD_REQUEST")]
    message = "The idempotency key cannot be an empty string or whitespace only."
    return [] if key.strip() else [refused(message, code="BAD_REQUEST")]


def _key_of(node: FieldNode, variables: Any) -> str | None:
    directive = admin_schema().get_directive("idempotent")
    assert directive is not None
    values = get_directive_values(directive, node, variables)
    return None if values is None else str(values["key"])


def object_of(kind: Any) -> GraphQLObjectType | None:
    """Return the object type that a field's type names, ``None`` for scalars, enums and abstract types."""
    named = get_named_type(kind)
    return named if isinstance(named, GraphQLObjectType) else None
