"""Canonical JSON against the vectors of RFC 8785, and what has no canonical form."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

import pytest

from remit.core.canonical import DEPTH_MAX, INTEGER_MAX, canonical_bytes, digest, member_path
from remit.errors import CanonicalizationError

VECTORS = Path(__file__).parent / "vectors"
TEXTS = json.loads((VECTORS / "rfc8785.json").read_text(encoding="utf-8"))
NUMBERS = json.loads((VECTORS / "rfc8785_numbers.json").read_text(encoding="utf-8"))


def double(bits: str) -> float:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert isinstance(number, float)
    return number


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize("vector", TEXTS, ids=[vector["name"] for vector in TEXTS])
def test_vector_has_its_canonical_form(vector: dict[str, str]) -> None:
    """
    The samples of the RFC and of its authors come out byte for byte.
    """
    assert vector["canonical"].encode() == canonical_bytes(json.loads(vector["input"]))


@pytest.mark.parametrize("vector", TEXTS, ids=[vector["name"] for vector in TEXTS])
def test_canonical_form_is_its_own(vector: dict[str, str]) -> None:
    """
    Reading a canonical text and writing it again changes nothing.
    """
    assert vector["canonical"].encode() == canonical_bytes(json.loads(vector["canonical"]))


@pytest.mark.parametrize("vector", [v for v in NUMBERS if v["canonical"]], ids=lambda v: v["ieee754"])
def test_number_vector_has_its_canonical_form(vector: dict[str, str]) -> None:
    """
    The numbers of appendix B are written as ECMAScript writes them.
    """
    assert vector["canonical"].encode() == canonical_bytes(double(vector["ieee754"]))


@pytest.mark.parametrize("vector", [v for v in NUMBERS if not v["canonical"]], ids=lambda v: v["ieee754"])
def test_number_without_canonical_form_is_refused(vector: dict[str, str]) -> None:
    """
    NaN and the infinities are refused, at the top and inside.
    """
    for value in (double(vector["ieee754"]), {"a": [double(vector["ieee754"])]}):
        with pytest.raises(CanonicalizationError, match="expected a finite number"):
            canonical_bytes(value)


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (None, b"null"),
        (True, b"true"),
        (0, b"0"),
        (-0.0, b"0"),
        (1.0, b"1"),
        (1e15, b"1000000000000000"),
        (1e16, b"10000000000000000"),
        (123456789012345.6, b"123456789012345.6"),
        (0.0001, b"0.0001"),
        (1e-6, b"0.000001"),
        (1e-7, b"1e-7"),
        (INTEGER_MAX, b"9007199254740991"),
        (-INTEGER_MAX, b"-9007199254740991"),
        ("", b'""'),
        ("\x00\x7f\u2028/", b'"\\u0000\x7f\xe2\x80\xa8/"'),
        ([], b"[]"),
        ({}, b"{}"),
        ({"b": [], "a": {}}, b'{"a":{},"b":[]}'),
        ({"\u00e9": 1, "e": 2}, b'{"e":2,"\xc3\xa9":1}'),
        ({"\U0001f600": 1, "\ufb33": 2}, b'{"\xf0\x9f\x98\x80":1,"\xef\xac\xb3":2}'),
    ],
    ids=repr,
)
def test_value_has_canonical_form(value: object, canonical: bytes) -> None:
    """
    Corner values, where the fast writer and the definition would part, come out right.
    """
    assert canonical == canonical_bytes(value)


def test_canonical_form_ignores_order_and_spelling() -> None:
    """
    Equal values have equal bytes and digests, however they were built.
    """
    first = {"amount": 10, "to": {"b": 1.0, "a": 2}}
    second = {"to": {"a": 2.0, "b": 1}, "amount": 10.0}

    assert canonical_bytes(first) == canonical_bytes(second)
    assert digest(first) == digest(second)


def test_digest_is_sha256_of_canonical_bytes() -> None:
    """
    The digest is plain SHA-256 in hex, so that anyone can compute it.
    """
    assert hashlib.sha256(b'{"a":1}').hexdigest() == digest({"a": 1})


def test_subclasses_count_as_what_they_extend() -> None:
    """
    Strings with extras and tuples, as front-ends have them, are written like plain ones.
    """

    class Colour(StrEnum):
        RED = "red"

    assert b'{"red":["red",true]}' == canonical_bytes({Colour.RED: (Colour.RED, True)})


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ({"a": [1, {"b": 2**53}]}, "$.a[1].b", "got 9007199254740992"),
        ([-(2**53)], "$[0]", "got -9007199254740992"),
        ({"n": 10**9000}, "$.n", "got one of 29898 bits"),
        ({"a": {"x y": math.nan}}, '$.a["x y"]', "got nan"),
        ({"a": "\ud800"}, "$.a", "lone surrogate at character 0"),
        ({"\udfff": 1}, "a key of $", "lone surrogate"),
        ({"a": {1: 2}}, "$.a", "expected string keys"),
        ({"a": {None: 2}}, "$.a", "expected string keys"),
        ([b"x"], "$[0]", "got bytes"),
        ([UUID(int=0)], "$[0]", "got UUID"),
        ({"a": {1, 2}}, "$.a", "got set"),
        (MappingProxyType({}), "$", "got mappingproxy"),
    ],
    ids=[
        "integer", "negative integer", "huge integer", "nan", "surrogate", "surrogate in key", "integer key",
        "null key", "bytes", "uuid", "set", "mapping",
    ],
)  # fmt: skip
def test_refused_value_names_its_place(value: object, path: str, words: str) -> None:
    """
    What has no canonical form is refused with the path to it.
    """
    with pytest.raises(CanonicalizationError, match=words) as caught:
        canonical_bytes(value)

    assert path == caught.value.fields["path"]
    assert "CANONICAL_INVALID" == caught.value.code


def test_nesting_up_to_limit_is_accepted() -> None:
    """
    The deepest accepted value is written, one level more is refused.
    """
    assert b"[" * DEPTH_MAX + b"]" * DEPTH_MAX == canonical_bytes(nested(DEPTH_MAX))
    with pytest.raises(CanonicalizationError, match=f"at most {DEPTH_MAX} nested"):
        canonical_bytes(nested(DEPTH_MAX + 1))


def test_endless_nesting_is_refused() -> None:
    """
    A list that contains itself is refused like any other that is too deep.
    """
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(CanonicalizationError, match="nested"):
        canonical_bytes(endless)


def test_member_path_quotes_what_is_no_name() -> None:
    """
    A path can be read back: keys that are no names are quoted.
    """
    assert "$.items" == member_path("$", "items")
    assert '$.items["a.b"]' == member_path("$.items", "a.b")
