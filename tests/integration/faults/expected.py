"""What must become of each call under each fault: the table that the matrix is compared with.

Owns: the rule by delivery class, and the few tools that differ with the reason why.
Does not know: how the kernel comes to it.
"""

from __future__ import annotations

from typing import Final

from remit_commerce.simulators.faults import RATE_LIMITS, FaultKind
from tests.integration.faults.scenarios import Scenario

DONE: Final = "done"
"""The step completed; its effect, if it has one, is in the provider's book once and has one receipt."""

HARMLESS: Final = frozenset({*RATE_LIMITS, FaultKind.DELAYED})
"""Faults that leave no doubt: nothing was executed, or the right answer came."""

_NO_BODY: Final = frozenset(
    {
        FaultKind.GARBAGE,
        FaultKind.NOT_A_NUMBER,
        FaultKind.NUL,
        FaultKind.SURROGATE,
        FaultKind.SLOW_DRIP,
        FaultKind.WRONG_ID,
    }
)

CARRIED: Final = frozenset(
    {
        "stripe.payment_intents.capture",
        "shopify.fulfillments.create",
        "fake.keyed",
        "fake.forgetful",
        "fake.queryable",
        "fake.opaque",
    }
)
"""Tools whose effect is called by a text of the answer. One with U+0000 in it names nothing: a person must look."""

UNKNOWN: Final[dict[FaultKind, str]] = {
    FaultKind.SERVER_ERROR_BEFORE: "http_500",
    FaultKind.SERVER_ERROR_AFTER: "http_500",
    FaultKind.HTML_BEFORE: "http_502",
    FaultKind.TIMEOUT_BEFORE: "PROVIDER_TIMEOUT",
    FaultKind.TIMEOUT_AFTER: "PROVIDER_TIMEOUT",
    FaultKind.LATE: "PROVIDER_TIMEOUT",
    FaultKind.SLOW_DRIP: "PROVIDER_TIMEOUT",
    FaultKind.RESET_BEFORE: "CONNECTION_LOST",
    FaultKind.RESET_AFTER: "CONNECTION_LOST",
    FaultKind.RESET_MIDDLE: "CONNECTION_LOST",
    FaultKind.TRUNCATED: "CONNECTION_LOST",
    FaultKind.OVERSIZED: "REPLY_TOO_LARGE",
    FaultKind.WRONG_ID: "WRONG_OBJECT",
    FaultKind.REDIRECT: "http_302",
}
"""Why an opaque call is parked; every other answer that proves nothing is ``REPLY_INVALID``."""


def expected(scenario: Scenario, kind: FaultKind) -> str:
    """Return what must become of a call: ``done``, ``failed: REASON`` or ``unknown: REASON``."""
    if kind is FaultKind.STORED_ERROR_BEFORE:
        # The key is spent and reading proves that nothing happened: the same call can never succeed.
        return "failed: REPLAYED_ERROR"
    if kind is FaultKind.NUL and scenario.tool in CARRIED:
        return "unknown: RESULT_INVALID"
    if kind in HARMLESS or scenario.delivery != "opaque":
        return DONE
    if scenario.provider == "sendgrid" and kind in _NO_BODY:
        # An accepted mail has no body that could be spoiled: its status is the answer.
        return DONE
    if scenario.provider == "sendgrid" and kind is FaultKind.REDIRECT:
        return "unknown: REPLY_INVALID"
    return f"unknown: {UNKNOWN.get(kind, 'REPLY_INVALID')}"
