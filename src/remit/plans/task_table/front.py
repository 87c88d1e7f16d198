"""The front-end of task tables: how much a text looks like one, and reading it.

Owns: the order of work: record, details, plan, checks.
Does not know: any of them in detail.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.plan import Plan
from remit.plans.task_table.checking import check
from remit.plans.task_table.columns import TaskField, field_named, mapping_of, plain, planning_fields
from remit.plans.task_table.details import details_of
from remit.plans.task_table.kinds import bare
from remit.plans.task_table.matrices import matrices_of
from remit.plans.task_table.notes import report_reading
from remit.plans.task_table.planning import plan_of
from remit.plans.task_table.reading import read_record
from remit.plans.texts import Line, PlanReporter, PlanText

_DELIMITER: Final = re.compile(r"[|:\s-]*-[|:\s-]*")
_LOOKED_AT_MAX: Final = 20_000
"""So many lines are looked at to tell the format."""

_FIELDS_MIN: Final = 8
"""Rows of the field form that tell it: two tasks of four fields, or one of eight."""


def likeness(text: PlanText) -> int:
    """Return how much a text looks like a task table: 95 in the field form, 60 where rows of a table may be tasks."""
    rows = [line for line in text.lines[:_LOOKED_AT_MAX] if "|" in line.text]
    fields = [meant for line in rows if (meant := _field_of(line)) is not None]
    if TaskField.TASK_ID in fields:
        return 95
    if len(fields) >= _FIELDS_MIN:
        return 60
    numbers = {line.number for line in rows if "-" in line.text and _DELIMITER.fullmatch(line.text)}
    headers = (line for line in rows if line.number + 1 in numbers)
    return 60 if any(_is_task_header(line) for line in headers) else 0


def _cells(line: Line) -> list[str]:
    return [bare(cell.strip()) for cell in line.text.strip().lstrip("> ").strip("|").split("|")]


def _field_of(line: Line) -> TaskField | None:
    """Return the field of a line such as ``| **Effort** | S |``."""
    cells = _cells(line) if line.text.count("|") == 3 else []
    return field_named(cells[0]) if len(cells) == 2 and ("*" in line.text or plain(cells[0]) == "taskid") else None


def _is_task_header(line: Line) -> bool:
    cells = _cells(line)
    if len(cells) < 3:
        return False
    mapping = mapping_of(cells, ids_in_column=frozenset({0}))
    named = {TaskField.TASK_ID, TaskField.TITLE} & set(mapping.values())
    return bool(named) and len(planning_fields(mapping)) >= 2


def read(text: PlanText, reporter: PlanReporter, _options: object) -> Plan | None:
    """Return the plan of a task table; everything that is wrong is reported."""
    reading = read_record(text)
    report_reading(reading, reporter)
    details = details_of(reading.record, text)
    matrices = matrices_of(details)
    plan = plan_of(details, matrices, reporter)
    check(details, matrices, plan, reporter)
    return plan
