"""The front-end of task tables: how much a text looks like one, and reading it.

Owns: the order of work: record, details, plan, checks.
Does not know: any of them in detail.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.markdown.inline import shown
from remit.plans.plan import Plan
from remit.plans.task_table.checking import check
from remit.plans.task_table.columns import TaskField, field_named, mapping_of, plain, planning_fields
from remit.plans.task_table.details import details_of
from remit.plans.task_table.kinds import FIELD_WORDS, TELLING, VALUE_WORDS, bare
from remit.plans.task_table.matrices import matrices_of
from remit.plans.task_table.notes import report_reading
from remit.plans.task_table.planning import plan_of
from remit.plans.task_table.reading import read_record
from remit.plans.texts import Line, PlanReporter, PlanText

_DELIMITER: Final = re.compile(r"[|:\s-]*-[|:\s-]*")
_LOOKED_AT_MAX: Final = 20_000
"""So many lines are looked at to tell the format."""

_COLUMNS_MIN: Final = 3
_FIELDS_MIN: Final = 8
"""Rows of the field form that tell it: two tasks of four fields, or one of eight."""


def likeness(text: PlanText) -> int:
    """Return how much a text looks like a task table: 95 in the field form, 60 or 40 where rows may be tasks."""
    rows = [line for line in text.lines[:_LOOKED_AT_MAX] if "|" in line.text]
    pairs = [cells for line in rows if line.text.count("|") == 3 and len(cells := _cells(line)) == 2]
    has_head = any(plain(name) in FIELD_WORDS and plain(value) in VALUE_WORDS and name for name, value in pairs)
    fields = [field_named(bare(name)) for name, _ in pairs if has_head or "*" in name or plain(name) == "taskid"]
    if TaskField.TASK_ID in fields and any("*" in name or plain(name) == "taskid" for name, _ in pairs):
        return 95
    if len(fields) - fields.count(None) >= _FIELDS_MIN:
        return 60
    numbers = {line.number for line in rows if "-" in line.text and _DELIMITER.fullmatch(line.text)}
    headers = (line for line in rows if line.number + 1 in numbers)
    return max(map(_header_likeness, headers), default=0)


def _cells(line: Line) -> list[str]:
    return [cell.strip() for cell in line.text.strip().lstrip("> ").strip("|").split("|")]


def _header_likeness(line: Line) -> int:
    cells = list(map(shown, _cells(line)))
    if len(cells) < _COLUMNS_MIN:
        return 0
    mapping = mapping_of(cells, ids_in_column=frozenset({0}))
    planning = planning_fields(mapping)
    if not {TaskField.TASK_ID, TaskField.TITLE} & set(mapping.values()):
        return 0
    return 60 if len(planning) >= 2 else 40 if planning & TELLING else 0


def read(text: PlanText, reporter: PlanReporter, _options: object) -> Plan | None:
    """Return the plan of a task table; everything that is wrong is reported."""
    reading = read_record(text)
    report_reading(reading, reporter)
    details = details_of(reading.record, text)
    matrices = matrices_of(details)
    plan = plan_of(details, matrices, reporter)
    check(details, matrices, plan, reporter)
    return plan
