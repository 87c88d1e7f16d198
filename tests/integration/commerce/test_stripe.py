"""Payments against the simulated Stripe, through the real SDK."""

import pytest

from remit_commerce.simulators.client import Simulators
from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import GIVE_BACK, HOLD, TAKE, Shop, payment

DAY = 24 * 3600

UNKNOWN_AFTER = [
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.HTML_AFTER,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.RESET_AFTER,
    FaultKind.GARBAGE,
    FaultKind.WRONG_ID,
    FaultKind.SLOW_DRIP,
    FaultKind.OVERSIZED,
]
UNKNOWN_BEFORE = [
    FaultKind.SERVER_ERROR_BEFORE,
    FaultKind.HTML_BEFORE,
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.RESET_BEFORE,
    FaultKind.REDIRECT,
]


async def test_payment_held_and_taken_moves_money_once(shop: Shop) -> None:
    """
    An authorization holds the amount, a capture takes it, and the book has one effect of each.
    """
    held = await shop.call(HOLD, "hold", **payment())

    taken = await shop.call(
        TAKE, "take", payment_intent_id=held["payment_intent_id"], amount_minor=40994, currency="USD"
    )

    assert ("requires_capture", 40994) == (held["status"], held["amount_capturable_minor"])
    assert ("succeeded", 40994) == (taken["status"], taken["amount_received_minor"])
    assert held["capture_before"] > 0
    assert [(40994, "USD", f"remit:{shop.reference('hold')}")] == [
        (effect["amount_minor"], effect["currency"], effect["external_key"]) for effect in shop.effects(HOLD)
    ]
    assert [shop.reference("take")] == [effect["reference"] for effect in shop.effects(TAKE)]


async def test_cancelled_authorization_creates_no_refund(shop: Shop) -> None:
    """
    Giving an authorization back is no refund, as since version 2025-03-31 of the API.
    """
    held = await shop.call(HOLD, "hold", **payment())

    released = await shop.call(GIVE_BACK, "back", payment_intent_id=held["payment_intent_id"])

    assert "canceled" == released["status"]
    kinds = {item["kind"] for item in shop.simulators.book("stripe")["objects"]}
    assert "refund" not in kinds


async def test_partial_capture_releases_the_rest(shop: Shop) -> None:
    """
    A capture takes what is asked for; what was held beyond it is no longer capturable.
    """
    held = await shop.call(HOLD, "hold", **payment())

    taken = await shop.call(
        TAKE, "take", payment_intent_id=held["payment_intent_id"], amount_minor=10000, currency="USD"
    )

    assert (10000, 0) == (taken["amount_received_minor"], taken["amount_capturable_minor"])


@pytest.mark.parametrize("kind", [*UNKNOWN_AFTER, *UNKNOWN_BEFORE])
async def test_lost_answer_repeated_with_the_key_charges_once(shop: Shop, kind: FaultKind) -> None:
    """
    Whatever spoils the answer, the failure says "unknown" and the same call again leads to exactly one hold.
    """
    shop.simulators.fault("stripe", kind, operation="payment_intents.authorize", hold_seconds=3)

    failure = await shop.lose(HOLD, "hold", **payment())
    held = await shop.call(HOLD, "hold", **payment())

    assert ("unknown", True) == (failure.effect, failure.retryable)
    assert "requires_capture" == held["status"]
    assert 1 == len(shop.effects(HOLD))


async def test_capture_arriving_late_is_found_by_the_repetition(shop: Shop, simulators: Simulators) -> None:
    """
    A request that is executed after its caller gave up still happens once: the repetition replays or waits for it.
    """
    held = await shop.call(HOLD, "hold", **payment())
    arguments = {"payment_intent_id": held["payment_intent_id"], "amount_minor": 40994, "currency": "USD"}
    simulators.fault("stripe", FaultKind.LATE, operation="payment_intents.capture", hold_seconds=0.5)

    failure = await shop.lose(TAKE, "take", seconds=0.3, **arguments)
    taken = await shop.insist(TAKE, "take", **arguments)

    assert ("PROVIDER_TIMEOUT", "unknown") == (failure.reason, failure.effect)
    assert "succeeded" == taken["status"]
    assert 1 == len(shop.effects(TAKE))


async def test_key_in_use_is_open_and_tried_again(shop: Shop) -> None:
    """
    While the first request with a key is still under way, Stripe answers 409: nothing is known yet.
    """
    shop.simulators.fault("stripe", FaultKind.LATE, operation="payment_intents.authorize", hold_seconds=1.0)

    await shop.lose(HOLD, "hold", seconds=0.2, **payment())
    busy = await shop.fail(HOLD, "hold", **payment())

    assert ("idempotency_key_in_use", "unknown", True) == (busy.reason, busy.effect, busy.retryable)


async def test_stored_server_error_is_settled_by_reading(shop: Shop) -> None:
    """
    Stripe repeats a 500 for its key although the work was done: the repetition reads what really happened.
    """
    shop.simulators.fault("stripe", FaultKind.STORED_ERROR_AFTER, operation="payment_intents.authorize")
    shop.simulators.fault("stripe", FaultKind.STORED_ERROR_AFTER, operation="payment_intents.capture")

    first = await shop.fail(HOLD, "hold", **payment())
    held = await shop.call(HOLD, "hold", **payment())
    arguments = {"payment_intent_id": held["payment_intent_id"], "amount_minor": 40994, "currency": "USD"}
    await shop.fail(TAKE, "take", **arguments)
    taken = await shop.call(TAKE, "take", **arguments)

    assert ("unknown", True) == (first.effect, first.retryable)
    assert ("requires_capture", "succeeded") == (held["status"], taken["status"])
    assert (1, 1) == (len(shop.effects(HOLD)), len(shop.effects(TAKE)))


async def test_stored_server_error_without_effect_is_final(shop: Shop) -> None:
    """
    If reading proves that nothing happened, the key is spent: the same call can never succeed.
    """
    shop.simulators.fault("stripe", FaultKind.STORED_ERROR_BEFORE, operation="payment_intents.authorize")

    await shop.fail(HOLD, "hold", **payment())
    second = await shop.fail(HOLD, "hold", **payment())

    assert ("REPLAYED_ERROR", "none", False) == (second.reason, second.effect, second.retryable)
    assert [] == shop.effects(HOLD)


async def test_stored_server_error_that_cannot_be_read_stays_unknown(shop: Shop) -> None:
    """
    If the reading fails too, nobody knows.
    """
    shop.simulators.fault("stripe", FaultKind.STORED_ERROR_AFTER, operation="payment_intents.authorize")
    shop.simulators.fault("stripe", FaultKind.RATE_LIMITED, operation="payment_intents.list")

    await shop.fail(HOLD, "hold", **payment())
    second = await shop.fail(HOLD, "hold", **payment())

    assert ("unknown", True) == (second.effect, second.retryable)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ],
)
async def test_declined_card_is_final_without_effect(shop: Shop, method: str, reason: str) -> None:
    """
    A decline carries the issuer's code, is not tried again, and holds nothing.
    """
    failure = await shop.fail(HOLD, "hold", **payment(payment_method=method))

    assert (reason, "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert [] == shop.effects(HOLD)


async def test_authentication_needed_is_no_authorization(shop: Shop) -> None:
    """
    A payment that waits for the customer's authentication is not taken for a held one.
    """
    failure = await shop.fail(HOLD, "hold", **payment(payment_method="pm_card_authenticationRequired"))

    assert ("requires_action", "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert [] == shop.effects(HOLD)


@pytest.mark.parametrize(("wait", "expected"), [(7, 7.0), (None, None)])
async def test_rate_limit_is_tried_again_after_its_wait(shop: Shop, wait: int | None, expected: float | None) -> None:
    """
    429 had no effect, may be tried again, and says after how long if the provider did.
    """
    shop.simulators.fault("stripe", FaultKind.RATE_LIMITED, retry_after_seconds=wait)

    failure = await shop.fail(HOLD, "hold", **payment())

    assert ("none", True, expected) == (failure.effect, failure.retryable, failure.retry_after_seconds)


async def test_key_with_other_parameters_is_refused(shop: Shop) -> None:
    """
    The same key with another amount is an error at Stripe, not another charge.
    """
    await shop.call(HOLD, "hold", **payment())

    failure = await shop.fail(HOLD, "hold", **payment(amount_minor=50000))

    assert ("idempotency_error", "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert [40994] == [effect["amount_minor"] for effect in shop.effects(HOLD)]


async def test_key_after_its_window_is_a_new_request(shop: Shop) -> None:
    """
    After 24 hours Stripe forgets a key: repeating would charge again, and looking up shows that it happened.
    """
    await shop.call(HOLD, "hold", **payment())
    shop.simulators.advance(DAY + 1)

    found = await shop.look_up(HOLD, "hold", **payment())
    absent = await shop.look_up(HOLD, "another", **payment())
    await shop.call(HOLD, "hold", **payment())

    assert found is not None
    assert absent is None
    assert 2 == len(shop.effects(HOLD)), "the simulator forgets keys, or this test proves nothing"


async def test_look_up_of_a_capture_tells_taken_from_held(shop: Shop) -> None:
    """
    A held payment proves that the capture is absent; a taken one is its result.
    """
    held = await shop.call(HOLD, "hold", **payment())
    arguments = {"payment_intent_id": held["payment_intent_id"], "amount_minor": 40994, "currency": "USD"}

    before = await shop.look_up(TAKE, "take", **arguments)
    taken = await shop.call(TAKE, "take", **arguments)
    after = await shop.look_up(TAKE, "take", **arguments)

    assert before is None
    assert taken == after


async def test_expired_authorization_cannot_be_captured(shop: Shop) -> None:
    """
    After seven days the hold is void: the capture is refused for good and takes nothing.
    """
    held = await shop.call(HOLD, "hold", **payment())
    shop.simulators.advance(7 * DAY + 1)

    failure = await shop.fail(
        TAKE, "take", payment_intent_id=held["payment_intent_id"], amount_minor=40994, currency="USD"
    )

    assert ("payment_intent_unexpected_state", "none", False) == (failure.reason, failure.effect, failure.retryable)
    assert [] == shop.effects(TAKE)


async def test_payment_of_another_account_is_not_seen(shop: Shop, simulators: Simulators) -> None:
    """
    A key reaches only its own account's payments.
    """
    held = await shop.call(HOLD, "hold", **payment())
    stranger = Shop(simulators=simulators, name=f"{shop.name}stranger")

    failure = await stranger.fail(
        TAKE, "take", payment_intent_id=held["payment_intent_id"], amount_minor=40994, currency="USD"
    )

    assert ("resource_missing", "none") == (failure.reason, failure.effect)
    assert [] == shop.effects(TAKE)
