"""PaymentIntents, charges and refunds as Stripe shows them when they are new.

Owns: their fields. Does not know: their states' ways.
"""

from __future__ import annotations

import hashlib
from typing import Final

from remit_commerce.simulators.book import JsonObject

AUTHORIZATION_SECONDS: Final = 7 * 24 * 3600


def new_intent(intent_id: str, *, account: str, amount: int, currency: str, created: int) -> JsonObject:
    """Return a PaymentIntent that nobody confirmed."""
    secret = hashlib.sha256(f"{account}{intent_id}".encode()).hexdigest()[:24]
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{secret}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "next_action": None,
        "payment_method_types": ["card"],
        "processing": None,
    }


def new_charge(charge_id: str, intent: JsonObject, *, captured: bool, created: int) -> JsonObject:
    """Return an approved charge of an intent; one that is not captured can be for a week."""
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "amount_refunded": 0,
        "captured": captured,
        "created": created,
        "currency": intent["currency"],
        "disputed": False,
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": {"type": "authorized", "network_status": "approved_by_network", "risk_level": "normal"},
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa",
                "last4": "4242",
                "capture_before": created + AUTHORIZATION_SECONDS,
            },
        },
        "refunded": False,
        "status": "succeeded",
    }


def new_refund(refund_id: str, intent: JsonObject, form: JsonObject, *, amount: int, created: int) -> JsonObject:
    """Return a refund of part of an intent, as a form asks for it."""
    return {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "charge": intent["latest_charge"],
        "created": created,
        "currency": intent["currency"],
        "metadata": form.get("metadata") or {},
        "payment_intent": intent["id"],
        "reason": form.get("reason"),
        "status": "succeeded",
    }
