"""Stripe's webhooks (snapshot events).

Owns: ``Stripe-Signature`` with its time window, test mode only, and the key of duplicates (the event's id).
Stripe's own SDK refuses only old timestamps; here both sides of the window are closed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from remit.core.canonical import JsonValue
from remit.errors import InputInvalidError, SignatureInvalidError
from remit.ports.store import InboundEvent
from remit_commerce.ingress import signatures

NAME: Final = "stripe"
SIGNATURE_HEADER: Final = "stripe-signature"
TOLERANCE_SECONDS: Final = 300
HEADER_CHARACTERS_MAX: Final = 4_096
SECONDS_MAX: Final = 253_402_300_799
"""The last second of the year 9999: what is later is no instant."""

EVENT_ID: Final = re.compile(r"evt_[A-Za-z0-9_]{1,100}\Z")
TYPE: Final = re.compile(r"[a-z0-9_.]{1,100}\Z")


class StripeWebhooks:
    """Deliveries to one webhook endpoint."""

    @property
    def name(self) -> str:
        """Return ``stripe``."""
        return NAME

    def verify(self, *, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
        """Check any ``v1`` signature over time and raw body, and that the time is within five minutes of now."""
        signatures.require_size(body)
        timestamp, given = _read_header(headers.get(SIGNATURE_HEADER, ""))
        message = f"{timestamp}.".encode() + body
        keys = signatures.valid_secrets(secret)
        expected = [signatures.hmac_sha256(key.encode(), message).hex().encode() for key in keys]
        signatures.require_match(given, expected)
        if abs(now.timestamp() - timestamp) > TOLERANCE_SECONDS:
            raise SignatureInvalidError(
                f"expected a signature at most {TOLERANCE_SECONDS} s away from now", timestamp=timestamp
            )

    def parse(self, *, headers: Mapping[str, str], body: bytes) -> InboundEvent:  # noqa: ARG002 - the port's
        """Read a verified event, such as ``stripe.payment_intent.succeeded``; live-mode events are refused."""
        event = signatures.read_body(body)
        event_id, kind, created = event.get("id"), event.get("type"), event.get("created")
        if event.get("livemode") is not False:
            raise InputInvalidError("expected a test-mode event (livemode: false)", field="livemode")
        if not isinstance(event_id, str) or not EVENT_ID.match(event_id):
            raise InputInvalidError(f"expected an event id evt_…, got {event_id!r}", field="id")
        if not isinstance(kind, str) or not TYPE.match(kind):
            raise InputInvalidError(f"expected an event type, got {kind!r}", field="type")
        if not isinstance(created, int) or not 0 <= created <= SECONDS_MAX:
            raise InputInvalidError(f"expected created in seconds, got {created!r}", field="created")
        return InboundEvent(
            source=NAME,
            name=f"{NAME}.{kind}",
            event_key=event_id,
            occurred_at=datetime.fromtimestamp(created, UTC),
            body=event,
            raw_sha256=hashlib.sha256(body).hexdigest(),
            correlations=_correlations(event),
        )


def _correlations(event: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the ids of the object, its PaymentIntent and, from our metadata, the order and the reference."""
    match event.get("data"):
        case {"object": dict(subject)}:
            pass
        case _:
            return ()
    metadata = subject.get("metadata")
    ours = [metadata.get("order_id"), metadata.get("reference")] if isinstance(metadata, dict) else []
    found = [subject.get("id"), subject.get("payment_intent"), *ours]
    return tuple(dict.fromkeys(value for value in found if isinstance(value, str) and value))


def _read_header(header: str) -> tuple[int, list[str]]:
    """Return the time and the ``v1`` signatures; other schemes are ignored, so that none can be weaker."""
    if len(header) > HEADER_CHARACTERS_MAX:
        raise SignatureInvalidError("the Stripe-Signature header is too long")
    items = [item.strip().partition("=") for item in header.split(",")]
    times = [value for name, _, value in items if name == "t"]
    given = [value for name, _, value in items if name == "v1"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]) or not given:
        raise SignatureInvalidError("expected a Stripe-Signature header with t=<seconds>,v1=<hex>")
    return int(times[0]), given
