"""Rows of tables: cells with their places.

Owns: splitting a line at its pipes as GitHub does, behind the markers of the lists and quotations it stands in.
Does not know: where tables begin and end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.plans.markdown.blocks import Cell
from remit.plans.texts import Line

_MARKER: Final = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)")
_QUOTE: Final = re.compile(r"[ \t]*>")
_PIPE: Final = re.compile(r"(?<!\\)(?:\\\\)*\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A list item that began on line ``item``, or a quotation (``None``)."""

    item: int | None


def row_cells(line: Line, containers: Sequence[Container]) -> tuple[Cell, ...]:
    """Return the cells of a line, split at pipes without a backslash before them, also inside of code."""
    text = line.text.rstrip()
    start = _behind_markers(line, containers)
    start += len(text[start:]) - len(text[start:].lstrip())
    if text[start : start + 1] == "|":
        start += 1
    if "\\" not in text:
        return _plain_cells(text, start, line.start)
    cells: list[Cell] = []
    for pipe in _PIPE.finditer(text, start):
        cells.append(_cell(line, start, pipe.end() - 1))
        start = pipe.end()
    if text[start:].strip():
        cells.append(_cell(line, start, len(text)))
    return tuple(cells)


def _plain_cells(text: str, start: int, offset: int) -> tuple[Cell, ...]:
    """Return the cells of a line in which nothing is escaped."""
    cells = []
    pieces = text[start:].split("|")
    last = pieces.pop()
    if last.strip():
        pieces.append(last)
    start += offset
    for piece in pieces:
        stripped = piece.strip()
        begin = start + len(piece) - len(piece.lstrip()) if stripped else start
        cells.append(Cell(text=stripped, place=(begin, begin + len(stripped))))
        start += len(piece) + 1
    return tuple(cells)


def _behind_markers(line: Line, containers: Sequence[Container]) -> int:
    offset = 0
    for container in containers:
        if container.item is None:
            found = _QUOTE.match(line.text, offset)
        else:
            found = _MARKER.match(line.text, offset) if container.item == line.number else None
        offset = offset if found is None else found.end()
    return offset


def _cell(line: Line, start: int, end: int) -> Cell:
    written = line.text[start:end]
    stripped = written.strip()
    begin = start + (written.find(stripped) if stripped else 0)
    place = (line.start + begin, line.start + begin + len(stripped))
    return Cell(text=stripped.replace("\\|", "|"), place=place)
