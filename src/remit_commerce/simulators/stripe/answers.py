"""Answers and forms of Stripe: errors in its shape, and parameters with bracketed names.

Owns: the shape. Does not know: what the answers are about.
"""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import parse_qsl

from remit.core.canonical import JsonValue
from remit_commerce.simulators.book import JsonObject
from remit_commerce.simulators.exchange import Answer, Call

NOT_STORED: Final = "x-stored"
"""Marks, inside of the simulator, a refusal of parameters: nothing was executed, so no key is spent."""


def ok(body: JsonObject | None) -> Answer:
    """Return an object, or that there is none."""
    if body is None:
        return error_answer(404, "invalid_request_error", "No such object", code="resource_missing")
    return Answer(body=body)


def error_answer(status: int, kind: str, message: str, *, code: str | None = None, param: str | None = None) -> Answer:
    """Return an error in the shape of Stripe's."""
    error: JsonObject = {"type": kind, "message": message}
    error |= {name: value for name, value in (("code", code), ("param", param)) if value is not None}
    return Answer(status=status, body={"error": error})


def invalid(param: str, message: str, *, code: str | None = None) -> Answer:
    """Return the refusal of a parameter; it is not stored for the key, because nothing was executed."""
    return error_answer(400, "invalid_request_error", message, code=code, param=param).with_headers(
        **{NOT_STORED: "no"}
    )


def missing(call: Call) -> Answer:
    """Return that the call's PaymentIntent does not exist."""
    return error_answer(
        404, "invalid_request_error", f"No such payment_intent: '{call.arguments['id']}'", code="resource_missing"
    )


def unexpected_state(intent: JsonObject, act: str) -> Answer:
    """Return that a PaymentIntent's status does not allow an act."""
    message = f"This PaymentIntent's status is {intent['status']}; you cannot {act} it."
    answer = error_answer(400, "invalid_request_error", message, code="payment_intent_unexpected_state")
    cast("JsonObject", cast("JsonObject", answer.body)["error"])["payment_intent"] = intent
    return answer


def parse_form(body: bytes) -> JsonObject:
    """Return a form with bracketed names as nested objects: ``metadata[order_id]=1``."""
    form: JsonObject = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        outer, _, inner = name.partition("[")
        if not inner:
            form[outer] = value
            continue
        nested = form.setdefault(outer, {})
        if isinstance(nested, dict):
            nested[inner.rstrip("]")] = value
    return form


def integer(value: JsonValue) -> int | None:
    """Return the number that a field of a form holds, ``None`` if it holds none."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None
