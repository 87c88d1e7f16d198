"""A simulated SendGrid: mail/send with its sandbox, and nothing that prevents a second mail.

Owns: validation and the mails sent. Does not know: HTTP, faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from remit_commerce.simulators.book import Book, Effect, JsonObject
from remit_commerce.simulators.exchange import UNKNOWN_OPERATION, Answer, Call, SimulatedClock, account_of, bearer
from remit_commerce.simulators.faults import Fault, FaultKind

RATE_WINDOW_SECONDS: Final = 60


class SendGridSimulator:
    """SendGrid's rules on its book."""

    name: Final = "sendgrid"
    carried: Final = ()

    def __init__(self, book: Book, clock: SimulatedClock) -> None:
        self.book = book
        self._clock = clock

    def identify(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Call:
        """Name the one operation there is."""
        is_send = method == "POST" and path.strip("/") == "v3/mail/send"
        return Call(
            operation="mail.send" if is_send else UNKNOWN_OPERATION,
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            account=account_of(bearer(headers) or ""),
        )

    def execute(self, call: Call, fault: Fault | None) -> Answer:  # noqa: ARG002 - the protocol's; only Stripe stores errors
        """Send a mail, or only check it in the sandbox."""
        if not (bearer(call.headers) or "").startswith("SG."):
            return _error(401, "The provided authorization grant is invalid, expired, or revoked")
        if call.operation != "mail.send":
            return _error(404, "Not Found")
        mail = call.json()
        if mail is None:
            return _error(400, "Bad Request")
        if refusal := _validation(mail):
            return _error(400, refusal)
        match mail:
            case {"mail_settings": {"sandbox_mode": {"enable": True}}}:
                return Answer(status=200)
            case _:
                return self._deliver(call, mail)

    def rate_limited(self, fault: Fault) -> Answer:
        """Return SendGrid's 429, which names the instant of the reset."""
        answer = _error(429, "too many requests")
        wait = fault.retry_after()
        if fault.kind is not FaultKind.RATE_LIMITED and wait is not None:
            return answer.with_headers(Retry_After=wait)
        seconds = RATE_WINDOW_SECONDS if fault.retry_after_seconds is None else fault.retry_after_seconds
        reset = self._clock.epoch() + int(seconds)
        return answer.with_headers(**{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)})

    def server_error(self) -> Answer:
        """Return SendGrid's 500."""
        return _error(500, "Internal Server Error")

    def inner_error(self, answer: Answer) -> Answer:  # noqa: ARG002 - the protocol's
        """Return an error with a status of success."""
        return _error(200, "Internal Server Error")

    def mistaken(self, answer: Answer) -> Answer:
        """Return the answer as it is: it names no object."""
        return answer

    def _deliver(self, call: Call, mail: JsonObject) -> Answer:
        message_id = f"{hashlib.sha256(str(self.book.count('mail')).encode()).hexdigest()[:22]}"
        self.book.put("mail", message_id, mail, account=call.account)
        match mail:
            case {"personalizations": [{"custom_args": dict(found)}, *_]} | {"custom_args": dict(found)}:
                custom_args: JsonObject = found
            case _:
                custom_args = {}
        effect = Effect(
            operation="mail.send",
            account=call.account,
            object_id=message_id,
            reference=call.reference or str(custom_args.get("reference", "")) or None,
            details={"custom_args": custom_args},
        )
        self.book.record(effect, occurred_at=self._clock.text())
        return Answer(status=202, headers={"X-Message-Id": message_id})


def _validation(mail: JsonObject) -> str | None:
    """Return what is wrong with a mail, or ``None``."""
    match mail.get("mail_settings"):
        case {"sandbox_mode": {"enable": enable}} if not isinstance(enable, bool):
            return "The sandbox_mode enable parameter must be a boolean."
        case _:
            pass
    match mail:
        case {"personalizations": [{"to": [{"email": str()}, *_]}, *_], "from": {"email": str()}}:
            pass
        case _:
            return "The personalizations and from fields are required."
    if not mail.get("template_id") and not (mail.get("subject") and mail.get("content")):
        return "The subject and content are required unless a template is given."
    return None


def _error(status: int, message: str) -> Answer:
    return Answer(status=status, body={"errors": [{"message": message, "field": None, "help": None}]})
