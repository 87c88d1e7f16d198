"""Details: the tasks of a record with what their lists name.

Owns: reading the cells that list ids, once, for everything that needs them.
Does not know: the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remit.plans.markdown.inline import shown
from remit.plans.task_table.columns import TaskField
from remit.plans.task_table.index import TaskIndex
from remit.plans.task_table.record import Entry, TableForm, TaskRecord, TaskTable, Value
from remit.plans.task_table.references import EMPTY, ReferenceReader, References
from remit.plans.task_table.schema import SchemaField, schema_of
from remit.plans.texts import PlanText


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDetails:
    """A task with what its lists name."""

    record: TaskRecord
    depends_on: References = EMPTY
    blocks: References = EMPTY
    requirements: References = EMPTY
    tests: References = EMPTY
    components: References = EMPTY
    scope: References = EMPTY

    @property
    def id(self) -> str:
        """Return the task's id."""
        return self.record.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """A record, read. ``index`` finds tasks; ``reader`` reads further cells and remembers shorthands."""

    record: TaskTable
    text: PlanText
    tasks: tuple[TaskDetails, ...]
    schema: Mapping[str, SchemaField]
    index: TaskIndex
    reader: ReferenceReader

    def tasks_in(self, entry: Entry) -> References:
        """Return which tasks a cell lists."""
        return self._references(entry, self.index)

    def ids_in(self, entry: Entry) -> References:
        """Return which other ids a cell lists."""
        return self._references(entry, None)

    def _references(self, entry: Entry | Value, tasks: TaskIndex | None, task: str | None = None) -> References:
        start, end = entry.at
        return self.reader.read(self.text.text[start:end], start, tasks, task=task)


def details_of(record: TaskTable, text: PlanText) -> Details:
    """Return the tasks with what their lists name."""
    # In rows, titles are what cells show already.
    is_shown = record.form is TableForm.ROWS
    index = TaskIndex((task.id, task.title if is_shown else shown(task.title)) for task in record.tasks)
    reader = ReferenceReader(len(text.text))
    blank = Details(record=record, text=text, tasks=(), schema=schema_of(record), index=index, reader=reader)
    return Details(
        record=record,
        text=text,
        tasks=tuple(_task(task, blank) for task in record.tasks),
        schema=blank.schema,
        index=index,
        reader=reader,
    )


def _task(task: TaskRecord, details: Details) -> TaskDetails:
    values = task.fields()

    def read(meant: TaskField, tasks: TaskIndex | None = None) -> References:
        value = values.get(meant)
        if value is None or not value.text:
            return EMPTY if value is None else References(says_none=True, at=value.at)
        return details._references(value, tasks, task.id)  # noqa: SLF001 - of this module

    return TaskDetails(
        record=task,
        depends_on=read(TaskField.DEPENDS_ON, details.index),
        blocks=read(TaskField.BLOCKS, details.index),
        requirements=read(TaskField.REQUIREMENT_IDS),
        tests=read(TaskField.TEST_CASES),
        components=read(TaskField.COMPONENT),
        scope=read(TaskField.WORKFLOW_SCOPE),
    )
