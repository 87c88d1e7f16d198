"""The outbox's rules: what a tool may publish, and who hears of it.

Owns: the limits of messages, the check of what a call returned, and matching topics with subscriptions.
Does not know: how messages are kept or delivered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from remit.core.canonical import canonical_bytes
from remit.core.facts import OutboxMessage
from remit.core.states import DeliveryClass
from remit.errors import CanonicalizationError
from remit.governance.contracts import NAME_PATTERN, ToolContract
from remit.governance.egress import EgressRule, Target, read_target
from remit.governance.policy import BusinessConfig, Subscription
from remit.governance.verdicts import Refusal

TOPIC_CHARACTERS_MAX: Final = 128
KEY_CHARACTERS_MAX: Final = 200
MESSAGES_MAX: Final = 100
"""Messages of one call; who has more publishes a reference to them."""

BODIES_BYTES_MAX: Final = 256 * 1024
"""All bodies of one call together: receivers of webhooks refuse larger ones, and each subscriber keeps a copy."""

SUBSCRIPTIONS_MAX: Final = 100
"""Subscriptions of one business config: the copies that one message may become."""

_KEY: Final = re.compile(r"[!-~]+\Z")


def check_outbox(contract: ToolContract, messages: tuple[OutboxMessage, ...]) -> Refusal | None:
    """Say why a call may not publish what it returned, or ``None``. Part of stage 11.

    Only a ``local`` tool with an effect publishes: its messages and its receipt are one commit with the step. Any other
    tool's effect happened outside before, and a crash between the two would lose the messages.
    """
    if contract.delivery_class is not DeliveryClass.LOCAL or not contract.has_effect:
        return _refuse(
            f"expected no messages from {contract.name}, got {len(messages)}: only a local tool with an effect has any"
        )
    if len(messages) > MESSAGES_MAX:
        return _refuse(f"expected at most {MESSAGES_MAX} messages, got {len(messages)}")
    size = 0
    for number, message in enumerate(messages, start=1):
        problem = _problem_of(message)
        if problem is not None:
            return _refuse(f"message {number}: {problem}")
        try:
            size += len(canonical_bytes(message.body))
        except CanonicalizationError as error:
            return _refuse(f"message {number}: {error.message}")
    if size > BODIES_BYTES_MAX:
        return _refuse(f"expected at most {BODIES_BYTES_MAX} bytes of messages, got {size}; send references instead")
    return None


def address_outbox(config: BusinessConfig, messages: Iterable[OutboxMessage]) -> tuple[OutboxMessage, ...]:
    """Return the messages with the subscriptions that they go to under this business config.

    One that nobody subscribes to goes nowhere; the journal still has it.
    """
    return tuple(
        msgspec.structs.replace(message, destinations=tuple(one.id for one in subscriptions_of(config, message.topic)))
        for message in messages
    )


def subscriptions_of(config: BusinessConfig, topic: str) -> list[Subscription]:
    """Return the subscriptions to a topic; of several with the same URL the first, for one receiver hears once."""
    by_url: dict[str, Subscription] = {}
    for subscription in config.subscriptions:
        if matches_topic(subscription.topic, topic):
            by_url.setdefault(subscription.url, subscription)
    return list(by_url.values())


def find_subscription(config: BusinessConfig, destination: str) -> Subscription | None:
    """Return the subscription of an id, or ``None`` if this business config has none."""
    return next((one for one in config.subscriptions if one.id == destination), None)


def matches_topic(pattern: str, topic: str) -> bool:
    """Whether a topic is the pattern, or begins with it up to ``.*``."""
    return topic.startswith(pattern[:-1]) if pattern.endswith(".*") else topic == pattern


def subscription_rule(subscription: Subscription) -> EgressRule:
    """Return where a subscription's messages may go: its URL was written by an operator, so its port is meant."""
    return EgressRule(ports=None, allows_loopback=subscription.allow_private)


def default_subscription_id(topic: str, url: str) -> str:
    """Return the id of a subscription that has none: its host, and a digest that tells it from others there."""
    target = read_target(url, EgressRule(ports=None, allows_loopback=True))
    host = target.host if isinstance(target, Target) else "unreadable"
    return f"{host.replace(':', '-')[:64]}-{hashlib.sha256(f'{topic} {url}'.encode()).hexdigest()[:8]}"


def _problem_of(message: OutboxMessage) -> str | None:
    if len(message.topic) > TOPIC_CHARACTERS_MAX or not NAME_PATTERN.match(message.topic):
        return f"expected a topic like 'orders.paid', got {message.topic[:TOPIC_CHARACTERS_MAX]!r}"
    key = message.key
    if key is not None and not (len(key) <= KEY_CHARACTERS_MAX and _KEY.match(key)):
        return f"expected a key of 1 to {KEY_CHARACTERS_MAX} printable characters, got {key[:KEY_CHARACTERS_MAX]!r}"
    return None


def _refuse(message: str) -> Refusal:
    return Refusal(stage="result", code="RESULT_INVALID", message=message)
