"""Bodies: limits while reading, exact types, strict JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from starlette.requests import Request

from remit.api.bodies import read_body, read_record, require_json
from remit.api.problems import HttpRefusalError
from remit.errors import InputInvalidError, JsonSyntaxError


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """A body of these tests."""

    name: str
    count: int = 1


def request(chunks: Iterable[bytes], **headers: str) -> Request:
    """Return a request whose body arrives in chunks, and then nothing more."""
    parts = list(chunks)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    return Request(scope, receive)


async def test_body_up_to_the_limit_is_read() -> None:
    """
    A body of exactly the limit is whole.
    """
    assert b"abcdef" == await read_body(request([b"abc", b"def"]), bytes_max=6)


async def test_body_beyond_the_limit_is_refused_while_it_is_read() -> None:
    """
    Reading stops at the chunk that exceeds the limit; what would follow is never asked for.
    """
    chunks = [b"x" * 10 for _ in range(100)]
    asked = request(chunks)

    with pytest.raises(HttpRefusalError) as caught:
        await read_body(asked, bytes_max=25)

    assert "PAYLOAD_TOO_LARGE" == caught.value.reason
    assert b"x" * 10 == (await asked.receive())["body"]


async def test_announced_length_beyond_the_limit_is_refused_unread() -> None:
    """
    A length that is too large is enough to refuse.
    """
    with pytest.raises(HttpRefusalError) as caught:
        await read_body(request([b"x"], content_length="1000"), bytes_max=25)

    assert 413 == caught.value.status


async def test_body_that_breaks_off_is_incomplete() -> None:
    """
    A client that goes away half-way has not sent that body.
    """
    broken = request([])

    with pytest.raises(HttpRefusalError) as caught:
        await read_body(broken, bytes_max=25)

    assert "BODY_INCOMPLETE" == caught.value.reason


@pytest.mark.parametrize(
    "given", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_types_are_taken(given: str) -> None:
    """
    Exactly application/json, with or without its charset.
    """
    require_json(request([], content_type=given))


@pytest.mark.parametrize(
    "given",
    ["", "text/json", "application/json5", "application/json; charset=latin-1", "application/x-www-form-urlencoded"],
)
def test_other_types_are_refused(given: str) -> None:
    """
    Anything else is 415, before a byte of the body is read.
    """
    with pytest.raises(HttpRefusalError) as caught:
        require_json(request([], content_type=given))

    assert 415 == caught.value.status


async def test_record_is_strict() -> None:
    """
    Unknown fields and wrong types are named with their place; duplicate keys and NaN are no JSON.
    """
    good = await read_record(request([b'{"name": "a"}'], content_type="application/json"), Order)
    assert Order(name="a") == good

    for body, kind in (
        (b'{"name": "a", "colour": "blue"}', InputInvalidError),
        (b'{"name": "a", "count": "1"}', InputInvalidError),
        (b'{"name": "a", "name": "b"}', JsonSyntaxError),
        (b'{"name": "a", "count": NaN}', JsonSyntaxError),
    ):
        with pytest.raises(kind):
            await read_record(request([body], content_type="application/json"), Order)
