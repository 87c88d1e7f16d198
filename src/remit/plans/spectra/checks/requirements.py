"""What a level requires: fields of tasks, and the assessment.

Owns: the rules by level.
Does not know: whether what is there is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from remit.plans.plan import NOWHERE
from remit.plans.spectra import names
from remit.plans.spectra.reading import SpectraReading
from remit.plans.spectra.record import SpectraPlan, SpectraTask, Wiring
from remit.plans.texts import PlanReporter

_REMEDIES: Final = {
    names.CRITERIA: "write what must hold when it is done",
    names.FILES: "write the files that it changes",
    names.VERIFY: "write a command that fails until it is done",
    names.RISK: f"write {', '.join(names.ALLOWED_RISKS[:-1])} or {names.ALLOWED_RISKS[-1]}",
    names.ITERATIONS: "write how often it may be tried",
    names.SCOPE: f"write one of {', '.join(names.SCOPES)}",
    names.WIRING: "write how it is shown that the code is reached",
    names.OWNERSHIP: "write what it owns, touches and reads",
}
_FORCED_FAILURE: Final = re.compile(
    r"\b(?:forced?[ -]?fail|force[sd]?[ -](?:a[ -])?fail|inject\w*[ -]fail|fault[ -]inject|fail(?:ure)?[ -]inject"
    r"|must[ -]fail|expected[ -]to[ -]fail|negative[ -]test|deliberate(?:ly)?[ -](?:break|fail|broken))",
    re.IGNORECASE,
)


def check_requirements(reading: SpectraReading, reporter: PlanReporter) -> None:
    """Report what the level asks for and the plan does not have."""
    for task in reading.plan.tasks:
        _check_task(task, reading, reporter)
    if reading.level >= names.OWNERSHIP_LEVEL and reading.assessment_at is None and reading.plan.tasks:
        place = repr(reading.field_names.get(names.PARALLELISM, f"## {names.PARALLELISM}"))
        reporter.report(
            "SPECTRA_PARALLELISM_MISSING",
            f"expected {place} from level {names.OWNERSHIP_LEVEL} on, got none; write what may run at the same time",
            at=reading.plan.level_at if reading.plan.level_at != NOWHERE else reading.plan.at,
        )
    if reading.level >= names.WIRING_LEVEL and reading.plan.tasks and not _has_forced_failure(reading.plan):
        reporter.report(
            "SPECTRA_FORCED_FAILURE_MISSING",
            f"expected a task that shows that its check fails when it should, from level {names.WIRING_LEVEL} on, got "
            "none whose title or criteria say so (forced failure, failure injection, must fail); add one",
            at=reading.plan.level_at if reading.plan.level_at != NOWHERE else reading.plan.at,
        )


def _check_task(task: SpectraTask, reading: SpectraReading, reporter: PlanReporter) -> None:
    level = reading.level
    for name, lowest in names.REQUIRED_FROM.items():
        if level < lowest or name in task.places:
            continue
        reporter.report(
            "SPECTRA_FIELD_MISSING",
            f"expected {reading.shown(name)} in task {task.id}, which level {level} requires, got none; "
            f"{_REMEDIES[name]}",
            at=task.at,
        )
    for name in _empty(task):
        reporter.report(
            "SPECTRA_FIELD_EMPTY",
            f"expected a value behind {reading.shown(name)} in task {task.id}, got none; {_REMEDIES[name]}",
            at=task.places[name],
        )
    if level >= names.WIRING_LEVEL and task.wiring is not None:
        _check_wiring(task, task.wiring, reading, reporter)
    if task.ownership is not None and names.OWNERSHIP in task.places:
        _check_ownership(task, reading, reporter)


def _empty(task: SpectraTask) -> Iterator[str]:
    """Return the fields that are there and hold nothing."""
    if task.criteria == ():
        yield names.CRITERIA
    if task.files == () and names.FILES in task.places:
        yield names.FILES
    if names.VERIFY in task.places and (task.verify is None or not task.verify.text):
        yield names.VERIFY


def _check_wiring(task: SpectraTask, wiring: Wiring, reading: SpectraReading, reporter: PlanReporter) -> None:
    pairs = ((names.CLI, wiring.command), (names.INTEGRATION, wiring.integration))
    missing = [name for name, text in pairs if text is None or not text.text]
    if missing:
        shown = " and ".join(repr(reading.field_names.get(name, name)) for name in missing)
        reporter.report(
            "SPECTRA_WIRING_PART_MISSING",
            f"expected {shown} below {reading.shown(names.WIRING)} of task {task.id}, got none; "
            "the command shows that a caller reaches the code, the integration that modules are connected",
            at=task.places[names.WIRING] if task.places[names.WIRING] != NOWHERE else task.at,
        )


def _check_ownership(task: SpectraTask, reading: SpectraReading, reporter: PlanReporter) -> None:
    ownership = task.ownership
    assert ownership is not None
    at = task.places[names.OWNERSHIP]
    below = f"below '- {names.OWNERSHIP}:' of"
    if ownership.owns is None and reading.level >= names.OWNERSHIP_LEVEL:
        reporter.report(
            "SPECTRA_OWNS_MISSING",
            f"expected '  - owns: [...]' {below} task {task.id}, got none; write the files that are its alone, [] if "
            "there are none",
            at=at,
        )
    if ownership.reads is None:
        what = f"{reading.field_names[names.READS]!r} in" if reading.field_names else f"'  - reads: [...]' {below}"
        reporter.report(
            "SPECTRA_READS_MISSING",
            f"expected {what} task {task.id}, got none; write [] if it reads no other file",
            at=at,
        )


def _has_forced_failure(plan: SpectraPlan) -> bool:
    return any(_FORCED_FAILURE.search(text) for task in plan.tasks for text in _texts(task))


def _texts(task: SpectraTask) -> Iterator[str]:
    yield task.title
    yield task.description or ""
    for criterion in task.criteria or ():
        yield criterion.text
