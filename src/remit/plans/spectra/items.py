"""The lines of a task: bullets, indentation, keys and values, in whatever form they are written.

Owns: cutting one line into its parts, with places.
Does not know: which keys there are or what values mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remit.plans.spectra.names import field_of, header_field_of
from remit.plans.spectra.pieces import Piece
from remit.plans.texts import Line

_TAB_STOP: Final = 4
_BULLET: Final = re.compile(r"(?:[-*+]|[0-9]{1,3}[.)])(?:[ \t]+|$)")
_KEY: Final = re.compile(
    r"(?P<open>\*\*|__)?(?P<key>[A-Za-z][A-Za-z0-9 _/-]{0,30})(?P<close>\*\*|__)?[ \t]*:(?P<late>\*\*|__)?"
)
_CHECKBOX: Final = re.compile(r"\[(?P<mark>[^\[\]]{0,3})\](?:[ \t]+|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line that is not blank.

    ``indent`` counts columns; ``bullet`` is the mark of a list item, ``""`` without one; ``content`` is everything
    behind it. ``key`` and ``value`` are set where the content is a key with a colon; ``key_at`` covers the key with its
    markup and colon. ``is_bold`` says that bold marks stand around key and value together,
    ``is_heading`` that the line is a heading.
    """

    line: Line
    indent: int
    bullet: str
    content: Piece
    key: Piece | None = None
    value: Piece | None = None
    key_at: tuple[int, int] = (0, 0)
    is_bold: bool = False
    is_heading: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Return the place of everything that is written on the line."""
        return self.line.place


def read_item(line: Line) -> Item:
    """Return the parts of a line that is not blank."""
    text = line.text
    size = len(text) - len(text.lstrip(" \t"))
    bullet = _BULLET.match(text, size)
    start = size if bullet is None else bullet.end()
    content = Piece(text[start:].rstrip(), line.start + start)
    found = _key(content)
    return Item(
        line=line,
        indent=_columns(text[:size]),
        bullet="" if bullet is None else bullet.group().strip(),
        content=content,
        key=None if found is None else found[0],
        value=None if found is None else found[1],
        key_at=(0, 0) if found is None else (content.start, found[2]),
        is_bold=found is not None and found[1].end < content.end,
    )


def _columns(space: str) -> int:
    columns = 0
    for character in space:
        columns += _TAB_STOP - columns % _TAB_STOP if character == "\t" else 1
    return columns


def _key(content: Piece) -> tuple[Piece, Piece, int] | None:
    """Return the key, the value, and the offset after the colon; a colon without space makes only known keys."""
    found = _KEY.match(content.text)
    if found is None:
        return None
    bold = found["open"] or ""
    key = content.cut(*found.span("key")).strip()
    rest = content.cut(found.end())
    if bold and bold not in {found["close"], found["late"]}:
        if rest.text.count(bold) != 1 or not rest.text.endswith(bold) or not _is_known(key.text):
            return None
        rest = rest.cut(0, len(rest.text) - len(bold))
    if rest.text and not rest.text[0].isspace() and field_of(key.text) is None:
        return None
    return key, rest.strip(), rest.start


def _is_known(key: str) -> bool:
    return field_of(key) is not None or header_field_of(key) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkbox:
    """A check mark: ``mark`` is what stands between the brackets, ``text`` what stands behind them."""

    item: Item
    mark: Piece
    text: Piece


def read_checkbox(item: Item) -> Checkbox | None:
    """Return the check mark that an item begins with, or ``None``."""
    found = _CHECKBOX.match(item.content.text) if item.bullet else None
    if found is None:
        return None
    return Checkbox(item=item, mark=item.content.cut(*found.span("mark")), text=item.content.cut(found.end()).strip())
