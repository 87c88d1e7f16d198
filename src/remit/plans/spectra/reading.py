"""Reading a SPECTRA execution plan: text to record.

Owns: the order of work, and what is said about the document as a whole.
Does not know: the common plan, or checks that need more than the grammar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from remit.plans.plan import NOWHERE, Place
from remit.plans.spectra import names
from remit.plans.spectra.header import Header, is_rule, read_header
from remit.plans.spectra.hidden import find_hidden
from remit.plans.spectra.markers import read_marker
from remit.plans.spectra.parallelism import Order, read_assessment, read_graph
from remit.plans.spectra.record import Marker, SpectraPlan
from remit.plans.spectra.sections import Kind, Section, section_lines, split_sections
from remit.plans.spectra.tasks import TaskReading, read_task
from remit.plans.texts import PlanReporter, PlanText

LEVEL_DEFAULT: Final = 1
"""The level of a plan that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectraReading:
    """A record with what only its text knows: the level that counts, and where the assessment's heading is.

    ``field_names`` are what the format's fields are called in ``plan.json``; there are none in Markdown.
    """

    plan: SpectraPlan
    level: int
    assessment_at: Place | None
    field_names: Mapping[str, str] = field(default_factory=dict)

    def shown(self, name: str) -> str:
        """Return a field of a task as it is written in this form."""
        return repr(self.field_names[name]) if name in self.field_names else f"'- {name}:'"


def read_spectra(text: PlanText, reporter: PlanReporter, *, level: int | None = None) -> SpectraReading:
    """Return the record of a plan, as far as it can be read; whatever is odd or wrong is reported.

    Args:
        text: The document.
        reporter: Where findings go.
        level: The level that counts, whatever the document says; without it the header's, or 1.
    """
    hidden = find_hidden(text, reporter)
    sections = split_sections(text, hidden)
    header = read_header(sections[0], reporter)
    _report_outside(header.outside, reporter)
    found = level if level is not None else header.level
    used = LEVEL_DEFAULT if found is None else found
    tasks = [
        read_task(section, level=used, hidden=hidden, reporter=reporter)
        for section in sections
        if section.kind is Kind.TASK
    ]
    order = Order()
    known = frozenset(one.task.id for one in tasks)
    for section in sections:
        if section.kind is Kind.PARALLELISM:
            read_assessment(section, order, reporter)
        elif section.kind is Kind.GRAPH:
            read_graph(section, hidden, order, known=known, reporter=reporter)
        elif section.kind is Kind.OTHER:
            order.markers += _read_other(section, reporter)
    if not tasks:
        reporter.report(
            "SPECTRA_TASKS_MISSING",
            "expected tasks, each below a header '## Task 001: <title>', got none",
            at=header.title_at,
        )
    plan = _plan(header, tasks, order, reporter)
    return SpectraReading(plan=plan, level=used, assessment_at=order.has_heading[0] if order.has_heading else None)


def _plan(header: Header, tasks: list[TaskReading], order: Order, reporter: PlanReporter) -> SpectraPlan:
    in_tasks = [marker for reading in tasks for marker in reading.markers]
    markers = header.markers + in_tasks + order.markers
    return SpectraPlan(
        title=header.title or names.TITLE,
        project=header.value(names.PROJECT),
        level=header.level,
        generated=header.value(names.GENERATED),
        source=header.value(names.SOURCE),
        others=tuple(header.others),
        tasks=tuple(reading.task for reading in tasks),
        parallelism=order.parallelism(reporter),
        graph=None if order.graph is None else tuple(order.graph),
        markers=tuple(sorted(markers, key=lambda marker: marker.at)),
        at=header.title_at,
        project_at=header.values[names.PROJECT].place if names.PROJECT in header.values else NOWHERE,
        level_at=header.level_at if header.level is not None else NOWHERE,
    )


def _read_other(section: Section, reporter: PlanReporter) -> list[Marker]:
    """Read a part that is none of the format's; marks of tools may stand in it."""
    markers: list[Marker] = []
    place = None if section.heading is None else section.heading.place
    for line in section_lines(section):
        marker = read_marker(line)
        if marker is not None:
            markers.append(marker)
        elif not is_rule(line):
            place = line.place if place is None else (place[0], line.place[1])
    if place is not None:
        _report_outside([place], reporter)
    return markers


def _report_outside(places: list[Place], reporter: PlanReporter) -> None:
    for start, end in places:
        first = reporter.text.text[start:end].partition("\n")[0].strip()
        reporter.report(
            "SPECTRA_TEXT_OUTSIDE",
            f"expected the header, tasks and the assessment, got other text beginning with {first[:60]!r}; it is not "
            "read",
            at=(start, start + len(first)),
        )
