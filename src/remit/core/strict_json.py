"""Strict JSON: text from outside becomes a value, or an error that points at the place.

Owns: what counts as JSON here. RFC 8259 in UTF-8, less what two readers could understand differently: duplicate keys,
a byte-order mark, NaN and infinities (also as ``1e999``), integers beyond 64 bits, lone surrogates.
Does not know: schemas, or what the value is for.

The standard library's scanner with our hooks is the definition. Most texts are read by ``msgspec`` instead, which is
several times faster: it refuses all of the above but two, and those are excluded by counting (see `_read_fast`). A
refused text is walked once more, token by token, to say where and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, NoReturn

import msgspec

from remit.core.canonical import DEPTH_MAX, JsonValue
from remit.errors import JsonSyntaxError

INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
"""What PostgreSQL's bigint, CEL and most languages can hold."""

_Place = tuple[str, int, str]
"""Kind of token, its offset, its text."""

_TOKEN: Final = re.compile(
    r"""(?P<string>"(?:[^"\\]++|\\.)*+") | (?P<mark>[\[\]{}:,])
      | (?P<word>NaN|-?Infinity|true|false|null) | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)""",
    re.VERBOSE,
)
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_OPENERS: Final = frozenset(b"[{")
_DIGITS_AS_ZERO: Final = bytes.maketrans(b"123456789", b"000000000")
_NINETEEN_DIGITS: Final = b"0" * 19  # the fewest that can exceed 64 bits
_BYTE_ORDER_MARK: Final = "\ufeff"
_FAST: Final = msgspec.json.Decoder()
_ENCODER: Final = msgspec.json.Encoder()

# From the scanner's words to ours: what was expected, what to do.
_EXPECTED: Final = {
    "Expecting value": ("a value", "write an object, list, string, number, true, false or null"),
    "Expecting property name enclosed in double quotes": (
        "a key in double quotes",
        "quote it; no comma after the last",
    ),
    "Illegal trailing comma": ("the closing bracket after the last member", "remove the comma"),
    "Expecting ':' delimiter": ("':' after the key", "write key, colon, value"),
    "Expecting ',' delimiter": ("',' or the closing bracket", "separate members by commas and close what was opened"),
    "Extra data": ("the end of the text", "send one value and nothing after it"),
    "Unterminated string starting at": ("a closing double quote for this string", "close the string"),
    "Invalid control character at": ("no control character inside a string", "write it as an escape, such as \\n"),
    "Invalid \\escape": ("a known escape", 'use \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits'),
    "Invalid \\uXXXX escape": ("four hex digits after \\u", "write the character itself or all four digits"),
}


class _SuspectError(JsonSyntaxError):
    """Raised inside the scanner; the walk over the tokens says where and why."""


def parse(raw: bytes | str, *, bytes_max: int, depth_max: int = 64) -> JsonValue:
    """Return the value that a JSON text stands for.

    Args:
        raw: The text; bytes are UTF-8 without byte-order mark.
        bytes_max: Largest accepted size of the text in UTF-8; positive.
        depth_max: Deepest accepted nesting of lists and objects, from 1 to `canonical.DEPTH_MAX`; checked before the
            text is read, so that no text exhausts the stack.

    Returns:
        A value of plain Python types. Integers fit 64 bits, floats are finite, strings are whole Unicode, keys unique.

    Raises:
        JsonSyntaxError: The text is not such JSON. Carries ``line`` and ``column``, counted in characters from 1.
    """
    assert bytes_max > 0
    assert 1 <= depth_max <= DEPTH_MAX
    data = raw if isinstance(raw, bytes) else _encode(raw)
    if len(data) > bytes_max:
        raise JsonSyntaxError(
            f"expected at most {bytes_max} bytes of JSON, got {len(data)}; send less, or send a reference",
            line=1,
            column=1,
        )
    if data.count(b"[") + data.count(b"{") > depth_max:
        _require_depth(data, depth_max)
    if b"\\u" not in data and _NINETEEN_DIGITS not in data.translate(_DIGITS_AS_ZERO):
        try:
            return _read_fast(data)
        except (_SuspectError, msgspec.DecodeError, UnicodeDecodeError):
            pass  # the definition says where and why
    return _read(_decode(data))


def _read_fast(data: bytes) -> JsonValue:
    """Read a text without escapes by code and without long integers, or raise.

    Of what we refuse, ``msgspec`` accepts only long integers and duplicate keys. Every dropped duplicate takes at least
    its colon with it, and without escapes by code a colon inside a string is a colon in both texts.
    """
    value: JsonValue = _FAST.decode(data)
    if _ENCODER.encode(value).count(b":") != data.count(b":"):
        raise _SuspectError("duplicate key")
    return value


def _read(text: str) -> JsonValue:
    """Read a text by definition."""
    if text.startswith(_BYTE_ORDER_MARK):
        _refuse(text, 0, "expected JSON, got a byte-order mark; send UTF-8 without one")
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        _refuse_syntax(text, error)
    except _SuspectError:
        _refuse_first_suspect(text)
    if _SURROGATE_ESCAPE.search(text):
        _require_whole_characters(text)
    return value


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        _refuse(text, error.start, "expected Unicode text, got a lone surrogate; send whole characters")


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        _refuse(before, len(before), f"expected UTF-8, got byte 0x{data[error.start]:02x}; send the text in UTF-8")


def _require_depth(data: bytes, depth_max: int) -> None:
    """Refuse a text that nests too deeply, as far as it is JSON: what is not, the scanner refuses before it nests."""
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data
    outside = plain.split(b'"')[::2]
    depth = deepest = 0
    for bracket in b"".join(outside).translate(None, _NO_BRACKETS):
        if bracket in _OPENERS:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    if deepest <= depth_max:
        return
    depth = 0
    text = data.decode(errors="replace")
    for _, offset, token in _tokens(text):
        depth += (token in {"[", "{"}) - (token in {"]", "}"})
        if depth > depth_max:
            _refuse(text, offset, f"expected at most {depth_max} nested lists and objects, got more; flatten the value")


def _unique_members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _SuspectError("duplicate key")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise _SuspectError("not a finite number")


def _checked_integer(digits: str) -> int:
    if len(digits) > 20 or not INTEGER_MIN <= (number := int(digits)) <= INTEGER_MAX:
        raise _SuspectError("integer beyond 64 bits")
    return number


def _checked_float(digits: str) -> float:
    number = float(digits)
    if abs(number) == float("inf"):
        raise _SuspectError("not a finite number")
    return number


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_constant=_refuse_constant,
    parse_int=_checked_integer,
    parse_float=_checked_float,
)


def _tokens(text: str) -> Iterator[_Place]:
    for found in _TOKEN.finditer(text):
        assert found.lastgroup is not None
        yield found.lastgroup, found.start(), found.group()


def _refuse_syntax(text: str, error: json.JSONDecodeError) -> NoReturn:
    message, offset = error.msg, error.pos
    before = text[:offset].rstrip()
    if message.startswith("Expecting") and before.endswith(",") and text[offset : offset + 1] in {"]", "}"}:
        # As Python says it from 3.13 on.
        message, offset = "Illegal trailing comma", len(before) - 1
    expected, remedy = _EXPECTED.get(message.partition(" before ")[0], (f"JSON ({message})", "correct the text"))
    got = repr(text[offset]) if offset < len(text) else "the end of the text"
    _refuse(text, offset, f"expected {expected}, got {got}; {remedy}")


def _refuse_first_suspect(text: str) -> NoReturn:
    """Raise for the first duplicate key, unacceptable number or constant of a text that the scanner gave up on."""
    open_keys: list[set[str] | None] = []
    previous: _Place = ("mark", 0, "")
    for place in _tokens(text):
        kind, offset, token = place
        match token:
            case "{":
                open_keys.append(set())
            case "[":
                open_keys.append(None)
            case "}" | "]":
                open_keys.pop()
            case ":":
                _require_new_key(text, previous, open_keys[-1])
            case _ if kind in {"number", "word"}:
                _require_acceptable(text, offset, token)
        previous = place
    _refuse(text, 0, "expected strict JSON, got a text that cannot be read; correct the text")


def _require_new_key(text: str, place: _Place, keys: set[str] | None) -> None:
    _, offset, token = place
    key = str(json.loads(token))
    assert keys is not None
    if key in keys:
        shown = json.dumps(key[:80])
        _refuse(text, offset, f"expected every key of an object once, got {shown} again; remove or rename one")
    keys.add(key)


def _require_acceptable(text: str, offset: int, token: str) -> None:
    if token in {"NaN", "Infinity", "-Infinity"}:
        _refuse(text, offset, f"expected a finite number, got {token}; leave it out or send null")
    if token.lstrip("-").isdigit():
        if len(token) > 20 or not INTEGER_MIN <= int(token) <= INTEGER_MAX:
            _refuse(text, offset, f"expected an integer of 64 bits, got {token[:24]}; send it as a string")
    elif token[-1].isdigit() and abs(float(token)) == float("inf"):
        _refuse(text, offset, f"expected a finite number, got {token[:24]}; send a smaller one or a string")


def _require_whole_characters(text: str) -> None:
    for kind, offset, token in _tokens(text):
        if kind == "string" and _SURROGATE.search(json.loads(token)):
            _refuse(text, offset, "expected Unicode text, got a lone surrogate in this string; send whole characters")


def _refuse(text: str, offset: int, message: str) -> NoReturn:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    raise JsonSyntaxError(f"{message} (line {line}, column {column})", line=line, column=column) from None
