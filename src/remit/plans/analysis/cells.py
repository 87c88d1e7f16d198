"""Cells: the different paths of a plan, and which of them can mean the same file.

Owns: finding for each cell the cells that it has files in common with, without comparing all with all.
Does not know: who claims what.

A path that contains another stands before it in the sorted keys, so one pass finds the nearest cell around each. Globs
are compared with the cells below the part of them that has no wildcard, with those around it, and with one another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.plans.analysis.paths import Parts, Shape, begin, fixed_prefix, overlap, read_name, shape_of

_STEPS_MAX: Final = 2_000_000
"""Steps that comparing globs may take in one plan, each about a microsecond."""

_END: Final = "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The different paths.

    ``number[path]`` is the cell of a path as a claim has it. Plain cells are numbered in the order of their keys, so
    that ``around[cell]``, the nearest plain cell that contains it (-1 if none does), has a lower number; globs come
    behind them. ``linked[cell]`` are the globs, or the cells of a glob, that have files in common with it.
    """

    shapes: tuple[Shape, ...]
    number: Mapping[str, int]
    around: tuple[int, ...]
    linked: Mapping[int, tuple[int, ...]]
    is_complete: bool

    def containing(self, cell: int) -> Iterable[int]:
        """Yield a cell and the plain cells around it."""
        while cell >= 0:
            yield cell
            cell = self.around[cell]

    def meeting(self, some: Iterable[int], others: Iterable[int]) -> int | None:
        """Return the lowest of some cells that has files in common with one of others, or ``None``."""
        theirs = frozenset(others)
        around = {cell for other in theirs for cell in self.containing(other)}
        for cell in sorted(some):
            if cell in around or any(one in theirs for one in self.containing(cell)):
                return cell
            if any(one in theirs for one in self.linked.get(cell, ())):
                return cell
        return None

    def meets(self, one: int, other: int) -> bool:
        """Whether two cells have files in common."""
        if one in self.containing(other) or other in self.containing(one):
            return True
        return other in self.linked.get(one, ())


def cells_of(paths: Iterable[str]) -> Cells:
    """Return the cells of some paths: the time grows as that of sorting them, apart from globs, which is bounded."""
    shape = {path: shape_of(path) for path in dict.fromkeys(paths)}
    # Of several spellings the one that says directory counts.
    spelt = sorted((one for one in shape.values() if not one.is_glob), key=lambda one: one.is_directory)
    plain = sorted({one.key: one for one in spelt}.values(), key=_sorted_key)
    globs = list({one.key: one for one in shape.values() if one.is_glob}.values())
    shapes = (*plain, *globs)
    numbers = {(one.key, one.is_glob): number for number, one in enumerate(shapes)}
    around = _around(plain)
    linked, is_complete = _Linking(plain, globs, around).run()
    return Cells(
        shapes=shapes,
        number={path: numbers[one.key, one.is_glob] for path, one in shape.items()},
        around=tuple(around) + (-1,) * len(globs),
        linked=linked,
        is_complete=is_complete,
    )


def _sorted_key(shape: Shape) -> str:
    """Return the key by which what a path contains stands right behind it; the empty path contains everything."""
    return shape.key.replace("/", _END) + _END if shape.key else ""


def _around(plain: list[Shape]) -> list[int]:
    around: list[int] = []
    open_cells: list[tuple[int, str]] = []
    for number, shape in enumerate(plain):
        key = _sorted_key(shape)
        while open_cells and not key.startswith(open_cells[-1][1]):
            open_cells.pop()
        around.append(open_cells[-1][0] if open_cells else -1)
        open_cells.append((number, key))
    return around


class _Linking:
    """Compares globs with what they may have in common, as far as the steps go."""

    def __init__(self, plain: list[Shape], globs: list[Shape], around: list[int]) -> None:
        self._plain = plain
        self._globs = globs
        self._around = around
        self._keys = [_sorted_key(shape) for shape in plain]
        self._directories = {cell for cell in around if cell >= 0}
        self._directories.update(cell for cell, shape in enumerate(plain) if shape.is_directory)
        self._links: dict[int, list[int]] = {}
        self._left = _STEPS_MAX

    def run(self) -> tuple[dict[int, tuple[int, ...]], bool]:
        """Return the links of each cell that has some, and whether everything was compared."""
        first = len(self._plain)
        self._find_directories()
        for place, glob in enumerate(self._globs):
            for pattern in glob.patterns:
                self._link_plain(first + place, pattern)
            self._link_globs(place)
            if self._left <= 0:
                break
        found = {cell: tuple(dict.fromkeys(links)) for cell, links in self._links.items()}
        return found, self._left > 0

    def _find_directories(self) -> None:
        """Add the cells that some glob has matches below."""
        for pattern in (pattern for glob in self._globs for pattern in glob.patterns):
            prefix = _fixed(pattern)
            start = bisect_left(self._keys, prefix)
            self._directories.update(self._those_around(start, prefix))
            if self._keys[start : start + 1] == [prefix]:
                self._directories.add(start)

    def _link_plain(self, number: int, pattern: Parts) -> None:
        prefix = _fixed(pattern)
        start = bisect_left(self._keys, prefix)
        for cell in self._those_around(start, prefix):
            self._link(number, cell)
        # The places in the pattern after each name of the path before: paths in order share their first names.
        read: list[str] = []
        places = [begin(pattern)]
        for cell in range(start, len(self._keys)):
            key = self._keys[cell]
            if self._left <= 0 or not key.startswith(prefix):
                break
            names = key.split(_END)[:-1]
            kept = _common_length(read, names)
            del places[kept + 1 :]
            for name in names[kept:]:
                places.append(read_name(pattern, places[-1], name) if places[-1] else 0)
            self._left -= 1 + (len(names) - kept) * len(pattern)
            read = names
            if places[-1] if cell in self._directories else places[-1] >> len(pattern):
                self._link(number, cell)

    def _link_globs(self, place: int) -> None:
        glob, first = self._globs[place], len(self._plain)
        for other in range(place):
            shape = self._globs[other]
            self._left -= 1 + len(glob.patterns) * len(shape.patterns)
            if self._left <= 0:
                return
            if not any(_may_meet(one, two) for one in glob.patterns for two in shape.patterns):
                continue
            self._left -= glob.size * shape.size // 4
            if overlap(glob, shape):
                self._link(first + place, first + other)

    def _those_around(self, start: int, prefix: str) -> list[int]:
        """Return the cells that contain a prefix: one that contains another is its own ``around``."""
        cell = start - 1
        while cell >= 0 and not prefix.startswith(self._keys[cell]):
            cell = self._around[cell]
        found: list[int] = []
        while cell >= 0:
            found.append(cell)
            cell = self._around[cell]
        return found

    def _link(self, one: int, other: int) -> None:
        self._links.setdefault(one, []).append(other)
        self._links.setdefault(other, []).append(one)


def _fixed(pattern: Parts) -> str:
    """Return the key of the part of a pattern without wildcard; if the pattern has none, of the directory it is in."""
    prefix = fixed_prefix(pattern)
    return "".join(part + _END for part in (prefix if len(prefix) < len(pattern) else prefix[:-1]))


def _common_length(one: list[str], other: list[str]) -> int:
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def _may_meet(one: Parts, other: Parts) -> bool:
    """Whether two patterns begin alike, as far as both are without wildcard."""
    first, second = fixed_prefix(one), fixed_prefix(other)
    return all(mine == theirs for mine, theirs in zip(first, second, strict=False))
