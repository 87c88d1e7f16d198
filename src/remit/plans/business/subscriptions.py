"""The subscriptions of a remit file: who hears of what steps publish.

Owns: what their fields mean, and the id of one that has none.
Does not know: which URLs may be reached (the compile checks do).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from remit.diagnostics import Reporter
from remit.governance.outbox import default_subscription_id
from remit.governance.policy import Subscription
from remit.plans.business.reading import secret_name_of
from remit.plans.business.tables import SUBSCRIPTION
from remit.plans.documents import Node, Scalar
from remit.plans.fields import Fields, TextRule, fields_of, text_of
from remit.plans.secrets import report_secret

TOPIC: Final = TextRule(
    pattern=re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*(?:\.\*)?"),
    words="a topic such as orders.paid, or all below a prefix such as orders.*",
)
SUBSCRIPTION_ID: Final = TextRule(
    pattern=re.compile(r"[a-z][a-z0-9_.-]{0,99}"),
    words="a lower-case name of up to 100 letters, digits, '.', '_' and '-', beginning with a letter",
)
_UNREADABLE: Final = "unreadable"
_UNREADABLE_URL: Final = "https://unreadable.example"


def read_subscriptions(fields: Fields) -> tuple[Subscription, ...]:
    """Return the subscriptions in document order."""
    items = fields.items("subscriptions") or ()
    return tuple(_read_subscription(fields.reporter, node, number) for number, node in enumerate(items, start=1))


def _read_subscription(reporter: Reporter, node: Node, number: int) -> Subscription:
    """Return one subscription; what cannot be read is replaced, so that the others keep their places."""
    stand_in = f"subscription_{number}"
    fields = fields_of(reporter, node, SUBSCRIPTION)
    if fields is None:
        return Subscription(id=stand_in, topic=_UNREADABLE, url=_UNREADABLE_URL, secret=_UNREADABLE)
    for name in ("topic", "url", "secret"):
        fields.require(name)
    subscription_id = fields.text("id", rule=SUBSCRIPTION_ID)
    topic = fields.text("topic", rule=TOPIC, length_max=128)
    url = _read_url(fields)
    secret = fields.node("secret")
    secret_name = None if secret is None else secret_name_of(reporter, secret)
    if subscription_id is None:
        subscription_id = stand_in if topic is None or url is None else default_subscription_id(topic, url)
    return Subscription(
        id=subscription_id,
        topic=topic or _UNREADABLE,
        url=url or _UNREADABLE_URL,
        secret=secret_name or _UNREADABLE,
        allow_private=fields.boolean("allow_private") or False,
    )


def _read_url(fields: Fields) -> str | None:
    """Return a receiver's URL; one with a user name or password in it is not shown."""
    node = fields.node("url")
    url = None if node is None else text_of(fields.reporter, node, length_max=2_000)
    if url is None:
        return None
    assert isinstance(node, Scalar)
    try:
        has_secret = "@" in urlsplit(url).netloc
    except ValueError:
        has_secret = False
    if has_secret:
        report_secret(fields.reporter, node)
        return None
    return url
