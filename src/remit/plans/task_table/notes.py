"""Notes: what was read although it is not written in the canonical way, and as what.

Owns: saying which columns were taken for which fields, and which shorthands stand for which ids.
Does not know: whether what was read is right.
"""

from __future__ import annotations

from typing import Final

from remit.plans.markdown import Cell
from remit.plans.markdown.inline import shown
from remit.plans.task_table.details import Details
from remit.plans.task_table.ids import Shorthand
from remit.plans.task_table.kinds import Columns
from remit.plans.task_table.reading import RecordReading
from remit.plans.task_table.record import TaskRecord
from remit.plans.task_table.references import Sighting
from remit.plans.task_table.wording import counted, listed
from remit.plans.texts import PlanReporter

_SHOWN_MAX: Final = 4

_CALLED: Final = {
    Shorthand.RANGE: "a range",
    Shorthand.SHORT_RANGE: "a range whose end is shortened",
    Shorthand.NUMBER: "the number of a task or id",
    Shorthand.VARIANTS: "variants of one id",
    Shorthand.ALTERNATIVES: "several ids with their beginning written once",
    Shorthand.PATTERN: "a pattern",
    Shorthand.COMMENT: "a comment beside ids, not read",
    Shorthand.STRUCK: "struck out, not read",
    Shorthand.LINK: "an address",
    Shorthand.RELATION: "a relation of schedules",
    Shorthand.PREVIOUS: "tasks by their order",
}


def report_reading(reading: RecordReading, reporter: PlanReporter) -> None:
    """Report how the document is written, and that it has no tasks if it has none."""
    for oddity in reading.oddities:
        reporter.report(
            oddity.code, oddity.message, at=oddity.at, related=dict(oddity.related), severity=oddity.severity
        )
    reported: set[str] = set()
    for header, columns in reading.mapped:
        _report_columns(header, columns, reporter, reported)
    _report_apart(reading, reporter)
    if reading.joined:
        reporter.report(
            "TABLE_ROWS_JOINED",
            f"expected one row for each task, got {listed(one.id for one in reading.joined)} in several tables; what "
            "they say is read together",
            at=reading.joined[0].id_at,
        )
    _report_nested(reading.record.tasks, reporter)
    if not reading.record.tasks:
        reporter.report(
            "TABLE_TASKS_MISSING",
            "expected tasks, got no table of tasks; write a row for each task with columns such as ID, Task, Depends "
            "On, Effort and Status, or a heading and a table of fields for each",
            at=(0, 0),
        )


def _report_apart(reading: RecordReading, reporter: PlanReporter) -> None:
    """Say once which rows of the tables are no tasks."""
    parts = []
    for is_total, called in ((False, "headings of the rows below"), (True, "totals")):
        names = [repr(row.name[:60]) for row in reading.apart if row.is_total is is_total]
        if names:
            parts.append(f"{listed(names)} as {called}")
    if parts:
        message = f"expected a task in each row, got some that are none; they are read so: {'; '.join(parts)}"
        reporter.report("TABLE_ROW_APART", message, at=reading.apart[0].at)


def _report_nested(tasks: tuple[TaskRecord, ...], reporter: PlanReporter) -> None:
    """Say that tasks such as 1.1 and 1.2 may be parts of a task 1, whose effort then counts twice."""
    ids = {task.id for task in tasks}
    whole: dict[str, TaskRecord] = {}
    for task in tasks:
        above = task.id.rpartition(".")[0]
        if above in ids:
            whole.setdefault(above, task)
    if whole:
        first = next(iter(whole.values()))
        more = f" and {counted(len(whole) - 1, 'other')} such" if len(whole) > 1 else ""
        reporter.report(
            "TABLE_TASKS_NESTED",
            f"expected tasks beside each other, got some that are parts of another by their ids: {first.id} of "
            f"{first.id.rpartition('.')[0]}{more}; whole and parts are all read as tasks, and their "
            "efforts are added up",
            at=first.id_at,
        )


def _report_columns(header: tuple[Cell, ...], columns: Columns, reporter: PlanReporter, reported: set[str]) -> None:
    """Say once for the same columns what they were read as."""
    read = [f"{meant} in {shown(header[index].text)!r}" for index, meant in columns.mapping.items()]
    unread = [repr(shown(cell.text)) for index, cell in enumerate(header) if index not in columns.mapping]
    joint = "; ids stand before the titles" if columns.is_joint else ""
    kept = f"; no field is in {', '.join(unread)}" if unread else ""
    message = f"expected a table of fields for each task, got rows of tasks, read so: {', '.join(read)}{joint}{kept}"
    if message in reported:
        return
    reported.add(message)
    at = (header[0].place[0], header[-1].place[1])
    reporter.report("TABLE_COLUMNS_READ", message, at=at)


def report_shorthands(details: Details, reporter: PlanReporter) -> None:
    """Report each kind of shorthand once, where it stands first, with what it was read as."""
    for shorthand, seen in details.reader.shorthands.items():
        reporter.report("TABLE_SHORTHAND_READ", _shorthand(shorthand, seen), at=seen.at)
    if details.reader.overflow is not None:
        reporter.report(
            "TABLE_RANGE_TOO_LARGE",
            f"expected at most {details.reader.expansions_max} ids in all ranges of the document, got more; from here "
            "ranges stand for their ends only",
            at=details.reader.overflow,
        )


def _shorthand(shorthand: Shorthand, seen: Sighting) -> str:
    more = seen.count - 1
    times = "" if not more else "; so is 1 more" if more == 1 else f"; so are {more} more"
    written = f"expected ids in full, got {seen.written[:60]!r}, {_CALLED[shorthand]}"
    if shorthand in {Shorthand.COMMENT, Shorthand.STRUCK}:
        return f"{written}{times}"
    if shorthand is Shorthand.RELATION:
        return f"{written}, read as {_listed(seen.ids)}, which is done first, whatever the relation and its lag{times}"
    if shorthand is Shorthand.PATTERN and not seen.ids:
        return f"{written}, which names no id in particular{times}"
    return f"{written}, read as {_listed(seen.ids)}{times}"


def _listed(ids: tuple[str, ...]) -> str:
    if len(ids) <= _SHOWN_MAX:
        return ", ".join(ids)
    return f"{ids[0]}, {ids[1]}, … {ids[-1]} ({len(ids)} ids)"
