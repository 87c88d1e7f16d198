"""Hostile inputs from real ones: bytes removed, doubled, swapped, replaced by what parsers stumble over.

Owns: the fragments, and mutating by a seeded generator; ``inputs_of`` is the same as a hypothesis strategy.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, Final

import hypothesis.strategies as st

from tests.attacks.parsing import INPUT_BYTES_MAX, Parser

FRAGMENTS: Final = (
    b"", b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xe2\x80\xa8",
    b"\xf4\x8f\xbf\xbf", b"\\u0000", b"\\ud800", b"\\udfff\\ud800", b"\\x", b"\\", b'"', b"'", b"`", b"\r", b"\n",
    b"\r\n", b"\t", b" ", b"\x7f", b"[", b"]", b"{", b"}", b"(", b")", b"[" * 70, b'{"a":' * 70, b"((" * 40,
    b"!" * 40, b"-" * 9, b"0", b"-0", b"01", b"1e999", b"-1e-999", b"9" * 19, b"9" * 400, b"9" * 5000, b"0x7f",
    b"1_0", b"NaN", b"Infinity", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"1.0",
    b"253402300800", b"-62135596801", b"null", b"true", b"~", b"no", b"&a ", b"*a", b"<<: ", b"!!python/object ",
    b"? ", b"- ", b": ", b"# ", b"---\n", b"...\n", b"|\n", b">\n", b"%YAML 1.1\n", b"${{", b"}}", b"$${{",
    b"${{ steps.x }}", b"'''", b'"""', b"//", b"/*", b"?.orValue(", b".map(x, x)", b"has(", b"%00", b"%0d%0a", b"%2e",
    b"@", b"//@", b"http://", b"https://", b"127.0.0.1", b"localhost", b"[::1]", b"\xc2\xb2", b"\xd9\xa3",
    b"\xef\xbc\x91", b"\xc4\xb0", b"$ref", b"#/$defs/n", b"pattern", b"(a+)+$", b"format", b"type",
    b"2026-01-01T00:00:00Z", b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-23:59", b"=", b"&", b";", b",",
    b"t=", b"v1=",
)  # fmt: skip


def mutated(data: bytes, generator: random.Random) -> bytes:
    """Return a real input after one to six edits."""
    for _ in range(generator.randint(1, 6)):
        start = generator.randint(0, len(data))
        end = min(len(data), start + generator.choice((0, 0, 1, 1, 2, 4, 8, 30)))
        piece = generator.choice(
            (
                generator.choice(FRAGMENTS),
                generator.choice(FRAGMENTS),
                generator.randbytes(generator.randint(0, 4)),
                data[start:end] * 2,
                data[end : end + 12] + data[start:end],
            )
        )
        data = data[:start] + piece + data[end:]
    return data[:INPUT_BYTES_MAX]


VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 1e308, -0.0, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**400, 253402300800,
    -62135596801, "", "\0", "a\0b", "\ud800", "\u202e", "\x7f", "x" * 3_000, "9" * 400, "NaN", "2026-01-01",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-45T99:99:99Z", "2026-01-01T00:00:00",
    "${{ input.a }}", "${{", "(a+)+$", "[", "#/$defs/n", "https://example.com/x", "http://127.0.0.1/", "evt_1",
    "a.b.c", "*", "../../etc/passwd", "' or 1=1 --", [], [[]], {}, [None] * 50, {"": {}}, {"$ref": "#"}, {"type": 5},
    {"allOf": [{"$ref": "#"}]},
)  # fmt: skip
"""What stands where something else was meant."""


def remodelled(data: bytes, generator: random.Random) -> bytes:
    """Return a JSON text after one to three of its values, or names, became something else; any other text mutated."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return mutated(data, generator)
    holder = [root]
    for _ in range(generator.randint(1, 3)):
        places = list(_places(holder))
        place, key = generator.choice(places)
        value = generator.choice((*VALUES, generator.choice(places)[0]))
        match generator.randint(0, 5):
            case 0 if isinstance(place, dict):
                place[str(generator.choice(("", "type", "$ref", "pattern", "id", "kind", "\0")))] = place.pop(key)
            case 1 if len(place) > 1:
                del place[key]
            case _:
                place[key] = copy.deepcopy(value)
    try:
        text = json.dumps(holder[0], ensure_ascii=generator.random() < 0.5)
    except (RecursionError, ValueError):
        return mutated(data, generator)
    return text.encode("utf-8", "surrogatepass")[:INPUT_BYTES_MAX]


def _places(holder: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    if depth > 12:
        return
    for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from _places(holder[key], depth + 1)


@st.composite
def inputs_of(draw: st.DrawFn, parser: Parser) -> bytes:
    """A hostile input for a parser: a real one with edits, two of them joined, loose fragments, or any bytes."""
    seeds = st.sampled_from(parser.seeds)
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=200))
    if kind == 1:
        return b"".join(draw(st.lists(st.sampled_from(FRAGMENTS), max_size=12)))[:INPUT_BYTES_MAX]
    data = draw(seeds)
    if kind == 2:
        other = draw(seeds)
        data = data[: draw(st.integers(0, len(data)))] + other[draw(st.integers(0, len(other))) :]
    generator = random.Random(draw(st.integers(0, 2**32 - 1)))
    return remodelled(data, generator) if kind >= 6 else mutated(data, generator)
