"""Places inside strings: from a character of a value back to the text of the file.

Owns: the walk over a scalar's text and its value together, for every style of quoting and folding.
Does not know: what the string means.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.documents.tree import PLAIN, Scalar

_ESCAPE: Final = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|.)", re.DOTALL)
_LINE_JOIN: Final = re.compile(r"\\\r?\n[ \t]*")
_BLOCK_HEADER: Final = re.compile(r"[|>][-+0-9]*[^\n]*\n")
_SPACES: Final = frozenset(" \t\r\n")


def place_within(text: str, scalar: Scalar, start: int, end: int) -> tuple[int, int]:
    """Return where the characters ``start`` to ``end`` of a string scalar stand in the text of its file.

    Exact for text on one line, and for folded and escaped text as long as the walk can follow it; otherwise the place
    of the whole scalar.
    """
    value = scalar.value
    if not isinstance(value, str):
        return scalar.start, scalar.end
    raw = text[scalar.start : scalar.end]
    offsets = _offsets(raw, value, scalar.style)
    if offsets is None:
        return scalar.start, scalar.end
    first = offsets[min(max(start, 0), len(value))]
    last = offsets[min(max(end - 1, start, 0), len(value))]
    return scalar.start + first, scalar.start + last + 1


def _offsets(raw: str, value: str, style: str) -> list[int] | None:
    """Return for each character of the value, and for its end, the offset in the raw text; ``None`` if they differ."""
    if style == PLAIN and raw == value:
        return list(range(len(value) + 1))
    begin = _begin(raw, style)
    offsets: list[int] = []
    at = begin
    for character in value:
        step = _follow(raw, at, character, style)
        if step is None:
            return None
        place, at = step
        offsets.append(place)
    offsets.append(min(at, len(raw)))
    return offsets


def _begin(raw: str, style: str) -> int:
    if style in {"|", ">"}:
        header = _BLOCK_HEADER.match(raw)
        return len(raw) if header is None else header.end()
    return 0 if style == PLAIN else 1


def _follow(raw: str, at: int, character: str, style: str) -> tuple[int, int] | None:
    """Return where a character of the value stands at or behind ``at``, and where the next may stand."""
    if style == '"' and (join := _LINE_JOIN.match(raw, at)):
        at = join.end()
    if at >= len(raw):
        return None
    if style == '"' and (escape := _ESCAPE.match(raw, at)):
        # An emoji written as two halves is one character of the value.
        pair = _ESCAPE.match(raw, escape.end()) if ord(character) > 0xFFFF and escape.group()[1] == "u" else None
        return at, (pair or escape).end()
    if style == "'" and raw.startswith("''", at):
        return at, at + 2
    if raw[at] == character and character not in _SPACES:
        return at, at + 1
    if character in _SPACES:
        return _follow_space(raw, at, character)
    behind = _skip_space(raw, at)
    return (behind, behind + 1) if raw[behind : behind + 1] == character else None


def _follow_space(raw: str, at: int, character: str) -> tuple[int, int] | None:
    if raw[at] == character and character != "\n":
        return at, at + 1
    if raw[at] not in _SPACES:
        return None
    line_end = raw.find("\n", at)
    if line_end < 0 or raw[at:line_end].strip(" \t\r"):
        return None
    return line_end, line_end + 1


def _skip_space(raw: str, at: int) -> int:
    while at < len(raw) and raw[at] in _SPACES:
        at += 1
    return at
