"""Checks of numbers: phases, sections and weeks follow each other, and references lead somewhere.

Owns: gaps, repetitions and order.
Does not know: what is inside a phase.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from remit.plans.delivery.check_gates import Evidence
from remit.plans.delivery.lines import criteria_heading, phase_references
from remit.plans.delivery.record import DeliveryPlan, Phase, Section, Weeks
from remit.plans.texts import PlanReporter


def check_numbers(plan: DeliveryPlan, evidence: Evidence, reporter: PlanReporter) -> None:
    """Report what is wrong with the numbers of a plan."""
    _check_headings(evidence, reporter)
    _check_phases(plan, reporter)
    _check_weeks(plan, evidence, reporter)
    for phase in plan.phases:
        _check_sections(phase, reporter)
    _check_references(plan, reporter)


def _check_headings(evidence: Evidence, reporter: PlanReporter) -> None:
    for chapter in evidence.chapters.phases:
        said = chapter.said
        if said.weeks_like is not None:
            written = reporter.text.text[slice(*said.weeks_like)]
            reporter.report(
                "PHASE_WEEKS_INVALID",
                f"expected weeks such as (Week 3) or (Weeks 5–6), the smaller first, got {written}; correct them",
                at=said.weeks_like,
            )
        if not said.is_canonical:
            weeks = "" if said.weeks is None else f" {reporter.text.text[slice(*said.weeks.at)]}"
            reporter.report(
                "PHASE_HEADING_SPELLING",
                f"expected a heading such as `Phase {said.number} – {said.title or 'Title'}{weeks}`, got "
                f"{chapter.heading.text[:80]!r}; it is read so",
                at=chapter.heading.place,
                replacement=said.canonical,
            )


def _check_phases(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    first: dict[str, Phase] = {}
    for phase in plan.phases:
        before = first.setdefault(phase.number, phase)
        if before is not phase:
            reporter.report(
                "PHASE_REPEATED",
                f"expected each phase number once, got phase {phase.number} again; its id is {phase.id}, number "
                "it anew",
                at=phase.at,
                related={f"the first phase {phase.number}": before.at},
            )
    numbered = [(int(phase.number), phase) for phase in first.values() if phase.number.isdigit()]
    for (number, phase), (following, after) in pairwise(numbered):
        if following < number:
            reporter.report(
                "PHASE_ORDER",
                f"expected phases in the order of their numbers, got phase {following} after phase {number}; they are "
                "taken in the order of the document",
                at=after.at,
                related={f"phase {number}": phase.at},
            )
    _check_gaps(numbered, reporter)


def _check_gaps(numbered: list[tuple[int, Phase]], reporter: PlanReporter) -> None:
    ordered = sorted(numbered, key=lambda pair: pair[0])
    if ordered and ordered[0][0] > 1:
        reporter.report(
            "PHASE_GAP",
            f"expected the first phase to be 0 or 1, got {ordered[0][0]}; number the phases from there",
            at=ordered[0][1].at,
        )
    for (number, phase), (following, after) in pairwise(ordered):
        if following > number + 1:
            missing = str(number + 1) if following == number + 2 else f"{number + 1} to {following - 1}"
            reporter.report(
                "PHASE_GAP",
                f"expected phase {number + 1} after phase {number}, got phase {following}; "
                f"write what became of {missing}, or number them anew",
                at=after.at,
                related={f"phase {number}": phase.at},
            )


def _check_weeks(plan: DeliveryPlan, evidence: Evidence, reporter: PlanReporter) -> None:
    planned = [(phase, phase.weeks) for phase in plan.phases if phase.weeks is not None]
    if not planned:
        return
    unreadable = {chapter.id for chapter in evidence.chapters.phases if chapter.said.weeks_like is not None}
    for phase in plan.phases:
        if phase.weeks is None and phase.id not in unreadable:
            reporter.report(
                "PHASE_WEEKS_MISSING",
                f"expected weeks in the heading of phase {phase.id}, as other phases have, got none; add them",
                at=phase.at,
            )
    for (phase, weeks), (after, next_weeks) in pairwise(planned):
        _check_following(phase, weeks, after, next_weeks, reporter=reporter)


def _check_following(phase: Phase, weeks: Weeks, after: Phase, following: Weeks, *, reporter: PlanReporter) -> None:
    if weeks.last is None or following.first is None:
        return
    if following.first <= weeks.last:
        reporter.report(
            "PHASE_WEEKS_OVERLAP",
            f"expected phase {after.id} to begin after week {weeks.last}, in which phase {phase.id} ends, got week "
            f"{following.first}; a phase begins when the one before it has ended",
            at=following.at,
            related={f"the weeks of phase {phase.id}": weeks.at},
        )
    elif following.first > weeks.last + 1:
        reporter.report(
            "PHASE_WEEKS_GAP",
            f"expected phase {after.id} to begin in week {weeks.last + 1}, got week {following.first}; no phase has "
            "the weeks between",
            at=following.at,
            related={f"the weeks of phase {phase.id}": weeks.at},
        )


def _check_sections(phase: Phase, reporter: PlanReporter) -> None:
    numbered = [section for section in phase.sections if section.number]
    first: dict[str, Section] = {}
    for section in numbered:
        before = first.setdefault(section.number, section)
        if before is not section:
            reporter.report(
                "SECTION_REPEATED",
                f"expected each section number once, got {section.number} again; number it anew",
                at=section.at,
                related={f"the first {section.number}": before.at},
            )
        if not section.number.startswith(f"{phase.number}."):
            reporter.report(
                "SECTION_FOREIGN",
                f"expected a section of phase {phase.number}, {phase.number}.1 and so on, got {section.number}; "
                "move it or number it anew",
                at=section.at,
                related={"the phase": phase.at},
            )
    for (number, above), (following, section) in pairwise(_counted(phase, first)):
        if following > number + 1:
            reporter.report(
                "SECTION_GAP",
                f"expected section {phase.number}.{number + 1} after {above.number}, got {section.number}; "
                "number them anew if nothing is missing",
                at=section.at,
                related={f"section {above.number}": above.at},
            )


def _counted(phase: Phase, sections: dict[str, Section]) -> Iterator[tuple[int, Section]]:
    """Return the sections directly below the phase with their own numbers, ascending."""
    prefix = f"{phase.number}."
    own = (
        (int(number.removeprefix(prefix)), section)
        for number, section in sections.items()
        if number.startswith(prefix) and number.removeprefix(prefix).isdigit()
    )
    yield from sorted(own, key=lambda pair: pair[0])


def _check_references(plan: DeliveryPlan, reporter: PlanReporter) -> None:
    known = {phase.number for phase in plan.phases} | {
        phase.number.rstrip("abcdefghijklmnopqrstuvwxyz") for phase in plan.phases
    }
    headings = {reporter.text.line_number(phase.at[0]) for phase in plan.phases}
    last = max((int(number) for number in known if number.isdigit()), default=None)
    is_code = False
    for line in reporter.text.lines:
        if line.text.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        if is_code or "hase" not in line.text.lower() or criteria_heading(line.text) is not None:
            continue
        references = list(phase_references(line.text, line.start))
        for reference in references[1:] if line.number in headings else references:
            if reference.number.lstrip("0") not in known and reference.number not in known and last is not None:
                reporter.report(
                    "PHASE_UNKNOWN",
                    f"expected a phase of this plan, got phase {reference.number}; the last one is {last}",
                    at=reference.at,
                )
