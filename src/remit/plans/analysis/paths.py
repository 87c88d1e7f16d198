"""Paths of claims: when two of them can mean the same file.

Owns: what makes paths alike, and whether two patterns have a file in common.
Does not know: tasks.

- ``./a``, ``a/``, ``a//b`` and ``b/../a`` are ``a``; letters compare without case, and in one form of Unicode.
- A path without wildcard contains every path that is written below it. It is a directory, of which globs may match
  some file, only if it is written with ``/`` at its end or something is written below it.
- ``*`` and ``?`` stand for characters of one part of a path, a whole part ``**`` for any number of parts, ``{a,b}`` for
  either. A pattern contains what is below its matches only if it ends in ``/`` or ``/**``. Brackets are brackets: many
  frameworks name files ``[id].tsx``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Parts = tuple[str, ...]

ANY: Final = "**"

_LENGTH_MAX: Final = 4096
"""Longest path that is taken apart, as file systems have it; a longer one equals only itself."""

_ROUNDS_MAX: Final = 128
"""Rounds in which braces are taken apart, enough for 64 alternatives; beyond, each innermost pair matches anything."""

_BRACES: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A path as it compares.

    ``patterns`` are its alternatives, of which each is one path or pattern; a path that is written as a directory ends
    in ``**``.
    """

    key: str
    patterns: tuple[Parts, ...]
    is_glob: bool = False
    is_directory: bool = False

    @property
    def size(self) -> int:
        """Return how much a comparison has to look at, in characters."""
        return sum(len(part) + 1 for pattern in self.patterns for part in pattern)


def shape_of(path: str) -> Shape:
    """Return what compares of a path; linear in its length, which is bounded."""
    if len(path) > _LENGTH_MAX:
        return Shape(key=path, patterns=((path,),))
    folded = unicodedata.normalize("NFC", path.strip().casefold()).replace("\\", "/").replace("\0", "\ufffd")
    alternatives = _alternatives(folded)
    if len(alternatives) == 1 and not _has_wildcard(folded):
        parts = _parts(folded)
        is_directory = folded.endswith("/") or not parts
        return Shape(
            key="/".join(parts), patterns=((*parts, ANY) if is_directory else parts,), is_directory=is_directory
        )
    patterns = tuple(dict.fromkeys(_pattern(alternative) for alternative in alternatives))
    return Shape(key="|".join("/".join(pattern) for pattern in patterns), patterns=patterns, is_glob=True)


def overlap(one: Shape, other: Shape) -> bool:
    """Whether some file is meant by both."""
    return any(_common(first, second) for first in one.patterns for second in other.patterns)


def begin(pattern: Parts) -> int:
    """Return the places of a pattern that can be next before anything is read, as bits."""
    return _skipped(pattern, 1)


def read_name(pattern: Parts, places: int, name: str) -> int:
    """Return the places that can be next after another name of a path; none (0) if no match begins like this."""
    found = 0
    for place, part in enumerate(pattern):
        if not places >> place & 1:
            continue
        if part == ANY:
            found |= 1 << place
        elif name_matches(part, name):
            found |= 2 << place
    return _skipped(pattern, found)


def _skipped(pattern: Parts, places: int) -> int:
    for place, part in enumerate(pattern):
        if part == ANY and places >> place & 1:
            places |= 2 << place
    return places


def fixed_prefix(pattern: Parts) -> Parts:
    """Return the parts before the first wildcard."""
    for place, part in enumerate(pattern):
        if _has_wildcard(part):
            return pattern[:place]
    return pattern


def _alternatives(path: str) -> tuple[str, ...]:
    """Return what the braces of a path stand for, innermost first."""
    found: list[str] = []
    unread = [path]
    for _ in range(_ROUNDS_MAX):
        if not unread:
            return tuple(found)
        one = unread.pop()
        brace = next((brace for brace in _BRACES.finditer(one) if "," in brace.group(1)), None)
        if brace is None:
            found.append(one)
            continue
        start, end = brace.span()
        unread += [one[:start] + option + one[end:] for option in reversed(brace.group(1).split(","))]
    return (_BRACES.sub("*", path),)


def _pattern(path: str) -> Parts:
    parts = _parts(path)
    # An alternative without wildcard, of ``{src,lib}``, may be a directory unless it looks like a file.
    is_open = not any(map(_has_wildcard, parts)) and "." not in "".join(parts[-1:])
    below = path.endswith("/") or is_open
    return (*parts, ANY) if below and parts[-1:] != (ANY,) else parts


def _parts(path: str) -> Parts:
    parts: list[str] = []
    for part in path.split("/"):
        if part in {"", "."}:
            continue
        if part == ".." and parts and parts[-1] not in {"..", ANY}:
            parts.pop()
        elif not (part == ANY and parts[-1:] == [ANY]):
            parts.append(part)
    return tuple(parts)


def _has_wildcard(part: str) -> bool:
    return "*" in part or "?" in part


def name_matches(part: str, name: str) -> bool:
    """Whether a part of a pattern stands for a name."""
    if not _has_wildcard(part):
        return part == name
    if "?" in part or part.count("*") > 1:
        return _letters_common(_squeezed(part), name)
    start, _, end = part.partition("*")
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)


def _common(one: Parts, other: Parts) -> bool:
    """Whether two patterns have a path in common."""
    return _meet(one, other, any_number=ANY, alike=_part_common)


def _part_common(one: str, other: str) -> bool:
    """Whether two parts have a name in common."""
    if not _has_wildcard(other):
        return name_matches(one, other)
    if not _has_wildcard(one):
        return name_matches(other, one)
    return _letters_common(_squeezed(one), _squeezed(other))


def _letters_common(one: str, other: str) -> bool:
    return _meet(one, other, any_number="*", alike=lambda first, second: first == second or "?" in {first, second})


def _meet(one: Sequence[str], other: Sequence[str], *, any_number: str, alike: Callable[[str, str], bool]) -> bool:
    """Whether some sequence matches both of two, in which one word stands for any number of others.

    The product of two automata: for each place in both whether what is left of them has something in common.
    """
    below = [False] * (len(other) + 1)
    for row in range(len(one), -1, -1):
        here = [False] * (len(other) + 1)
        first = one[row] if row < len(one) else None
        for column in range(len(other), -1, -1):
            second = other[column] if column < len(other) else None
            if first is None and second is None:
                here[column] = True
            elif any_number in {first, second}:
                here[column] = (first is not None and _skips(first, second, any_number) and below[column]) or (
                    second is not None and _skips(second, first, any_number) and here[column + 1]
                )
            elif first is not None and second is not None:
                here[column] = below[column + 1] and alike(first, second)
        below = here
    return below[0]


def _skips(word: str, against: str | None, any_number: str) -> bool:
    """Whether a word can be passed over: it stands for nothing, or is taken in by the other."""
    return any_number in {word, against}


def _squeezed(part: str) -> str:
    return re.sub(r"\*+", "*", part)
