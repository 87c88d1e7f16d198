"""Names of compiled steps: ids that expressions can use without quoting, unique in the document.

Owns: how an id of a plan becomes the id of a step. The same plan gives the same names.
Does not know: what the steps do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

SLUG_CHARACTERS_MAX: Final = 60
"""Of 100 that an id may have: the rest is for what the compiler puts around it."""

NAME_CHARACTERS_MAX: Final = 100
_OTHERS: Final = re.compile(r"[^a-z0-9]+")


class Names:
    """Gives ids, none twice."""

    __slots__ = ("_next", "_taken")

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, prefix: str, text: str) -> str:
        """Return an id that begins with a prefix and shows a text; a number follows where it is taken already."""
        slug = slug_of(text, "_")[:SLUG_CHARACTERS_MAX].strip("_")
        wanted = f"{prefix}_{slug}" if slug else prefix
        found = wanted
        number = self._next.get(wanted, 2)
        while found in self._taken:  # bound: each turn passes one id that was given
            found = f"{wanted}_{number}"
            number += 1
        self._next[wanted] = number
        self._taken.add(found)
        return found


def slug_of(text: str, separator: str) -> str:
    """Return the letters and digits of a text in lower case; letters with marks lose them, other scripts go."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _OTHERS.sub(separator, plain).strip(separator)


def definition_name(text: str) -> str:
    """Return a text as the name of a definition."""
    slug = slug_of(text, "-")[:NAME_CHARACTERS_MAX].strip("-")
    if not slug:
        return "plan"
    return slug if slug[0].isalpha() else f"plan-{slug}"[:NAME_CHARACTERS_MAX]
