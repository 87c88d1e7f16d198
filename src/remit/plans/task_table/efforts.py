"""Effort of tasks: how people write it, and how many person-days it is.

Owns: sizes, durations and their units, points, and what a size means: by the document's own table, or by a stated
default.
Does not know: the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from remit.plans.task_table.columns import TaskField, field_named, plain
from remit.plans.task_table.languages import UNITS
from remit.plans.task_table.record import SideKind, SideTable, TaskTable

DEFAULT_DAYS: Final[Mapping[str, tuple[Decimal, Decimal]]] = MappingProxyType(
    {
        "XS": (Decimal("0.25"), Decimal("0.5")),
        "S": (Decimal("0.5"), Decimal(1)),
        "M": (Decimal(1), Decimal(3)),
        "L": (Decimal(3), Decimal(5)),
        "XL": (Decimal(5), Decimal(10)),
        "XXL": (Decimal(10), Decimal(20)),
    }
)
"""What a size means in person-days where the document does not say it."""

_SIZES: Final = {"extrasmall": "XS", "small": "S", "medium": "M", "large": "L", "extralarge": "XL"}

_ENGLISH: Final = {
    "min": Decimal(1) / 480, "h": Decimal("0.125"), "hr": Decimal("0.125"), "hour": Decimal("0.125"), "d": Decimal(1),
    "day": Decimal(1), "w": Decimal(5), "wk": Decimal(5), "week": Decimal(5), "mo": Decimal(20), "month": Decimal(20),
    "minute": Decimal(1) / 480,
}  # fmt: skip
_DAYS: Final = {
    **_ENGLISH,
    **{f"{unit}s": days for unit, days in _ENGLISH.items() if len(unit) > 1},
    "m": _ENGLISH["min"],
    **{unit: _ENGLISH[name] for unit, name in UNITS.items()},
}
"""Units in person-days: a day has eight hours, a week five days, a month twenty."""

_POINTS: Final = frozenset({"pt", "pts", "point", "points", "sp", "sps", "story point", "story points", "storypoints"})
_PERSON_DAY: Final = re.compile(r"(?<![^\W\d_])PT(?![^\W\d_])")
"""Person-days in German, which only their capitals tell from points."""

_FRACTIONS: Final = str.maketrans({"½": ".5", "¼": ".25", "¾": ".75"})
_NUMBER: Final = r"(\d{1,9}(?:[.,]\d{1,4})?|[.]\d{1,4})"
_AMOUNT: Final = re.compile(
    rf"(?:ca\.?|[~≈<≤])?\s?{_NUMBER}(?:\s?(?:[-\u2013\u2014]|\.\.|to)\s?{_NUMBER})?\s?"
    r"(?:(?:person|developer|dev|work|man|eng|engineer)[-\s]?)?(story points?|[^\W\d_]{1,12})?\.?",
    re.IGNORECASE,
)
_PART: Final = re.compile(rf"\s?{_NUMBER}\s?([^\W\d_]{{1,12}})\.?,?")
_PARTS_MAX: Final = 4
_LENGTH_MAX: Final = 80
_BRACKETED: Final = re.compile(r"[(\[]\s?([^\W\d_]{1,12})\.?\s?[)\]]\s*$")
_LAST_WORD: Final = re.compile(r"[^\W\d_]+")
_CENT: Final = Decimal("0.01")
_MINUTE: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Effort as it is written: from ``low`` to ``high`` of a unit, which may be missing."""

    low: Decimal
    high: Decimal
    unit: str | None


def amount_of(text: str) -> Amount | None:
    """Return the amount that a text is: ``3d``, ``2-4 days``, ``~28-35 developer-weeks``."""
    return _amount(text.strip("`* ")[:_LENGTH_MAX])


@lru_cache(maxsize=1024)
def _amount(text: str) -> Amount | None:
    found = _AMOUNT.fullmatch(_PERSON_DAY.sub("days", text.translate(_FRACTIONS)))
    if found is None:
        return None
    low = Decimal(found[1].replace(",", "."))
    high = low if found[2] is None else Decimal(found[2].replace(",", "."))
    return Amount(low=min(low, high), high=max(low, high), unit=None if found[3] is None else found[3].casefold())


def is_points(text: str, heading: str) -> bool:
    """Whether an amount counts points, which are no time; ``heading`` may say it for all cells of a column."""
    amount = amount_of(text)
    if amount is None:
        return False
    return amount.unit in _POINTS or (amount.unit is None and plain(heading).endswith(("points", "pts", "sp")))


def is_bare(text: str) -> bool:
    """Whether an amount is a number without unit."""
    amount = amount_of(text)
    return amount is not None and amount.unit is None


def unit_days(words: str) -> Decimal | None:
    """Return how many days the unit is that a heading ends with, such as ``Developer-Weeks``."""
    return _unit_days(words[-_LENGTH_MAX:])


@lru_cache(maxsize=1024)
def _unit_days(words: str) -> Decimal | None:
    written = _PERSON_DAY.sub("days", words)
    bracketed = _BRACKETED.search(written)
    if bracketed is not None and bracketed[1].casefold() in _DAYS:
        return _DAYS[bracketed[1].casefold()]
    found = _LAST_WORD.findall(written)
    return next((_DAYS[word] for word in map(str.casefold, found[::-1]) if word in _DAYS and len(word) > 1), None)


def days_of(text: str, unit: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """Return the days of an amount that is written out, to less than a minute; ``unit`` holds where it says none."""
    return _days(text.strip("`* ")[:_LENGTH_MAX], unit)


@lru_cache(maxsize=1024)
def _days(text: str, unit: Decimal | None) -> tuple[Decimal, Decimal] | None:
    exact = exact_days(text, unit)
    return None if exact is None else (_rounded(exact[0], _MINUTE), _rounded(exact[1], _MINUTE))


def exact_days(text: str, unit: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """Return the days of an amount as ``days_of`` does, but not rounded, so that they can be added up."""
    amount = amount_of(text)
    if amount is None:
        return _compound(text.strip("`* ~≈")[:_LENGTH_MAX])
    days = _DAYS.get(amount.unit) if amount.unit is not None else unit
    return None if days is None else (amount.low * days, amount.high * days)


def _compound(written: str) -> tuple[Decimal, Decimal] | None:
    """Return the days of an amount in several units: ``1d 4h``."""
    total = Decimal(0)
    position = 0
    for _ in range(_PARTS_MAX):
        found = _PART.match(written, position)
        days = None if found is None else _DAYS.get(found[2].casefold())
        if found is None or days is None:
            return None
        total += Decimal(found[1].replace(",", ".")) * days
        position = found.end()
        if position == len(written):
            return total, total
    return None


def size_of(text: str) -> str | None:
    """Return the size that a cell names: ``S``, ``m``, ``Large``."""
    word = text.strip("`* ")
    upper = word.upper()
    return upper if upper in DEFAULT_DAYS else _SIZES.get(plain(word))


def declared_days(record: TaskTable) -> Mapping[str, tuple[Decimal, Decimal]]:
    """Return what one task of each effort takes by the document's own Effort Summary: its range over its count."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for table in record.of_kind(SideKind.DISTRIBUTION):
        if field_named(table.header[0].text) is TaskField.EFFORT:
            found.update(_declared(table))
    return found


def _declared(table: SideTable) -> Mapping[str, tuple[Decimal, Decimal]]:
    names = [plain(entry.text) for entry in table.header]
    count = next((index for index, name in enumerate(names) if index and name in {"count", "tasks", "number"}), None)
    span = next((index for index, entry in enumerate(table.header) if index and unit_days(entry.text)), None)
    found: dict[str, tuple[Decimal, Decimal]] = {}
    if count is None or span is None:
        return found
    unit = unit_days(table.header[span].text)
    for row in table.rows:
        if len(row) <= max(count, span):
            continue
        number = amount_of(row[count].text)
        days = days_of(row[span].text, unit)
        if number is not None and number.low > 0 and days is not None:
            found[row[0].text.strip("`* ")] = (
                _rounded(days[0] / number.low, _CENT),
                _rounded(days[1] / number.low, _CENT),
            )
    return found


def _rounded(days: Decimal, unit: Decimal) -> Decimal:
    exact = days.quantize(unit)
    whole = exact.to_integral_value()
    return whole if whole == exact else exact.normalize()
