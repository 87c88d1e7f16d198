"""Positions in a text, and the text with its lines.

Owns: what a line is (ended by LF, CRLF or a lone CR, as editors count), and the way from an offset to line and column.
Does not know: what the text means. Offsets and columns count Unicode code points.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two characters; ``line`` and ``column`` start at 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of text; ``end`` is the place after its last character."""

    start: Position
    end: Position


FILE_START: Final = Span(Position(1, 1), Position(1, 1))
"""Where a finding about a whole file stands."""


class Source:
    """One text under the path that findings name.

    Args:
        path: As the user wrote it; only shown.
        text: Without byte-order mark.
    """

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]

    def position(self, offset: int) -> Position:
        """Return the position of an offset; offsets outside the text count as its nearest end."""
        inside = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, inside)
        return Position(line, inside - self._starts[line - 1] + 1)

    def span(self, start: int, end: int) -> Span:
        """Return the span of the characters from ``start`` up to, not including, ``end``."""
        return Span(self.position(start), self.position(max(start, end)))

    def offset(self, position: Position) -> int:
        """Return the offset of a position; a line or column past the end counts as the text's or the line's end."""
        if position.line > len(self._starts):
            return len(self.text)
        start = self._starts[position.line - 1]
        return min(start + position.column - 1, start + len(self.line(position.line)))

    @property
    def line_count(self) -> int:
        """Return how many lines there are; an empty text has one."""
        return len(self._starts)

    def line_start(self, number: int) -> int:
        """Return the offset where a line begins; ``number`` counts from 1 and is one of the text's."""
        return self._starts[number - 1]

    def line(self, number: int) -> str:
        """Return a line without its ending; ``""`` for a line that does not exist."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")
