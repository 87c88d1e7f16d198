"""YAML: one meaning, one tree, all findings."""

import pytest

from remit.core.canonical import JsonValue
from remit.plans.documents import Mapping, Scalar
from tests.unit.plans.reading import findings_of, lines, read, value_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"), ("Off", "Off"), ("yes", "yes"), ("y", "y"), ("true", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nUll", "nUll"), ("'null'", "null"), ('"1"', "1"),
        ("1", 1), ("-1", -1), ("+1", 1), ("0", 0), ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"), ("1_000", "1_000"),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-2", 0.01), ("-.5", -0.5), ("1.", 1.0),
        ("12:30:00", "12:30:00"), ("2026-01-31", "2026-01-31"), ("1.2.3", "1.2.3"), ("-", [None]), (".", "."),
        ("9007199254740991", 9007199254740991), ("-9007199254740991", -9007199254740991), ("1e", "1e"), ("-x", "-x"),
        ("=", "="), ("+", "+"), ("Infinity1", "Infinity1"), ("nan", "nan"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_plain_scalar_has_its_meaning_of_yaml_1_2(text: str, expected: JsonValue) -> None:
    """
    Plain scalars are resolved by the core schema of YAML 1.2, and quoted ones are strings.
    """
    value = value_of(f"a: {text}\n" if text != "-" else "a:\n-")
    assert isinstance(value, dict)
    assert expected == value["a"]
    assert type(expected) is type(value["a"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (".nan", "NUMBER_NOT_FINITE"), (".NaN", "NUMBER_NOT_FINITE"), ("-.inf", "NUMBER_NOT_FINITE"),
        ("NaN", "NUMBER_NOT_FINITE"), ("1e999", "NUMBER_NOT_FINITE"), ("1e-999", "NUMBER_OUT_OF_RANGE"),
        ("9007199254740992", "NUMBER_OUT_OF_RANGE"), ("0x20000000000000", "NUMBER_OUT_OF_RANGE"),
        ("9" * 5_000, "NUMBER_OUT_OF_RANGE"), ("&a 1", "YAML_ANCHOR"), ("*a", "YAML_ALIAS"), ("!!str 1", "YAML_TAG"),
        ("!x 1", "YAML_TAG"), ("! 1", "YAML_TAG"), ("!!python/object:os.system 1", "YAML_TAG"),
        ("012", "NUMBER_AMBIGUOUS"),
    ],
)  # fmt: skip
def test_value_that_is_no_json_is_refused_at_its_place(text: str, code: str) -> None:
    """
    Each refused value is one finding, where the value stands.
    """
    assert [f"2:4 {code}"] == findings_of(f"x: 1\na: {text}\nb: 2\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\nb: 4\n", ["3:1 KEY_DUPLICATE", "4:1 KEY_DUPLICATE"]),
        ("a: 1\n'a': 2\n", ["2:1 KEY_DUPLICATE"]),
        ("1: a\n", ["1:1 KEY_NOT_STRING"]),
        ("null: a\n", ["1:1 KEY_NOT_STRING"]),
        ("true: a\n", ["1:1 KEY_NOT_STRING"]),
        ("? [a]\n: 1\n", ["1:3 KEY_NOT_STRING"]),
        ("? {a: 1}\n: 1\n", ["1:3 KEY_NOT_STRING"]),
        ("<<: {a: 1}\n", ["1:1 YAML_MERGE_KEY"]),
        ("x: &a {b: 1}\ny:\n  <<: *a\n", ["1:4 YAML_ANCHOR", "3:3 YAML_MERGE_KEY", "3:7 YAML_ALIAS"]),
        ("*a : 1\n", ["1:1 YAML_ALIAS"]),
        ("a: 1\n---\nb: 2\n", ["2:1 YAML_MULTIPLE_DOCUMENTS"]),
        ("%YAML 1.1\n---\na: 1\n", ["1:1 YAML_DIRECTIVE"]),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", ["1:1 YAML_DIRECTIVE"]),
        ("a: [1, 2\nb: 3\n", ["2:2 SYNTAX_INVALID"]),
        ("a: b: c\n", ["1:5 SYNTAX_INVALID"]),
        ("a: 'x\n", ["2:1 SYNTAX_INVALID"]),
        ("a: @x\n", ["1:4 SYNTAX_INVALID"]),
        ("a: 1\n b: 2\n", ["2:3 SYNTAX_INVALID"]),
        ("", ["1:1 DOCUMENT_EMPTY"]),
        ("# only a comment\n", ["1:1 DOCUMENT_EMPTY"]),
        ("null\n", ["1:1 DOCUMENT_EMPTY"]),
        ("{}\n", ["1:1 DOCUMENT_EMPTY"]),
    ],
)  # fmt: skip
def test_structure_that_has_two_meanings_is_refused(text: str, expected: list[str]) -> None:
    """
    Keys are strings and unique, and nothing refers to anything else.
    """
    assert expected == findings_of(text)


def test_all_mistakes_of_a_file_are_reported_together() -> None:
    """
    Reading goes on behind each mistake: one file, one list.
    """
    text = 'a: &x 1\nb: *x\na: 2\nc: .inf\nd: !t 1\n5: e\nf: \'\\q\'\ng: "\\q"\nh: "\\ud800"\ni: 007\n'
    expected = [
        "1:4 YAML_ANCHOR", "2:4 YAML_ALIAS", "3:1 KEY_DUPLICATE", "4:4 NUMBER_NOT_FINITE", "5:4 YAML_TAG",
        "6:1 KEY_NOT_STRING", "8:5 SYNTAX_INVALID", "9:5 SURROGATE_LONE", "10:4 NUMBER_AMBIGUOUS",
    ]  # fmt: skip

    assert expected == findings_of(text)


def test_every_line_with_a_tab_is_reported() -> None:
    """
    Tabs as indentation are reported line by line, tabs inside texts are not.
    """
    text = "a:\n\t- b\n\t- |\n\t  x\n\ty: 1\nc: |\n  x\n  \ty\nd: 'a\tb'\n"
    document, diagnostics = read(text)

    assert {"2:1 TAB_INDENTATION", "3:1 TAB_INDENTATION"} <= set(lines(diagnostics))
    assert not [line for line in lines(diagnostics) if line.startswith(("7:", "8:", "9:"))]
    assert document is not None


def test_repeated_key_names_its_first_place() -> None:
    """
    A duplicate says where the key was first used.
    """
    _, diagnostics = read("a: 1\nb:\n  c: 1\n  c: 2\n")
    (finding,) = diagnostics

    assert (3, 3) == (finding.related[0].span.start.line, finding.related[0].span.start.column)


def test_nesting_is_bounded_before_it_is_built() -> None:
    """
    64 levels are read; the 65th is refused once, whatever opens it.
    """
    assert [] == findings_of("[" * 64 + "]" * 64)
    assert ["1:65 NESTING_TOO_DEEP"] == findings_of("[" * 65 + "]" * 65)
    assert ["1:65 NESTING_TOO_DEEP"] == findings_of("[" * 100_000)
    assert ["1:129 NESTING_TOO_DEEP"] == findings_of("- " * 100_000)
    assert ["1:129 NESTING_TOO_DEEP"] == findings_of("? " * 100_000)


def test_nodes_know_their_place() -> None:
    """
    Every key and value has the offsets of its text.
    """
    text = "é: 'x'\nlist:\n  - one\n  - {a: 2}\n"
    document, _ = read(text)
    assert document is not None
    root = document.root
    assert isinstance(root, Mapping)
    entry = root.entries["é"]
    assert isinstance(entry.value, Scalar)

    assert ("é", "'x'") == (text[entry.key.start : entry.key.end], text[entry.value.start : entry.value.end])


@pytest.mark.parametrize(
    ("path", "text"),
    [("a.yaml", 'a: "x\\0"\n'), ("a.yaml", 'a: "\\x00"\n'), ("a.json", '{\n"a": "\\u0000"}')],
    ids=["short", "hex", "json"],
)
def test_nul_as_escape_is_refused(path: str, text: str) -> None:
    """
    What no database takes as text is refused in both syntaxes.
    """
    (found,) = findings_of(text, path=path)

    assert "CHARACTER_FORBIDDEN" == found.split()[1]


def test_unfinished_document_says_so() -> None:
    """
    After a mistake of syntax the rest is unknown, so the document is not complete.
    """
    document, _ = read("a: 1\nb: [1\n")

    assert document is not None
    assert not document.is_complete


def test_alias_bomb_is_answered_with_findings() -> None:
    """
    A text of 324 bytes that stands for gigabytes elsewhere is a list of refusals here.
    """
    levels = "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8))
    found = findings_of("a: &a [lol]\n" + levels)

    assert {"YAML_ANCHOR", "YAML_ALIAS"} == {line.split()[1] for line in found}
    assert 9 + 72 == len(found)
