"""Blocks of Markdown texts: what is found, and that places are those of the words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from remit.diagnostics import Diagnostics
from remit.plans.markdown import Block, Code, Heading, ListItem, Paragraph, Rule, Table, read_blocks
from remit.plans.texts import PlanText, read_text


def read(written: str) -> tuple[PlanText, tuple[Block, ...]]:
    text = read_text(written.encode(), path="plan.md", diagnostics=Diagnostics())
    assert text is not None
    return text, read_blocks(text)


def shown(written: str) -> list[str]:
    """Return blocks as short lines: kind, depth or level, lines, and the words at their places."""
    text, blocks = read(written)
    return [_shown(text, block) for block in blocks]


def _shown(text: PlanText, block: Block) -> str:
    lines = f"{block.first}-{block.last}"
    match block:
        case Heading():
            return f"h{block.level} {lines} {text.text[slice(*block.place)]}"
        case ListItem():
            number = "" if block.number is None else f"{block.number}."
            return f"item{block.depth} {lines} {number}{text.text[slice(*block.place)]}"
        case Paragraph():
            return f"p{block.depth} {lines} {text.text[slice(*block.place)]!r}"
        case Code():
            return f"code {lines} {block.info}:{block.text!r}"
        case Table():
            rows = [block.header, *block.rows]
            return f"table {lines} " + " / ".join(
                ",".join(text.text[slice(*cell.place)] for cell in row) for row in rows
            )
        case Rule():
            return f"rule {lines}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("- a\n  - b\n    - c\n- d\n", ["item1 1-3 a", "item2 2-3 b", "item3 3-3 c", "item1 4-4 d"]),
        ("7. a\n8. b\n", ["item1 1-1 7.a", "item1 2-2 8.b"]),
        ("1) a\n   - b\n", ["item1 1-2 1.a", "item2 2-2 b"]),
        ("- a\nlazy\n  own\n- b\n", ["item1 1-3 a", "item1 4-4 b"]),
        ("- a\n\n\n- b\n\ntext\n", ["item1 1-1 a", "item1 4-4 b", "p0 6-6 'text'"]),
        ("- a\n\n  more\n  words\n", ["item1 1-4 a", "p1 3-4 'more\\n  words'"]),
        ("- - a\n", ["item1 1-1 ", "item2 1-1 a"]),
        ("- \n  a\n- b\n", ["item1 1-2 a", "item1 3-3 b"]),
        ("-\n\n  a\n", ["item1 1-1 ", "p0 3-3 'a'"]),
        ("-   wide\n-\ttab\n", ["item1 1-1 wide", "item1 2-2 tab"]),
        ("- [ ] a  \n- [x]\u00a0b\n", ["item1 1-1 [ ] a", "item1 2-2 [x]\u00a0b"]),
        ("- [P1]: a\n", ["item1 1-1 [P1]: a"]),
        ("> - a\n> more\n", ["item1 1-2 a"]),
        ("- # a\n- > b\n", ["item1 1-1 ", "h1 1-1 a", "item1 2-2 ", "p1 2-2 'b'"]),
        ("text\n- a\n", ["p0 1-1 'text'", "item1 2-2 a"]),
        ("text\n2. no list\n", ["p0 1-2 'text\\n2. no list'"]),
        ("<!--\n- hidden\n-->\n- a\n", ["item1 4-4 a"]),
    ],
)
def test_lists_have_depth_lines_and_places(written: str, expected: list[str]) -> None:
    """
    Nested, ordered, lazy, quoted and oddly indented lists; an item ends where its last word does.
    """
    assert expected == shown(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("# A # B ##\n", ["h1 1-1 A # B"]),
        ("## A \\#\n### A#\n", ["h2 1-1 A \\#", "h3 2-2 A#"]),
        ("#\n   # a #  \n", ["h1 1-1 ", "h1 2-2 a"]),
        ("A\n===\nB\n---\n", ["h1 1-2 A", "h2 3-4 B"]),
        ("A\nB\n===\n", ["h1 1-3 A\nB"]),
        ("> # a\n", ["h1 1-1 a"]),
        ("1. ## a\n", ["item1 1-1 1.", "h2 1-1 a"]),
        ("#no\n", ["p0 1-1 '#no'"]),
        ("a\n\n***\nb\n", ["p0 1-1 'a'", "rule 3-3", "p0 4-4 'b'"]),
    ],
)
def test_headings_have_level_and_place(written: str, expected: list[str]) -> None:
    """
    Both forms of headings, with closing marks or without, also inside of lists and quotations.
    """
    assert expected == shown(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("|a|b|\n|-|-|\n|1|2|\n", ["table 1-3 a,b / 1,2"]),
        ("a | b\n--|--\n1 | 2 | 3\n4\n", ["table 1-4 a,b / 1,2,3 / 4"]),
        ("| a |\n|---|\n| x \\| y |\n", ["table 1-3 a / x \\| y"]),
        ("| a | b |\n|---|---|\n| `x|y` |\n", ["table 1-3 a,b / `x,y`"]),
        ("| a | b |\n|---|---|\n| x\\\\| y |\n", ["table 1-3 a,b / x\\\\,y"]),
        ("| a | b |\n|---|---|\n|| y |\n|  |  |\n", ["table 1-4 a,b / ,y / ,"]),
        ("- a\n\n  | b |\n  |---|\n  | - c |\n", ["item1 1-5 a", "table 3-5 b / - c"]),
        ("- | a |\n  |---|\n  | b |\n", ["item1 1-3 ", "table 1-3 a / b"]),
        ("> | a |\n> |---|\n> | > b |\n", ["table 1-3 a / > b"]),
        ("1. > | a |\n   > |---|\n   > | 1. b |\n", ["item1 1-3 1.", "table 1-3 a / 1. b"]),
        ("| a |\r\n|---|\r\n| b |\r\n", ["table 1-3 a / b"]),
        ("| a |\n|---|\n| b |\n\ntext | more\n", ["table 1-3 a / b", "p0 5-5 'text | more'"]),
        ("| a | b |\n|---|\n", ["p0 1-2 '| a | b |\\n|---|'"]),
    ],
)
def test_tables_are_split_as_github_does(written: str, expected: list[str]) -> None:
    """
    Escaped pipes, code, missing and surplus cells, tables in items and quotations; places are those of the cells.
    """
    assert expected == shown(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("```sh\na | b\n# c\n```\n", ["code 1-4 sh:'a | b\\n# c\\n'"]),
        ("- a\n  ```sh\n  - b\n  ```\n- c\n", ["item1 1-4 a", "code 2-4 sh:'- b\\n'", "item1 5-5 c"]),
        ("~~~\n```\n~~~\n", ["code 1-3 :'```\\n'"]),
        ("```\nno end\n# a\n", ["code 1-3 :'no end\\n# a\\n'"]),
        ("a\n\n    code\n\nb\n", ["p0 1-1 'a'", "code 3-3 :'code\\n'", "p0 5-5 'b'"]),
        ("```\r\na\r\n```\r\n", ["code 1-3 :'a\\n'"]),
    ],
)
def test_code_hides_what_looks_like_structure(written: str, expected: list[str]) -> None:
    """
    Nothing inside of code is a heading, item or table, also in items and without an end.
    """
    assert expected == shown(written)


def test_text_behind_escaped_pipe_reads_as_pipe() -> None:
    """
    A cell's text has the pipe that its author meant, its place the characters that stand in the file.
    """
    text, (table,) = read("| a |\n|---|\n| x \\| y |\n")

    assert isinstance(table, Table)
    cell = table.rows[0][0]
    assert ("x | y", "x \\| y") == (cell.text, text.text[slice(*cell.place)])


MARKUP = st.lists(
    st.sampled_from(
        ["- ", "1. ", "> ", "# ", "|", "a", "b c", "\n", "\n\n", "  ", "    ", "\t", "---", "```", "===", "\\", "é"]
    ),
    max_size=40,
).map("".join)


@given(MARKUP)
def test_places_are_those_of_the_words(written: str) -> None:
    """
    Whatever the text: blocks come in reading order, their lines exist, and at an item's place stands its text.
    """
    text, blocks = read(written)

    for block in blocks:
        assert 1 <= block.first <= block.last <= len(text.lines)
    for block in blocks:
        match block:
            case ListItem():
                assert block.text == text.text[slice(*block.place)]
            case Heading() if "\n" not in block.text:
                assert block.text == text.text[slice(*block.place)]
            case Table():
                cells = [cell for row in (block.header, *block.rows) for cell in row]
                assert [cell.text for cell in cells] == [text.text[slice(*c.place)].replace("\\|", "|") for c in cells]
            case _:
                pass


@pytest.mark.parametrize(
    "behind",
    ["", "\n| x | y |", "text", "# Heading", "> quoted", "- item", "```\n| x |\n```", "    | code |", "***", "<div>",
     "\u00a0\n| x | y |", "x \\| y", "1. item"],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("marker", ["", "> ", "- "])
def test_table_ends_where_the_parser_ends_it(marker: str, behind: str) -> None:
    """
    A table has the lines that the parser gives it, whatever follows.
    """
    inner = marker if marker != "- " else "  "
    text = marker + f"\n{inner}".join(["| a | b |", "|---|---|", "| 1 | 2 |", "3 | 4", *behind.split("\n")])
    parsed = MarkdownIt("commonmark").enable("table").parse(text)

    found = [block for block in read(text)[1] if isinstance(block, Table)]

    assert [token.map[0] + 1 for token in parsed if token.type == "table_open" and token.map] == [
        one.first for one in found
    ]
    assert sum(token.type == "tr_open" for token in parsed) == sum(1 + len(one.rows) for one in found)
    assert found
