"""Did you mean: the nearest known name for one that is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from typing import Final

NAMES_MAX: Final = 2_000
"""Comparing is quadratic in the names' lengths; beyond this many nobody is helped by waiting."""

SLIP_RATIO_MIN: Final = 0.85
"""So like are names that differ by one missing letter in four, or one wrong letter in seven."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``, or ``None`` if none is near."""
    candidates = sorted(known)[:NAMES_MAX]
    # A forgotten or wrong prefix ("refund" for "stripe.refund") is as common as a slip of the hand.
    tails = [candidate for candidate in candidates if candidate.rpartition(".")[2] == name.rpartition(".")[2]]
    if len(tails) == 1:
        return tails[0]
    found = get_close_matches(name[:200], candidates, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?``, or the empty string if no known name is near."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found is not None else ""


def is_slip(name: str, known: str) -> bool:
    """Whether a name is a known one, or that with a slip of the hand."""
    return SequenceMatcher(a=name[:200], b=known, autojunk=False).ratio() >= SLIP_RATIO_MIN
