"""Reading Markdown: the parser's tokens become blocks with places.

Owns: the way from lines, which is all that the parser knows, to offsets of titles, items and paragraphs.
Does not know: inline syntax. CommonMark and GitHub's tables are the parser's (markdown-it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock, table
from markdown_it.token import Token

from remit.plans.markdown.blocks import Block, Code, Heading, ListItem, Paragraph, Place, Rule, Table
from remit.plans.markdown.rows import Container, row_cells
from remit.plans.texts import Line, PlanText

_NESTING_MAX: Final = 40
"""Lists count two levels, quotations one. What is nested deeper is not looked at; nobody reads it either."""


_SILENT: Final = True
"""Rules of the parser only say whether they fit."""

_ASIDE: Final = Token("aside", "", 0)
"""Stands for every token within a table: the parser writes into it, and nobody reads it."""


def read_blocks(text: PlanText) -> tuple[Block, ...]:
    """Return the blocks of a text in reading order, those inside a list item after it."""
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING_MAX}).enable("table")
    # Inline syntax is not read, so that nothing refers; a line such as `[P1]: text` would be lost.
    parser.disable("reference")
    parser.block.ruler.at("table", _table_alone, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.enableOnly(["normalize", "block"])
    tokens = parser.parse(text.text)
    return tuple(_Reader(tokens, text.lines).blocks())


def _table_alone(state: StateBlock, first: int, last: int, silent: bool) -> bool:  # noqa: FBT001 - the parser's
    """Read a table as the parser does, and keep its opening token: cells are read from the lines.

    A document of tables would else make three tokens for each cell, most of what reading takes. The parser decides by
    heading and delimiter whether it is a table; where it ends is decided here, by the parser's rules.
    """
    if silent:
        return table(state, first, last, silent)
    state.__class__ = _TableState
    try:
        is_table = table(state, first, min(first + 2, last), silent)
    finally:
        state.__class__ = StateBlock
    if is_table:
        state.line = _end_of_table(state, first + 2, last)
        state.tokens[-1].map = [first, state.line]
    return is_table


def _end_of_table(state: StateBlock, first: int, last: int) -> int:
    """Return the line that ends a table: blank, less indented, indented as code, or the beginning of another block."""
    parent, state.parentType = state.parentType, "table"
    others = state.md.block.ruler.getRules("blockquote")
    line = first
    while line < last and state.sCount[line] >= state.blkIndent:
        start = state.bMarks[line] + state.tShift[line]
        # No other block begins with a pipe.
        if state.src[start : start + 1] != "|":
            is_blank = not mdTrim(state.src[start : state.eMarks[line]])
            if is_blank or any(rule(state, line, last, _SILENT) for rule in others):
                break
        if state.is_code_block(line):
            break
        line += 1
    state.parentType = parent
    return line


class _TableState(StateBlock):
    """The parser's state inside a table: the first token is kept, what is within is told to nobody."""

    __slots__ = ()

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Keep the token that opens a table; all others are made once and thrown away."""
        if ttype == "table_open":
            return super().push(ttype, tag, nesting)
        if ttype == "table_close":
            self.level -= 1
        return _ASIDE


@dataclass(frozen=True, slots=True)
class _At:
    """A token that opens a block, its lines, and the token after it."""

    token: Token
    first: int
    last: int
    inner: Token | None


class _Reader:
    """Goes through the tokens and keeps the containers that it is in."""

    def __init__(self, tokens: Sequence[Token], lines: tuple[Line, ...]) -> None:
        self._tokens = tokens
        self._lines = lines
        self._containers: list[Container] = []
        # The last line up to each one that is not blank: blocks end there, whatever the parser counts in.
        self._filled = [0] * (len(lines) + 1)
        for line in lines:
            self._filled[line.number] = line.number if line.text.strip() else self._filled[line.number - 1]

    def blocks(self) -> Iterator[Block]:
        for index, token in enumerate(self._tokens):
            match token.type:
                case "list_item_open":
                    at = self._at(index)
                    self._containers.append(Container(item=at.first))
                    yield self._item(at, index)
                case "blockquote_open":
                    self._containers.append(Container(item=None))
                case "list_item_close" | "blockquote_close":
                    self._containers.pop()
                case _:
                    yield from self._block(token, index)

    def _block(self, token: Token, index: int) -> Iterator[Block]:
        match token.type:
            case "heading_open":
                yield self._heading(self._at(index))
            case "table_open":
                yield self._table(self._at(index))
            case "fence" | "code_block":
                yield self._code(self._at(index))
            case "hr":
                at = self._at(index)
                yield Rule(first=at.first, last=at.last)
            # An item's own first paragraph is the item's.
            case "paragraph_open" if self._tokens[index - 1].type != "list_item_open" or not index:
                yield self._paragraph(self._at(index))

    def _at(self, index: int) -> _At:
        token = self._tokens[index]
        assert token.map is not None
        first = token.map[0] + 1
        last = max(self._filled[min(token.map[1], len(self._lines))], first)
        inner = self._tokens[index + 1] if index + 1 < len(self._tokens) else None
        return _At(token, first, last, inner)

    def _item(self, at: _At, index: int) -> ListItem:
        """Return an item; its text is the first line of its paragraph, empty if it begins with another block."""
        content, place = "", self._end_of(at.first, "")
        if at.inner is not None and at.inner.type == "paragraph_open":
            content = self._tokens[index + 2].content.partition("\n")[0].rstrip()
            place = self._end_of(self._at(index + 1).first, content)
        number = int(at.token.info) if at.token.info.isdigit() else None
        depth = sum(container.item is not None for container in self._containers)
        return ListItem(text=content, place=place, depth=depth, number=number, first=at.first, last=at.last)

    def _heading(self, at: _At) -> Heading:
        content = "" if at.inner is None else at.inner.content
        level = int(at.token.tag[1:])
        if not at.token.markup.startswith("#"):
            return Heading(level=level, text=content, place=self._lines_of(at, content), first=at.first, last=at.last)
        line = self._lines[at.first - 1]
        behind = line.text.index(at.token.markup) + len(at.token.markup)
        start = line.start + max(line.text.find(content, behind), behind)
        return Heading(level=level, text=content, place=(start, start + len(content)), first=at.first, last=at.last)

    def _paragraph(self, at: _At) -> Paragraph:
        content = "" if at.inner is None else at.inner.content
        depth = sum(container.item is not None for container in self._containers)
        return Paragraph(text=content, place=self._lines_of(at, content), depth=depth, first=at.first, last=at.last)

    def _code(self, at: _At) -> Code:
        place = (self._lines[at.first - 1].start, self._lines[at.last - 1].end)
        return Code(info=at.token.info.strip(), text=at.token.content, place=place, first=at.first, last=at.last)

    def _table(self, at: _At) -> Table:
        rows = [
            row_cells(line, self._containers)
            for line in self._lines[at.first - 1 : at.last]
            if line.number != at.first + 1
        ]
        return Table(header=rows[0], rows=tuple(rows[1:]), first=at.first, last=at.last)

    def _lines_of(self, at: _At, content: str) -> Place:
        """Return the place of a text that begins and ends with lines of the file, whatever stands before them."""
        written = content.split("\n")
        start, _ = self._end_of(at.first, written[0])
        _, end = self._end_of(at.first + len(written) - 1, written[-1])
        return start, end

    def _end_of(self, number: int, content: str) -> Place:
        """Return the place of what ends a line: markers of items and quotations stand before it."""
        line = self._lines[number - 1]
        end = line.start + len(line.text.rstrip())
        return end - len(content.strip()), end
