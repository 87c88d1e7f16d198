"""Written YAML reads back as the same value, and is short where it can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.canonical import JsonValue
from remit.plans.compiling.yaml_text import WIDTH, comment_lines, yaml_lines
from tests.unit.plans.reading import value_of

CHARACTERS = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
WORDS = st.text(CHARACTERS, max_size=20) | st.sampled_from(
    ("null", "NaN", ".inf", "yes", "~", "0x1F", "1e3", "- a", "a: b", "#", "2026-01-31", "012", "<<", "*a", "&a", "!t")
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4))
def test_written_yaml_reads_back(value: dict[str, JsonValue]) -> None:
    """
    Whatever is written is read as it was, without a finding, by the reader that refuses most of YAML.
    """
    assert value == value_of("\n".join(yaml_lines(value)) + "\n")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, True, None]}, ["a: [1, true, null]"]),
        ({"a": {"b": [], "c": {}}}, ["a: {b: [], c: {}}"]),
        ({"a": "NaN", "b": "yes", "c": "src/a.ts"}, ['a: "NaN"', 'b: "yes"', "c: src/a.ts"]),
        ({"a": [{"b": 1, "c": [{"d": 2}]}]}, ["a:", "  - b: 1", "    c: [{d: 2}]"]),
        ({"a": "tab\there"}, ['a: "tab\\there"']),
        ({"a": "\u202eturned"}, ['a: "\\u202eturned"']),
    ],
    ids=["list", "mapping", "words", "nested", "tab", "turned"],
)
def test_form_is_the_shortest_that_is_safe(value: JsonValue, expected: list[str]) -> None:
    """
    Words stand bare, small values in one line, and what cannot be seen as an escape.
    """
    assert expected == yaml_lines(value)


def test_long_lists_of_words_are_broken() -> None:
    """
    A list of hundreds of names takes a few lines.
    """
    names: list[JsonValue] = [f"task_{number}" for number in range(200)]
    lines = yaml_lines({"names": names})

    assert {"names": names} == value_of("\n".join(lines) + "\n")
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) < 30


def test_comments_are_broken_between_words() -> None:
    """
    No comment line ends a comment, whatever the text holds.
    """
    lines = comment_lines("one two\r\nthree\x85four\u2028five " + "word " * 100, "  ")

    assert all(line.startswith("  #") for line in lines)
    assert max(map(len, lines)) <= WIDTH
