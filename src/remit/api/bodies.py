"""Request bodies: read with a limit, typed exactly, parsed strictly.

Owns: how much is read and how long it may take. A body that is too large is refused while it is read, not after.
Does not know: what a body means.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from remit.api.problems import HttpRefusalError
from remit.core.strict_json import parse
from remit.errors import InputInvalidError

JSON_BYTES_MAX: Final = 1_100_000
"""A run's input may have 1 MB; the rest is for the members around it."""

READ_SECONDS_MAX: Final = 10.0
"""A client that sends its body slower than this is not waited for."""

Record = TypeVar("Record")


async def read_body(request: Request, *, bytes_max: int, seconds_max: float = READ_SECONDS_MAX) -> bytes:
    """Return the raw body.

    Raises:
        HttpRefusalError: it is larger than ``bytes_max``, or does not arrive in time.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > bytes_max:
        raise _too_large(bytes_max)
    try:
        async with asyncio.timeout(seconds_max):
            return await _collect(request, bytes_max)
    except TimeoutError as error:
        raise HttpRefusalError(
            f"expected the body within {seconds_max:g} s; send it faster",
            status=HTTPStatus.REQUEST_TIMEOUT,
            reason="REQUEST_TIMEOUT",
        ) from error
    except ClientDisconnect as error:
        raise HttpRefusalError(
            "the client went away before its body was complete", status=HTTPStatus.BAD_REQUEST, reason="BODY_INCOMPLETE"
        ) from error


async def _collect(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
    return bytes(body)


def require_json(request: Request) -> None:
    """Refuse every content type but ``application/json``, with or without ``charset=utf-8``."""
    given = request.headers.get("content-type", "")
    media_type, _, parameters = given.partition(";")
    is_json = media_type.strip().lower() == "application/json"
    is_utf8 = parameters.strip().lower().replace('"', "") in {"", "charset=utf-8"}
    if not (is_json and is_utf8):
        raise HttpRefusalError(
            f"expected content type application/json, got {given[:100]!r}",
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            reason="UNSUPPORTED_MEDIA_TYPE",
        )


async def read_record(request: Request, kind: type[Record]) -> Record:
    """Return the body as a record: strict JSON, no unknown fields.

    Raises:
        HttpRefusalError, JsonSyntaxError: the body is not acceptable JSON.
        InputInvalidError: it is not such a record; the message names the place.
    """
    require_json(request)
    raw = await read_body(request, bytes_max=JSON_BYTES_MAX)
    value = parse(raw, bytes_max=JSON_BYTES_MAX)
    try:
        return msgspec.convert(value, type=kind, strict=True)
    except msgspec.ValidationError as error:
        raise InputInvalidError(f"the body is not as expected: {error}") from error


def json_response(
    body: object, *, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> Response:
    """Return data as JSON that no cache keeps."""
    return Response(
        orjson.dumps(body),
        status_code=int(status),
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _too_large(bytes_max: int) -> HttpRefusalError:
    return HttpRefusalError(
        f"expected a body of at most {bytes_max} bytes, got more",
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        reason="PAYLOAD_TOO_LARGE",
    )
