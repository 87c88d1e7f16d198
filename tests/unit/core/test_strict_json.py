"""Strict JSON: what is accepted, and where and why the rest is refused."""

from __future__ import annotations

import pytest

from remit.core.canonical import DEPTH_MAX
from remit.core.strict_json import parse
from remit.errors import JsonSyntaxError

BYTES_MAX = 10_000_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (" \t\r\n[true, false] \n", [True, False]),
        ("-0", 0),
        ("1.0", 1.0),
        ("1E-5", 1e-5),
        ("1e308", 1e308),
        ("1e-999", 0.0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0.1234567890123456789012", 0.1234567890123456789012),
        ('"\\ud83d\\ude00\\u0000\\/"', "\U0001f600\x00/"),
        ('"\x7f\u2028\ufeff"', "\x7f\u2028\ufeff"),
        ('{"a":{"a":[{}]},"":"a:b"}', {"a": {"a": [{}]}, "": "a:b"}),
        ('{"\\u0061":1,"b":"\\u003a"}', {"a": 1, "b": ":"}),
        ('"12345678901234567890"', "12345678901234567890"),
        ('["[[[[", "\\"]", "\\\\"]', ["[[[[", '"]', "\\"]),
    ],
    ids=repr,
)
def test_text_is_read(text: str, value: object) -> None:
    """
    JSON that every reader understands alike is read, from text and from bytes, with the same types.
    """
    assert repr(value) == repr(parse(text, bytes_max=BYTES_MAX))
    assert repr(value) == repr(parse(text.encode(), bytes_max=BYTES_MAX))


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "expected a value, got the end of the text"),
        ("\n  ", 2, 3, "expected a value, got the end of the text"),
        ('{"a": 1,\n "b": 2,\n "a": 3}', 3, 2, 'got "a" again; remove or rename one'),
        ('{"a":{"b":1,"\\u0062":2}}', 1, 13, 'got "b" again'),
        ('{"a":":","a":":"}', 1, 10, 'got "a" again'),
        ('{"a":"\\u003a","a":2}', 1, 15, 'got "a" again'),
        ("[NaN]", 1, 2, "expected a finite number, got NaN"),
        ("[1, -Infinity]", 1, 5, "got -Infinity"),
        ("[1e999]", 1, 2, "expected a finite number, got 1e999"),
        ("-1" + "0" * 400 + ".5", 1, 1, "expected a finite number"),
        ("[9223372036854775808]", 1, 2, "expected an integer of 64 bits, got 9223372036854775808; send it as a string"),
        ("-9223372036854775809", 1, 1, "integer of 64 bits"),
        ("9" * 5000, 1, 1, "integer of 64 bits"),
        ('["x", "\\ud800"]', 1, 7, "lone surrogate in this string"),
        ('"\\ude00\\ud83d"', 1, 1, "lone surrogate"),
        ('"a\ud800"', 1, 3, "lone surrogate"),
        ("\ufeff{}", 1, 1, "byte-order mark"),
        ("[1, ]", 1, 3, "expected the closing bracket after the last member, got ','; remove the comma"),
        ('{"a":1,\n}', 1, 7, "expected the closing bracket after the last member, got ','"),
        ("[,]", 1, 2, "expected a value, got ','"),
        ("{'a':1}", 1, 2, "expected a key in double quotes"),
        ('{"a" 1}', 1, 6, "expected ':' after the key, got '1'"),
        ("[1 2]", 1, 4, "expected ',' or the closing bracket"),
        ("[1]]", 1, 4, "expected the end of the text"),
        ("1 2", 1, 3, "expected the end of the text"),
        ("01", 1, 2, "expected the end of the text"),
        ("[1]\x00", 1, 4, "expected the end of the text"),
        ('["ab', 1, 2, "expected a closing double quote"),
        ('"a\nb"', 1, 3, "expected no control character"),
        ('"\\x41"', 1, 2, "expected a known escape"),
        ('"\\u12"', 1, 3, "expected four hex digits"),
        ("tru", 1, 1, "expected a value, got 't'"),
        ("\u00a0[1]", 1, 1, "expected a value"),
        ("// x\n1", 1, 1, "expected a value, got '/'"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refused_text_names_its_place(text: str, line: int, column: int, words: str) -> None:
    """
    What is no strict JSON is refused with line, column, what was expected and what to do.
    """
    with pytest.raises(JsonSyntaxError) as caught:
        parse(text, bytes_max=BYTES_MAX)

    assert words in caught.value.message
    assert {"line": line, "column": column} == caught.value.fields
    assert f"(line {line}, column {column})" in caught.value.message


@pytest.mark.parametrize(
    ("data", "column", "words"),
    [
        (b'["\xc3\xa9", "\xff"]', 8, "got byte 0xff"),
        (b'"\xed\xa0\x80"', 2, "got byte 0xed"),
        (b'"\xc0\x80"', 2, "got byte 0xc0"),
        (b"\xff\xfe[\x00]\x00", 1, "got byte 0xff"),
        (b"\xef\xbb\xbf{}", 1, "byte-order mark"),
    ],
    ids=["latin-1", "surrogate", "overlong", "utf-16", "mark"],
)
def test_bytes_that_are_not_utf8_are_refused(data: bytes, column: int, words: str) -> None:
    """
    Only UTF-8 without byte-order mark is read; the column counts characters.
    """
    with pytest.raises(JsonSyntaxError, match=words) as caught:
        parse(data, bytes_max=BYTES_MAX)

    assert column == caught.value.fields["column"]


def test_size_is_counted_in_utf8() -> None:
    """
    A text of exactly the limit is read, one byte more is refused, also when it comes as characters.
    """
    assert "é" == parse('"é"', bytes_max=4)
    for raw in ('"é"', '"é"'.encode()):
        with pytest.raises(JsonSyntaxError, match="at most 3 bytes of JSON, got 4"):
            parse(raw, bytes_max=3)


@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_depth_up_to_limit_is_read(pair: tuple[str, str]) -> None:
    """
    Nesting of exactly the limit is read, one level more is refused at the bracket that opens it.
    """
    opening, closing = pair
    assert parse(opening * 5 + "1" + closing * 5, bytes_max=BYTES_MAX, depth_max=5)
    with pytest.raises(JsonSyntaxError, match="at most 5 nested") as caught:
        parse(opening * 6 + "1" + closing * 6, bytes_max=BYTES_MAX, depth_max=5)

    assert 5 * len(opening) + 1 == caught.value.fields["column"]


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"\\"":[[', '["\\\\",{"a":'], ids=repr)
def test_bottomless_text_is_refused(opening: str) -> None:
    """
    A million open brackets are refused before anything recurses into them.
    """
    with pytest.raises(JsonSyntaxError, match=f"at most {DEPTH_MAX} nested"):
        parse(opening * 200_000, bytes_max=BYTES_MAX, depth_max=DEPTH_MAX)


def test_brackets_inside_strings_do_not_nest() -> None:
    """
    Depth counts structure only: a string may hold any brackets.
    """
    text = '["' + "[{" * 500 + '\\"' + "[" * 500 + '"]'

    assert ["[{" * 500 + '"' + "[" * 500] == parse(text, bytes_max=BYTES_MAX, depth_max=1)


def test_message_never_quotes_more_than_a_few_characters() -> None:
    """
    A refusal can be shown and logged: it quotes one character or the beginning of a number or key.
    """
    for text in ("secret" * 100, "1" * 1000, '{"' + "k" * 500 + '":1,"' + "k" * 500 + '":2}'):
        with pytest.raises(JsonSyntaxError) as caught:
            parse(text, bytes_max=BYTES_MAX)

        assert len(caught.value.message) < 250
