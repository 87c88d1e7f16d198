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


@dataclass(slots=True, kw_only=True)
class Sums:
    """The efforts of the rows of one table: of all, and since the last heading or total.

    ``column`` is that of the efforts, if there is one, and ``heading`` what stands above it.
    """

    column: int | None
    heading: str = ""
    _all: list[str] = field(default_factory=list)
    _group: list[str] = field(default_factory=list)

    def add(self, row: Sequence[Cell]) -> None:
        """Note the effort of a task."""
        text = self._text(row)
        if text:
            self._all.append(text)
            self._group.append(text)

    def begin(self) -> None:
        """Begin a group of rows."""
        self._group.clear()

    def wrong_total(self, row: Sequence[Cell]) -> tuple[str, Cell] | None:
        """Return what a total should be, and its cell, if it is neither the sum of its group nor that of all rows.

        A group ends here. Efforts that cannot be added up are not compared.
        """
        written = self._text(row)
        sums = [self._sum(texts) for texts in (self._all, self._group)]
        self.begin()
        claimed = self._days(written)
        if self.column is None or claimed is None or None in sums or claimed in sums:
            return None
        unit = self._days(f"1 {amount.unit or ''}" if (amount := amount_of(written)) is not None else "1 day")
        right = {_span(days, unit[0]): None for days in sums if days is not None and unit is not None}
        return " or ".join(right), row[self.column]

    def _text(self, row: Sequence[Cell]) -> str:
        return row[self.column].text.strip("`* ") if self.column is not None and self.column < len(row) else ""

    def _days(self, text: str) -> tuple[Decimal, Decimal] | None:
        """Return an effort in days, or in whatever a column without unit counts."""
        return exact_days(text, unit_days(self.heading) or Decimal(1))

    def _sum(self, texts: Sequence[str]) -> tuple[Decimal, Decimal] | None:
        low = high = Decimal(0)
        for text in texts:
            days = self._days(text)
            if days is None:
                return None
            low, high = low + days[0], high + days[1]
        return (low, high) if texts else None


def _span(days: tuple[Decimal, Decimal], unit: Decimal) -> str:
    low, high = (f"{(one / unit).quantize(Decimal('0.01')).normalize():f}" for one in days)
    return low if low == high else f"{low}-{high}"
