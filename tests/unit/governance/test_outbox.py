"""The outbox's rules: who may publish what, and who hears of it."""

from typing import Any

import pytest

from remit.core.facts import OutboxMessage
from remit.core.states import DeliveryClass, SideEffectLevel
from remit.governance.outbox import (
    BODIES_BYTES_MAX,
    MESSAGES_MAX,
    address_outbox,
    check_outbox,
    default_subscription_id,
    find_subscription,
    matches_topic,
    subscriptions_of,
)
from remit.governance.policy import Subscription

LOCAL = {"delivery_class": DeliveryClass.LOCAL, "side_effect_level": SideEffectLevel.SOFT_WRITE, "network": ()}
WAREHOUSE = Subscription(id="warehouse", topic="orders.*", url="https://warehouse.example/in", secret="W")
LEDGER = Subscription(id="ledger", topic="orders.paid", url="https://ledger.example/in", secret="L")
AGAIN = Subscription(id="again", topic="orders.paid", url="https://warehouse.example/in", secret="W")


def message(**changes: Any) -> OutboxMessage:
    return OutboxMessage(**({"topic": "orders.paid", "body": {"order": 7}} | changes))


@pytest.mark.parametrize("delivery", [one for one in DeliveryClass if one is not DeliveryClass.LOCAL])
def test_only_local_tools_publish(delivery: DeliveryClass, new_contract: Any) -> None:
    """
    A tool of any other class may lose its messages in a crash after its effect, so it may have none.
    """
    level = SideEffectLevel.SOFT_WRITE
    refusal = check_outbox(new_contract(delivery_class=delivery, side_effect_level=level), (message(),))

    assert refusal is not None
    assert ("result", "RESULT_INVALID") == (refusal.stage, refusal.code)


def test_tool_without_effect_does_not_publish(new_contract: Any) -> None:
    """
    A READ tool leaves no receipt, so nothing would say what its messages follow from.
    """
    contract = new_contract(**(LOCAL | {"side_effect_level": SideEffectLevel.READ}))

    assert check_outbox(contract, (message(),)) is not None


@pytest.mark.parametrize(
    "good",
    [
        (message(),),
        (message(key="order-7"), message(body=None), message(topic="a")),
        tuple(message() for _ in range(MESSAGES_MAX)),
        (message(body="x" * (BODIES_BYTES_MAX - 2)),),
    ],
    ids=["one", "several", "most", "largest"],
)
def test_messages_within_the_limits_pass(good: tuple[OutboxMessage, ...], new_contract: Any) -> None:
    """
    A local tool with an effect may publish up to the limits.
    """
    assert check_outbox(new_contract(**LOCAL), good) is None


@pytest.mark.parametrize(
    "bad",
    [
        (message(topic="Orders"),),
        (message(topic="orders.*"),),
        (message(topic=""),),
        (message(topic="a" * 129),),
        (message(key=""),),
        (message(key="a b"),),
        (message(key="a" * 201),),
        (message(key="7\r\nx: y"),),
        (message(body=float("nan")),),
        (message(body="\ud800"),),
        (message(), message(body=2**60)),
        tuple(message() for _ in range(MESSAGES_MAX + 1)),
        (message(body="x" * (BODIES_BYTES_MAX - 1)),),
        (message(body="x" * (BODIES_BYTES_MAX // 2)), message(body="x" * (BODIES_BYTES_MAX // 2))),
    ],
)
def test_messages_beyond_the_limits_are_refused(bad: tuple[OutboxMessage, ...], new_contract: Any) -> None:
    """
    Topics, keys, bodies, their number and their size have limits; the refusal says which, and quotes no body.
    """
    refusal = check_outbox(new_contract(**LOCAL), bad)

    assert refusal is not None
    assert len(refusal.message) < 400


@pytest.mark.parametrize(
    ("pattern", "topic", "expected"),
    [
        ("orders.paid", "orders.paid", True),
        ("orders.*", "orders.paid", True),
        ("orders.*", "orders.paid.late", True),
        ("orders.*", "orders", False),
        ("orders.*", "ordersx.paid", False),
        ("orders.paid", "orders.paid.late", False),
    ],
)
def test_topic_matches_itself_or_its_prefix(pattern: str, topic: str, expected: bool) -> None:
    """
    A pattern covers whole words only.
    """
    assert expected == matches_topic(pattern, topic)


def test_messages_go_to_their_subscriptions(new_config: Any) -> None:
    """
    Every subscription whose topic matches hears of a message, each receiver once; nobody else does.
    """
    config = new_config(subscriptions=(WAREHOUSE, LEDGER, AGAIN))

    addressed = address_outbox(config, (message(), message(topic="orders.sent"), message(topic="refunds.made")))

    assert [("warehouse", "ledger"), ("warehouse",), ()] == [one.destinations for one in addressed]
    assert [WAREHOUSE, LEDGER] == subscriptions_of(config, "orders.paid")


def test_destinations_that_a_tool_claims_do_not_count(new_config: Any) -> None:
    """
    A tool cannot send to a receiver that the business config does not name for the topic.
    """
    (addressed,) = address_outbox(new_config(subscriptions=(LEDGER,)), (message(destinations=("warehouse",)),))

    assert ("ledger",) == addressed.destinations


def test_subscription_is_found_by_id(new_config: Any) -> None:
    """
    A receiver whose subscription is gone is not found.
    """
    config = new_config(subscriptions=(WAREHOUSE, LEDGER))

    assert LEDGER == find_subscription(config, "ledger")
    assert find_subscription(config, "gone") is None


def test_default_id_names_the_host_and_tells_subscriptions_apart() -> None:
    """
    Subscriptions without an id get one that people recognise, the same each time and another for another one.
    """
    first = default_subscription_id("orders.*", "https://hooks.example/in")

    assert first.startswith("hooks.example-")
    assert first == default_subscription_id("orders.*", "https://hooks.example/in")
    assert first != default_subscription_id("orders.paid", "https://hooks.example/in")
    assert default_subscription_id("orders.*", "no url").startswith("unreadable-")
