"""Words of findings: lists of names, and the name that was meant.

Owns: how a few of many names are shown, and when two ids are the same but for their spelling.
Does not know: any finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

_SHOWN_MAX: Final = 5
_WORDS: Final = re.compile(r"\d+|[^\W\d_]+")
_DIGITS_MAX: Final = 18


def listed(names: Sequence[str]) -> str:
    """Return names as a list for people, the first five of them: ``a, b and c``, ``a, b, c, d, e and 4 more``."""
    if len(names) > _SHOWN_MAX:
        return f"{', '.join(names[:_SHOWN_MAX])} and {len(names) - _SHOWN_MAX} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "")))


def alike(names: Iterable[str]) -> Callable[[str], str | None]:
    """Return what finds the one name that another is a different spelling of: case, signs, zeros before a number."""
    known: dict[tuple[str | int, ...], set[str]] = {}
    for name in names:
        known.setdefault(_spelling(name), set()).add(name)

    def meant(name: str) -> str | None:
        found = known.get(_spelling(name), set())
        return next(iter(found)) if len(found) == 1 else None

    return meant


def _spelling(name: str) -> tuple[str | int, ...]:
    words: list[str] = _WORDS.findall(name)
    return tuple(int(word[-_DIGITS_MAX:]) if word[0].isdecimal() else word.casefold() for word in words)
