"""The pack's documents: they compile, and the remit grants exactly what the workflow needs."""

from itertools import pairwise

import remit_commerce
from remit.core.definition import Definition, EventStep, ToolStep
from remit.core.states import DeliveryClass, SideEffectLevel
from remit.governance.policy import BusinessConfig
from remit.plans.business import compile_business
from remit.plans.orchestration import compile_orchestration

PACK = remit_commerce.pack()
CONTRACTS = {tool.contract.name: tool.contract for tool in PACK.tools}


def business() -> BusinessConfig:
    (path,) = PACK.business_configs
    result = compile_business(path.read_bytes(), path=path.name, contracts=CONTRACTS)
    assert result.config is not None, list(result.diagnostics)
    return result.config


def workflow() -> Definition:
    (path,) = PACK.definitions
    result = compile_orchestration(path.read_bytes(), path=path.name, contracts=CONTRACTS, policy=business())
    assert result.definition is not None, list(result.diagnostics)
    return result.definition


def test_documents_compile_without_a_finding() -> None:
    """
    The shipped documents have not even a warning.
    """
    (remit_file,), (orchestration,) = PACK.business_configs, PACK.definitions

    found = compile_business(remit_file.read_bytes(), path=remit_file.name, contracts=CONTRACTS).diagnostics
    more = compile_orchestration(
        orchestration.read_bytes(), path=orchestration.name, contracts=CONTRACTS, policy=business()
    ).diagnostics

    assert [] == [*found, *more]


def test_every_tool_is_granted_its_own_operation_only() -> None:
    """
    Each tool has one scope, for the one service, for the operation and the hosts of its contract.
    """
    scopes = {scope.tool: scope for scope in business().scopes}

    assert CONTRACTS.keys() == scopes.keys()
    for name, contract in CONTRACTS.items():
        assert ("commerce",) == scopes[name].principals
        assert (contract.operation,) == scopes[name].operations
        assert contract.network == scopes[name].network


def test_every_financial_tool_has_an_approval_rule() -> None:
    """
    No money moves by a tool for which no rule says when a person is asked.
    """
    ruled = {rule.tool for rule in business().approval_rules}

    financial = {
        name for name, contract in CONTRACTS.items() if contract.side_effect_level is SideEffectLevel.FINANCIAL
    }

    assert set() == financial - ruled


def test_money_is_taken_before_goods_are_made() -> None:
    """
    Hold, draft, capture, confirm, ship, fulfil, notify: nothing irreversible comes before the capture.
    """
    steps = {step.id: step for step in workflow().steps}

    def before(first: str, second: str) -> bool:
        return first in steps[second].depends_on or any(before(first, other) for other in steps[second].depends_on)

    chain = ["order", "authorize", "draft", "capture", "confirm", "shipment", "fulfil", "notify"]
    assert all(before(first, second) for first, second in pairwise(chain))


def test_wait_is_correlated_by_the_printful_order() -> None:
    """
    A shipment finds its run by Printful's own number, and only in reasonable time.
    """
    (wait,) = [step for step in workflow().steps if isinstance(step, EventStep)]

    assert ("printful.shipment_sent", "${{ steps.draft.output.order_id }}") == (wait.event, wait.correlation)
    assert wait.timeout_ms is not None


def test_each_order_is_submitted_once() -> None:
    """
    The submission key is the order's number, so a second delivery of the same order starts nothing.
    """
    (trigger,) = workflow().triggers

    assert ("shopify.orders/create", "shopify-order-${{ string(event.id) }}") == (trigger.event, trigger.key)


def test_effects_declare_the_best_class_that_holds() -> None:
    """
    Keyed where the provider takes our key, queryable where it can be asked, opaque where neither holds.
    """
    classes = {
        step.tool: CONTRACTS[step.tool].delivery_class for step in workflow().steps if isinstance(step, ToolStep)
    }

    assert DeliveryClass.KEYED == classes["stripe.payment_intents.capture"]
    assert DeliveryClass.QUERYABLE == classes["printful.orders.confirm"]
    assert DeliveryClass.QUERYABLE == classes["shopify.fulfillments.create"]
    assert DeliveryClass.OPAQUE == classes["sendgrid.mail.send"]
    lookups = {tool.contract.name for tool in PACK.tools if tool.lookup is not None}
    assert {
        name for name, contract in CONTRACTS.items() if contract.delivery_class in {"keyed", "queryable"}
    } == lookups
