"""Placeholders: what a template leaves to be filled in.

Owns: which texts are placeholders. Written out in docs/reference/plans-contract.md.
Does not know: where they stand. A text that merely speaks of such words is none.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = frozenset({"...", "\N{HORIZONTAL ELLIPSIS}", "todo", "tbd", "tba", "fixme", "xxx", "???"})
_OPENING: Final = re.compile(r"(?:TODO|TBD|FIXME)\s*[:(\N{HORIZONTAL ELLIPSIS}.]", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"<[^<>\n]{1,200}>")
_PROSE: Final = re.compile(r"<[A-Za-z][\w/\N{HORIZONTAL ELLIPSIS}.-]*(?: [\w/\N{HORIZONTAL ELLIPSIS}.-]+)+>")
_BEFORE: Final = frozenset(" /\"'`([")


def placeholder_in(text: str) -> tuple[int, int] | None:
    """Return where a placeholder stands in a text, or ``None``.

    The whole text may be one (``<…>``, ``TODO``, ``…``, a text that begins with ``TODO:``); inside a text only words in
    angle brackets count, ``<package name>``, for ``<button>`` and ``List<Item>`` are code.
    """
    stripped = text.strip()
    start = text.find(stripped) if stripped else 0
    whole = (start, start + len(stripped))
    if stripped.lower() in _WORDS or _OPENING.match(stripped) or _BRACKETED.fullmatch(stripped):
        return whole
    if "<" not in text:
        return None
    for found in _BRACKETED.finditer(text):
        before = text[found.start() - 1] if found.start() else " "
        if before in _BEFORE and _PROSE.fullmatch(found.group()):
            return found.span()
    return None


def is_choice(text: str, options: tuple[str, ...]) -> bool:
    """Whether a text offers the options instead of taking one, as ``low|medium|high|critical`` does."""
    offered = [part.strip().lower() for part in text.split("|")]
    return len(offered) > 1 and all(part in options for part in offered)
