"""Generated requests for every route: hostile paths, queries, headers and bodies, as anybody could send them.

Owns: making a request, sending it to the application without a server's help, and what must hold of every answer.
Does not know: which routes there are; the application says.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.routing import Route
from starlette.types import ASGIApp

from tests.attacks.mutating import mutated, remodelled
from tests.integration.isolation.houses import House

OPEN: Final = frozenset({"/health", "/metrics"})
"""What asks for no key."""

BODIES: Final[dict[str, Any]] = {
    "/runs": {"definition": "{name}", "input": {}, "submission_key": "k-1"},
    "/runs/{run_id}/cancellation": {"reason": "no"},
    "/runs/{run_id}/signals": {"name": "go", "payload": {"a": 1}, "message_id": "m-1"},
    "/approvals/{approval_id}/decision": {"decision": "deny", "digest": "0" * 64, "reason": "no"},
    "/webhooks/{endpoint_id}": {"id": 1, "updated_at": "2026-01-01T00:00:00Z"},
}
SEGMENTS: Final = (
    "%00", "..", "%2e%2e%2f", ".", "0", "-1", "null", "A" * 3_000, "\u00e9", "\u202e", "' or 1=1 --", "a b", "*",
    "{run_id}", "00000000-0000-0000-0000-000000000000", "00000000-0000-7000-8000-00000000000g", "x\ny", "\U0001f600",
)  # fmt: skip
QUERIES: Final = (
    b"", b"limit=0", b"limit=501", b"limit=-1", b"limit=1e3", b"limit=%D9%A3", b"limit=" + b"9" * 5_000, b"limit=",
    b"limit=5&limit=0", b"status=%00", b"status=all", b"status=completed", b"status=pending", b"definition=%00",
    b"definition=%ED%A0%80", b"definition=" + b"a" * 5_000, b"definition=%F0%9F%98%80", b"\xff\xfe", b"&&&=", b"%",
    b"a=" + b"%" * 500, b"status[]=x",
)  # fmt: skip
TYPES: Final = (
    b"application/json", b"application/json", b"application/json", b"application/json; charset=utf-8",
    b"application/json; charset=utf-16", b"text/plain", b"multipart/form-data; boundary=x",
    b"application/x-www-form-urlencoded", b"", b"application/json\x00", b"\xff",
)  # fmt: skip
HEADERS: Final = (
    (b"content-encoding", b"gzip"), (b"content-encoding", b"br, deflate"), (b"x-request-id", b"../../etc"),
    (b"x-request-id", b"a" * 64), (b"x-http-method-override", b"DELETE"), (b"x-forwarded-for", b"127.0.0.1"),
    (b"host", b"evil.example"), (b"accept", b"text/html"), (b"x-tenant", b"other"), (b"content-length", b"999999999"),
    (b"content-length", b"\xb2"), (b"cookie", b"a=b" * 500), (b"x-shopify-hmac-sha256", b"AAAA"),
    (b"transfer-encoding", b"chunked"), (b"range", b"bytes=0-"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request; ``is_known`` says whether its key is one that the house gave out."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(repr=False)
    is_known: bool


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Status, headers with names in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


def request_for(route: Route, house: House, generator: random.Random) -> Asked:
    """Return a request for a route: mostly well-formed, and hostile somewhere."""
    method = generator.choice(sorted(route.methods or {"GET"})) if generator.random() < 0.95 else "PATCH"
    authorization, is_known = generator.choice(_credentials(house))
    headers = [(b"content-type", generator.choice(TYPES)), *generator.sample(HEADERS, generator.choice((0, 0, 1, 3)))]
    if authorization is not None:
        headers.append((b"authorization", authorization))
    return Asked(
        method=method,
        path=_path(route.path, house, generator),
        query=generator.choice(QUERIES) if generator.random() < 0.6 else mutated(b"limit=5&status=all", generator),
        headers=tuple(headers),
        body=_body(route.path, house, generator) if method not in {"GET", "HEAD"} else b"",
        is_known=is_known,
    )


def _credentials(house: House) -> list[tuple[bytes | None, bool]]:
    good = [(f"Bearer {key}".encode(), True) for key in house.keys.values()]
    return [
        *good, *good, (None, False), (b"", False), (b"Bearer", False), (b"Bearer ", False), (b"Basic YTpi", False),
        (b"Bearer " + b"a" * 5_000, False), (b"Bearer \x00", False), (b"Bearer \xff\xfe", False),
        (f"bearer{house.api_key}".encode(), False), (f"Bearer {house.api_key[:-1]}".encode(), False),
        (f"Bearer {house.api_key}, Bearer x".encode(), False), (f"Bearer {house.api_key}\x00".encode(), False),
    ]  # fmt: skip


def _path(pattern: str, house: House, generator: random.Random) -> str:
    known = {
        "{run_id}": generator.choice((house.done_id, house.waiting_id, house.asking_id)),
        "{approval_id}": house.approval_id,
        "{endpoint_id}": house.endpoint_id,
    }
    for name, value in known.items():
        chosen = (
            str(value) if generator.random() < 0.6 else generator.choice((*SEGMENTS, str(value).upper(), f"{value}\n"))
        )
        pattern = pattern.replace(name, chosen)
    return pattern


def _body(pattern: str, house: House, generator: random.Random) -> bytes:
    text = json.dumps(BODIES.get(pattern, {})).replace("{name}", house.definition_name).encode()
    match generator.randint(0, 9):
        case 0:
            return text
        case 1:
            return b""
        case 2:
            return b"[" * 100_000
        case 3:
            return text[:-1] + b',"x":"' + b"a" * 1_200_000 + b'"}'
        case 4 | 5:
            return mutated(text, generator)
        case _:
            return remodelled(text, generator)


async def send(app: ASGIApp, asked: Asked) -> Answered:
    """Hand a request to the application as a server would, and return its answer."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": asked.method, "path": asked.path,
        "raw_path": asked.path.encode("utf-8", "replace"), "query_string": asked.query, "headers": list(asked.headers),
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "", "state": {},
    }  # fmt: skip
    chunks = [asked.body[start : start + 65_536] for start in range(0, len(asked.body), 65_536)] or [b""]
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def reply(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, reply)
    start, *parts = messages
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(status=start["status"], headers=headers, body=b"".join(part.get("body", b"") for part in parts))


def problem_with(asked: Asked, answered: Answered, house: House) -> str | None:
    """Return what is wrong with an answer, or ``None``."""
    if answered.status >= 500:
        return f"{answered.status} {answered.body[:300]!r}"
    if "x-request-id" not in answered.headers:
        return "no request id"
    if any(key.encode() in answered.body for key in (*house.keys.values(), house.webhook_secret)):
        return "an answer that holds a secret"
    if b"Traceback" in answered.body or b"/remit/" in answered.body:
        return "an answer that shows our inside"
    if answered.status < 400:
        is_open = asked.path in OPEN or asked.is_known
        return None if is_open else f"{answered.status} for a request without a key"
    return _problem_of_refusal(answered)


def _problem_of_refusal(answered: Answered) -> str | None:
    if answered.headers.get("content-type") != "application/problem+json":
        return f"a refusal as {answered.headers.get('content-type')}"
    body = json.loads(answered.body)
    missing = {"type", "title", "status", "detail", "code", "request_id"} - set(body)
    if missing or body["status"] != answered.status:
        return f"a problem without {missing} or of another status"
    return None


@dataclass(kw_only=True)
class Tally:
    """What came of the requests: how often each status of each route, and what was wrong."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def attack(app: ASGIApp, routes: list[Route], house: House, *, seed: str, count: int) -> Tally:
    """Send ``count`` requests to each route."""
    tally = Tally()
    for route in routes:
        generator = random.Random(f"{seed} {route.path} {sorted(route.methods or ())}")
        for _ in range(count):
            asked = request_for(route, house, generator)
            answered = await send(app, asked)
            tally.statuses[route.path, answered.status] += 1
            wrong = problem_with(asked, answered, house)
            if wrong is not None:
                tally.wrong.append(f"{wrong}: {asked!r} {asked.body[:300]!r}")
    return tally
