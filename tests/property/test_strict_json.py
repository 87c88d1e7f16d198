"""Laws of strict JSON over arbitrary texts."""

from __future__ import annotations

import json
import math
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from remit.core.strict_json import parse
from remit.errors import JsonSyntaxError

BYTES_MAX = 1_000_000

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)
fragments = st.sampled_from(
    [
        *("{", "}", "[", "]", ",", ":", '"', "\\", " ", "\n", '"a"', '"b":', '"a":1', "null", "true"),
        *("1", "-", "0", ".", "e", "E9", "e999", "NaN", "Infinity", "9223372036854775808"),
        *("\\u00", "\\ud800", "\\u003a", '\\"', "é", "\ufeff", "\x00"),
    ]
)
texts = st.lists(fragments, max_size=14).map("".join)


def read_by_definition(text: str) -> object:
    """Return what the standard library reads, or raise ValueError where strict JSON is stricter."""

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("duplicate key")
        return dict(pairs)

    def refuse(_: str) -> None:
        raise ValueError("constant")

    value = json.loads(text, object_pairs_hook=members, parse_constant=refuse)
    require_strict(value)
    return value


def require_strict(value: object) -> None:
    match value:
        case bool():
            pass
        case int() if not -(2**63) <= value < 2**63:
            raise ValueError("integer")
        case float() if math.isinf(value):
            raise ValueError("infinity")
        case str():
            value.encode()
        case list():
            for item in value:
                require_strict(item)
        case dict():
            for key, item in value.items():
                key.encode()
                require_strict(item)
        case _:
            pass


@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_written_value_is_read_back(value: object, escaped: bool, indent: int | None) -> None:
    """
    What the standard library writes, in any of its styles, is read back with the same types.
    """
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)

    assert repr(value) == repr(parse(text, bytes_max=BYTES_MAX))


@given(texts)
@example('{"a":"\\u003a","a":1}')
@example("NaNe}")
@example("[1e999-]}")
@example('[[["\\\\"],"]"')
def test_text_is_read_exactly_if_definition_reads_it(text: str) -> None:
    """
    The fast way accepts what the definition accepts, as the same value, and nothing else.
    """
    try:
        expected = repr(read_by_definition(text))
    except (ValueError, RecursionError):
        expected = "refused"
    try:
        actual = repr(parse(text, bytes_max=BYTES_MAX))
    except JsonSyntaxError:
        actual = "refused"

    assert expected == actual


@given(values.map(lambda value: json.dumps({"a": value, "b": [value]})), st.integers(0), st.integers(0), fragments)
def test_damaged_text_is_read_or_refused_with_place(text: str, start: int, length: int, fragment: str) -> None:
    """
    Whatever is done to a text, it is read or refused at a place inside it; nothing else is raised.
    """
    cut = start % (len(text) + 1)
    damaged = text[:cut] + fragment + text[cut + length % 3 :]

    try:
        parse(damaged, bytes_max=BYTES_MAX)
    except JsonSyntaxError as error:
        line, column = error.fields["line"], error.fields["column"]
        lines = damaged.split("\n")
        assert isinstance(line, int)
        assert isinstance(column, int)
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """
    No bytes raise anything but our error.
    """
    with suppress(JsonSyntaxError):
        parse(data, bytes_max=BYTES_MAX)
