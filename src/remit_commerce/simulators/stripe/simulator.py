"""A simulated Stripe: PaymentIntents with manual capture, refunds, and its idempotency layer.

Owns: states, validation, declines by test payment method, authorizations that expire. Its keys are in ``keys``.
Does not know: HTTP, faults (but it stores a 500 for a key when the script asks for one, as Stripe does).

Rules follow the API since ``2025-03-31.basil``: cancelling and partial capture create no Refund object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Final, cast

from remit.core.canonical import JsonValue
from remit_commerce.simulators.book import Book, Effect, JsonObject
from remit_commerce.simulators.exchange import (
    UNKNOWN_OPERATION,
    Answer,
    Call,
    SimulatedClock,
    account_of,
    bearer,
    match_path,
)
from remit_commerce.simulators.faults import Fault, FaultKind
from remit_commerce.simulators.stripe.answers import (
    NOT_STORED,
    error_answer,
    integer,
    invalid,
    missing,
    ok,
    parse_form,
    unexpected_state,
)
from remit_commerce.simulators.stripe.keys import KEY_CHARACTERS_MAX, StoredAnswers
from remit_commerce.simulators.stripe.objects import AUTHORIZATION_SECONDS, new_charge, new_intent, new_refund
from remit_commerce.simulators.stripe.payment_methods import ACTION_NEEDED, DECLINES, KNOWN

AMOUNT_MIN: Final = 50
AMOUNT_MAX: Final = 99_999_999
LIST_MAX: Final = 100
TEST_KEY: Final = re.compile(r"(sk|rk)_test_\w+\Z")

CANCEL_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer", "abandoned"})
CANCELLABLE: Final = frozenset(
    {"requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing"}
)

ROUTES: Final = (
    ("POST", ("v1", "payment_intents"), "payment_intents.create"),
    ("GET", ("v1", "payment_intents"), "payment_intents.list"),
    ("GET", ("v1", "payment_intents", ":id"), "payment_intents.get"),
    ("POST", ("v1", "payment_intents", ":id", "confirm"), "payment_intents.confirm"),
    ("POST", ("v1", "payment_intents", ":id", "capture"), "payment_intents.capture"),
    ("POST", ("v1", "payment_intents", ":id", "cancel"), "payment_intents.cancel"),
    ("POST", ("v1", "refunds"), "refunds.create"),
    ("GET", ("v1", "refunds", ":id"), "refunds.get"),
    ("GET", ("v1", "charges", ":id"), "charges.get"),
)


class StripeSimulator:
    """Stripe's rules on its book."""

    name: Final = "stripe"
    carried: Final = (b'"latest_charge":{"id":"ch_', b'"latest_charge":"ch_')

    def __init__(
        self, book: Book, clock: SimulatedClock, *, busy_keys: AbstractSet[tuple[str, str | None]] = frozenset()
    ) -> None:
        self.book = book
        self._clock = clock
        self._busy_keys = busy_keys
        self._keys = StoredAnswers(book, clock)
        self._handlers: dict[str, Callable[[Call, JsonObject], Answer]] = {
            "payment_intents.create": self._create,
            "payment_intents.authorize": self._create,
            "payment_intents.list": self._list,
            "payment_intents.get": lambda call, _: ok(self._intent(call)),
            "payment_intents.confirm": self._confirm,
            "payment_intents.capture": self._capture,
            "payment_intents.cancel": self._cancel,
            "refunds.create": self._refund,
            "refunds.get": lambda call, _: ok(self._object(call, "refund", call.arguments["id"])),
            "charges.get": lambda call, _: ok(self._object(call, "charge", call.arguments["id"])),
        }

    def identify(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Call:
        """Name the operation; a PaymentIntent that is confirmed at once for manual capture is an authorization."""
        operation, arguments = UNKNOWN_OPERATION, dict[str, str]()
        for route_method, template, name in ROUTES:
            found = match_path(path, template) if method == route_method else None
            if found is not None:
                operation, arguments = name, found
        form = parse_form(body)
        if (
            operation == "payment_intents.create"
            and form.get("capture_method") == "manual"
            and form.get("confirm") == "true"
        ):
            operation = "payment_intents.authorize"
        return Call(
            operation=operation,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            account=account_of(bearer(headers) or ""),
            external_key=headers.get("idempotency-key"),
            arguments=arguments,
        )

    def execute(self, call: Call, fault: Fault | None) -> Answer:
        """Execute a call behind the idempotency layer: authentication first, then the key, then the work."""
        request_id = self._new_id("req")
        return self._behind_keys(call, fault, request_id=request_id).with_headers(Request_Id=request_id)

    def _behind_keys(self, call: Call, fault: Fault | None, *, request_id: str) -> Answer:
        if not TEST_KEY.match(bearer(call.headers) or ""):
            return error_answer(401, "invalid_request_error", "Invalid API Key provided")
        handler = self._handlers.get(call.operation)
        if handler is None:
            return error_answer(404, "invalid_request_error", f"Unrecognized request URL ({call.method}: {call.path})")
        if call.method != "POST":
            return self._run(handler, call)
        key = call.external_key
        if key is None:
            return self._run(handler, call)
        if len(key) > KEY_CHARACTERS_MAX:
            return error_answer(400, "invalid_request_error", "Idempotency keys may be at most 255 characters long.")
        if (call.account, key) in self._busy_keys:
            message = "There is currently another in-progress request using this Idempotent Key."
            return error_answer(409, "idempotency_error", message, code="idempotency_key_in_use")
        run = partial(self._run_scripted, handler, call, fault)
        return self._keys.answer(call, run, request_id=request_id)

    def rate_limited(self, fault: Fault) -> Answer:
        """Return Stripe's 429, which comes before the idempotency layer."""
        answer = error_answer(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")
        wait = fault.retry_after()
        return answer if wait is None else answer.with_headers(Retry_After=wait)

    def server_error(self) -> Answer:
        """Return Stripe's 500."""
        return error_answer(500, "api_error", "An unknown error occurred.")

    def inner_error(self, answer: Answer) -> Answer:  # noqa: ARG002 - the protocol's
        """Return an error with a status of success."""
        return replace(self.server_error(), status=200)

    def mistaken(self, answer: Answer) -> Answer:
        """Return the answer with another object's id."""
        if not isinstance(answer.body, dict) or "id" not in answer.body:
            return answer
        other: JsonObject = {"id": "pi_3Other0000000000000000000", "metadata": {}}
        return replace(answer, body={**answer.body, **other})

    def _run_scripted(self, handler: _Handler, call: Call, fault: Fault | None) -> tuple[Answer, bool]:
        """Run the handler, unless the script wants an error that is stored for the key in place of its answer."""
        kind = None if fault is None else fault.kind
        if kind is FaultKind.STORED_ERROR_BEFORE:
            return self.server_error(), True
        answer, was_executed = self._run_tracked(handler, call)
        return (self.server_error() if kind is FaultKind.STORED_ERROR_AFTER else answer), was_executed

    def _run(self, handler: _Handler, call: Call) -> Answer:
        return self._run_tracked(handler, call)[0]

    def _run_tracked(self, handler: _Handler, call: Call) -> tuple[Answer, bool]:
        """Return the answer, and whether execution began: refused parameters are not stored for the key."""
        form = parse_form(call.body)
        outcome = self._expanded(handler(call, form), call, form)
        is_validation = isinstance(outcome.body, dict) and outcome.headers.get(NOT_STORED) == "no"
        headers = {name: value for name, value in outcome.headers.items() if name != NOT_STORED}
        return replace(outcome, headers=headers), not is_validation

    def _expanded(self, answer: Answer, call: Call, form: JsonObject) -> Answer:
        """Return the answer with charges in place of their ids, if the caller asked for that."""
        nested = form.get("expand")
        asked = [*(nested.values() if isinstance(nested, dict) else ()), call.query.get("expand[0]")]
        if not isinstance(answer.body, dict) or answer.status != 200:
            return answer
        if "data.latest_charge" in asked:
            listed = cast("list[JsonObject]", answer.body["data"])
            return replace(answer, body={**answer.body, "data": [self._with_charge(call, intent) for intent in listed]})
        return replace(answer, body=self._with_charge(call, answer.body)) if "latest_charge" in asked else answer

    def _with_charge(self, call: Call, intent: JsonObject) -> JsonObject:
        charge = self._object(call, "charge", str(intent.get("latest_charge")))
        return {**intent, "latest_charge": charge or intent.get("latest_charge")}

    def _create(self, call: Call, form: JsonObject) -> Answer:
        amount, currency = integer(form.get("amount")), form.get("currency")
        if amount is None:
            return invalid("amount", "Missing required param: amount.", code="parameter_missing")
        if not isinstance(currency, str) or not re.fullmatch(r"[a-z]{3}", currency.lower()):
            return invalid("currency", f"Invalid currency: {currency}.")
        if not AMOUNT_MIN <= amount <= AMOUNT_MAX:
            return invalid("amount", "Amount must be at least $0.50 usd", code="amount_too_small")
        method = form.get("payment_method")
        if method is not None and method not in KNOWN:
            return invalid("payment_method", f"No such PaymentMethod: '{method}'", code="resource_missing")
        metadata = form.get("metadata")
        intent = new_intent(
            self._new_id("pi"),
            account=call.account,
            amount=amount,
            currency=currency.lower(),
            created=self._clock.epoch(),
        )
        intent["capture_method"] = form.get("capture_method") or "automatic_async"
        intent["metadata"] = metadata if isinstance(metadata, dict) else {}
        intent["payment_method"] = method
        intent["description"] = form.get("description")
        intent["receipt_email"] = form.get("receipt_email")
        intent["status"] = "requires_confirmation" if method else "requires_payment_method"
        if form.get("confirm") == "true":
            if method is None:
                return invalid(
                    "payment_method", "You cannot confirm this PaymentIntent because it's missing a payment method."
                )
            return self._attempt(call, intent)
        self._put(call, intent)
        return ok(intent)

    def _confirm(self, call: Call, form: JsonObject) -> Answer:
        intent = self._intent(call)
        if intent is None:
            return missing(call)
        if isinstance(method := form.get("payment_method"), str):
            intent["payment_method"] = method
        if intent["status"] not in {"requires_confirmation", "requires_payment_method", "requires_action"}:
            return unexpected_state(intent, "confirm")
        return self._attempt(call, intent)

    def _attempt(self, call: Call, intent: JsonObject) -> Answer:
        """Try to charge: approve, ask for authentication, or decline, by the test payment method."""
        method = str(intent["payment_method"])
        if method in DECLINES:
            return self._decline(call, intent, *DECLINES[method])
        if method == ACTION_NEEDED and intent["status"] != "requires_action":
            intent["status"] = "requires_action"
            intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
            self._put(call, intent)
            return ok(intent)
        is_manual = intent["capture_method"] == "manual"
        charge = self._new_charge(call, intent, captured=not is_manual)
        intent["latest_charge"] = charge["id"]
        intent["next_action"] = None
        intent["status"] = "requires_capture" if is_manual else "succeeded"
        intent["amount_capturable"] = intent["amount"] if is_manual else 0
        intent["amount_received"] = 0 if is_manual else intent["amount"]
        self._put(call, intent)
        self._record(
            call, "payment_intents.authorize" if is_manual else "payment_intents.charge", intent, intent["amount"]
        )
        return ok(intent)

    def _decline(self, call: Call, intent: JsonObject, code: str, decline_code: str) -> Answer:
        charge = self._new_charge(call, intent, captured=False)
        charge |= {"status": "failed", "paid": False, "failure_code": code}
        charge["outcome"] = {"type": "issuer_declined", "network_status": "declined_by_network", "reason": decline_code}
        self.book.put("charge", str(charge["id"]), charge, account=call.account)
        error: JsonObject = {
            "type": "card_error",
            "code": code,
            "decline_code": decline_code,
            "message": "Your card was declined.",
            "charge": charge["id"],
        }
        intent |= {"status": "requires_payment_method", "last_payment_error": error, "latest_charge": charge["id"]}
        self._put(call, intent)
        return Answer(status=402, body={"error": {**error, "payment_intent": intent}})

    def _capture(self, call: Call, form: JsonObject) -> Answer:
        intent = self._intent(call)
        if intent is None:
            return missing(call)
        if intent["status"] != "requires_capture":
            return unexpected_state(intent, "capture")
        capturable = cast("int", intent["amount_capturable"])
        amount = integer(form.get("amount_to_capture")) if "amount_to_capture" in form else capturable
        if amount is None or not 0 < amount <= capturable:
            return invalid(
                "amount_to_capture", "The amount to capture exceeds the capturable amount.", code="amount_too_large"
            )
        metadata = form.get("metadata")
        intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        intent["metadata"] = {
            **cast("JsonObject", intent["metadata"]),
            **(metadata if isinstance(metadata, dict) else {}),
        }
        charge = self.book.find("charge", str(intent["latest_charge"]), account=call.account) or {}
        charge |= {"captured": True, "amount_captured": amount}
        self.book.put("charge", str(charge["id"]), charge, account=call.account)
        self._put(call, intent)
        self._record(call, "payment_intents.capture", intent, amount)
        return ok(intent)

    def _cancel(self, call: Call, form: JsonObject) -> Answer:
        intent = self._intent(call)
        if intent is None:
            return missing(call)
        reason = form.get("cancellation_reason")
        if reason is not None and reason not in CANCEL_REASONS:
            return invalid("cancellation_reason", f"Invalid cancellation_reason: {reason}")
        if intent["status"] not in CANCELLABLE:
            return unexpected_state(intent, "cancel")
        released = intent["amount_capturable"]
        intent |= {
            "status": "canceled",
            "amount_capturable": 0,
            "canceled_at": self._clock.epoch(),
            "cancellation_reason": reason,
        }
        self._put(call, intent)
        self._record(call, "payment_intents.cancel", intent, released)
        return ok(intent)

    def _refund(self, call: Call, form: JsonObject) -> Answer:
        intent = self.book.find("payment_intent", str(form.get("payment_intent", "")), account=call.account)
        if intent is None:
            return invalid("payment_intent", "No such payment_intent", code="resource_missing")
        refunded = sum(
            cast("int", refund["amount"])
            for refund in self.book.objects("refund", account=call.account)
            if refund["payment_intent"] == intent["id"]
        )
        left = cast("int", intent["amount_received"]) - refunded
        amount = integer(form.get("amount")) if "amount" in form else left
        if amount is None or not 0 < amount <= left:
            return error_answer(
                400, "invalid_request_error", "Refund amount is greater than unrefunded amount", code="amount_too_large"
            )
        refund = new_refund(self._new_id("re"), intent, form, amount=amount, created=self._clock.epoch())
        self.book.put("refund", str(refund["id"]), refund, account=call.account)
        self._record(call, "refunds.create", refund, amount)
        return ok(refund)

    def _list(self, call: Call, _: JsonObject) -> Answer:
        limit = min(int(call.query.get("limit", "10")), LIST_MAX)
        since = int(call.query.get("created[gte]", "0"))
        found = [self._aged(intent) for intent in self.book.objects("payment_intent", account=call.account)]
        found = [intent for intent in found if cast("int", intent["created"]) >= since]
        if after := call.query.get("starting_after"):
            ids = [intent["id"] for intent in found]
            found = found[ids.index(after) + 1 :] if after in ids else []
        page = cast("JsonValue", found[:limit])
        return ok({"object": "list", "url": "/v1/payment_intents", "has_more": len(found) > limit, "data": page})

    def _intent(self, call: Call) -> JsonObject | None:
        found = self.book.find("payment_intent", call.arguments["id"], account=call.account)
        return None if found is None else self._aged(found)

    def _aged(self, intent: JsonObject) -> JsonObject:
        """Return the intent as time left it: an authorization that was not captured in time is void."""
        created = cast("int", intent["created"])
        if intent["status"] == "requires_capture" and self._clock.epoch() > created + AUTHORIZATION_SECONDS:
            intent |= {"status": "canceled", "amount_capturable": 0, "cancellation_reason": "automatic"}
        return intent

    def _object(self, call: Call, kind: str, object_id: str) -> JsonObject | None:
        return self.book.find(kind, object_id, account=call.account)

    def _put(self, call: Call, intent: JsonObject) -> None:
        self.book.put("payment_intent", str(intent["id"]), intent, account=call.account)

    def _record(self, call: Call, operation: str, body: JsonObject, amount: JsonValue) -> None:
        metadata = body.get("metadata")
        reference = metadata.get("reference") if isinstance(metadata, dict) else None
        effect = Effect(
            operation=operation,
            account=call.account,
            object_id=str(body["id"]),
            external_key=call.external_key,
            reference=call.reference or (str(reference) if reference else None),
            amount_minor=cast("int", amount),
            currency=str(body["currency"]).upper(),
            details={"payment_intent": body.get("payment_intent", body["id"]), "metadata": metadata},
        )
        self.book.record(effect, occurred_at=self._clock.text())

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_3Sim{self.book.count(prefix):020d}"

    def _new_charge(self, call: Call, intent: JsonObject, *, captured: bool) -> JsonObject:
        charge = new_charge(self._new_id("ch"), intent, captured=captured, created=self._clock.epoch())
        self.book.put("charge", str(charge["id"]), charge, account=call.account)
        return charge


_Handler = Callable[[Call, JsonObject], Answer]
