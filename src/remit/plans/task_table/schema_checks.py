"""Checks of tasks against the document's own Schema table.

Owns: required fields, values of enumerations, undeclared and repeated fields, the form and sequence of ids.
Does not know: totals, dependencies and traceability.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from remit.plans.plan import Place
from remit.plans.task_table.columns import TaskField, plain
from remit.plans.task_table.details import Details, TaskDetails
from remit.plans.task_table.ids import base_of, form_of, number_of
from remit.plans.task_table.record import TaskRecord, Value
from remit.plans.task_table.references import References
from remit.plans.task_table.schema import SchemaField
from remit.plans.task_table.wording import counted, listed
from remit.plans.texts import PlanReporter

_LAST_NUMBER: Final = re.compile(r"\d+(?=\D*$)")
_BLANK: Final = frozenset({"", "—", "\u2013", "-", "none", "tbd", "?"})
_LISTED: Final = {
    TaskField.REQUIREMENT_IDS: "requirements",
    TaskField.TEST_CASES: "tests",
    TaskField.WORKFLOW_SCOPE: "scope",
}


@dataclass(slots=True)
class _Use:
    """Where something is used: the first place, and the tasks."""

    at: Place
    tasks: dict[str, None] = field(default_factory=dict)


def check_schema(details: Details, reporter: PlanReporter) -> None:
    """Report everything in which tasks differ from what the Schema table declares."""
    _check_duplicates(details, reporter)
    _check_repeated(details, reporter)
    if not details.schema:
        _check_gaps(details, reporter)
        return
    _check_required(details, reporter)
    _check_values(details, reporter)
    _check_undeclared(details, reporter)
    _check_task_ids(details, reporter)
    _check_forms(details, reporter)


def is_blank(text: str) -> bool:
    """Whether a cell says nothing; what stands in parentheses beside a dash is no answer."""
    stripped = text.strip("`* ")
    return stripped.casefold() in _BLANK or (stripped[:1] in {"—", "\u2013"} and stripped[1:].lstrip()[:1] == "(")


def _check_duplicates(details: Details, reporter: PlanReporter) -> None:
    first: dict[str, TaskRecord] = {}
    for task in details.record.tasks:
        other = first.setdefault(task.id, task)
        if other is not task:
            reporter.report(
                "TABLE_ID_DUPLICATE",
                f"expected one task with the id {task.id}, got another; dependencies mean the first, give one "
                "another id",
                at=task.id_at,
                related={"the first": other.id_at},
            )


def _check_repeated(details: Details, reporter: PlanReporter) -> None:
    clean: set[tuple[str, ...]] = set()
    for task in details.record.tasks:
        names = tuple([value.name for value in task.values])
        if names in clean:
            continue
        if len({plain(name) for name in names if name}) == sum(map(bool, names)):
            clean.add(names)
            continue
        seen: dict[str, Value] = {}
        for value in task.values:
            first = seen.setdefault(plain(value.name), value)
            if first is not value and value.name:
                reporter.report(
                    "TABLE_FIELD_REPEATED",
                    f"expected {value.name} once in {task.id}, got it again; the first is read, keep one",
                    at=value.at,
                    related={"the first": first.at},
                )


def _check_required(details: Details, reporter: PlanReporter) -> None:
    required = [declared for declared in details.schema.values() if declared.is_required]
    # A task without requirement among others is reported by the checks common to all formats.
    is_told = any(task.requirements.mentions for task in details.tasks)
    values = [{plain(value.name): value for value in reversed(task.values)} for task in details.record.tasks]
    for declared in required:
        name = plain(declared.name)
        absent = [task for task, fields in zip(details.record.tasks, values, strict=True) if name not in fields]
        if absent and not _is_heading(declared):
            reporter.report(
                "TABLE_FIELD_MISSING",
                f"expected {declared.name} in every task, for the Schema table requires it; "
                f"{listed(task.id for task in absent)} {'lack' if len(absent) > 1 else 'lacks'} it. Add it, or "
                "let the Schema table say that it may be missing",
                at=absent[0].at,
                related={"required here": declared.at},
            )
        for task, fields in zip(details.record.tasks, values, strict=True):
            value = fields.get(name)
            if value is not None and is_blank(value.text) and not (is_told and _is_requirement(declared)):
                _report_empty(task, value, declared, reporter)


def _is_requirement(declared: SchemaField) -> bool:
    return declared.meant is TaskField.REQUIREMENT_IDS


def _is_heading(declared: SchemaField) -> bool:
    """Whether a field may stand in the heading instead of the table."""
    return declared.meant in {TaskField.TASK_ID, TaskField.TITLE}


def _report_empty(task: TaskRecord, value: Value, declared: SchemaField, reporter: PlanReporter) -> None:
    reporter.report(
        "TABLE_FIELD_EMPTY",
        f"expected a value for {value.name} of {task.id}, for the Schema table requires it; got "
        f"{value.text or 'nothing'!r}; fill it in, or let the Schema table say that it may be empty",
        at=value.at,
        related={"required here": declared.at},
    )


def _check_values(details: Details, reporter: PlanReporter) -> None:
    """Report values outside of an enumeration: each once, with the tasks that use it."""
    unknown: dict[tuple[str, str], _Use] = {}
    for task, value, declared in _declared_values(details):
        if not declared.values or is_blank(value.text):
            continue
        for part in _chosen(value.text, declared.spellings):
            meant = declared.spellings.get(plain(part))
            if meant is None:
                unknown.setdefault((declared.name, part), _Use(value.at)).tasks[task.id] = None
            elif meant != part:
                _report_spelling(task, value, meant, reporter)
    for (name, part), use in unknown.items():
        declared = details.schema[plain(name)]
        reporter.report(
            "TABLE_VALUE_UNKNOWN",
            f"expected {name} to be one of {', '.join(declared.values)}, got {part[:60]!r} in {listed(use.tasks)}; add "
            "it to the Schema table, or use one that is there",
            at=use.at,
            related={"declared here": declared.notes_at},
        )


def _declared_values(details: Details) -> Iterator[tuple[TaskRecord, Value, SchemaField]]:
    for task in details.record.tasks:
        for value in task.values:
            declared = details.schema.get(plain(value.name))
            if declared is not None:
                yield task, value, declared


def _chosen(text: str, known: Mapping[str, str]) -> list[str]:
    """Return the value of a cell, or its values if it lists several that are known."""
    whole = text.strip("`* ")
    parts = [part.strip() for part in whole.split(",")]
    return parts if len(parts) > 1 and any(plain(part) in known for part in parts) else [whole]


def _report_spelling(task: TaskRecord, value: Value, meant: str, reporter: PlanReporter) -> None:
    reporter.report(
        "TABLE_VALUE_SPELLING",
        f"expected {meant}, as the Schema table has it, for {value.name} of {task.id}; got {value.text[:60]!r}",
        at=value.at,
        replacement=meant if "," not in value.text else None,
    )


def _check_undeclared(details: Details, reporter: PlanReporter) -> None:
    uses: dict[str, _Use] = {}
    for task in details.record.tasks:
        for value in task.values:
            if plain(value.name) not in details.schema and value.meant is not TaskField.TITLE:
                uses.setdefault(value.name, _Use(value.at)).tasks[task.id] = None
    for name, use in uses.items():
        reporter.report(
            "TABLE_FIELD_UNDECLARED",
            f"expected fields that the Schema table declares, got {name[:60]!r} in {listed(use.tasks)}; declare it",
            at=use.at,
        )


def _check_task_ids(details: Details, reporter: PlanReporter) -> None:
    declared = next((one for one in details.schema.values() if one.meant is TaskField.TASK_ID), None)
    if declared is None:
        return
    for task in details.record.tasks:
        if declared.forms and not any(fits(form, task.id) for form in declared.forms):
            reporter.report(
                "TABLE_ID_FORM",
                f"expected an id of the form {' or '.join(declared.forms)}, got {task.id!r}; rename the task, or "
                "correct the Schema table",
                at=task.id_at,
                related={"declared here": declared.at},
            )
    if declared.numbers is not None:
        _check_sequence(details, declared, declared.numbers, reporter)


def _check_sequence(details: Details, declared: SchemaField, numbers: tuple[int, int], reporter: PlanReporter) -> None:
    """Report numbers that are missing, too high, or out of order, where the Schema table says first and last."""
    first, last = numbers
    known = [(number, task) for task in details.record.tasks if (number := number_of(task.id)) is not None]
    present = {number for number, _ in known}
    missing = last - first + 1 - sum(first <= number <= last for number in present)
    if missing > 0:
        absent = (str(number) for number in range(first, last + 1) if number not in present)
        reporter.report(
            "TABLE_ID_SEQUENCE",
            f"expected ids numbered {first} to {last}, got none with number {listed(absent, missing)}; correct the "
            "Schema table, or add what is missing",
            at=declared.notes_at,
        )
    for number, task in known:
        if not first <= number <= last:
            reporter.report(
                "TABLE_ID_SEQUENCE",
                f"expected an id numbered {first} to {last}, got {task.id!r}; rename the task, or correct "
                "the Schema table",
                at=task.id_at,
                related={"declared here": declared.notes_at},
            )
    _check_order(known, reporter)


def _check_order(known: list[tuple[int, TaskRecord]], reporter: PlanReporter) -> None:
    for (before, _), (number, task) in pairwise(known):
        if number < before:
            reporter.report(
                "TABLE_ID_SEQUENCE",
                f"expected sequential ids, got {task.id!r} behind number {before}; move the task, or rename it",
                at=task.id_at,
            )


def _check_gaps(details: Details, reporter: PlanReporter) -> None:
    """Note a gap in ids that otherwise count up from one, all in the same form."""
    tasks = details.record.tasks
    numbers = [number_of(task.id) for task in tasks]
    if len(tasks) < 4 or len({form_of(task.id) for task in tasks}) != 1:
        return
    known = {number for number in numbers if number is not None}
    missing = max(known, default=0) - len(known)
    if min(known, default=0) != 1 or not 0 < missing <= len(tasks) // 4:
        return
    absent = (str(number) for number in range(1, max(known)) if number not in known)
    reporter.report(
        "TABLE_ID_GAP",
        f"expected ids that count up from {tasks[0].id}, got none with number {listed(absent, missing)}; leave it if "
        "that is meant",
        at=tasks[-1].id_at,
    )


def _check_forms(details: Details, reporter: PlanReporter) -> None:
    """Report ids in lists whose form the Schema table does not name: each form once."""
    for meant, attribute in _LISTED.items():
        declared = next((one for one in details.schema.values() if one.meant is meant), None)
        if declared is None or not declared.forms:
            continue
        for form, use in _foreign_forms(details.tasks, attribute, declared.forms).items():
            reporter.report(
                "TABLE_REFERENCE_FORM",
                f"expected ids of the form {listed(declared.forms)} in {declared.name}, got {form} in "
                f"{counted(len(use.tasks), 'task')} ({listed(use.tasks)}); declare the form in the Schema table",
                at=use.at,
                related={"declared here": declared.notes_at},
            )


def _foreign_forms(tasks: Iterable[TaskDetails], attribute: str, forms: tuple[str, ...]) -> Mapping[str, _Use]:
    uses: dict[str, _Use] = {}
    for task in tasks:
        found: References = getattr(task, attribute)
        for mention in found.mentions:
            # Of a range both ends tell the form.
            ends = mention.ids[:1] + mention.ids[-1:] if mention.ids else (mention.pattern or "",)
            for one in (one for one in ends if not any(fits(form, one) for form in forms)):
                shown = form_of(base_of(one) or one) if mention.pattern is None else _LAST_NUMBER.sub("##", one)
                uses.setdefault(shown, _Use(mention.at)).tasks[task.id] = None
    return uses


def fits(form: str, written: str) -> bool:
    """Whether an id, or what a pattern of ids begins with, has a form such as ``P1-T##``; a variant has its id's."""
    if written.endswith("*"):
        return _matches(form, written[:-1], is_beginning=True)
    return _matches(form, written) or _matches(form, base_of(written) or written)


def _matches(form: str, written: str, *, is_beginning: bool = False) -> bool:
    """Whether each ``#`` of a form is a digit of an id; the last of several stands for more of them."""
    position = index = 0
    while index < len(form) and not (is_beginning and position == len(written)):
        if form[index] == "#":
            end = index
            while form[end : end + 1] == "#":
                end += 1
            last = position
            while written[last : last + 1].isdigit():
                last += 1
            if last - position < end - index and not (is_beginning and last == len(written)):
                return False
            position, index = last, end
        elif written[position : position + 1] != form[index]:
            return False
        else:
            position, index = position + 1, index + 1
    return position == len(written)
