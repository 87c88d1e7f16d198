"""Laws of canonical JSON over arbitrary values."""

from __future__ import annotations

import json

import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from remit.core.canonical import INTEGER_MAX, canonical_bytes, digest

numbers = st.integers(-INTEGER_MAX, INTEGER_MAX) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


@given(values)
@example({"\ud7ff": 1, "\ue000": 2, "\U00010000": 3})
@example([0.0001, 0.00009999999999999999, 999999999999999.9, 1e15, -0.0])
def test_fast_writer_equals_definition(value: object) -> None:
    """
    Whichever way a value takes, its bytes are those of the reference implementation.
    """
    assert rfc8785.dumps(value) == canonical_bytes(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_reads_back_unchanged(number: float) -> None:
    """
    A canonical number stands for exactly the double that it was written from.
    """
    assert number == float(canonical_bytes(number))


@given(values)
def test_canonical_form_reads_back_to_equal_value(value: object) -> None:
    """
    Nothing is lost: reading the canonical form, as ECMAScript does, and writing it again gives the same bytes.
    """
    again = json.loads(canonical_bytes(value), parse_int=float)

    assert value == again
    assert canonical_bytes(value) == canonical_bytes(again)


@given(st.dictionaries(st.text(), scalars), st.randoms(use_true_random=False))
def test_order_of_keys_does_not_matter(value: dict[str, object], random: object) -> None:
    """
    Objects with the same members have the same digest, whatever the order of their keys.
    """
    keys = list(value)
    random.shuffle(keys)  # type: ignore[attr-defined] # Hypothesis gives a random.Random

    assert digest(value) == digest({key: value[key] for key in keys})
