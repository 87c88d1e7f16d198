"""Rows of task tables: each becomes a task, or a heading or total between tasks.

Owns: what a row is called, what is odd about it, and adding it to what was found.
Does not know: which tables hold tasks.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Severity
from remit.plans.markdown import Cell, Table
from remit.plans.markdown.inline import shown
from remit.plans.plan import Place
from remit.plans.task_table.between import RowKind, Sums, kind_of
from remit.plans.task_table.columns import TaskField
from remit.plans.task_table.found import Apart, Found, Oddity
from remit.plans.task_table.ids import is_id
from remit.plans.task_table.joining import is_same, join
from remit.plans.task_table.kinds import Columns, first_id
from remit.plans.task_table.record import TaskRecord, Value
from remit.plans.task_table.states import without_mark

_SET_OFF: Final = frozenset(").:")
"""What may set off an id behind it."""


def read_rows(table: Table, heading: str, columns: Columns, found: Found) -> None:
    """Add the tasks of a table to what was found; ``heading`` stands above it."""
    names = tuple(shown(head.text) for head in table.header)
    effort, id_column = (
        next((index for index, meant in columns.mapping.items() if meant is wanted), None)
        for wanted in (TaskField.EFFORT, TaskField.TASK_ID)
    )
    sums = Sums(column=effort, heading="" if effort is None else names[effort])
    for row in table.rows:
        if not any(cell.text for cell in row):
            continue
        kind = kind_of(row, columns.mapping)
        if kind is RowKind.TASK:
            if len(row) != len(names):
                found.oddities.append(_wrong_width(row, len(names)))
            sums.add(row)
            task = _row_task(heading, names, columns, row=row, number=len(found.tasks) + 1)
            _add(task, found)
            if id_column is not None and task.id.startswith("row-") and not _text(row, id_column):
                found.oddities.append(_missing_id(task))
            continue
        first = next(cell for cell in row if cell.text)
        found.apart.append(Apart(name=shown(first.text), is_total=kind is RowKind.TOTAL, at=first.place))
        if kind is RowKind.HEADING:
            heading = shown(first.text)
            sums.begin()
        elif (wrong := sums.wrong_total(row)) is not None:
            found.oddities.append(_wrong_total(shown(first.text), *wrong))


def _add(task: TaskRecord, found: Found) -> None:
    """Add a task, or what a further table says about one."""
    number = len(found.mapped)
    index, table = found.places.setdefault(task.id, (len(found.tasks), number))
    first = found.tasks[index] if index < len(found.tasks) else None
    if first is None or table == number or not is_same(first, task):
        found.tasks.append(task)
        return
    found.joined.append(task)
    found.tasks[index], differing = join(first, task)
    found.oddities += [_differing(first, one, other) for one, other in differing]


def _differing(task: TaskRecord, first: Value, second: Value) -> Oddity:
    is_order = first.meant in {TaskField.DEPENDS_ON, TaskField.BLOCKS}
    return Oddity(
        code="TABLE_FIELD_DIFFERS",
        message=(
            f"expected {second.name} of {task.id} to be the same in both tables, {first.text[:60]!r}, got "
            f"{second.text[:60]!r}; the first is read, correct one of both"
        ),
        at=second.at,
        related=(("the first", first.at),),
        severity=Severity.ERROR if is_order else None,
    )


def _text(row: tuple[Cell, ...], index: int) -> str:
    return row[index].text if index < len(row) else ""


def _missing_id(task: TaskRecord) -> Oddity:
    return Oddity(
        code="TABLE_ID_MISSING",
        message=f"expected an id, got an empty cell; the task is read as {task.id}, give it one",
        at=task.id_at,
    )


def _wrong_width(row: tuple[Cell, ...], expected: int) -> Oddity:
    return Oddity(
        code="TABLE_ROW_WIDTH",
        message=(
            f"expected {expected} cells as in the heading, got {len(row)}; write a | between two cells and \\| for one "
            "inside"
        ),
        at=(row[0].place[0], row[-1].place[1]),
    )


def _wrong_total(name: str, expected: str, cell: Cell) -> Oddity:
    return Oddity(
        code="TABLE_SUM_WRONG",
        message=(
            f"expected {name[:60]} to be the sum of the rows above it, {expected}, got {cell.text[:60]}; correct it, "
            "or a row"
        ),
        at=cell.place,
    )


def _row_task(
    heading: str, names: tuple[str, ...], columns: Columns, *, row: tuple[Cell, ...], number: int
) -> TaskRecord:
    end = (row[-1].place[1], row[-1].place[1])
    mapping = columns.mapping
    values = tuple(
        Value(name=name, meant=mapping.get(index), text=row[index].text, at=row[index].place)
        if index < len(row)
        else Value(name=name, meant=mapping.get(index), text="", at=end)
        for index, name in enumerate(names)
    )
    task_id, title, id_at = _row_name(values, columns, number)
    return TaskRecord(
        id=task_id, title=title, values=values, heading=heading, at=(row[0].place[0], end[1]), id_at=id_at
    )


def _bare_id(text: str) -> str:
    """Return an id without what sets it off: ``(11)``, ``12.``."""
    if text[-1:] not in _SET_OFF:
        return text
    inner = text.strip("().:")
    return inner if is_id(inner) else text


def _row_name(values: tuple[Value, ...], columns: Columns, number: int) -> tuple[str, str, Place]:
    """Return id and title of a row, and where its id stands; a row without id has the name ``row-<number>``."""
    named = written = None
    for value in values:
        if value.meant is TaskField.TITLE:
            named = named or value
        elif value.meant is TaskField.TASK_ID:
            written = written or value
    title = "" if named is None else shown(without_mark(named.text))
    if columns.is_joint and named is not None:
        task_id, rest = first_id(title, letters=True)
        return (task_id, rest, named.at) if task_id else (f"row-{number}", title, named.at)
    task_id = "" if written is None else _bare_id(shown(without_mark(written.text)))
    at = written.at if written is not None else named.at if named is not None else values[0].at
    return task_id or f"row-{number}", title, at
