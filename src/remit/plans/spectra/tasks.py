"""A task: its header, check mark and fields become a record.

Owns: putting the parts of one task together, and what is said about its header and check mark.
Does not know: other tasks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from remit.plans.plan import Place, TaskState
from remit.plans.spectra import names
from remit.plans.spectra.body import RawField, read_body
from remit.plans.spectra.hidden import Hidden
from remit.plans.spectra.ids import ID, is_canonical, same_id, split_parent
from remit.plans.spectra.items import Checkbox
from remit.plans.spectra.lists import (
    read_assertions,
    read_criteria,
    read_dependencies,
    read_files,
    read_ownership,
    read_wiring,
)
from remit.plans.spectra.pieces import Piece, line_end_at
from remit.plans.spectra.record import Marker, OtherField, SpectraTask
from remit.plans.spectra.sections import Section, TaskHeader
from remit.plans.spectra.values import read_iterations, read_risk, read_scope, read_verify
from remit.plans.texts import PlanReporter

_CHECKBOX_TEXT: Final = re.compile(
    rf"(?:task[ \t]+)?(?P<id>{ID})(?P<colon>[ \t]*[:.)-](?=[ \t]|$))?[ \t]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReading:
    """A task, and the marks of tools that stand in its lines."""

    task: SpectraTask
    markers: tuple[Marker, ...]


def read_task(section: Section, *, level: int, hidden: Hidden, reporter: PlanReporter) -> TaskReading:
    """Return the task of a part of the document."""
    header = section.task
    assert header is not None
    _check_header(section, header, reporter)
    body = read_body(section, reporter)
    description = _description(body.checkbox, header, section, reporter)
    places: dict[str, Place] = {}
    fields = body.fields
    files = None if names.FILES not in fields else read_files(fields[names.FILES], reporter)
    ownership = None if files is None else files.ownership
    if names.OWNERSHIP in fields:
        ownership = read_ownership(fields[names.OWNERSHIP], level=level, places=places, reporter=reporter)
    criteria, verify = fields.get(names.CRITERIA), fields.get(names.VERIFY)
    risk, iterations, scope = fields.get(names.RISK), fields.get(names.ITERATIONS), fields.get(names.SCOPE)
    wiring, assertions = fields.get(names.WIRING), fields.get(names.ASSERTIONS)
    dependencies = fields.get(names.DEPENDENCIES)
    for name, raw in fields.items():
        places[name] = raw.value.place
    task = SpectraTask(
        id=same_id(header.id.text),
        title=header.title.text,
        description=None if description is None else description.text,
        state=TaskState.PENDING if body.checkbox is None else _state(body.checkbox, reporter),
        criteria=None if criteria is None else read_criteria(criteria, reporter),
        files=None if files is None else files.files,
        verify=None if verify is None else read_verify(verify, hidden, reporter),
        risk=None if risk is None else read_risk(risk, reporter),
        iterations_max=None if iterations is None else read_iterations(iterations, reporter),
        scope=None if scope is None else read_scope(scope, reporter),
        dependencies=None if dependencies is None else read_dependencies(dependencies, reporter),
        ownership=ownership,
        wiring=None if wiring is None else read_wiring(wiring, places, reporter),
        assertions=None if assertions is None else read_assertions(assertions, reporter),
        others=tuple(_other(raw) for raw in body.others),
        at=_header_place(section),
        id_at=header.id.place,
        mark_at=(header.id.start, header.id.start) if body.checkbox is None else body.checkbox.mark.place,
        description_at=header.title.place if description is None else description.place,
        places=places,
    )
    return TaskReading(task=task, markers=tuple(body.markers))


def _other(raw: RawField) -> OtherField:
    items = tuple(item.content.text for item in raw.subs if item.content.text)
    return OtherField(key=raw.key.text, value=raw.value.text, items=items, at=raw.item.place)


def _header_place(section: Section) -> Place:
    return (section.heading or section.lines[0]).place


def _check_header(section: Section, header: TaskHeader, reporter: PlanReporter) -> None:
    task_id = same_id(header.id.text)
    title = f" {header.title.text}" if header.title.text else ""
    canonical = f"## Task {task_id}:{title}"
    if section.heading is None:
        line = section.lines[0]
        reporter.report(
            "SPECTRA_TASK_HEADER_MISSING",
            f"expected the header {canonical!r} before the check mark of task {task_id}, got none",
            at=line.place,
            replacement=f"{canonical}{line_end_at(reporter.text.text, line.end)}{line.text.strip()}",
        )
    elif not header.is_canonical:
        reporter.report(
            "SPECTRA_TASK_FORM",
            f"expected the header {canonical!r}, got {section.heading.text.strip()!r}; other readers see no task",
            at=section.heading.place,
            replacement=canonical,
        )
    check_id(header.id, task_id, reporter)
    if not header.title.text:
        reporter.report(
            "SPECTRA_TASK_TITLE_MISSING",
            f"expected a title behind the id of task {task_id}, got none; write what the task is",
            at=_header_place(section),
        )


def check_id(written: Piece, task_id: str, reporter: PlanReporter) -> None:
    """Report the id of a task that is not three digits."""
    parent = split_parent(task_id)
    if parent is not None:
        reporter.report(
            "SPECTRA_TASK_SPLIT",
            f"expected an id of three digits, got {written.text!r}: a part that task {parent} was split into; give it "
            "a number of its own before the plan is validated elsewhere",
            at=written.place,
        )
    elif not is_canonical(task_id):
        reporter.report(
            "SPECTRA_ID_FORM",
            f"expected an id of three digits, got {written.text!r}; it is read, other readers do not see the task",
            at=written.place,
        )
    elif task_id != written.text:
        reporter.report(
            "SPECTRA_ID_FORM",
            f"expected an id of three digits, got {written.text!r}",
            at=written.place,
            replacement=task_id,
        )


def _state(checkbox: Checkbox, reporter: PlanReporter) -> TaskState:
    mark = checkbox.mark.text
    state = names.MARKS.get(mark) or names.MARKS.get(mark.strip() or " ", TaskState.PENDING)
    if mark in {" ", "x", "X", "!"}:
        return state
    known = f"{state.value.replace('_', ' ')}"
    if mark == "~":
        reporter.report(
            "SPECTRA_MARK_UNKNOWN",
            "expected one of the marks space, x and !, got '~'; it is read as in progress, other readers do not see "
            "the task",
            at=checkbox.mark.place,
        )
        return state
    certain = names.MARK_OF[state] if not mark.strip() or mark.strip() in names.MARKS else None
    reporter.report(
        "SPECTRA_MARK_UNKNOWN",
        f"expected one of the marks space, x and !, got {mark!r}; the task is read as {known}",
        at=checkbox.mark.place,
        replacement=certain,
    )
    return state


def _description(
    checkbox: Checkbox | None, header: TaskHeader, section: Section, reporter: PlanReporter
) -> Piece | None:
    """Return the text of the check mark without the id; ``None`` without a check mark."""
    task_id = same_id(header.id.text)
    if checkbox is None:
        reporter.report(
            "SPECTRA_CHECKBOX_MISSING",
            f"expected '- [ ] {task_id}: {header.title.text}' below the header of task {task_id}, got no check mark; "
            "add the line",
            at=_header_place(section),
        )
        return None
    found = _CHECKBOX_TEXT.match(checkbox.text.text)
    has_id = found is not None and (found["colon"] or same_id(found["id"]) == task_id)
    if found is None or not has_id:
        _report_checkbox(checkbox, checkbox.text, task_id, reporter)
        return checkbox.text
    text = checkbox.text.cut(found.end()).strip()
    written = checkbox.text.cut(*found.span("id"))
    if same_id(written.text) != task_id:
        reporter.report(
            "SPECTRA_CHECKBOX_ID",
            f"expected the id {task_id!r} of the header beside the check mark, got {written.text!r}; make "
            "both the same",
            at=written.place,
            related={"header": header.id.place},
            replacement=task_id,
        )
        return text
    line = checkbox.item.line
    if line.text.rstrip() != f"- [{checkbox.mark.text}] {task_id}:{f' {text.text}' if text.text else ''}":
        _report_checkbox(checkbox, text, task_id, reporter)
    elif text.text and header.title.text and text.text != header.title.text:
        reporter.report(
            "SPECTRA_TITLE_DIFFERS",
            f"expected the title of task {task_id} beside the check mark, got {text.text!r}; the header's counts",
            at=text.place,
            related={"title": header.title.place},
        )
    return text


def _report_checkbox(checkbox: Checkbox, text: Piece, task_id: str, reporter: PlanReporter) -> None:
    canonical = f"- [{checkbox.mark.text}] {task_id}: {text.text}".rstrip()
    reporter.report(
        "SPECTRA_CHECKBOX_FORM",
        f"expected {canonical!r}, got {checkbox.item.line.text.strip()!r}; other readers do not see the mark",
        at=checkbox.item.line.place,
        replacement=canonical,
    )
