"""The record of a task table document: what only this format has.

Owns: tasks with their fields as written, and the tables and drawings around them.
Does not know: what the values mean. Places are offsets of the text as it is read; they make no difference between
records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from remit.plans.markdown import Cell, Table
from remit.plans.plan import NOWHERE, Place
from remit.plans.task_table.columns import TaskField


class TableForm(StrEnum):
    """How a document writes tasks: one table of fields for each, or one row for each."""

    FIELDS = "fields"
    ROWS = "rows"


class SideKind(StrEnum):
    """What a table that holds no tasks is about."""

    SCHEMA = "schema"
    SUMMARY = "summary"
    DISTRIBUTION = "distribution"
    DEPENDENCIES = "dependencies"
    REQUIREMENTS = "requirements"
    TESTS = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One field of a task: the name that the document gives it, the field that it is read as, and what it holds."""

    name: str
    meant: TaskField | None
    text: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task.

    ``id`` is what the document calls it, or ``row-<n>`` where it has no id. ``heading`` is the section that a row
    stands in; ``at`` the place of the heading or of the first cell. Of a field that is written twice ``values`` has
    both.
    """

    id: str
    title: str
    values: tuple[Value, ...]
    heading: str = ""
    at: Place = field(default=NOWHERE, compare=False)
    id_at: Place = field(default=NOWHERE, compare=False)

    def value(self, meant: TaskField) -> Value | None:
        """Return the first value of a field."""
        for value in self.values:
            if value.meant is meant:
                return value
        return None

    def fields(self) -> dict[TaskField, Value]:
        """Return the first value of each field that the task has."""
        found: dict[TaskField, Value] = {}
        for value in self.values:
            if value.meant is not None and value.meant not in found:
                found[value.meant] = value
        return found

    def text(self, meant: TaskField) -> str:
        """Return what a field holds; ``""`` if the task does not have it."""
        value = self.value(meant)
        return "" if value is None else value.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A cell of a table around the tasks."""

    text: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideTable:
    """A table that says something about the tasks."""

    kind: SideKind
    heading: str
    header: tuple[Entry, ...]
    rows: tuple[tuple[Entry, ...], ...]
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing of the order of tasks in characters, under a heading."""

    heading: str
    text: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTable:
    """A task table document as it was read."""

    title: str
    form: TableForm
    tasks: tuple[TaskRecord, ...] = ()
    tables: tuple[SideTable, ...] = ()
    drawings: tuple[Drawing, ...] = ()

    def of_kind(self, kind: SideKind) -> tuple[SideTable, ...]:
        """Return the tables of one kind."""
        return tuple(table for table in self.tables if table.kind is kind)


def entry_of(cell: Cell) -> Entry:
    """Return a cell as it is kept."""
    return Entry(text=cell.text, at=cell.place)


def side_table(table: Table, *, kind: SideKind, heading: str) -> SideTable:
    """Return a table as it is kept."""
    return SideTable(
        kind=kind,
        heading=heading,
        header=tuple(map(entry_of, table.header)),
        rows=tuple(tuple(map(entry_of, row)) for row in table.rows),
        at=(table.header[0].place[0], table.header[-1].place[1]) if table.header else NOWHERE,
    )
