"""What passes between the simulators' server and a simulated provider.

Owns: a request as read (``Call``), an answer (``Answer``), the protocol of a provider, and the simulated clock.
Does not know: HTTP servers, faults, rules of providers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import orjson

from remit.clock import wall_clock
from remit.core import strict_json
from remit.core.canonical import JsonValue
from remit.errors import JsonSyntaxError
from remit_commerce.providers.wire import REFERENCE_HEADER
from remit_commerce.simulators.book import Book, JsonObject
from remit_commerce.simulators.faults import Fault

BODY_BYTES_MAX: Final = 1024 * 1024
UNKNOWN_OPERATION: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as the provider reads it. ``operation`` is the provider's name for it, such as ``orders.get``."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    account: str
    external_key: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str | None:
        """Return our reference, which every client of ours sends beside the provider's own fields."""
        return self.headers.get(REFERENCE_HEADER.lower())

    def json(self) -> JsonObject | None:
        """Return the body as a JSON object, ``None`` if it is none."""
        try:
            value = strict_json.parse(self.body, bytes_max=BODY_BYTES_MAX)
        except JsonSyntaxError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider answers; ``body`` is JSON, or ``None`` for an empty one."""

    status: int = 200
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> Answer:
        """Return the answer with more headers; underscores in names become hyphens."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})

    def encoded(self) -> bytes:
        """Return the body's bytes."""
        return b"" if self.body is None else orjson.dumps(self.body)


class Provider(Protocol):
    """One simulated provider: pure rules on its book."""

    @property
    def name(self) -> str:
        """Return its name, which is also its path prefix."""
        ...

    @property
    def book(self) -> Book:
        """Return its book."""
        ...

    def identify(
        self, method: str, path: str, *, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Call:
        """Name what is asked for; never fails."""
        ...

    def execute(self, call: Call, fault: Fault | None) -> Answer:
        """Do what is asked for, inside a transaction of the book."""
        ...

    def rate_limited(self, fault: Fault) -> Answer:
        """Return the provider's way of saying "too many requests"."""
        ...

    def server_error(self) -> Answer:
        """Return the provider's own 500."""
        ...

    def inner_error(self, answer: Answer) -> Answer:
        """Return an error that comes with a status of success, as gateways and GraphQL servers send it."""
        ...

    @property
    def carried(self) -> tuple[bytes, ...]:
        """Return what stands before a text that callers take over from an answer, as its JSON is written."""
        ...

    def mistaken(self, answer: Answer) -> Answer:
        """Return the answer as if it were about another object."""
        ...


class SimulatedClock:
    """The wall clock plus an offset that tests move; the offset is durable, because keys expire by it."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def now(self) -> datetime:
        """Return the simulated instant."""
        return wall_clock() + timedelta(seconds=self._book.counter("clock_offset_seconds"))

    def advance(self, seconds: int) -> None:
        """Move the clock."""
        self._book.set_counter("clock_offset_seconds", self._book.counter("clock_offset_seconds") + seconds)

    def epoch(self) -> int:
        """Return whole seconds since 1970."""
        return int(self.now().timestamp())

    def text(self) -> str:
        """Return the instant as providers write it, to the second."""
        return instant_text(self.now())


def instant_text(instant: datetime) -> str:
    """Return an instant as ``2026-11-20T10:00:00Z``."""
    return instant.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def account_of(credential: str) -> str:
    """Return the account that a credential belongs to: every token has its own, so tenants never share one."""
    return f"acct_{hashlib.sha256(credential.encode()).hexdigest()[:16]}"


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the bearer token of a request."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def match_path(path: str, template: Sequence[str]) -> dict[str, str] | None:
    """Return the named parts of a path that fits a template such as ``("v1", "orders", ":id")``."""
    parts = path.strip("/").split("/")
    if len(parts) != len(template):
        return None
    found: dict[str, str] = {}
    for part, expected in zip(parts, template, strict=True):
        if expected.startswith(":"):
            found[expected[1:]] = part
        elif part != expected:
            return None
    return found
