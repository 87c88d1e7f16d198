"""Checks of distributions: tables that count tasks by workstream, effort, owner and the like.

Owns: rows, columns and totals of such a table against the tasks, and the sums of its columns.
Does not know: the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.diagnostics import Severity
from remit.plans.task_table.columns import TaskField, field_named, plain
from remit.plans.task_table.counting import Counts
from remit.plans.task_table.details import Details
from remit.plans.task_table.efforts import Amount, amount_of, unit_days
from remit.plans.task_table.kinds import COUNT_WORDS
from remit.plans.task_table.record import Entry, SideKind, SideTable
from remit.plans.task_table.totals import Metric, metrics_of
from remit.plans.task_table.wording import listed
from remit.plans.texts import PlanReporter

_ADDED_MAX: Final = 12
"""Most numbers that a message adds up."""

_EFFORT_NAMES: Final = frozenset({"estimatedtotaleffort", "totaleffort", "effort", "estimatedeffort", "totalestimate"})
_TOTAL: Final = frozenset({"total", "totals", "sum", "all", "overall"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Distribution:
    """A table that counts: by which field, and what each counting column counts (all, or those with a value too)."""

    table: SideTable
    by: TaskField
    columns: Mapping[int, Mapping[str, int]]
    totals: Mapping[int, int]
    spans: tuple[int, ...]


def check_distributions(details: Details, counts: Counts, reporter: PlanReporter) -> None:
    """Report counts of distributions that the tasks contradict, and totals that are not the sums of their rows."""
    for table in details.record.of_kind(SideKind.DISTRIBUTION):
        by = field_named(table.header[0].text)
        if by is None:
            continue
        if not reporter.diagnostics.has_room(Severity.WARNING):
            return
        distribution = _distribution(table, by, counts)
        _check_rows(distribution, reporter)
        _check_absent(distribution, counts, reporter)
        _check_totals(distribution, details, reporter)
        _check_claimed_effort(distribution, details, reporter)


def _distribution(table: SideTable, by: TaskField, counts: Counts) -> _Distribution:
    columns: dict[int, Mapping[str, int]] = {}
    totals: dict[int, int] = {}
    for index, entry in enumerate(table.header):
        if not index:
            continue
        if plain(entry.text) in COUNT_WORDS:
            columns[index] = counts.of(by)
            totals[index] = counts.total
            continue
        other = next(((meant, key) for meant, key in counts.fields_of(entry.text) if meant is not by), None)
        if other is not None:
            columns[index] = counts.with_value(by, *other)
            totals[index] = counts.of(other[0])[other[1]]
    spans = tuple(index for index, entry in enumerate(table.header) if index and unit_days(entry.text) is not None)
    return _Distribution(table=table, by=by, columns=columns, totals=totals, spans=spans)


def _number(row: tuple[Entry, ...], index: int) -> int | None:
    text = row[index].text.strip("`* ") if index < len(row) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _is_total(row: tuple[Entry, ...]) -> bool:
    return bool(row) and plain(row[0].text) in _TOTAL


def _value_rows(distribution: _Distribution) -> Iterator[tuple[Entry, ...]]:
    return (row for row in distribution.table.rows if row and row[0].text and not _is_total(row))


def _check_rows(distribution: _Distribution, reporter: PlanReporter) -> None:
    for row in _value_rows(distribution):
        wrong = {
            index: expected
            for index, values in distribution.columns.items()
            if (claimed := _number(row, index)) is not None
            and claimed != (expected := values.get(plain(row[0].text), 0))
        }
        if wrong:
            _report_row(distribution, row, wrong, reporter)


def _report_row(
    distribution: _Distribution, row: tuple[Entry, ...], wrong: Mapping[int, int], reporter: PlanReporter
) -> None:
    names = distribution.table.header
    parts = [f"{names[index].text} {expected} (got {row[index].text})" for index, expected in wrong.items()]
    value = row[0].text.strip("`* ")
    first, last = min(wrong), max(wrong)
    is_one = first == last
    reporter.report(
        "TABLE_DISTRIBUTION_WRONG",
        f"expected the row of {distribution.by} {value} to count what the tasks say: {', '.join(parts)}; correct the "
        "row, or a task",
        at=(row[first].at[0], row[last].at[1]),
        replacement=str(wrong[first]) if is_one else _joined(row, wrong, first, last),
    )


def _joined(row: tuple[Entry, ...], wrong: Mapping[int, int], first: int, last: int) -> str | None:
    """Return the cells of a stretch with the numbers put right, if they stand a space, a pipe and a space apart."""
    cells = range(first, last + 1)
    if any(row[index + 1].at[0] - row[index].at[1] != 3 for index in cells[:-1]):
        return None
    return " | ".join(str(wrong.get(index, row[index].text)) for index in cells)


def _check_absent(distribution: _Distribution, counts: Counts, reporter: PlanReporter) -> None:
    """Report values that tasks have and the table does not."""
    rows = {plain(row[0].text) for row in _value_rows(distribution)}
    absent = [
        f"{counts.shown.get((distribution.by, key), key)} ({count})"
        for key, count in counts.of(distribution.by).items()
        if count and key not in rows
    ]
    if absent and distribution.columns:
        reporter.report(
            "TABLE_DISTRIBUTION_INCOMPLETE",
            f"expected a row for each {distribution.by} that tasks have, got none for {listed(absent)}; add it",
            at=distribution.table.at,
        )


def _check_totals(distribution: _Distribution, details: Details, reporter: PlanReporter) -> None:
    totals = [row for row in distribution.table.rows if _is_total(row)]
    if not totals:
        return
    rows = list(_value_rows(distribution))
    for index in distribution.columns:
        numbers = [number for row in rows if (number := _number(row, index)) is not None]
        for row in totals:
            _check_count(distribution, index, row, numbers=numbers, reporter=reporter)
    for index in distribution.spans:
        amounts = [amount for row in rows if (amount := _amount(row, index)) is not None]
        for row in totals:
            _check_span(distribution, index, row, amounts=amounts, details=details, reporter=reporter)


def _amount(row: tuple[Entry, ...], index: int) -> Amount | None:
    return amount_of(row[index].text) if index < len(row) else None


def _check_count(
    distribution: _Distribution, index: int, row: tuple[Entry, ...], *, numbers: list[int], reporter: PlanReporter
) -> None:
    claimed = _number(row, index)
    if claimed is None:
        return
    expected = distribution.totals[index]
    name = distribution.table.header[index].text
    if claimed != expected:
        reporter.report(
            "TABLE_TOTAL_WRONG",
            f"expected a total of {expected} for {name}, as the details of the tasks say, got {claimed}",
            at=row[index].at,
            replacement=row[index].text.replace(str(claimed), str(expected), 1),
        )
    elif numbers and sum(numbers) != claimed:
        reporter.report(
            "TABLE_SUM_WRONG",
            f"expected the rows of {name} to add up to the total of {claimed}, got {sum(numbers)} "
            f"({_sum(list(map(str, numbers)))}); there are {expected}, so correct the rows",
            at=row[index].at,
        )


def _check_span(
    distribution: _Distribution,
    index: int,
    row: tuple[Entry, ...],
    *,
    amounts: list[Amount],
    details: Details,
    reporter: PlanReporter,
) -> None:
    claimed = _amount(row, index)
    if claimed is None or not amounts or {amount.unit for amount in amounts} != {claimed.unit}:
        return
    expected = Amount(
        low=sum((amount.low for amount in amounts), Decimal(0)),
        high=sum((amount.high for amount in amounts), Decimal(0)),
        unit=claimed.unit,
    )
    if expected == claimed:
        return
    heading = distribution.table.header[index].text
    # Nothing is certain to be put right: which row is wrong, or whether it is the total, only people know.
    reporter.report(
        "TABLE_SUM_WRONG",
        f"expected {heading} to add up to {_span(expected)} ({_sum(list(map(_span, amounts)))}), got {_span(claimed)}; "
        "correct the total, or a row",
        at=row[index].at,
        related={
            f"{metric.name} says the same": metric.value.at
            for metric, amount in _claimed_efforts(distribution, details)
            if _in_days(amount, None) == _in_days(claimed, unit_days(heading))
        },
    )


def _span(amount: Amount) -> str:
    return f"{amount.low}" if amount.low == amount.high else f"{amount.low}-{amount.high}"


def _sum(parts: list[str]) -> str:
    return " + ".join(parts[:_ADDED_MAX]) + (" + …" if len(parts) > _ADDED_MAX else "")


def _check_claimed_effort(distribution: _Distribution, details: Details, reporter: PlanReporter) -> None:
    """Compare the effort that the summary claims with the total of this table, if it has the only one."""
    totals = [row for row in distribution.table.rows if _is_total(row)]
    if distribution.by is not TaskField.EFFORT or len(totals) != 1 or len(distribution.spans) != 1:
        return
    total = _amount(totals[0], distribution.spans[0])
    for metric, claimed in _claimed_efforts(distribution, details):
        if total is None:
            continue
        if _in_days(claimed, None) != _in_days(total, unit_days(distribution.table.header[distribution.spans[0]].text)):
            reporter.report(
                "TABLE_TOTAL_WRONG",
                f"expected {metric.name} to be the total of {distribution.table.heading or 'the table of efforts'}, "
                f"{_span(total)}, got {_span(claimed)}",
                at=metric.value.at,
                related={"the total": totals[0][distribution.spans[0]].at},
            )


def _claimed_efforts(distribution: _Distribution, details: Details) -> Iterator[tuple[Metric, Amount]]:
    """Yield what the summary says that all tasks take, if this table has efforts."""
    if distribution.by is not TaskField.EFFORT:
        return
    for metric in metrics_of(details):
        claimed = amount_of(metric.value.text) if metric.key in _EFFORT_NAMES else None
        if claimed is not None and _in_days(claimed, None) is not None:
            yield metric, claimed


def _in_days(amount: Amount, unit: Decimal | None) -> tuple[Decimal, Decimal] | None:
    days = unit_days(amount.unit) if amount.unit is not None else unit
    return None if days is None else (amount.low * days, amount.high * days)
