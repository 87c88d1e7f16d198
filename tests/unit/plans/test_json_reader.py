"""JSON: strict, with places, and read over frequent slips."""

import json

import pytest

from remit.core.canonical import JsonValue
from tests.unit.plans.reading import findings_of, read, value_of


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, -2.5e3, true, false, null, "x"], "b": {}, "c": []}',
        ' \n[1]\t\n', '"\\u00e9\\n\\/\\"\\\\"', "0", "-0.0",
        '"\\ud83d\\ude00"', '"𝄞"', "[[[[1]]]]", '{"": 1}', "1E5", '{"no": "no"}',
        '["NaN", "// no comment", "/* none */"]',
    ],
)  # fmt: skip
def test_json_has_the_value_of_the_standard_library(text: str) -> None:
    """
    What is accepted means what every JSON reader reads.
    """
    assert json.loads(text) == value_of(text, path="a.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 2}', ["1:10 KEY_DUPLICATE"]),
        ('{"a": NaN, "b": -Infinity}', ["1:7 NUMBER_NOT_FINITE", "1:17 NUMBER_NOT_FINITE"]),
        ("[1e999]", ["1:2 NUMBER_NOT_FINITE"]),
        ("[9007199254740992, 1]", ["1:2 NUMBER_OUT_OF_RANGE"]),
        ('["\\ud800", "\\udc00\\ud800"]', ["1:2 SURROGATE_LONE", "1:12 SURROGATE_LONE"]),
        ("[1, 2,]", ["1:6 SYNTAX_INVALID"]),
        ("[1 2]", ["1:4 SYNTAX_INVALID"]),
        ("[,1]", ["1:2 SYNTAX_INVALID"]),
        ("[1,,2]", ["1:4 SYNTAX_INVALID"]),
        ("['a']", ["1:2 SYNTAX_INVALID"]),
        ("{a: 1}", ["1:2 SYNTAX_INVALID"]),
        ("[01, 1., .5, +1, 0x1]", ["1:2 SYNTAX_INVALID", "1:6 SYNTAX_INVALID", "1:10 SYNTAX_INVALID",
                                   "1:14 SYNTAX_INVALID", "1:18 SYNTAX_INVALID"]),
        ("[True, None]", ["1:2 SYNTAX_INVALID", "1:8 SYNTAX_INVALID"]),
        ("[1] // x", ["1:5 SYNTAX_INVALID"]),
        ('["\\x"]', ["1:3 SYNTAX_INVALID"]),
        ('["a\tb"]', ["1:4 SYNTAX_INVALID"]),
        ('["a\nb"]', ["1:2 SYNTAX_INVALID"]),
        ("[1", ["1:3 SYNTAX_INVALID"]),
        ("[1}", ["1:3 SYNTAX_INVALID"]),
        ('{"a"}', ["1:5 SYNTAX_INVALID"]),
        ('{"a":}', ["1:6 SYNTAX_INVALID"]),
        ("[1] [2]", ["1:5 SYNTAX_INVALID"]),
        ("", ["1:1 DOCUMENT_EMPTY"]),
        ("[" * 65, ["1:65 NESTING_TOO_DEEP"]),
        ('"', ["1:1 SYNTAX_INVALID"]),
        ("/* x", ["1:1 SYNTAX_INVALID"]),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_at_its_place(text: str, expected: list[str]) -> None:
    """
    Each mistake is one finding, and reading goes on where it can.
    """
    assert expected == findings_of(text, path="a.json")


def test_slips_of_one_file_are_reported_together() -> None:
    """
    Comments, missing and trailing commas, quotes and NaN in one file are one list.
    """
    text = '{\n  // why\n  \'a\': 1\n  "b": NaN,\n  "c": [1,],\n}'
    expected = [
        "2:3 SYNTAX_INVALID", "3:3 SYNTAX_INVALID", "4:3 SYNTAX_INVALID", "4:8 NUMBER_NOT_FINITE",
        "5:10 SYNTAX_INVALID", "5:12 SYNTAX_INVALID",
    ]  # fmt: skip

    assert expected == findings_of(text, path="a.json")


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("a.json", "[1]", [1]),
        ("a.yml", "[1]", [1]),
        ("a", "[1]", [1]),
        ("a", "b: 1", {"b": 1}),
        ("a.txt", "- x", ["x"]),
    ],
)
def test_syntax_is_chosen_by_the_ending(path: str, text: str, value: JsonValue) -> None:
    """
    `.json` is JSON, `.yaml` and `.yml` are YAML; anything else is JSON if it begins with a bracket.
    """
    assert value == value_of(text, path=path)


def test_yaml_is_no_json() -> None:
    """
    A `.json` file is never read by the YAML parser.
    """
    document, diagnostics = read("a: 1\n", path="a.json")

    assert diagnostics.has_errors
    assert document is not None
    assert not document.is_complete
