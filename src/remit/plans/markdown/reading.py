"""Reading Markdown: the parser's tokens become blocks with places.

Owns: the way from lines, which is all that the parser knows, to offsets of cells, titles and items.
Does not know: inline syntax. CommonMark and GitHub's tables are the parser's (markdown-it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from remit.plans.markdown.blocks import Block, Cell, Code, Heading, ListItem, Paragraph, Place, Rule, Table
from remit.plans.texts import Line, PlanText

_NESTING_MAX: Final = 40
"""Deeper lists and quotations are read as text."""

_ITEM: Final = re.compile(r"[ \t>]*(?:[-+*]|(\d{1,9})[.)])(?:[ \t]+|$)")
_PIPE: Final = re.compile(r"(?<!\\)(?:\\\\)*\|")


def read_blocks(text: PlanText) -> tuple[Block, ...]:
    """Return the blocks of a text in reading order, those inside a list item after it."""
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING_MAX}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    tokens = parser.parse(text.text)
    return tuple(_blocks(tokens, text.lines))


def _blocks(tokens: Sequence[Token], lines: tuple[Line, ...]) -> Iterator[Block]:
    depth = 0
    for index, token in enumerate(tokens):
        match token.type:
            case "list_item_open":
                depth += 1
                yield _item(token, lines, depth=depth)
            case "list_item_close":
                depth -= 1
            case "heading_open":
                yield _heading(token, lines)
            case "table_open":
                yield _table(token, lines)
            case "fence" | "code_block":
                yield _code(token, lines)
            case "hr":
                first, last = _range(token)
                yield Rule(first=first, last=last)
            case "inline" if tokens[index - 1].type == "paragraph_open":
                # An item's own first line is the item's.
                if not (depth and tokens[index - 2].type == "list_item_open"):
                    yield _paragraph(token, lines, depth=depth)


def _range(token: Token) -> tuple[int, int]:
    assert token.map is not None
    return token.map[0] + 1, max(token.map[1], token.map[0] + 1)


def _item(token: Token, lines: tuple[Line, ...], *, depth: int) -> ListItem:
    first, last = _range(token)
    line = lines[first - 1]
    marker = _ITEM.match(line.text)
    found = len(line.text) if marker is None else marker.end()
    start = line.start + found
    stripped = line.text[found:].rstrip()
    number = int(token.info) if token.info.isdigit() else None
    return ListItem(
        text=stripped, place=(start, start + len(stripped)), depth=depth, number=number, first=first, last=last
    )


def _heading(token: Token, lines: tuple[Line, ...]) -> Heading:
    first, last = _range(token)
    line = lines[first - 1]
    raw = line.text
    stripped = raw.strip().strip("#").strip() if token.markup.startswith("#") else raw.strip()
    start = line.start + raw.find(stripped)
    return Heading(
        level=int(token.tag[1:]), text=stripped, place=(start, start + len(stripped)), first=first, last=last
    )


def _paragraph(token: Token, lines: tuple[Line, ...], *, depth: int) -> Paragraph:
    first, last = _range(token)
    place = (lines[first - 1].place[0], lines[last - 1].place[1])
    return Paragraph(text=token.content, place=place, depth=depth, first=first, last=last)


def _code(token: Token, lines: tuple[Line, ...]) -> Code:
    first, last = _range(token)
    return Code(
        info=token.info.strip(),
        text=token.content,
        place=(lines[first - 1].start, lines[last - 1].end),
        first=first,
        last=last,
    )


def _table(token: Token, lines: tuple[Line, ...]) -> Table:
    first, last = _range(token)
    rows = tuple(_row(line) for line in lines[first + 1 : last])
    return Table(header=_row(lines[first - 1]), rows=rows, first=first, last=last)


def _row(line: Line) -> tuple[Cell, ...]:
    """Return the cells of a line, split at pipes without a backslash before them, as GitHub does."""
    text = line.text.rstrip()
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] == "|":
        start += 1
    cells: list[Cell] = []
    for pipe in _PIPE.finditer(text, start):
        cells.append(_cell(line, start, pipe.end() - 1))
        start = pipe.end()
    if text[start:].strip():
        cells.append(_cell(line, start, len(text)))
    return tuple(cells)


def _cell(line: Line, start: int, end: int) -> Cell:
    written = line.text[start:end]
    stripped = written.strip()
    begin = start + (written.find(stripped) if stripped else 0)
    place: Place = (line.start + begin, line.start + begin + len(stripped))
    return Cell(text=stripped.replace("\\|", "|"), place=place)
