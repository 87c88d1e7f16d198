"""Payments: hold money, take it, give the hold back.

Owns: three FINANCIAL tools over Stripe PaymentIntents with manual capture. Each sends our key, so within Stripe's
window the same call is the same effect; after it, the pipeline looks up first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
import stripe

from remit.core.canonical import JsonValue
from remit.errors import ToolError
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.tools import tool
from remit_commerce.money import currency_code
from remit_commerce.providers import stripe as provider
from remit_commerce.providers import wire
from remit_commerce.providers.refusals import require_test_object
from remit_commerce.tools.settling import settle

PAGE_SIZE: Final = 100
PAGES_MAX: Final = 50
"""How far a look-up pages back: five thousand PaymentIntents. Beyond that, absence is not proven, and it says so."""

REFERENCE: Final = "reference"
CAPTURE_REFERENCE: Final = "capture_reference"

AmountMinor = Annotated[int, msgspec.Meta(ge=1, le=99_999_999, description="In minor units, such as cents.")]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{3}$", description="ISO 4217 code.")]
IntentId = Annotated[str, msgspec.Meta(pattern="^pi_[A-Za-z0-9]{8,100}$", description="Stripe's PaymentIntent.")]
OrderId = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description="The shop's id of the order.")]
MethodId = Annotated[str, msgspec.Meta(pattern="^(pm|card|src)_[A-Za-z0-9_]{1,100}$")]
CancelReason = Literal["duplicate", "fraudulent", "requested_by_customer", "abandoned"]

payment_tool = partial(
    tool,
    version="1.0.0",
    side_effect="FINANCIAL",
    delivery="keyed",
    timeout=timedelta(seconds=20),
    dependency="stripe",
    credential=provider.CREDENTIAL,
    endpoint=provider.ENDPOINT,
    network=provider.HOSTS,
    key_window=timedelta(hours=24),
)


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A PaymentIntent as workflows need it. Amounts are minor units; ``capture_before`` is in seconds since 1970."""

    payment_intent_id: str
    status: str
    amount_minor: int
    amount_capturable_minor: int
    amount_received_minor: int
    currency: str
    charge_id: str | None = None
    capture_before: int | None = None


class _Card(msgspec.Struct, frozen=True, kw_only=True):
    capture_before: int | None = None


class _MethodDetails(msgspec.Struct, frozen=True, kw_only=True):
    card: _Card | None = None


class _Charge(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    payment_method_details: _MethodDetails | None = None


class _Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A PaymentIntent as Stripe sends it; its charge is whole if it was asked for, else an id."""

    id: str
    livemode: bool
    status: str
    amount: int
    amount_capturable: int
    amount_received: int
    currency: str
    metadata: dict[str, str] = {}
    latest_charge: _Charge | str | None = None


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    data: list[_Intent]
    has_more: bool


_Shape = TypeVar("_Shape")


async def find_authorization(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:  # noqa: ARG001
    """Look for the PaymentIntent with our reference."""
    intent = await _find_own(context)
    return LookupResult(result=None) if intent is None else _found(_authorized(intent))


@payment_tool(
    "stripe.payment_intents.authorize",
    operation="authorize",
    lookup=find_authorization,
    amount="amount_minor",
    currency="currency",
    reference="payment_intent_id",
    sensitive_input=("payment_method",),
)
async def authorize(
    context: ToolContext, *, order_id: OrderId, amount_minor: AmountMinor, currency: Currency, payment_method: MethodId
) -> Payment:
    """Hold an amount on a card without taking it: a PaymentIntent with manual capture, confirmed at once."""
    params: Any = {
        "amount": amount_minor,
        "currency": currency.lower(),
        "capture_method": "manual",
        "confirm": True,
        "payment_method": payment_method,
        "payment_method_types": ["card"],
        "metadata": {"order_id": order_id, "tenant": context.tenant_id, REFERENCE: context.reference},
        "expand": ["latest_charge"],
    }
    client = provider.client(context)
    call = client.v1.payment_intents.create_async(params, provider.options(context))
    intent = await _act(call, partial(_find_own, context))
    if intent.metadata.get(REFERENCE) != context.reference:
        raise wire.misfit(provider.NAME, "with another payment", changes=True, reason="WRONG_OBJECT")
    payment = _authorized(intent)
    if payment.amount_minor != amount_minor or payment.currency != currency_code(currency):
        message = f"an authorization of {payment.amount_minor} {payment.currency}"
        raise wire.misfit(provider.NAME, message, changes=True, reason="AUTHORIZED_DIFFERENTLY")
    return payment


async def find_capture(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
    """Read the PaymentIntent: it is captured at most once, so a captured one is this call's effect."""
    intent = await _find_in(str(arguments["payment_intent_id"]), context, status="succeeded")
    if intent is None:
        return LookupResult(result=None)
    if intent.amount_received != arguments["amount_minor"]:
        message = f"expected {arguments['amount_minor']} captured, found {intent.amount_received}"
        raise ToolError(message, effect="unknown", reason="CAPTURED_DIFFERENTLY")
    return _found(_payment(intent))


@payment_tool(
    "stripe.payment_intents.capture",
    operation="capture",
    lookup=find_capture,
    amount="amount_minor",
    currency="currency",
    reference="charge_id",
)
async def capture(
    context: ToolContext, *, payment_intent_id: IntentId, amount_minor: AmountMinor, currency: Currency
) -> Payment:
    """Take an authorized amount; what was held beyond it is released."""
    params: Any = {
        "amount_to_capture": amount_minor,
        "metadata": {CAPTURE_REFERENCE: context.reference},
        "expand": ["latest_charge"],
    }
    client = provider.client(context)
    call = client.v1.payment_intents.capture_async(payment_intent_id, params, provider.options(context))
    intent = await _act(call, partial(_find_in, payment_intent_id, context, status="succeeded"))
    payment = _payment(intent, expected_id=payment_intent_id)
    is_as_asked = payment.amount_received_minor == amount_minor and payment.currency == currency_code(currency)
    if payment.status != "succeeded" or not is_as_asked:
        message = f"status {payment.status} and {payment.amount_received_minor} {payment.currency} received"
        raise wire.misfit(provider.NAME, message, changes=True, reason="CAPTURED_DIFFERENTLY")
    return payment


async def find_cancellation(arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
    """Read the PaymentIntent: a cancelled one is this call's effect."""
    intent = await _find_in(str(arguments["payment_intent_id"]), context, status="canceled")
    return LookupResult(result=None) if intent is None else _found(_payment(intent))


@payment_tool(
    "stripe.payment_intents.cancel", operation="cancel", lookup=find_cancellation, reference="payment_intent_id"
)
async def cancel(context: ToolContext, *, payment_intent_id: IntentId, reason: CancelReason = "abandoned") -> Payment:
    """Release an authorization that was not captured."""
    params: Any = {"cancellation_reason": reason, "expand": ["latest_charge"]}
    client = provider.client(context)
    call = client.v1.payment_intents.cancel_async(payment_intent_id, params, provider.options(context))
    intent = await _act(call, partial(_find_in, payment_intent_id, context, status="canceled"))
    payment = _payment(intent, expected_id=payment_intent_id)
    if payment.status != "canceled":
        raise wire.misfit(provider.NAME, f"status {payment.status}", changes=True, reason="NOT_CANCELLED")
    return payment


def _authorized(intent: _Intent) -> Payment:
    """Return the payment if its amount is held.

    Raises:
        ToolError: final, without effect on money: the customer must authenticate, or the intent was given up since.
    """
    payment = _payment(intent)
    if payment.status in {"requires_capture", "succeeded"}:
        return payment
    raise ToolError(f"the payment is not authorized: its status is {payment.status}", reason=payment.status)


def _payment(intent: _Intent, *, expected_id: str | None = None) -> Payment:
    require_test_object(provider.NAME, is_live=intent.livemode)
    if expected_id not in {None, intent.id}:
        raise wire.misfit(provider.NAME, f"about {intent.id}", changes=True, reason="WRONG_OBJECT")
    charge = _Charge(id=intent.latest_charge) if isinstance(intent.latest_charge, str) else intent.latest_charge
    details = None if charge is None else charge.payment_method_details
    card = None if details is None else details.card
    return Payment(
        payment_intent_id=intent.id,
        status=intent.status,
        amount_minor=intent.amount,
        amount_capturable_minor=intent.amount_capturable,
        amount_received_minor=intent.amount_received,
        currency=intent.currency.upper(),
        charge_id=None if charge is None else charge.id,
        capture_before=None if card is None else card.capture_before,
    )


def _found(payment: Payment) -> LookupResult:
    reference = payment.charge_id if payment.status == "succeeded" else payment.payment_intent_id
    return LookupResult(result=ToolResult(output=msgspec.to_builtins(payment), external_reference=reference))


async def _find_own(context: ToolContext) -> _Intent | None:
    """Page through the list for our reference: Stripe's search lags by up to a minute, its list does not."""
    client = provider.client(context)
    after: str | None = None
    for _ in range(PAGES_MAX):
        params: Any = {"limit": PAGE_SIZE, "expand": ["data.latest_charge"]}
        if after is not None:
            params["starting_after"] = after
        call = client.v1.payment_intents.list_async(params, provider.reading(context))
        page = await _answer(call, _Page, changes=False)
        for intent in page.data:
            if intent.metadata.get(REFERENCE) == context.reference:
                return intent
        if not page.has_more or not page.data:
            return None
        after = page.data[-1].id
    message = f"expected an end within {PAGES_MAX * PAGE_SIZE} PaymentIntents, got more: ours may be among them"
    raise ToolError(message, effect="unknown", reason="LOOKUP_INCOMPLETE")


async def _find_in(payment_intent_id: str, context: ToolContext, *, status: str) -> _Intent | None:
    """Return the PaymentIntent if it has come to a status."""
    client = provider.client(context)
    params: Any = {"expand": ["latest_charge"]}
    call = client.v1.payment_intents.retrieve_async(payment_intent_id, params, provider.reading(context))
    intent = await _answer(call, _Intent, changes=False)
    if intent.id != payment_intent_id:
        raise wire.misfit(provider.NAME, f"about {intent.id}", changes=False, reason="WRONG_OBJECT")
    return intent if intent.status == status else None


async def _act(call: Awaitable[stripe.StripeObject], look_up: Callable[[], Awaitable[_Intent | None]]) -> _Intent:
    """Return the changed PaymentIntent; where Stripe repeats a server error for our key, read what really happened."""
    try:
        return await _answer(call, _Intent, changes=True)
    except ToolError as error:
        if error.reason != provider.REPLAYED_ERROR:
            raise
        found = await settle(look_up())
        if found is None:
            message = f"{error.message}; it had no effect, and its key is spent"
            raise ToolError(message, reason=provider.REPLAYED_ERROR) from error
        return found


async def _answer(call: Awaitable[stripe.StripeObject], shape: type[_Shape], *, changes: bool) -> _Shape:
    """Return what the SDK's call answers, in our shape; the SDK itself checks none."""
    try:
        answer = await call
    except stripe.StripeError as error:
        provider.raise_failure(error, changes=changes)
    try:
        return msgspec.convert(answer.to_dict(), shape)
    except msgspec.ValidationError as error:
        raise wire.misfit(provider.NAME, f"with another shape: {error}", changes=changes) from error
