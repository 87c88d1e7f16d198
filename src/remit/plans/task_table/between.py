"""Rows between tasks: a heading for the rows below it, or a total of the rows above it.

Owns: telling such rows from tasks, and what a total should be.
Does not know: the tasks, beyond what stands in their cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from typing import Final

from remit.plans.markdown import Cell
from remit.plans.markdown.inline import shown
from remit.plans.task_table.columns import TaskField, plain
from remit.plans.task_table.efforts import amount_of, exact_days, unit_days
from remit.plans.task_table.ids import is_id

TOTAL_WORDS: Final = frozenset({
    "total", "totals", "sum", "overall", "grandtotal", "subtotal", "gesamt", "summe", "gesamtsumme", "zwischensumme",
    "suma", "totaal", "totale", "somme", "итого", "合計", "总计", "小計",
})  # fmt: skip
_TOTAL_LENGTH_MAX: Final = 40
_WIDTH_MIN: Final = 3


class RowKind(Enum):
    """What a row of a task table is."""

    TASK = auto()
    HEADING = auto()
    TOTAL = auto()


def kind_of(row: Sequence[Cell], mapping: Mapping[int, TaskField]) -> RowKind:
    """Return what a row is: a task, unless nothing but a name stands in it, or it says that it is a total."""
    filled = [index for index, cell in enumerate(row) if cell.text]
    first = row[filled[0]].text
    if not first[-1].isdigit() and plain(shown(first[:_TOTAL_LENGTH_MAX])) in TOTAL_WORDS:
        return RowKind.TOTAL
    if len(filled) > 1 or len(mapping) < _WIDTH_MIN:
        return RowKind.TASK
    is_in_ids = mapping.get(filled[0]) is TaskField.TASK_ID
    return RowKind.HEADING if _is_heading(first, is_in_ids) else RowKind.TASK


def _is_heading(text: str, is_in_ids: bool) -> bool:  # noqa: FBT001 - of this module
    if is_in_ids and is_id(shown(text)):
        return False
    if text.startswith(("**", "__", "<b>", "<strong>")):
        return True
    # Ids that are words have titles beside them; a name of several words alone in their column heads a group.
    return is_in_ids and " " in shown(text)


@dataclass(slots=True)
class _Sum:
    """A sum of efforts in days; ``is_certain`` is lost with one that cannot be added to the others."""

    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    count: int = 0
    has_unit: bool = True
    is_certain: bool = True

    def add(self, days: tuple[Decimal, Decimal] | None, has_unit: bool) -> None:  # noqa: FBT001 - of this module
        """Add an effort; numbers with and without unit are no sum."""
        if days is None or (self.count and has_unit is not self.has_unit):
            self.is_certain = False
            return
        self.low, self.high = self.low + days[0], self.high + days[1]
        self.count, self.has_unit = self.count + 1, has_unit

    @property
    def days(self) -> tuple[Decimal, Decimal] | None:
        """Return the sum; ``None`` if there is none that is certain."""
        return (self.low, self.high) if self.is_certain and self.count else None


@dataclass(slots=True, kw_only=True)
class Sums:
    """The efforts of the rows of one table: of all, and since the last heading or total.

    ``column`` is that of the efforts, if there is one, and ``heading`` what stands above it.
    """

    column: int | None
    heading: str = ""
    _all: _Sum = field(default_factory=_Sum)
    _group: _Sum = field(default_factory=_Sum)

    def add(self, row: Sequence[Cell]) -> None:
        """Note the effort of a task."""
        text = self._text(row)
        if text:
            days, has_unit = self._days(text), self._has_unit(text)
            self._all.add(days, has_unit)
            self._group.add(days, has_unit)

    def begin(self) -> None:
        """Begin a group of rows."""
        self._group = _Sum()

    def wrong_total(self, row: Sequence[Cell]) -> tuple[str, Cell] | None:
        """Return what a total should be, and its cell, if it is neither the sum of its group nor that of all rows.

        A group ends here. Efforts that cannot be added up are not compared.
        """
        written = self._text(row)
        group, whole = self._group, self._all
        self.begin()
        claimed, amount = self._days(written), amount_of(written)
        if self.column is None or claimed is None or group.days is None or whole.days is None:
            return None
        if claimed in {group.days, whole.days} or self._has_unit(written) is not whole.has_unit:
            return None
        unit = self._days(f"1 {amount.unit or ''}") if amount is not None else None
        per = unit[0] if unit is not None else Decimal(1)
        return " or ".join(dict.fromkeys(_span(days, per) for days in (whole.days, group.days))), row[self.column]

    def _text(self, row: Sequence[Cell]) -> str:
        return row[self.column].text.strip("`* ") if self.column is not None and self.column < len(row) else ""

    def _days(self, text: str) -> tuple[Decimal, Decimal] | None:
        """Return an effort in days, or in whatever a column without unit counts."""
        return exact_days(text, unit_days(self.heading) or Decimal(1))

    def _has_unit(self, text: str) -> bool:
        amount = amount_of(text)
        return unit_days(self.heading) is not None or amount is None or amount.unit is not None


def _span(days: tuple[Decimal, Decimal], unit: Decimal) -> str:
    low, high = (f"{(one / unit).quantize(Decimal('0.01')).normalize():f}" for one in days)
    return low if low == high else f"{low}-{high}"
