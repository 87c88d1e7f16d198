"""Wording: lists and numbers as messages show them.

Owns: shortening.
Does not know: what is listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

SHOWN_MAX: Final = 8
"""Most names that one message lists."""


def listed(names: Iterable[str], total: int | None = None) -> str:
    """Return some names, and how many more there are."""
    if total is None:
        names = tuple(names)
        total = len(names)
    shown = list(islice(names, SHOWN_MAX))
    rest = total - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 task``, ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
