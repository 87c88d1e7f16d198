"""Updating a file in place: one cell changes, no other byte.

Owns: finding the cell of a task's field, and the word for a state in the document's own vocabulary.
Does not know: files; it takes bytes and returns bytes.
"""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import Final

from remit.diagnostics import Diagnostics
from remit.errors import UsageError
from remit.plans.plan import TaskState
from remit.plans.task_table.columns import TaskField, field_named, plain
from remit.plans.task_table.reading import read_record
from remit.plans.task_table.record import TaskRecord, TaskTable, Value
from remit.plans.task_table.schema import schema_of
from remit.plans.task_table.states import is_bare_state, state_of
from remit.plans.texts import Edit, PlanText, apply_edits, read_text

_DEFAULT_WORDS: Final = {
    TaskState.PENDING: "NOT_STARTED",
    TaskState.IN_PROGRESS: "IN_PROGRESS",
    TaskState.DONE: "DONE",
    TaskState.STUCK: "BLOCKED",
}


def set_field(raw: bytes, task_id: str, field: str, value: str, *, path: str = "plan.md") -> bytes:
    """Return a file's bytes with one field of one task changed, and no other byte.

    Args:
        raw: The file.
        task_id: The task as the document calls it.
        field: The field, by the name that the document gives it or by the one that it is read as.
        value: What it holds from now on: one line; a ``|`` in it is escaped.
        path: How messages name the file.

    Raises:
        UsageError: there is no such task or field, two tasks have the id, or the value cannot stand in a cell.
    """
    text, record = _read(raw, path)
    return _changed(raw, text, _field(_task(record, task_id), field), value)


def set_state(raw: bytes, task_id: str, state: TaskState, *, path: str = "plan.md") -> bytes:
    """Return a file's bytes with the status of one task changed, in the words that the document uses.

    The word is the one that the Schema table declares, or else the one that other tasks use most.

    Raises:
        UsageError: as ``set_field``.
    """
    text, record = _read(raw, path)
    status = _field(_task(record, task_id), TaskField.STATUS)
    if state_of(status.text) is state:
        return raw
    return _changed(raw, text, status, _word_for(record, state))


def _read(raw: bytes, path: str) -> tuple[PlanText, TaskTable]:
    text = read_text(raw, path=path, diagnostics=Diagnostics())
    if text is None:
        raise UsageError(f"expected a plan that can be read in {path}; check it first")
    return text, read_record(text).record


def _task(record: TaskTable, task_id: str) -> TaskRecord:
    found = [task for task in record.tasks if task.id == task_id]
    if not found:
        near = get_close_matches(task_id, [task.id for task in record.tasks], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"expected a task of the document, got {task_id!r}{hint}")
    if len(found) > 1:
        raise UsageError(f"expected one task {task_id!r}, got {len(found)}; give them different ids first")
    return found[0]


def _field(task: TaskRecord, field: str) -> Value:
    found = next((value for value in task.values if plain(value.name) == plain(field)), None)
    if found is None:
        meant = field_named(field)
        found = None if meant is None else task.value(meant)
    if found is None:
        names = ", ".join(value.name for value in task.values)
        raise UsageError(f"expected a field of {task.id} ({names}), got {field!r}")
    return found


def _changed(raw: bytes, text: PlanText, value: Value, written: str) -> bytes:
    if any(not character.isprintable() for character in written):
        raise UsageError(f"expected one line of printable text, got {written!r}")
    if written != written.strip():
        raise UsageError(f"expected a value without space around it, got {written!r}")
    start, end = value.at
    if start == end and written:
        # An empty cell is a gap between two pipes.
        written = written if text.text[start - 1 : start] == " " else f" {written}"
    return apply_edits(raw, text, [Edit(start=start, end=end, replacement=written.replace("|", "\\|"))])


def _word_for(record: TaskTable, state: TaskState) -> str:
    declared = next((one for one in schema_of(record).values() if one.meant is TaskField.STATUS), None)
    words = [] if declared is None else [value for value in declared.values if state_of(value) is state]
    used = Counter(task.text(TaskField.STATUS) for task in record.tasks)
    words += [word for word, _ in used.most_common() if state_of(word) is state and is_bare_state(word)]
    exact = [word for word in words if plain(word) == plain(_DEFAULT_WORDS[state])]
    return (exact or words or [_DEFAULT_WORDS[state]])[0]
