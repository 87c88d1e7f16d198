"""The simulated shop itself: the vendor's schema, what is modelled of it, and the run-time rules that it lacks."""

import hashlib
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any

import httpx2
import pytest
from graphql import GraphQLInputObjectType, parse, validate

from remit_commerce import providers
from remit_commerce.providers.shopify import Document
from remit_commerce.simulators.shopify import graph
from tests.integration.commerce.calling import FULFIL, ORDER, Shop

SHA256 = "f3b522f264556925eada700e795e4a002a9cba83444ebcc6c0d724254a0c6593"
Ask = Callable[..., Any]

REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount } } } order { displayFinancialStatus }
    userErrors { field message }
  }
}
"""
CANCEL = """
mutation Cancel($id: ID!) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refundMethod: {originalPaymentMethodsRefund: true}) {
    job { id done } orderCancelUserErrors { code field message } userErrors { message }
  }
}
"""
STATE = """
query State($id: ID!) {
  order(id: $id) {
    cancelledAt cancelReason displayFinancialStatus displayFulfillmentStatus tags note
    fulfillmentOrders(first: 5) { nodes { id status lineItems(first: 10) { nodes { id remainingQuantity } } } }
    lineItems(first: 5) { nodes { id currentQuantity } }
    transactions(first: 9) { id kind status amountSet { shopMoney { amount } } parentTransaction { id } }
    refunds(first: 9) { id }
  }
}
"""


@pytest.fixture
def ask(shop: Shop) -> Ask:
    """Sends a document to the shop and returns the whole answer."""

    def send(query: str, **variables: Any) -> Any:
        url = f"{shop.simulators.endpoints()['shopify']}/admin/api/2026-10/graphql.json"
        token = {"X-Shopify-Access-Token": shop.credentials["shopify_access_token"]}
        with httpx2.Client(trust_env=False) as client:
            return client.post(url, headers=token, json={"query": query, "variables": variables}).json()

    return send


def state(ask: Ask, order_id: str) -> Any:
    """Return an order as the graph tells it."""
    return ask(STATE, id=order_id)["data"]["order"]


def effects(shop: Shop, operation: str) -> list[dict[str, Any]]:
    """Return what the shop did for this account."""
    return shop.effects(f"shopify.{operation}")


def documents() -> list[Document]:
    """Return every GraphQL document of the providers' modules."""
    modules = [import_module(f"{providers.__name__}.{module.name}") for module in iter_modules(providers.__path__)]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Document)]


# --- the schema ----------------------------------------------------------------------------------------------------


def test_schema_is_the_vendors_file_unchanged() -> None:
    """
    The schema is the file that the notice beside it names.
    """
    packed = files(graph.__package__).joinpath(graph.SCHEMA_FILE).read_bytes()
    notice = files(graph.__package__).joinpath("NOTICE").read_text(encoding="utf-8")

    assert SHA256 == hashlib.sha256(packed).hexdigest()
    assert SHA256 in notice
    assert "ISC License" in notice
    assert 3_546 == len(graph.admin_schema().type_map)


def test_every_document_of_the_clients_is_valid_on_the_vendors_schema() -> None:
    """
    What our clients send is known to the vendor, and modelled by the simulator.
    """
    found = documents()

    assert {"RemitOrder", "RemitFulfil"} <= {document.name for document in found}
    assert {} == {
        document.name: errors
        for document in found
        if (errors := validate(graph.admin_schema(), parse(document.text)) or graph.check(parse(document.text)))
    }


def test_everything_that_is_modelled_is_the_vendors() -> None:
    """
    No type, field, argument or input is modelled that the vendor does not have.
    """
    types = graph.admin_schema().type_map
    fields = [(name, field) for name, known in graph.SIMULATED.items() for field in known]
    arguments = [(*place, argument) for place, known in graph.ARGUMENTS.items() for argument in known]
    inputs = [(name, field) for name, known in graph.INPUTS.items() for field in known]

    assert [] == [place for place in fields if place[1] not in getattr(types[place[0]], "fields", {})]
    assert [] == [place for place in arguments if place[2] not in types[place[0]].fields[place[1]].args]  # type: ignore[union-attr,attr-defined]
    assert [] == [
        (name, field)
        for name, field in inputs
        if not isinstance(kind := types[name], GraphQLInputObjectType) or field not in kind.fields
    ]


# --- what is not modelled ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("{ products(first: 1) { nodes { id } } }", "QueryRoot.products"),
        ('{ order(id: "1") { id channelInformation { id } } }', "Order.channelInformation"),
        ("{ orders(first: 1, sortKey: ID) { nodes { id } } }", "QueryRoot.orders(sortKey:)"),
        ('mutation { orderClose(input: {id: "1"}) { order { id } } }', "Mutation.orderClose"),
        ('mutation { orderUpdate(input: {id: "1", metafields: []}) { order { id } } }', "OrderInput.metafields"),
        (
            'mutation { orderCancel(orderId: "1", reason: FRAUD, restock: false, refund: true) { job { id } } }',
            "Mutation.orderCancel(refund:)",
        ),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(ask: Ask, query: str, names: str) -> None:
    """
    The vendor's schema has it and the simulator does not: it says so, and executes nothing.
    """
    answer = ask(query)

    assert "data" not in answer
    assert [("NOT_SIMULATED", names)] == [
        (error["extensions"]["code"], error["message"].partition(" is not simulated")[0]) for error in answer["errors"]
    ]


def test_mutation_with_an_unmodelled_field_in_its_payload_does_nothing(shop: Shop, ask: Ask) -> None:
    """
    A document is refused as a whole, before its mutation is executed.
    """
    order_id = shop.seed()

    answer = ask(
        'mutation M($id: ID!) { tagsAdd(id: $id, tags: ["a"]) { node { id ... on Order { app { id } } } } }',
        id=order_id,
    )

    assert "data" not in answer
    assert [] == state(ask, order_id)["tags"]


def test_what_the_vendor_does_not_have_is_no_field(ask: Ask) -> None:
    """
    A field that the schema lacks is the vendor's own error.
    """
    answer = ask("{ shop { nonsense } }")

    assert "data" not in answer
    assert "Cannot query field 'nonsense' on type 'Shop'" in answer["errors"][0]["message"]


# --- refunds -------------------------------------------------------------------------------------------------------


def refund(order: Any, amount: str) -> dict[str, Any]:
    """Return the input of a refund of money."""
    parent = next(item for item in order["transactions"] if item["kind"] in {"SALE", "CAPTURE"})
    transaction = {"amount": amount, "gateway": "bogus", "kind": "REFUND", "orderId": "x", "parentId": parent["id"]}
    return {"transactions": [transaction]}


@pytest.mark.parametrize("directive", ["", '@idempotent(key: " ")'])
def test_refund_needs_an_idempotency_key(shop: Shop, ask: Ask, directive: str) -> None:
    """
    Since 2026-04 the key is required at run time, although the schema takes the mutation without it.
    """
    order_id = shop.seed(financial_status="paid")
    query = f"mutation M($input: RefundInput!) {{ refundCreate(input: $input) {directive} {{ refund {{ id }} }} }}"

    answer = ask(query, input={"orderId": order_id, **refund(state(ask, order_id), "1.00")})

    assert "data" not in answer
    assert "idempoten" in answer["errors"][0]["message"]
    assert [] == effects(shop, "refunds.create")


def test_refund_with_the_same_key_happens_once(shop: Shop, ask: Ask) -> None:
    """
    The same key with the same parameters returns the first refund; with others it is refused.
    """
    order_id = shop.seed(financial_status="paid")
    wanted = {"orderId": order_id, **refund(state(ask, order_id), "10.00")}

    first = ask(REFUND, input=wanted, key="k")["data"]["refundCreate"]
    again = ask(REFUND, input=wanted, key="k")["data"]["refundCreate"]
    other = ask(REFUND, input={**wanted, "note": "more"}, key="k")["data"]["refundCreate"]

    assert ("10.00", "PARTIALLY_REFUNDED") == (
        first["refund"]["totalRefundedSet"]["shopMoney"]["amount"],
        first["order"]["displayFinancialStatus"],
    )
    assert first["refund"] == again["refund"]
    assert other["refund"] is None
    assert "different parameters" in other["userErrors"][0]["message"]
    assert [(1_000, "k")] == [(item["amount_minor"], item["external_key"]) for item in effects(shop, "refunds.create")]


def test_refunds_never_exceed_what_was_taken(shop: Shop, ask: Ask) -> None:
    """
    The sum of all refunds stays within the payment; goods are given back at most once.
    """
    order_id = shop.seed(financial_status="paid")
    order = state(ask, order_id)
    line = {"lineItemId": order["lineItems"]["nodes"][0]["id"], "quantity": 1, "restockType": "NO_RESTOCK"}

    def asked(key: str, **wanted: Any) -> Any:
        return ask(REFUND, input={"orderId": order_id, **wanted}, key=key)["data"]["refundCreate"]

    whole = asked("1", refundLineItems=[line], **refund(order, "409.94"))
    more = asked("2", **refund(order, "0.01"))
    goods = asked("3", refundLineItems=[line])
    nothing = asked("4")

    assert "REFUNDED" == whole["order"]["displayFinancialStatus"]
    assert all(answer["userErrors"] and answer["refund"] is None for answer in (more, goods, nothing))
    assert [40_994] == [item["amount_minor"] for item in effects(shop, "refunds.create")]


# --- cancellations -------------------------------------------------------------------------------------------------


def test_cancellation_takes_place_later_and_cannot_be_undone(shop: Shop, ask: Ask) -> None:
    """
    Accepted at once, done when the job is; the hold is released; a second one, goods and updates of it are refused.
    """
    order_id = shop.seed()

    accepted = ask(CANCEL, id=order_id)["data"]["orderCancel"]
    meanwhile = state(ask, order_id)
    second = ask(CANCEL, id=order_id)["data"]["orderCancel"]
    shop.simulators.advance(3)
    job = ask("query J($id: ID!) { job(id: $id) { done } }", id=accepted["job"]["id"])["data"]["job"]
    after = state(ask, order_id)
    third = ask(CANCEL, id=order_id)["data"]["orderCancel"]

    assert not accepted["job"]["done"]
    assert meanwhile["cancelledAt"] is None
    assert job["done"]
    assert ("CUSTOMER", "VOIDED", "CANCELLED") == (
        after["cancelReason"],
        after["displayFinancialStatus"],
        after["fulfillmentOrders"]["nodes"][0]["status"],
    )
    assert after["cancelledAt"] is not None
    assert ["INVALID", "INVALID"] == [answer["orderCancelUserErrors"][0]["code"] for answer in (second, third)]
    assert 1 == len(effects(shop, "orders.cancel"))


async def test_cancelled_order_is_not_fulfilled(shop: Shop, ask: Ask) -> None:
    """
    From the acceptance on nothing is shipped: neither by the tool, nor past it.
    """
    order_id = shop.seed()
    group = state(ask, order_id)["fulfillmentOrders"]["nodes"][0]["id"]
    ask(CANCEL, id=order_id)

    failure = await shop.fail(FULFIL, "early", order_id=order_id, tracking_number="T1")
    shop.simulators.advance(3)
    late = await shop.fail(FULFIL, "late", order_id=order_id, tracking_number="T1")
    answer = ask(
        "mutation F($g: ID!) { fulfillmentCreate(fulfillment: {lineItemsByFulfillmentOrder: "
        "[{fulfillmentOrderId: $g}]}) { fulfillment { id } userErrors { message } } }",
        g=group,
    )

    assert ("user_error", "ORDER_CANCELLED") == (failure.reason, late.reason)
    assert answer["data"]["fulfillmentCreate"]["userErrors"]
    assert [] == shop.effects(FULFIL)


async def test_fulfilled_order_is_not_cancelled(shop: Shop, ask: Ask) -> None:
    """
    What has left cannot be called back; an order that does not exist cannot either.
    """
    order_id = shop.seed()
    await shop.call(FULFIL, "fulfil", order_id=order_id, tracking_number="T1")

    refused = ask(CANCEL, id=order_id)["data"]["orderCancel"]
    missing = ask(CANCEL, id="gid://shopify/Order/42")["data"]["orderCancel"]

    assert ["INVALID", "NOT_FOUND"] == [answer["orderCancelUserErrors"][0]["code"] for answer in (refused, missing)]
    assert [] == effects(shop, "orders.cancel")


def test_cancellation_gives_a_payment_back_if_asked(shop: Shop, ask: Ask) -> None:
    """
    A payment that was taken is refunded in full.
    """
    order_id = shop.seed(financial_status="paid")

    ask(CANCEL, id=order_id)
    shop.simulators.advance(3)
    after = state(ask, order_id)

    assert "REFUNDED" == after["displayFinancialStatus"]
    assert ["SALE", "REFUND"] == [item["kind"] for item in after["transactions"]]


# --- money held, tags, notes, lists --------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "status"), [("409.94", "PAID"), ("100.00", "PARTIALLY_PAID"), ("409.95", None)])
def test_capture_takes_what_is_held_once(shop: Shop, ask: Ask, amount: str, status: str | None) -> None:
    """
    A capture takes at most the hold, ends it, and cannot be repeated or voided.
    """
    order_id = shop.seed()
    parent = state(ask, order_id)["transactions"][0]["id"]
    wanted = {"id": order_id, "parentTransactionId": parent, "amount": amount}
    query = (
        "mutation C($input: OrderCaptureInput!) { orderCapture(input: $input) "
        "{ transaction { kind parentTransaction { id } } userErrors { message } } }"
    )
    void = (
        "mutation V($id: ID!) { transactionVoid(parentTransactionId: $id) "
        "{ transaction { kind } userErrors { code } } }"
    )

    first = ask(query, input=wanted)["data"]["orderCapture"]
    again = ask(query, input=wanted)["data"]["orderCapture"]
    voided = ask(void, id=parent)["data"]["transactionVoid"]

    assert (status is None) == bool(first["userErrors"])
    assert again["userErrors"]
    assert (status is None) == (voided["transaction"] is not None)
    assert (status or "VOIDED") == state(ask, order_id)["displayFinancialStatus"]
    assert int(status is not None) == len(effects(shop, "orders.capture"))


def test_notes_and_tags_are_kept(shop: Shop, ask: Ask) -> None:
    """
    An order's notes and tags change, its items do not: that is not what `orderUpdate` can do.
    """
    order_id = shop.seed()
    ask('mutation U($id: ID!) { orderUpdate(input: {id: $id, note: "gift"}) { order { id } } }', id=order_id)
    ask('mutation T($id: ID!) { tagsAdd(id: $id, tags: ["vip", "late"]) { node { id } } }', id=order_id)
    ask('mutation R($id: ID!) { tagsRemove(id: $id, tags: ["late"]) { node { id } } }', id=order_id)

    found = state(ask, order_id)

    assert ("gift", ["vip"]) == (found["note"], found["tags"])


def test_orders_are_listed_in_pages_and_searched(shop: Shop, ask: Ask) -> None:
    """
    A page ends where the next one begins; a search term that is not modelled is refused.
    """
    for number in (11, 12, 13):
        shop.seed(number=number, name=f"#{number}")
    query = (
        "query L($after: String, $find: String) { orders(first: 2, after: $after, query: $find) "
        "{ nodes { name } edges { cursor node { name } } pageInfo { hasNextPage endCursor } } }"
    )

    first = ask(query)["data"]["orders"]
    second = ask(query, after=first["pageInfo"]["endCursor"])["data"]["orders"]
    found = ask(query, find="name:#12")["data"]["orders"]
    refused = ask(query, find="risk_level:high")

    assert ["#11", "#12", "#13"] == [node["name"] for page in (first, second) for node in page["nodes"]]
    assert first["nodes"] == [edge["node"] for edge in first["edges"]]
    assert (True, False) == (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"])
    assert ["#12"] == [node["name"] for node in found["nodes"]]
    assert "NOT_SIMULATED" == refused["errors"][0]["extensions"]["code"]


# --- costs ---------------------------------------------------------------------------------------------------------


def test_query_that_may_cost_too_much_is_refused(ask: Ask) -> None:
    """
    A connection counts at its full size also inside another one; more than 1,000 points are not executed.
    """
    answer = ask("{ orders(first: 50) { nodes { id lineItems(first: 50) { nodes { id } } } } }")

    assert "data" not in answer
    assert "MAX_COST_EXCEEDED" == answer["errors"][0]["extensions"]["code"]
    assert 50 * 51 == answer["extensions"]["cost"]["requestedQueryCost"]


def test_bucket_throttles_and_fills_again(shop: Shop, ask: Ask) -> None:
    """
    What was really used is taken from the bucket; an empty one throttles, and fills with time.
    """
    order_id = shop.seed()
    mutations = " ".join(f'm{n}: tagsAdd(id: "{order_id}", tags: ["x"]) {{ node {{ id }} }}' for n in range(99))
    spending = "mutation { " + mutations + " }"

    spent = [ask(spending) for _ in range(3)]
    shop.simulators.advance(60)
    after = ask(spending)

    throttled = [answer for answer in spent if "data" not in answer]
    assert ["THROTTLED"] == [answer["errors"][0]["extensions"]["code"] for answer in throttled]
    assert throttled[0]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] < 990
    assert "data" in after


async def test_actual_cost_of_a_small_order_is_small(shop: Shop, ask: Ask) -> None:
    """
    An order of three lines costs what it has, not what it might have had.
    """
    order_id = shop.seed()
    await shop.call(ORDER, "read", order_id=order_id)

    spent = ask(STATE, id=order_id)["extensions"]["cost"]

    assert spent["actualQueryCost"] < 20 < spent["requestedQueryCost"]
