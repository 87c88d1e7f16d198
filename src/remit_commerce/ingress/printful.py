"""Printful's webhooks, version 2; version 1 is not signed and not taken.

Owns: ``x-pf-webhook-signature`` over the raw body under the hex-decoded secret, the key of duplicates, and which order
an event is about. Printful has no event id, and its ``retries`` changes with each attempt: it is left out of the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from remit.core.canonical import JsonValue, digest
from remit.errors import InputInvalidError, SignatureInvalidError
from remit.ports.store import InboundEvent
from remit_commerce.ingress import signatures

NAME: Final = "printful"
SIGNATURE_HEADER: Final = "x-pf-webhook-signature"
TYPE: Final = re.compile(r"[a-z_]{1,60}\Z")


class PrintfulWebhooks:
    """Deliveries of one store's webhook configuration. ``stores`` limits whose events are taken; empty takes all."""

    def __init__(self, *, stores: frozenset[int] = frozenset()) -> None:
        self._stores = stores

    @property
    def name(self) -> str:
        """Return ``printful``."""
        return NAME

    def verify(self, *, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:  # noqa: ARG002
        """Check the signature: hex of the HMAC under the decoded secret. Printful signs no time: there is no window."""
        signatures.require_size(body)
        keys = [_decoded(line) for line in signatures.valid_secrets(secret)]
        given = headers.get(SIGNATURE_HEADER, "").strip().lower()
        expected = [signatures.hmac_sha256(key, body).hex().encode() for key in keys]
        signatures.require_match([given] if given else [], expected)

    def parse(self, *, headers: Mapping[str, str], body: bytes) -> InboundEvent:  # noqa: ARG002 - the port's
        """Read a verified delivery, such as ``printful.shipment_sent``. It is thin: tools read the rest."""
        event = signatures.read_body(body)
        kind, store_id, occurred = event.get("type"), event.get("store_id"), event.get("occurred_at")
        if not isinstance(kind, str) or not TYPE.match(kind):
            raise InputInvalidError(f"expected an event type such as 'shipment_sent', got {kind!r}", field="type")
        if not isinstance(store_id, int) or (self._stores and store_id not in self._stores):
            raise InputInvalidError(f"expected an event of an allowed store, got {store_id!r}", field="store_id")
        data = event.get("data")
        if not isinstance(data, dict):
            raise InputInvalidError("expected an object 'data'", field="data")
        order = _part(data, "order")
        content = digest({name: value for name, value in event.items() if name != "retries"})
        ids = (
            str(store_id),
            kind,
            str(occurred),
            _text(order.get("id")),
            _text(_part(data, "shipment").get("id")),
            content,
        )
        return InboundEvent(
            source=NAME,
            name=f"{NAME}.{kind}",
            event_key="|".join(ids),
            occurred_at=_instant(occurred),
            body=event,
            # Without ``retries``, too: with it, each redelivery would look like another body under the same key.
            raw_sha256=content,
            correlations=tuple(_text(value) for value in (order.get("id"), order.get("external_id")) if value),
        )


def _decoded(secret: str) -> bytes:
    try:
        return bytes.fromhex(secret)
    except ValueError as error:
        raise SignatureInvalidError("expected a Printful webhook secret in hex") from error


def _part(data: Mapping[str, JsonValue], name: str) -> Mapping[str, JsonValue]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: JsonValue) -> str:
    return "" if value is None else str(value)


def _instant(value: JsonValue) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InputInvalidError(f"expected occurred_at as an instant with its zone, got {value!r}", field="occurred_at")
    return instant
