"""Stripe's idempotency, sentence by sentence, seen by Stripe's own SDK with its own HTTP client.

Nothing of ours stands between: these tests are about the simulator, by which everything else is judged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import stripe

from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import HOLD, Shop

DAY = 24 * 3600
AUTHORIZE = "payment_intents.authorize"
PARAMS: dict[str, Any] = {
    "amount": 2000,
    "currency": "usd",
    "capture_method": "manual",
    "confirm": True,
    "payment_method": "pm_card_visa",
}
Hold = Callable[..., Awaitable[stripe.PaymentIntent]]


@pytest.fixture
def hold(shop: Shop) -> Hold:
    """Authorizes through the SDK under a key; other parameters are changes."""
    client = sdk(shop)

    async def call(key: str, **changes: Any) -> stripe.PaymentIntent:
        params: Any = {**PARAMS, **changes}
        return await asyncio.to_thread(client.v1.payment_intents.create, params, {"idempotency_key": key})

    return call


def sdk(shop: Shop, *, key: str | None = None, retries: int = 0) -> stripe.StripeClient:
    """Return the SDK as the vendor ships it."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        key or shop.credentials["stripe_api_key"],
        base_addresses={"api": shop.simulators.endpoints()["stripe"]},
        max_network_retries=retries,
    )


def headers(answer: stripe.StripeObject | stripe.StripeError) -> dict[str, str]:
    """Return an answer's headers in lower case."""
    found = answer.headers if isinstance(answer, stripe.StripeError) else answer.last_response.headers
    return {name.lower(): value for name, value in (found or {}).items()}


async def test_first_response_is_replayed_with_status_and_body(shop: Shop, hold: Hold) -> None:
    """
    The same key and parameters give the same object; the answer says that it is a replay, and of which request.
    """
    first = await hold("k")
    again = await hold("k")

    assert first.to_dict() == again.to_dict()
    assert "idempotent-replayed" not in headers(first)
    assert ("true", headers(first)["request-id"]) == (
        headers(again)["idempotent-replayed"],
        headers(again)["original-request"],
    )
    assert headers(first)["request-id"] != headers(again)["request-id"]
    assert 1 == len(shop.effects(HOLD))


async def test_server_error_is_stored_and_replayed(shop: Shop, hold: Hold) -> None:
    """
    A 500 of a request that began is the key's answer from then on, although the work was done.
    """
    shop.simulators.fault("stripe", FaultKind.STORED_ERROR_AFTER, operation=AUTHORIZE)

    with pytest.raises(stripe.APIError) as first:
        await hold("k")
    with pytest.raises(stripe.APIError) as again:
        await hold("k")

    assert (500, 500) == (first.value.http_status, again.value.http_status)
    assert "true" == headers(again.value)["idempotent-replayed"]
    assert 1 == len(shop.effects(HOLD))


async def test_decline_is_stored_and_replayed(shop: Shop, hold: Hold) -> None:
    """
    A declined card is an answer of the executed request: the key is spent, and the card is not asked again.
    """
    with pytest.raises(stripe.CardError) as first:
        await hold("k", payment_method="pm_card_chargeDeclined")
    with pytest.raises(stripe.CardError) as again:
        await hold("k", payment_method="pm_card_chargeDeclined")

    charges = [item for item in shop.simulators.book("stripe")["objects"] if item["kind"] == "charge"]
    own = [item for item in charges if item["body"]["id"] == first.value.error.charge]
    assert first.value.error.charge == again.value.error.charge
    assert 1 == len(own)
    assert "true" == headers(again.value)["idempotent-replayed"]


async def test_validation_failure_is_not_stored(shop: Shop, hold: Hold) -> None:
    """
    Parameters that are refused spend no key: with right ones the same key works.
    """
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await hold("k", amount=1)
    held = await hold("k")

    assert 400 == refused.value.http_status
    assert "requires_capture" == held.status
    assert "idempotent-replayed" not in headers(held)


async def test_other_parameters_with_the_key_are_an_error(shop: Shop, hold: Hold) -> None:
    """
    The same key with another amount is 400 `idempotency_error`, and what was stored stays.
    """
    first = await hold("k")

    with pytest.raises(stripe.IdempotencyError) as refused:
        await hold("k", amount=3000)
    again = await hold("k")

    assert 400 == refused.value.http_status
    assert first.id == again.id
    assert [2000] == [effect["amount_minor"] for effect in shop.effects(HOLD)]


async def test_key_in_use_conflicts_and_is_not_stored(shop: Shop, hold: Hold) -> None:
    """
    While a request with the key is under way, another one is 409 `idempotency_key_in_use`; then its answer is replayed.
    """
    shop.simulators.fault("stripe", FaultKind.DELAYED, operation=AUTHORIZE, hold_seconds=3.0)

    answers = await asyncio.gather(hold("k"), hold("k"), return_exceptions=True)
    again = await hold("k")

    (held,) = [answer for answer in answers if isinstance(answer, stripe.PaymentIntent)]
    (busy,) = [answer for answer in answers if isinstance(answer, stripe.StripeError)]
    assert (409, "idempotency_key_in_use") == (busy.http_status, busy.error.code)
    assert held.id == again.id
    assert 1 == len(shop.effects(HOLD))


async def test_key_has_at_most_255_characters(shop: Shop, hold: Hold) -> None:
    """
    A longer key is refused, and nothing is executed.
    """
    await hold("k" * 255)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await hold("k" * 256)

    assert 400 == refused.value.http_status
    assert 1 == len(shop.effects(HOLD))


@pytest.mark.parametrize(("age", "effects"), [(DAY - 60, 1), (DAY, 2)])
async def test_key_is_new_after_24_hours(shop: Shop, hold: Hold, age: int, effects: int) -> None:
    """
    Within the day a key is remembered; after it the same key is a new request, and charges again.
    """
    await hold("k")
    shop.simulators.advance(age)

    again = await hold("k")

    assert effects == len(shop.effects(HOLD))
    assert (effects == 1) == ("idempotent-replayed" in headers(again))


async def test_rate_limit_comes_before_the_key(shop: Shop, hold: Hold) -> None:
    """
    A 429 stores nothing: the same key gives another result later.
    """
    shop.simulators.fault("stripe", FaultKind.RATE_LIMITED, operation=AUTHORIZE)

    with pytest.raises(stripe.RateLimitError):
        await hold("k")
    held = await hold("k")

    assert "requires_capture" == held.status
    assert "idempotent-replayed" not in headers(held)


async def test_authentication_comes_before_the_key(shop: Shop, hold: Hold) -> None:
    """
    A 401 stores nothing and reads nothing: the key of somebody else's request stays unseen.
    """
    await hold("k")
    stranger = sdk(shop, key="sk_live_of_nobody")
    params: Any = PARAMS

    with pytest.raises(stripe.AuthenticationError):
        await asyncio.to_thread(stranger.v1.payment_intents.create, params, {"idempotency_key": "k"})

    assert 1 == len(shop.effects(HOLD))


async def test_key_belongs_to_its_account(shop: Shop, hold: Hold) -> None:
    """
    The same key of another account is another request.
    """
    first = await hold("k")
    other = sdk(shop, key=f"{shop.credentials['stripe_api_key']}other")
    params: Any = PARAMS

    second = await asyncio.to_thread(other.v1.payment_intents.create, params, {"idempotency_key": "k"})

    assert first.id != second.id


async def test_sdk_repeats_with_the_same_key_and_charges_once(shop: Shop) -> None:
    """
    The SDK's own retries after a lost answer carry one key, so there is one charge.
    """
    shop.simulators.fault("stripe", FaultKind.RESET_AFTER, operation=AUTHORIZE)
    params: Any = PARAMS

    held = await asyncio.to_thread(sdk(shop, retries=2).v1.payment_intents.create, params)

    assert "requires_capture" == held.status
    assert 1 == len(shop.effects(HOLD))
    assert [] == shop.simulators.pending_faults()
