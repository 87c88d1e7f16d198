"""A provider of classes that no real one has, among the simulators: with the same faults and its own durable book.

Owns: things that are made under a key which is soon forgotten, with a reference, or with neither; and reading them.
Does not know: tools, HTTP, faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from remit_commerce.simulators.book import Book, Effect, JsonObject
from remit_commerce.simulators.exchange import Answer, Call, SimulatedClock, account_of, bearer
from remit_commerce.simulators.faults import Fault

NAME: Final = "fake"
FORGETFUL_SECONDS: Final = 0.9
"""How long a key of ``/forgetful`` is remembered; one of ``/keyed`` for good."""

OPERATIONS: Final = {
    ("POST", "keyed"): "things.keyed",
    ("POST", "forgetful"): "things.forgetful",
    ("POST", "queryable"): "things.queryable",
    ("POST", "opaque"): "things.opaque",
    ("GET", "things"): "things.find",
}


class FakeProvider:
    """Its rules on its book. What is made is called after the reference of whoever made it."""

    name: Final = NAME
    carried: Final = (b'"id":"',)

    def __init__(self, folder: Path, clock: SimulatedClock) -> None:
        self.book = Book(folder / f"{NAME}.sqlite")
        self._clock = clock

    def identify(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Call:
        """Name the operation by the first part of the path."""
        first, _, rest = path.strip("/").partition("/")
        return Call(
            operation=OPERATIONS.get((method, first), "unknown"),
            method=method,
            path=path,
            query=query,
            headers=headers,
            body=body,
            account=account_of(bearer(headers) or ""),
            external_key=headers.get("idempotency-key"),
            arguments={"reference": rest},
        )

    def execute(self, call: Call, fault: Fault | None) -> Answer:
        """Make a thing, or find one."""
        if call.operation == "unknown":
            return Answer(status=404, body={"error": "not found"})
        if call.operation == "things.find":
            found = self.book.find("thing", f"{call.account}:{call.arguments['reference']}", account=call.account)
            return Answer(status=404, body={"error": "not found"}) if found is None else Answer(body=found)
        if call.operation in {"things.keyed", "things.forgetful"}:
            return self._make_once(call)
        return self._make(call)

    def rate_limited(self, fault: Fault) -> Answer:
        """Return a 429, saying how long to wait if the script does."""
        answer, wait = Answer(status=429, body={"error": "too many requests"}), fault.retry_after()
        return answer if wait is None else answer.with_headers(Retry_After=wait)

    def server_error(self) -> Answer:
        """Return a 500."""
        return Answer(status=500, body={"error": "internal"})

    def inner_error(self, answer: Answer) -> Answer:
        """Return an error with a status of success."""
        return Answer(status=200, body={"error": "internal"})

    def mistaken(self, answer: Answer) -> Answer:
        """Return the answer as if it were about another thing."""
        return replace(answer, body={"id": "thing-0", "reference": "0" * 32})

    def _make_once(self, call: Call) -> Answer:
        key_id = f"{call.account}:{call.operation}:{call.external_key}"
        now_ms = int(self._clock.now().timestamp() * 1000)
        known = self.book.find("key", key_id, account=call.account)
        is_known = known is not None and now_ms < int(str(known["until_ms"]))
        if known is not None and is_known:
            return Answer(body=known["body"])
        answer = self._make(call)
        seconds = FORGETFUL_SECONDS if call.operation == "things.forgetful" else 1_000_000_000
        entry: JsonObject = {"until_ms": now_ms + int(seconds * 1000), "body": answer.body}
        self.book.delete("key", key_id)
        self.book.put("key", key_id, entry, account=call.account)
        return answer

    def _make(self, call: Call) -> Answer:
        thing_id = f"thing-{self.book.count('thing')}"
        body: JsonObject = {"id": thing_id, "reference": call.reference}
        self.book.put("thing", f"{call.account}:{call.reference}", body, account=call.account)
        effect = Effect(
            operation=call.operation,
            account=call.account,
            object_id=thing_id,
            external_key=call.external_key,
            reference=call.reference,
        )
        self.book.record(effect, occurred_at=self._clock.text())
        return Answer(body=body)
