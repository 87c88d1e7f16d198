"""Laws of contract checks: they agree with an independent validator, refuse unknown fields and never tell values."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.canonical import JsonValue
from remit.governance.contracts import ToolContract, check_arguments
from remit.governance.schemas import Schema, close_schema, require_schema

NAMES = ("a", "b", "c")

names = st.sampled_from(NAMES)
scalars = st.none() | st.booleans() | st.integers(-4, 4) | st.floats(-2, 2) | st.sampled_from(["", "x", "xy", "é"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)

leaf_schemas = st.one_of(
    st.just({}),
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["string", "integer", "number", "boolean", "null"])),
    st.builds(
        lambda low, high: {"type": "integer", "minimum": low, "maximum": high}, st.integers(-4, 0), st.integers(0, 4)
    ),
    st.builds(lambda low: {"type": "string", "minLength": low, "pattern": "^x*y?$"}, st.integers(0, 2)),
    st.builds(lambda options: {"enum": options}, st.lists(scalars, min_size=1, max_size=3)),
    st.builds(lambda value: {"const": value}, scalars),
    st.builds(
        lambda kinds: {"type": sorted(kinds)}, st.sets(st.sampled_from(["string", "object", "null"]), min_size=1)
    ),
    st.just({"$ref": "#/$defs/shared"}),
)


def compound(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(names, inner, max_size=3)
    return st.one_of(
        st.builds(
            lambda properties, required: {"type": "object", "properties": properties, "required": sorted(required)},
            properties,
            st.sets(names, max_size=2),
        ),
        st.builds(
            lambda properties, extra: {"type": "object", "properties": properties, "additionalProperties": extra},
            properties,
            st.booleans() | inner,
        ),
        st.builds(lambda item, low: {"type": "array", "items": item, "minItems": low}, inner, st.integers(0, 2)),
        st.builds(
            lambda keyword, parts: {keyword: parts},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda test, then: {"if": test, "then": then}, inner, inner),
        st.builds(lambda part: {"type": "object", "patternProperties": {"^[ab]$": part}}, inner),
    )


def with_shared(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "$defs": {"shared": shared}}


plain_leaves = leaf_schemas.filter(lambda schema: "$ref" not in schema)
schemas = st.builds(
    with_shared,
    st.recursive(leaf_schemas, compound, max_leaves=6),
    st.builds(lambda properties: {"type": "object", "properties": properties}, st.dictionaries(names, plain_leaves)),
)


@given(schemas, st.lists(values, min_size=1, max_size=5))
def test_schema_agrees_with_oracle(schema: dict[str, Any], some_values: list[JsonValue]) -> None:
    """
    What we accept is what another implementation of JSON Schema 2020-12 accepts, as written and closed.
    """
    for checked in (schema, close_schema(schema)):
        oracle = jsonschema.Draft202012Validator(checked)
        ours = Schema(checked)
        for value in some_values:
            assert oracle.is_valid(value) == ours.matches(value)
            assert oracle.is_valid(value) == (ours.mismatches(value) == [])


@given(schemas, st.lists(values, min_size=1, max_size=5))
def test_closing_twice_changes_nothing(schema: dict[str, Any], some_values: list[JsonValue]) -> None:
    """
    A closed schema is a valid schema, closing it again leaves it as it is, and the original is not touched.
    """
    original = copy.deepcopy(schema)
    closed = close_schema(schema)

    require_schema(closed)
    assert closed == close_schema(closed)
    assert original == schema


object_schemas = st.builds(
    lambda properties, required: {
        "type": "object",
        "properties": properties,
        "required": sorted(required & properties.keys()),
    },
    st.dictionaries(names, st.recursive(leaf_schemas, compound, max_leaves=4), min_size=1, max_size=3),
    st.sets(names, max_size=2),
)


@given(object_schemas, values, st.sampled_from(["zz", "a ", "A"]), values)
def test_unknown_argument_is_refused(schema: dict[str, Any], value: JsonValue, name: str, extra: JsonValue) -> None:
    """
    Whatever the other arguments are, one that the contract does not have is refused.
    """
    contract = ToolContract(name="t", input_schema=with_shared(schema, {"type": "object", "properties": {}}))
    arguments = {**(value if isinstance(value, dict) else {}), name: extra}

    refusal = check_arguments(contract, arguments)

    assert refusal is not None
    assert "SCHEMA_INVALID" == refusal.code


CANARY = "zqxjkv-canary"
canaried = st.recursive(
    st.just(CANARY) | st.integers(73_571_000, 73_571_999),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=5,
)


@given(schemas, st.dictionaries(names, canaried, max_size=3))
def test_refusal_never_tells_a_value(schema: dict[str, Any], arguments: dict[str, JsonValue]) -> None:
    """
    Neither the message nor the evidence of a refusal holds any part of an argument's value.
    """
    contract = ToolContract(name="t", input_schema=schema)

    refusal = check_arguments(contract, arguments)

    if refusal is not None:
        told = msgspec.json.encode(refusal).decode()
        assert "canary" not in told
        assert "73571" not in told


@pytest.mark.parametrize("canary", ["4242424242424242", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "j.doe@example.com"])
def test_secret_as_name_of_an_argument_is_masked(canary: str) -> None:
    """
    Names of unknown arguments are told, because that helps, but not one that no trace may hold.
    """
    contract = ToolContract(name="t", input_schema={"type": "object", "properties": {"m": {"type": "object"}}})

    refusal = check_arguments(contract, {canary: 1, "m": {canary: 1}})

    assert canary not in msgspec.json.encode(refusal).decode()
