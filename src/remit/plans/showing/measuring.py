"""How wide text is when drawn, and breaking it into lines that fit.

Owns: an estimate that errs on the wide side: which font a reader has is not known.
Does not know: what is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NARROW: Final = frozenset("iljI|.,:;'!()[]{}/\\ftr-` ")
_WIDE: Final = frozenset("mwMW@%&—…")

_NARROW_EM: Final = 0.4
_PLAIN_EM: Final = 0.61
_CAPITAL_EM: Final = 0.7
_WIDE_EM: Final = 0.98
_FULL_EM: Final = 1.05
"""Widths in parts of the font size: those of DejaVu Sans, the widest of the fonts that browsers fall back to."""

_WIDTHLESS: Final = frozenset({"Mn", "Me", "Cf"})
"""Marks on the letter before, and joiners."""

_DIRECTED: Final = frozenset({"L", "R", "AL"})

MONO_EM: Final = 0.61

ELLIPSIS: Final = "…"
_LINE_SHARE_MIN: Final = 0.4
"""A word is broken within only where keeping it whole would leave a line emptier than this."""

_HUMP: Final = re.compile(r"[a-z0-9](?=[A-Z])")


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is at a font size."""
    return sum(_em(character) for character in text) * size


def shorten(text: str, *, width: float, size: float) -> str:
    """Return the text, cut with an ellipsis if it is wider than ``width``."""
    end = _fitting(text, 0, width / size)
    if end == len(text):
        return text
    return text[: _fitting(text, 0, width / size - _em(ELLIPSIS))].rstrip() + ELLIPSIS


def wrap(text: str, *, width: float, size: float, lines_max: int) -> tuple[str, ...]:
    """Return the text in at most ``lines_max`` lines; the last one is cut with an ellipsis if there is more."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < lines_max - 1:
        end = _break(rest, width / size)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        lines.append(shorten(rest, width=width, size=size))
    return tuple(lines)


def is_rtl(text: str) -> bool:
    """Whether a text is read from the right: the first letter that has a direction decides, as in browsers."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((way for way in directions if way in _DIRECTED), "L") != "L"


def _break(text: str, width_em: float) -> int:
    """Return where a first line ends: at a space, else where parts of names meet, else anywhere within a word."""
    end = max(1, _fitting(text, 0, width_em))
    if end == len(text) or text[end] == " ":
        return end
    humps = max((found.end() for found in _HUMP.finditer(text, 0, end + 1)), default=0)
    for at in (text.rfind(" ", 0, end) + 1, max(text.rfind(sign, 0, end) for sign in "-/_.(") + 1, humps):
        if at > end * _LINE_SHARE_MIN:
            return at
    return end


def _fitting(text: str, start: int, width_em: float) -> int:
    """Return the end of the longest part from ``start`` that is at most so wide."""
    used = 0.0
    for index in range(start, len(text)):
        used += _em(text[index])
        if used > width_em:
            return index
    return len(text)


def _em(character: str) -> float:
    if character in _NARROW:
        return _NARROW_EM
    if character in _WIDE:
        return _WIDE_EM
    if character.isascii():
        return _CAPITAL_EM if character.isupper() else _PLAIN_EM
    if unicodedata.category(character) in _WIDTHLESS:
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0xFFFF:
        return _FULL_EM
    return _CAPITAL_EM
