"""Test payment methods: which approve, which decline and how, and which ask the customer.

Owns: their names, as Stripe publishes them for test mode. Does not know: what becomes of a PaymentIntent.
"""

from __future__ import annotations

from typing import Final

DECLINES: Final = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
}
APPROVING: Final = frozenset({"pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit"})
ACTION_NEEDED: Final = "pm_card_authenticationRequired"

KNOWN: Final = APPROVING | DECLINES.keys() | {ACTION_NEEDED}
