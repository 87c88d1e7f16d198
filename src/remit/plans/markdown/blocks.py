"""Blocks of a Markdown text.

Owns: the records. Each has ``first`` and ``last``, the numbers of its lines (counted from 1), and places as offsets of
the text as it is read.
Does not know: how they are found, or what a document means by them.
"""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of level 1 to 6; ``text`` is the raw inline text."""

    level: int
    text: str
    place: Place
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph; ``depth`` counts the list items around it. ``text`` is raw, with its line breaks."""

    text: str
    place: Place
    depth: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListItem:
    """An item of a list: its first line without the marker, such as ``[ ] (B) Seed fixtures (0.5d)``.

    ``depth`` is 1 for an item of an outermost list; items inside an item follow it. ``number`` is set in an ordered
    list. ``place`` is the place of ``text``; ``last`` is the last line of the item with all inside.
    """

    text: str
    place: Place
    depth: int
    number: int | None
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A fenced or indented block of code; ``info`` is what stands after the fence."""

    info: str
    text: str
    place: Place
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table: its text without space around, and ``\\|`` read as ``|``."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. A row has as many cells as are written in it, which may be more or fewer than the header has."""

    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A thematic break."""

    first: int
    last: int


Block = Heading | Paragraph | ListItem | Code | Table | Rule
