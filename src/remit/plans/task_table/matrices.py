"""Matrices: what the tables around the tasks say about dependencies, requirements and tests.

Owns: reading the rows of the Dependency Matrix and of both traceability matrices, in either direction.
Does not know: what the tasks say; the checks compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from remit.plans.plan import NOWHERE, Place
from remit.plans.task_table.columns import TaskField, field_named, is_task_word, plain
from remit.plans.task_table.details import Details
from remit.plans.task_table.kinds import TASK_LIST_WORDS
from remit.plans.task_table.record import Entry, SideKind, SideTable
from remit.plans.task_table.references import References


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """A row: the ids that it is about, and the tasks that it lists for them; ``names`` is what its first cell says."""

    ids: References
    tasks: References
    names: str
    at: Place

    @property
    def place(self) -> Place:
        """Return the place of the tasks, or of the ids where no tasks stand."""
        return self.tasks.at if self.tasks.at != NOWHERE else self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A traceability matrix: ``declared`` are the ids that it lists, each with its first place; patterns apart."""

    rows: tuple[TraceRow, ...] = ()
    declared: Mapping[str, Place] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    heading: str = ""
    has_tasks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """A row of the Dependency Matrix: a task as written, its id if there is such a task, and what it waits for."""

    written: str
    task: str | None
    before: References
    at: Place
    cell_at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrices:
    """All of them; ``dependencies`` are those of the matrix by task, the first row of a task."""

    rows: tuple[MatrixRow, ...]
    dependencies: Mapping[str, References]
    requirements: Trace
    tests: Trace


def matrices_of(details: Details) -> Matrices:
    """Return what the matrices of a document say."""
    rows = tuple(row for table in details.record.of_kind(SideKind.DEPENDENCIES) for row in _matrix(table, details))
    dependencies: dict[str, References] = {}
    for row in rows:
        if row.task is not None:
            dependencies.setdefault(row.task, row.before)
    return Matrices(
        rows=rows,
        dependencies=dependencies,
        requirements=_trace(details, SideKind.REQUIREMENTS),
        tests=_trace(details, SideKind.TESTS),
    )


def _matrix(table: SideTable, details: Details) -> Iterator[MatrixRow]:
    names = [entry.text for entry in table.header]
    before = next((index for index, name in enumerate(names) if field_named(name) is TaskField.DEPENDS_ON), None)
    if before is None:
        return
    for row in table.rows:
        if len(row) <= before or not row[0].text:
            continue
        found = details.tasks_in(row[0])
        first = next((written for written, _ in found.ids()), None)
        known = first if first is not None and first in details.index.ids else None
        yield MatrixRow(
            written=row[0].text,
            task=known,
            before=details.tasks_in(row[before]),
            at=row[0].at,
            cell_at=row[before].at,
        )


def _trace(details: Details, kind: SideKind) -> Trace:
    rows: list[TraceRow] = []
    tables = details.record.of_kind(kind)
    for table in tables:
        rows += _reversed_rows(table, details) if _task_column(table) == 0 else _rows(table, details)
    declared: dict[str, Place] = {}
    patterns: dict[str, None] = {}
    for row in rows:
        for written, mention in row.ids.ids():
            declared.setdefault(written, mention.at)
        patterns.update((mention.pattern, None) for mention in row.ids.patterns if mention.pattern is not None)
    return Trace(
        rows=tuple(rows),
        declared=declared,
        patterns=tuple(patterns),
        heading=tables[0].heading if tables else "",
        has_tasks=any(_task_column(table) is not None for table in tables),
    )


def _task_column(table: SideTable) -> int | None:
    names = [entry.text for entry in table.header]
    return next(
        (index for index, name in enumerate(names) if plain(name) in TASK_LIST_WORDS or is_task_word(name)), None
    )


def _rows(table: SideTable, details: Details) -> list[TraceRow]:
    column = _task_column(table)
    return [
        TraceRow(ids=details.ids_in(row[0]), tasks=_tasks(row, column, details), names=row[0].text, at=row[0].at)
        for row in table.rows
        if row and row[0].text
    ]


def _tasks(row: tuple[Entry, ...], column: int | None, details: Details) -> References:
    return References() if column is None or column >= len(row) else details.tasks_in(row[column])


def _reversed_rows(table: SideTable, details: Details) -> list[TraceRow]:
    """Return the rows of a table that goes from task to requirements or tests."""
    return [
        TraceRow(ids=details.ids_in(row[1]), tasks=details.tasks_in(row[0]), names=row[1].text, at=row[0].at)
        for row in table.rows
        if len(row) > 1 and row[0].text
    ]
