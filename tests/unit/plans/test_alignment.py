"""Places inside strings lead back to the file."""

import pytest

from remit.plans.documents import Mapping, Scalar
from remit.plans.documents.alignment import place_within
from tests.unit.plans.reading import read

MARK = "§"


@pytest.mark.parametrize(
    "text",
    [
        "a: xx § y\n", "a: 'it''s § y'\n", 'a: "tab\\t \\u00e9 \\x41 § y"\n', 'a: "\\U0001d11e § "\n',
        "a: |\n  one\n  two § y\n",
        "a: |-\n    indented\n      more §\n", "a: >\n  folded\n  text §\n", "a: >-\n\n  folded\n\n  text §\n\n",
        "a: plain\n  over lines §\n", "a: 'quoted\n  over\n\n  lines §'\n", 'a: "quoted\n  over \\\n  lines §"\n',
        "a: | # comment\n  x §\n", "a: |2\n   x §\n", "a: |\r\n  one\r\n  two §\r\n", "a: >\r\n  one\r\n  two §\r\n",
    ],
)  # fmt: skip
def test_place_within_finds_the_character(text: str) -> None:
    """
    Whatever the style, the place of a character of the value is its place in the file.
    """
    document, _ = read(text)
    assert document is not None
    root = document.root
    assert isinstance(root, Mapping)
    scalar = root.entries["a"].value
    assert isinstance(scalar, Scalar)
    assert isinstance(scalar.value, str)
    index = scalar.value.index(MARK)

    start, end = place_within(document.source.text, scalar, index, index + 1)

    assert MARK == document.source.text[start:end]


def test_place_within_json_string_follows_escapes() -> None:
    """
    Escapes of JSON, also those of two halves, are one character of the value.
    """
    text = '{"a": "\\ud83d\\ude00\\n\\"§"}'
    document, _ = read(text, path="a.json")
    assert document is not None
    root = document.root
    assert isinstance(root, Mapping)
    scalar = root.entries["a"].value
    assert isinstance(scalar, Scalar)

    assert "§" == text[slice(*place_within(text, scalar, 3, 4))]


def test_place_behind_the_value_is_its_end() -> None:
    """
    What is missing at the end of an expression is shown at the end of its text.
    """
    text = "a: x +\nb: 1\n"
    document, _ = read(text)
    assert document is not None
    root = document.root
    assert isinstance(root, Mapping)
    scalar = root.entries["a"].value
    assert isinstance(scalar, Scalar)

    assert (6, 7) == place_within(text, scalar, 3, 4)
