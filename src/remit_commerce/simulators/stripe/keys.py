"""Stripe's idempotency layer: the first response of a key, kept for a day and replayed.

Owns: what is stored for a key, for how long, and what a second request with the key gets. It runs behind authentication
and rate limits, and before the work. Does not know: what the work is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, cast

from remit_commerce.simulators.book import Book, JsonObject
from remit_commerce.simulators.exchange import Answer, Call, SimulatedClock

KEY_SECONDS: Final = 24 * 3600
"""How long Stripe surely remembers an idempotency key; after that the same key is a new request."""

KEY_CHARACTERS_MAX: Final = 255
KIND: Final = "idempotency_key"


class StoredAnswers:
    """The answers of the keys of all accounts, in the provider's book."""

    def __init__(self, book: Book, clock: SimulatedClock) -> None:
        self._book = book
        self._clock = clock

    def answer(self, call: Call, run: Callable[[], tuple[Answer, bool]], *, request_id: str) -> Answer:
        """Replay what is stored for the call's key, or run it and store its answer.

        Args:
            call: A call with a key.
            run: Returns the answer, and whether the work began: refused parameters spend no key.
            request_id: The id of this request, which a replay will name as the original one.
        """
        stored_id = f"{call.account}:{call.external_key}"
        fingerprint = hashlib.sha256(f"{call.path}\n".encode() + call.body).hexdigest()
        stored = self._book.find(KIND, stored_id, account=call.account)
        if stored is not None and self._clock.epoch() - cast("int", stored["created"]) < KEY_SECONDS:
            if stored["fingerprint"] != fingerprint:
                return _mismatch()
            answer = Answer(status=cast("int", stored["status"]), body=stored["body"])
            return answer.with_headers(Idempotent_Replayed="true", Original_Request=str(stored["request_id"]))
        answer, was_executed = run()
        if was_executed:
            entry: JsonObject = {
                "fingerprint": fingerprint,
                "created": self._clock.epoch(),
                "request_id": request_id,
                "status": answer.status,
                "body": answer.body,
            }
            self._book.delete(KIND, stored_id)
            self._book.put(KIND, stored_id, entry, account=call.account)
        return answer


def _mismatch() -> Answer:
    message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
    return Answer(status=400, body={"error": {"type": "idempotency_error", "message": message}})
