"""Reading a task table document: blocks become the record.

Owns: finding the tasks in either form, the tables and the drawings around them, and what is told about how they are
written.
Does not know: what the values say; the checks do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from remit.plans.drawing import has_arrows, words_of
from remit.plans.markdown import Block, Cell, Code, Heading, Paragraph, Table, read_blocks
from remit.plans.markdown.inline import shown
from remit.plans.plan import Place
from remit.plans.task_table.columns import TaskField, field_named, plain
from remit.plans.task_table.found import Apart, Found, Oddity
from remit.plans.task_table.ids import form_of, is_id, number_of
from remit.plans.task_table.kinds import (
    VALUE_WORDS,
    Columns,
    bare,
    field_columns,
    first_id,
    is_matrix,
    side_kind,
    task_columns,
)
from remit.plans.task_table.record import (
    Drawing,
    SideKind,
    TableForm,
    TaskRecord,
    TaskTable,
    Value,
    side_table,
)
from remit.plans.task_table.row_tasks import read_rows
from remit.plans.texts import PlanText

_DRAWN_MIN: Final = 2
"""A drawing names at least so many tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """A block with the heading that it stands under."""

    block: Block
    heading: str
    heading_at: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReading:
    """A record, with what is odd about the text.

    ``apart`` are rows that are no tasks, ``joined`` further rows of tasks that several tables have, and ``mapped`` the
    headings that rows were read under.
    """

    record: TaskTable
    oddities: tuple[Oddity, ...]
    apart: tuple[Apart, ...]
    joined: tuple[TaskRecord, ...]
    mapped: tuple[tuple[tuple[Cell, ...], Columns], ...]


def read_record(text: PlanText) -> RecordReading:
    """Return the record of a text; it has no tasks if the text has none."""
    blocks = read_blocks(text)
    titled = list(_titled(blocks))
    title = _title(blocks)
    found = Found()
    used = _read_details(titled, found)
    form = TableForm.FIELDS if found.tasks else TableForm.ROWS
    _read_tables([one for index, one in enumerate(titled) if index not in used], found, form)
    record = TaskTable(
        title=title,
        form=form,
        tasks=tuple(found.tasks),
        tables=tuple(table for table, _ in sorted(found.tables, key=lambda pair: pair[1].first)),
        drawings=tuple(_drawings(titled, found.tasks)),
    )
    return RecordReading(
        record=record,
        oddities=tuple(found.oddities),
        apart=tuple(found.apart),
        joined=tuple(found.joined),
        mapped=tuple(found.mapped),
    )


def _titled(blocks: Iterable[Block]) -> Iterator[Titled]:
    heading, place = "", (0, 0)
    for block in blocks:
        if isinstance(block, Heading):
            heading, place = block.text, block.place
        yield Titled(block=block, heading=heading, heading_at=place)


def _title(blocks: Iterable[Block]) -> str:
    headings = [block for block in blocks if isinstance(block, Heading)]
    first = next((heading for heading in headings if heading.level == 1), None)
    if first is not None:
        # An empty one says that there is no title.
        return first.text
    return next((heading.text for heading in headings if heading.text), "")


def _read_details(titled: list[Titled], found: Found) -> frozenset[int]:
    """Read the tasks that have a table of fields each; return which blocks they were."""
    used: set[int] = set()
    headings: set[Place] = set()
    for index, one in enumerate(titled):
        if not isinstance(one.block, Table) or one.heading_at in headings or not field_columns(one.block):
            continue
        task = _detailed(one, one.block, found)
        if task is not None:
            used.add(index)
            headings.add(one.heading_at)
            found.tasks.append(task)
    _report_bare_headings(titled, headings, found)
    return frozenset(used)


def _detailed(one: Titled, table: Table, found: Found) -> TaskRecord | None:
    rows = table.rows if _is_field_header(table) else (table.header, *table.rows)
    values = tuple(_field_value(row) for row in rows if row)
    heading_id, title = first_id(one.heading)
    declared = next((value for value in values if value.meant is TaskField.TASK_ID), None)
    declared_id = "" if declared is None else shown(declared.text)
    if not (heading_id or is_id(declared_id)):
        return None
    task_id = declared_id if is_id(declared_id) else heading_id
    id_at = declared.at if declared is not None and task_id == declared_id else one.heading_at
    if declared is not None and heading_id and heading_id != declared_id and not _counts(heading_id, declared_id):
        found.oddities.append(
            Oddity(
                code="TABLE_ID_DIFFERS",
                message=f"expected the id of the heading, {heading_id!r}, got {declared_id!r}; write the same id twice",
                at=declared.at,
                related=(("the heading", one.heading_at),),
            )
        )
    return TaskRecord(
        id=task_id, title=title if heading_id else one.heading, values=values, at=one.heading_at, id_at=id_at
    )


def _counts(heading_id: str, declared_id: str) -> bool:
    """Whether a heading only counts its task: ``Task 1: Build`` of T-1."""
    return heading_id.isdigit() and len(heading_id) <= 9 and number_of(declared_id) == int(heading_id)


def _is_field_header(table: Table) -> bool:
    return (
        field_named(bare(table.header[0].text)) in {None, TaskField.TITLE, TaskField.TASK_ID}
        and plain(table.header[1].text) in VALUE_WORDS
    )


def _field_value(row: tuple[Cell, ...]) -> Value:
    name = bare(row[0].text)
    cell = row[1] if len(row) > 1 else None
    at = cell.place if cell is not None else (row[0].place[1], row[0].place[1])
    return Value(name=name, meant=field_named(name), text="" if cell is None else cell.text, at=at)


def _report_bare_headings(titled: list[Titled], headings: set[Place], found: Found) -> None:
    """A heading like those of tasks with no table of fields below it is a task whose details are missing."""
    forms = {form_of(task.id) for task in found.tasks}
    for one in titled:
        if not isinstance(one.block, Heading) or one.heading_at in headings:
            continue
        task_id, _ = first_id(one.heading)
        if task_id and form_of(task_id) in forms and form_of(task_id) != task_id:
            found.oddities.append(
                Oddity(
                    code="TABLE_TASK_WITHOUT_FIELDS",
                    message=f"expected a table of fields below {task_id}, got none; it is not read as a task, add one",
                    at=one.heading_at,
                )
            )


def _read_tables(titled: list[Titled], found: Found, form: TableForm) -> None:
    candidates: list[tuple[Titled, Table, Columns]] = []
    for one in titled:
        if not isinstance(one.block, Table):
            continue
        kind = side_kind(one.block)
        columns = task_columns(one.block, one.heading) if kind is None else None
        if kind is not None:
            found.tables.append((side_table(one.block, kind=kind, heading=one.heading), one.block))
        elif columns is not None:
            candidates.append((one, one.block, columns))
    holds_tasks = form is TableForm.FIELDS or any(not is_matrix(columns) for _, _, columns in candidates)
    for one, table, columns in candidates:
        if holds_tasks and is_matrix(columns):
            kind = _matrix_kind(columns)
            found.tables.append((side_table(table, kind=kind, heading=one.heading), table))
        elif form is TableForm.ROWS:
            found.mapped.append((table.header, columns))
            read_rows(table, one.heading, columns, found)


def _matrix_kind(columns: Columns) -> SideKind:
    fields = set(columns.mapping.values())
    if TaskField.REQUIREMENT_IDS in fields:
        return SideKind.REQUIREMENTS
    return SideKind.TESTS if TaskField.TEST_CASES in fields else SideKind.DEPENDENCIES


def _drawings(titled: list[Titled], tasks: list[TaskRecord]) -> Iterator[Drawing]:
    ids = frozenset(task.id for task in tasks)
    for one in titled:
        text = _drawn(one.block)
        if text is not None and has_arrows(text) and len(ids & set(words_of(text))) >= _DRAWN_MIN:
            yield Drawing(heading=one.heading, text=text.rstrip("\n"), at=_drawn_at(one.block))


def _drawn(block: Block) -> str | None:
    if isinstance(block, Code):
        return block.text
    if isinstance(block, Paragraph) and "critical path" in block.text.casefold():
        return block.text
    return None


def _drawn_at(block: Block) -> Place:
    return block.place if isinstance(block, Code | Paragraph) else (0, 0)
