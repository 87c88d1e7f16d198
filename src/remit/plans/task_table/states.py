"""States and estimates of tasks: the words people write, and what they mean.

Owns: the vocabulary of states, and effort in days: written out, by the document's own Effort Summary, or by a stated
default.
Does not know: the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from remit.plans.plan import RiskClass, TaskState
from remit.plans.task_table.columns import TaskField, field_named, plain
from remit.plans.task_table.record import SideKind, SideTable, TaskTable

_STATES: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: (
        "notstarted todo open pending planned new backlog ready queued unstarted no waiting scheduled future "
        "notdone proposed draft"
    ),
    TaskState.IN_PROGRESS: (
        "inprogress doing wip started active ongoing inreview review underreview underway inqa testing partial "
        "working running"
    ),
    TaskState.DONE: "done complete completed closed finished merged shipped yes x resolved verified delivered",
    TaskState.STUCK: "blocked stuck onhold failed paused halted",
}
_MARKS: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "☐⬜⏳🔲⚪",
    TaskState.IN_PROGRESS: "🔄🚧🟡🟠🏗▶⏩🔵",
    TaskState.DONE: "✅☑✓✔🟢",
    TaskState.STUCK: "❌⛔🔴🛑⚠🚫",
}
_BOXES: Final = {"[ ]": TaskState.PENDING, "[]": TaskState.PENDING, "[~]": TaskState.IN_PROGRESS,
                 "[/]": TaskState.IN_PROGRESS, "[x]": TaskState.DONE, "[!]": TaskState.STUCK}  # fmt: skip

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

_DAYS: Final = {
    "minute": Decimal(1) / 480, "minutes": Decimal(1) / 480, "min": Decimal(1) / 480, "mins": Decimal(1) / 480,
    "h": Decimal("0.125"), "hr": Decimal("0.125"), "hrs": Decimal("0.125"), "hour": Decimal("0.125"),
    "hours": Decimal("0.125"), "d": Decimal(1), "day": Decimal(1), "days": Decimal(1), "w": Decimal(5),
    "wk": Decimal(5), "wks": Decimal(5), "week": Decimal(5), "weeks": Decimal(5), "month": Decimal(20),
    "months": Decimal(20), "mo": Decimal(20),
}  # fmt: skip
"""Units in person-days: a day has eight hours, a week five days, a month twenty."""

_NUMBER: Final = r"(\d{1,9}(?:[.,]\d{1,4})?)"
_AMOUNT: Final = re.compile(
    rf"[~≈<≤]?\s?{_NUMBER}(?:\s?(?:[-\u2013\u2014]|\.\.|to)\s?{_NUMBER})?\s?(?:(?:person|developer|dev|work|man|eng|engineer)"
    r"[-\s]?)?([a-zA-Z]{1,10})?",
    re.IGNORECASE,
)
_LAST_WORD: Final = re.compile(r"[A-Za-z]+")
_CENT: Final = Decimal("0.01")


def _vocabulary() -> dict[str, TaskState]:
    return {word: state for state, words in _STATES.items() for word in words.split()}


_WORDS: Final = _vocabulary()


def state_of(text: str) -> TaskState | None:
    """Return the state that a cell means; ``None`` if it is none that is known."""
    stripped = text.strip("`* ")
    box = _BOXES.get(stripped[:3].casefold())
    if box is not None:
        return box
    for state, marks in _MARKS.items():
        if stripped[:1] and stripped[0] in marks:
            return state
    return _WORDS.get(plain(stripped[:40]))


def words_for(state: TaskState) -> tuple[str, ...]:
    """Return the words that mean a state, as they compare."""
    return tuple(_STATES[state].split())


def risk_of(text: str) -> RiskClass | None:
    """Return the risk class that a cell means."""
    word = plain(text)
    if not word:
        return None
    return next((risk for risk in RiskClass if risk.value == word or (risk.value[:3] == word[:3] == word)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Effort as it is written: from ``low`` to ``high`` of a unit, which may be missing."""

    low: Decimal
    high: Decimal
    unit: str | None


def amount_of(text: str) -> Amount | None:
    """Return the amount that a text is: ``3d``, ``2-4 days``, ``~28-35 developer-weeks``."""
    found = _AMOUNT.fullmatch(text.strip("`* ")[:80])
    if found is None:
        return None
    low = Decimal(found[1].replace(",", "."))
    high = low if found[2] is None else Decimal(found[2].replace(",", "."))
    return Amount(low=min(low, high), high=max(low, high), unit=None if found[3] is None else found[3].casefold())


def unit_days(words: str) -> Decimal | None:
    """Return how many days the unit is that a heading ends with, such as ``Developer-Weeks``."""
    found = _LAST_WORD.findall(words)
    return next((_DAYS[word] for word in map(str.casefold, found[::-1]) if word in _DAYS and len(word) > 1), None)


def days_of(text: str, unit: Decimal | None) -> tuple[Decimal, Decimal] | None:
    """Return the days of an amount that is written out; ``unit`` holds where it says none."""
    amount = amount_of(text)
    if amount is None:
        return None
    days = _DAYS.get(amount.unit) if amount.unit is not None else unit
    return None if days is None else (_rounded(amount.low * days), _rounded(amount.high * days))


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
            found[row[0].text.strip("`* ")] = (_rounded(days[0] / number.low), _rounded(days[1] / number.low))
    return found


def _rounded(days: Decimal) -> Decimal:
    exact = days.quantize(_CENT)
    whole = exact.to_integral_value()
    return whole if whole == exact else exact.normalize()
