"""Sets of ids: what is named, directly, as a variant, or by a pattern.

Owns: looking ids up among ids and patterns in time that does not depend on how many there are.
Does not know: requirements or tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from remit.plans.task_table.ids import ID_LENGTH_MAX, base_of

_NONE: Final[frozenset[str]] = frozenset()


class IdSet:
    """Ids and patterns such as ``INV-*``; an id is in it if it stands there, is a variant of one, or fits a pattern."""

    __slots__ = ("_patterns", "ids")

    def __init__(self, ids: Iterable[str], patterns: Iterable[str] = ()) -> None:
        self.ids = frozenset(ids)
        self._patterns: dict[str, set[str]] = {}
        for pattern in patterns:
            before, _, after = pattern.partition("*")
            self._patterns.setdefault(before, set()).add(after)

    def __contains__(self, written: str) -> bool:
        if written in self.ids:
            return True
        base = base_of(written)
        return (base is not None and base in self.ids) or self.fits_pattern(written)

    def fits_pattern(self, written: str) -> bool:
        """Whether one of the patterns stands for an id."""
        return next(self.patterns_of(written), None) is not None

    def patterns_of(self, written: str) -> Iterator[str]:
        """Yield the patterns that stand for an id; the beginning of a pattern counts as one."""
        for length in range(min(len(written), ID_LENGTH_MAX) + 1):
            ends = self._patterns.get(written[:length], _NONE)
            if not ends:
                continue
            for start in range(length, len(written) + 1):
                if written[start:] in ends:
                    yield f"{written[:length]}*{written[start:]}"
