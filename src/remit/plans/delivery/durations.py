"""Durations as delivery plans write them: ``(1.5d)``, ``- 0.5d each``, ``(1-2 days)``, ``(4h)``, ``(1w)``.

Owns: where in a title a duration stands, and how many person-days it is.
Does not know: items. A day has 8 hours and a week 5 days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import Final

from remit.plans.delivery.record import Duration
from remit.plans.plan import Place

DAYS_OF_WEEK: Final = 5
HOURS_OF_DAY: Final = 8

_PLACES: Final = Decimal("0.0001")
_MINUTE: Final = Decimal(1) / (60 * HOURS_OF_DAY)
_HOUR: Final = Decimal(1) / HOURS_OF_DAY
_DAY: Final = Decimal(1)
_WEEK: Final = Decimal(DAYS_OF_WEEK)
_UNITS: Final = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days", "pd", "person-day", "person-days", "person day", "person days"), _DAY),
    **dict.fromkeys(("working day", "working days", "man-day", "man-days"), _DAY),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), _WEEK),
}
_FRACTIONS: Final = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}

# Each repetition is bounded, so that no text makes a pattern run long.
_NUMBER: Final = r"(?:\d{1,6}(?:[.,]\d{1,4})?[½¼¾]?|[½¼¾])"
_UNIT: Final = r"person[- ]days?|man-days?|working days?|minutes?|mins?|hours?|hrs?|h|days?|pd|d|weeks?|wks?|w"
_PATTERN: Final = (
    rf"(?P<about>~|≈|about |approx\.? )? {{0,2}}(?P<low>{_NUMBER}) {{0,2}}(?P<unit_low>{_UNIT})?"
    rf"(?: {{0,2}}(?:-|–|—|to|\.\.) {{0,2}}(?P<high>{_NUMBER}))? {{0,2}}(?P<unit>{_UNIT})?"
    r"(?: {1,2}(?P<each>each|apiece|per \w{1,30}))?"
)
_LEAD: Final = r"(?:(?:est\.?|estimate|estimated|effort|duration) {0,2}:? {0,2})?"
_IN_BRACKETS: Final = re.compile(rf"\*{{0,3}}\( {{0,24}}{_LEAD}{_PATTERN} {{0,2}}\)\*{{0,3}}", re.IGNORECASE)
_AT_END: Final = re.compile(rf"(?:^|\s)(?:[–—:-]|--) {{0,3}}{_LEAD}\*{{0,2}}{_PATTERN}\*{{0,2}}\Z", re.IGNORECASE)
_PLAIN: Final = re.compile(rf"(?<![\w.])(?=[~≈]|about|approx|\d|[½¼¾]){_PATTERN}(?!\w)", re.IGNORECASE)
_FOREIGN: Final = re.compile(
    r"\( {0,2}~?\d{1,6}(?:[.,]\d{1,4})? {0,2}(?:sp|pts?|points?|story points?|m|mo|months?|sprints?) {0,2}\)",
    re.IGNORECASE,
)
_CANONICAL: Final = re.compile(r"~?\d{1,6}(?:\.\d{1,4})?(?:[-–]\d{1,6}(?:\.\d{1,4})?)?d(?: each)?")
_STRUCK: Final = re.compile(r"~~[^~\n]{1,200}~~")
_CODE: Final = re.compile(r"`[^`\n]*`")

_END_WINDOW: Final = 80
"""A duration without brackets is looked for in so many characters at the end."""


class Stands(Enum):
    """How a duration stands in a title."""

    IN_BRACKETS = auto()
    AT_END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDuration:
    """A duration in a title: ``cut`` is the stretch that is not part of the title."""

    duration: Duration
    stands: Stands
    cut: Place
    is_reversed: bool = False

    @property
    def is_canonical(self) -> bool:
        """Whether it is written in days, such as ``1.5d``."""
        return _CANONICAL.fullmatch(self.duration.written) is not None


def hidden(text: str) -> str:
    """Return a text with code and struck-out words blanked; offsets stay."""
    without_code = _CODE.sub(_blank, text) if "`" in text else text
    return _STRUCK.sub(_blank, without_code) if "~~" in without_code else without_code


def find_durations(text: str, start: int) -> list[FoundDuration]:
    """Return the durations of a title that begins at an offset; ``text`` has been through ``hidden``."""
    found = [
        FoundDuration(
            duration=duration,
            stands=Stands.IN_BRACKETS,
            cut=(start + match.start(), start + match.end()),
            is_reversed=_is_reversed(match),
        )
        for match in _IN_BRACKETS.finditer(text)
        if (duration := _duration(match, start)) is not None
    ]
    if found:
        return found
    trimmed = text.rstrip()
    window = max(0, len(trimmed) - _END_WINDOW)
    match = _AT_END.search(trimmed[window:])
    duration = None if match is None else _duration(match, start + window)
    if match is None or duration is None:
        return []
    cut = (start + window + match.start(), start + len(trimmed))
    return [FoundDuration(duration=duration, stands=Stands.AT_END, cut=cut, is_reversed=_is_reversed(match))]


def find_foreign(text: str, start: int) -> tuple[str, Place] | None:
    """Return an estimate whose unit is no time, such as ``(3 points)``, and its place."""
    match = _FOREIGN.search(text)
    if match is None:
        return None
    return match.group(), (start + match.start(), start + match.end())


def durations_in(text: str, start: int) -> list[Duration]:
    """Return every duration of a running text that begins at an offset."""
    found = (_duration(match, start) for match in _PLAIN.finditer(text))
    return [duration for duration in found if duration is not None]


def days_text(days: Decimal) -> str:
    """Return days as plans write them: ``1.5``, ``10``."""
    return f"{days.normalize():f}"


def duration_text(duration: Duration) -> str:
    """Return a duration in the canonical spelling: ``1.5d``, ``1-2d``, ``0.5d each``."""
    about = "~" if duration.is_approximate else ""
    days = days_text(duration.days_min)
    if duration.days_max != duration.days_min:
        days += f"-{days_text(duration.days_max)}"
    return f"{about}{days}d{' each' if duration.is_each else ''}"


def _duration(match: re.Match[str], start: int) -> Duration | None:
    unit = match["unit"] or match["unit_low"]
    if unit is None:
        return None
    low, high = _bounds(match, unit)
    begin = match.start("about") if match["about"] else match.start("low")
    end = max(match.end(name) for name in ("low", "unit_low", "high", "unit", "each"))
    return Duration(
        days_min=min(low, high),
        days_max=max(low, high),
        is_each=match["each"] is not None,
        is_approximate=match["about"] is not None,
        written=match.string[begin:end],
        at=(start + begin, start + end),
    )


def _bounds(match: re.Match[str], unit: str) -> tuple[Decimal, Decimal]:
    low = _days(match["low"], match["unit_low"] or unit)
    return low, low if match["high"] is None else _days(match["high"], unit)


def _is_reversed(match: re.Match[str]) -> bool:
    unit = match["unit"] or match["unit_low"]
    if unit is None:
        return False
    low, high = _bounds(match, unit)
    return low > high


def _days(number: str, unit: str) -> Decimal:
    whole = number.rstrip("½¼¾").replace(",", ".")
    amount = Decimal(whole or 0) + _FRACTIONS.get(number[-1], Decimal(0))
    return (amount * _UNITS[" ".join(unit.lower().split())]).quantize(_PLACES).normalize()


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())
