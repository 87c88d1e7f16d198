"""Durations as delivery plans write them: ``(1.5d)``, ``- 0.5d each``, ``(1-2 days)``, ``(4h)``, ``(half a day)``.

Owns: where in a title a duration stands, and how many person-days it is.
Does not know: items. A day has 8 hours and a week 5 days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_SPELLED: Final = {
    "half a": Decimal("0.5"), "half an": Decimal("0.5"), "a": Decimal(1), "an": Decimal(1), "one": Decimal(1),
    "two": Decimal(2), "three": Decimal(3), "four": Decimal(4), "five": Decimal(5), "six": Decimal(6),
    "seven": Decimal(7), "eight": Decimal(8), "nine": Decimal(9), "ten": Decimal(10),
}  # fmt: skip

# Each repetition is bounded, so that no text makes a pattern run long.
_NUMBER: Final = r"(?:\d{1,6}(?:[.,]\d{1,4})?[½¼¾]?|[.,]\d{1,4}|[½¼¾])"
_WORD: Final = rf"(?:{'|'.join(sorted((word.replace(' ', '[ ]') for word in _SPELLED), key=len, reverse=True))})(?=\s)"
_UNIT: Final = r"person[- ]days?|man-days?|working days?|minutes?|mins?|hours?|hrs?|h|days?|pd|d|weeks?|wks?|w"
_ABOUT: Final = r"[~≈<>≤≥]|about|approx\.?|ca\.?|max\.?|up to|at least|at most"
# Brackets may go on over a line end and the indentation behind it.
_GAP: Final = r"\s{0,2}(?:\n\s{1,24})?"


def _pattern(number: str, gap: str) -> str:
    """Return the pattern of a duration whose numbers and gaps look so."""
    return (
        rf"(?:(?P<about>{_ABOUT}){gap})?(?P<low>{number}){gap}(?P<unit_low>{_UNIT})?"
        rf"(?:{gap}(?:-|–|—|to|\.\.){gap}(?P<high>{number}))?{gap}(?P<unit>{_UNIT})?(?P<more>\+)?"
        rf"(?:{gap}(?<=\s)(?P<each>each|apiece|per \w{{1,30}}))?"
    )


_PATTERN: Final = _pattern(_NUMBER, " {0,2}")
_LEAD: Final = r"(?:(?:est\.?|estimate|estimated|effort|duration) {0,2}:? {0,2})?"
_INSIDE: Final = rf"{_GAP}\s{{0,20}}{_LEAD}{_pattern(f'(?:{_NUMBER}|{_WORD})', _GAP)}"
_IN_BRACKETS: Final = re.compile(rf"[*_]{{0,3}}\({_INSIDE}{_GAP}\)[*_]{{0,3}}", re.IGNORECASE)
_IN_SQUARE: Final = re.compile(rf"\[{_INSIDE}{_GAP}\]\s{{0,4}}\Z", re.IGNORECASE)
_WITH_REMARK: Final = re.compile(rf"\({_INSIDE}\s{{0,2}}[,;:–—][^()]{{1,120}}\)", re.IGNORECASE)
_AT_END: Final = re.compile(rf"(?:^|\s)(?:[–—:-]|--) {{0,3}}{_LEAD}\*{{0,2}}{_PATTERN}\*{{0,2}}\Z", re.IGNORECASE)
_PLAIN: Final = re.compile(rf"(?<![\w.])(?=[~≈<>≤≥]|about|approx|ca|\d|[½¼¾]){_PATTERN}(?!\w)", re.IGNORECASE)
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
    IN_SQUARE = auto()
    WITH_REMARK = auto()
    AT_END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDuration:
    """A duration in a title: ``cut`` is the stretch that is not part of the title, ``None`` if all of it is."""

    duration: Duration
    stands: Stands
    cut: Place | None
    is_reversed: bool = False

    @property
    def is_canonical(self) -> bool:
        """Whether it is written in days, such as ``1.5d``, and alone in its brackets."""
        is_alone = self.stands in {Stands.IN_BRACKETS, Stands.AT_END}
        return is_alone and _CANONICAL.fullmatch(self.duration.written) is not None


def hidden(text: str) -> str:
    """Return a text with code and struck-out words blanked; offsets stay."""
    without_code = _CODE.sub(_blank, text) if "`" in text else text
    return _STRUCK.sub(_blank, without_code) if "~~" in without_code else without_code


def find_durations(text: str, start: int) -> list[FoundDuration]:
    """Return the durations of a title that begins at an offset; ``text`` has been through ``hidden``."""
    if "(" in text and (found := list(_found(_IN_BRACKETS, text, start, Stands.IN_BRACKETS))):
        return found
    trimmed = text.rstrip()
    window = max(0, len(trimmed) - _END_WINDOW)
    end = trimmed[window:]
    for pattern, stands in ((_AT_END, Stands.AT_END), (_IN_SQUARE, Stands.IN_SQUARE)):
        if found := list(_found(pattern, end, start + window, stands)):
            return found
    # A remark in the same brackets stays where it is; two amounts in them are not one estimate.
    remarked = list(_found(_WITH_REMARK, text, start, Stands.WITH_REMARK)) if "(" in text else []
    return remarked if len(remarked) == 1 else []


def _found(pattern: re.Pattern[str], text: str, start: int, stands: Stands) -> Iterator[FoundDuration]:
    for match in pattern.finditer(text):
        duration = _duration(match, start)
        has_remark = stands is Stands.WITH_REMARK
        if duration is None or (has_remark and len(durations_in(match.group(), 0)) > 1):
            continue
        cut = None if has_remark else (start + match.start(), start + match.end())
        yield FoundDuration(duration=duration, stands=stands, cut=cut, is_reversed=_is_reversed(match))


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
    end = max(match.end(name) for name in ("low", "unit_low", "high", "unit", "more", "each"))
    return Duration(
        days_min=min(low, high),
        days_max=max(low, high),
        is_each=match["each"] is not None,
        is_approximate=match["about"] is not None or match["more"] is not None,
        written=" ".join(match.string[begin:end].split()),
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
    spelled = _SPELLED.get(" ".join(number.lower().split()))
    whole = "" if spelled is not None else number.rstrip("½¼¾").replace(",", ".")
    amount = spelled or Decimal(whole or 0) + _FRACTIONS.get(number[-1], Decimal(0))
    return (amount * _UNITS[" ".join(unit.lower().split())]).quantize(_PLACES).normalize()


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())
