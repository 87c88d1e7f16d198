"""Writing a record as a document.

Owns: the canonical text; reading it gives the record again.
Does not know: the text that a record was read from; changes to a file are made in place (``updating``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from remit.plans.task_table.ids import is_id
from remit.plans.task_table.record import Drawing, Entry, SideTable, TableForm, TaskRecord, TaskTable


def write(record: TaskTable) -> str:
    """Return a document that says what a record says."""
    parts = _Parts(record)
    for table in record.tables:
        parts.add(table.heading, _table(table))
    for drawing in record.drawings:
        parts.add(drawing.heading, _drawing(drawing))
    if record.form is TableForm.FIELDS:
        for task in record.tasks:
            parts.begin(_heading(task))
            parts.add(_heading(task), _fields(task))
    else:
        for (heading, _), tasks in groupby(record.tasks, key=_same_table):
            parts.add(heading, _rows(list(tasks)))
    return parts.text()


class _Parts:
    """Blocks under their headings; a heading is written where it changes."""

    def __init__(self, record: TaskTable) -> None:
        # Without a title of its own, a document is called by its first heading.
        is_called = record.title or record.form is TableForm.FIELDS or any(_headings(record))
        self._lines = [f"# {record.title}".rstrip(), ""] if is_called else []
        self._heading = record.title

    def begin(self, heading: str) -> None:
        """Write a heading, also if it is the one before."""
        self._lines += [f"## {heading}".rstrip(), ""]
        self._heading = heading

    def add(self, heading: str, lines: Iterable[str]) -> None:
        if heading != self._heading:
            self.begin(heading)
        self._lines += [*lines, ""]

    def text(self) -> str:
        return "\n".join(self._lines)


def _headings(record: TaskTable) -> Iterator[str]:
    yield from (table.heading for table in record.tables)
    yield from (drawing.heading for drawing in record.drawings)
    yield from (task.heading for task in record.tasks)


def _row(cells: Iterable[str]) -> str:
    escaped = " | ".join(cell.replace("|", "\\|") for cell in cells)
    return f"| {escaped} |" if escaped else "|"


def _table(table: SideTable) -> Iterator[str]:
    yield _row(_texts(table.header))
    yield "|" + "---|" * len(table.header)
    for row in table.rows:
        yield _row(_texts(row))


def _texts(entries: Iterable[Entry]) -> Iterator[str]:
    return (entry.text for entry in entries)


def _drawing(drawing: Drawing) -> Iterator[str]:
    fence = "```"
    while fence in drawing.text:
        fence += "`"
    yield fence
    yield from drawing.text.split("\n")
    yield fence


def _heading(task: TaskRecord) -> str:
    if not is_id(task.id):
        return task.title
    return f"{task.id}: {task.title}" if task.title else task.id


def _fields(task: TaskRecord) -> Iterator[str]:
    yield "| Field | Value |"
    yield "|-------|-------|"
    for value in task.values:
        yield _row((f"**{value.name}**", value.text))


def _same_table(task: TaskRecord) -> tuple[str, tuple[str, ...]]:
    return task.heading, tuple(value.name for value in task.values)


def _rows(tasks: list[TaskRecord]) -> Iterator[str]:
    names = [value.name for value in tasks[0].values]
    yield _row(names)
    yield "|" + "---|" * len(names)
    for task in tasks:
        yield _row(value.text for value in task.values)
