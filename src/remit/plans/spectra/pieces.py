"""Pieces of a text with their place: what is cut out of a line still knows where it stood.

Owns: cutting, stripping and splitting without losing offsets.
Does not know: any grammar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from remit.plans.plan import Place

_OPENING: Final = "([{"
_CLOSING: Final = ")]}"
_MARKUP: Final = ("**", "__", "`")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of a text; ``start`` is the offset of the first."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Return the offset after the last character."""
        return self.start + len(self.text)

    @property
    def place(self) -> Place:
        """Return where the piece stands."""
        return self.start, self.end

    def cut(self, start: int, end: int | None = None) -> Piece:
        """Return the characters from ``start`` up to, not including, ``end``, both counted from the piece's first."""
        return Piece(self.text[start:end], self.start + start)

    def strip(self) -> Piece:
        """Return the piece without space around it."""
        left = len(self.text) - len(self.text.lstrip())
        return Piece(self.text.strip(), self.start + left)

    def split(self, separator: str) -> list[Piece]:
        """Return the stripped pieces between separators that stand outside of brackets; empty ones are kept.

        Brackets count if all that are opened are closed.
        """
        ends: list[int] = []
        all_ends: list[int] = []
        depth = 0
        for index, character in enumerate(self.text):
            if character in _OPENING:
                depth += 1
            elif character in _CLOSING:
                depth = max(0, depth - 1)
            elif character == separator:
                all_ends.append(index)
                if depth == 0:
                    ends.append(index)
        found = all_ends if depth else ends
        starts = [0, *(end + 1 for end in found)]
        return [self.cut(start, end).strip() for start, end in zip(starts, [*found, None], strict=True)]

    def without_markup(self) -> Piece:
        """Return the piece without bold marks or backticks around the whole of it."""
        found = self.strip()
        for mark in _MARKUP:
            size = len(mark)
            inner = found.text[size:-size]
            is_marked = found.text.startswith(mark) and found.text.endswith(mark) and mark not in inner
            if is_marked and len(found.text) > 2 * size:
                return found.cut(size, len(found.text) - size).strip()
        return found


def bracketed(piece: Piece) -> Piece | None:
    """Return what stands inside square brackets around the whole of a piece, or ``None`` if none are around it."""
    text = piece.text
    if len(text) < 2 or not (text.startswith("[") and text.endswith("]")):
        return None
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if depth == 0 and index < len(text) - 1:
            return None
    return piece.cut(1, len(text) - 1).strip()


def lines_of(piece: Piece) -> Iterator[Piece]:
    """Return the lines of a piece, without their ends."""
    start = 0
    for line in piece.text.splitlines(keepends=True):
        yield Piece(line.rstrip("\r\n"), piece.start + start)
        start += len(line)


def line_end_at(text: str, offset: int) -> str:
    """Return the line end that stands at an offset, LF where none does."""
    return "\r\n" if text[offset : offset + 2] == "\r\n" else "\n"
