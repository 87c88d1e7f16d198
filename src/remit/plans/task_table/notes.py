"""Notes: what was read although it is not written in the canonical way, and as what.

Owns: saying which columns were taken for which fields, and which shorthands stand for which ids.
Does not know: whether what was read is right.
"""

from __future__ import annotations

from typing import Final

from remit.plans.markdown import Table
from remit.plans.task_table.details import Details
from remit.plans.task_table.ids import Shorthand
from remit.plans.task_table.kinds import Columns
from remit.plans.task_table.reading import RecordReading
from remit.plans.task_table.references import Sighting
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
}


def report_reading(reading: RecordReading, reporter: PlanReporter) -> None:
    """Report how the document is written, and that it has no tasks if it has none."""
    for oddity in reading.oddities:
        reporter.report(oddity.code, oddity.message, at=oddity.at, related=dict(oddity.related))
    reported: set[str] = set()
    for table, columns in reading.mapped:
        _report_columns(table, columns, reporter, reported)
    if not reading.record.tasks:
        reporter.report(
            "TABLE_TASKS_MISSING",
            "expected tasks, got no table of tasks; write a row for each task with columns such as ID, Task, Depends "
            "On, Effort and Status, or a heading and a table of fields for each",
            at=(0, 0),
        )


def _report_columns(table: Table, columns: Columns, reporter: PlanReporter, reported: set[str]) -> None:
    """Say once for the same columns what they were read as."""
    read = [f"{table.header[index].text!r} as {meant}" for index, meant in columns.mapping.items()]
    unread = [repr(cell.text) for index, cell in enumerate(table.header) if index not in columns.mapping]
    joint = "; ids stand before the titles" if columns.is_joint else ""
    kept = f"; not read: {', '.join(unread)}" if unread else ""
    message = (
        f"expected a table of fields for each task, got rows; each is read as a task: {', '.join(read)}{joint}{kept}"
    )
    if message in reported:
        return
    reported.add(message)
    at = (table.header[0].place[0], table.header[-1].place[1])
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
    if shorthand is Shorthand.COMMENT:
        return f"{written}{times}"
    if shorthand is Shorthand.PATTERN and not seen.ids:
        return f"{written}, which names no id in particular{times}"
    return f"{written}, read as {_listed(seen.ids)}{times}"


def _listed(ids: tuple[str, ...]) -> str:
    if len(ids) <= _SHOWN_MAX:
        return ", ".join(ids)
    return f"{ids[0]}, {ids[1]}, … {ids[-1]} ({len(ids)} ids)"
