"""Whether what tools wrote into a plan agrees with its check marks.

Owns: marks such as ``STUCK:002``, and fields that state how far a task is.
Does not know: runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from remit.plans.plan import TaskState
from remit.plans.spectra import names
from remit.plans.spectra.markers import COMPLETE, SPLIT, STUCK, VERIFIED
from remit.plans.spectra.record import Marker, SpectraPlan, SpectraTask
from remit.plans.texts import PlanReporter

_STATES: Final[Mapping[str, TaskState]] = {
    "done": TaskState.DONE,
    "complete": TaskState.DONE,
    "completed": TaskState.DONE,
    "pass": TaskState.DONE,
    "passed": TaskState.DONE,
    "verified": TaskState.DONE,
    "pending": TaskState.PENDING,
    "open": TaskState.PENDING,
    "todo": TaskState.PENDING,
    "stuck": TaskState.STUCK,
    "blocked": TaskState.STUCK,
    "in progress": TaskState.IN_PROGRESS,
}
_WORDS: Final = re.compile(r"[A-Za-z]+(?:[ _-]progress)?")
_MEANT: Final[Mapping[str, TaskState]] = {STUCK: TaskState.STUCK, VERIFIED: TaskState.DONE}


def check_states(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report marks of tools, and contradictions between them, status fields and check marks."""
    tasks = {task.id: task for task in reversed(plan.tasks)}
    for marker in plan.markers:
        _report_marker(marker, reporter)
        task = None if marker.task is None else tasks.get(marker.task.id)
        if marker.word == COMPLETE:
            _check_complete(marker, plan, reporter)
        elif task is not None and marker.word in _MEANT:
            _compare(task, _MEANT[marker.word], marker.at, reporter)
        elif task is not None and marker.word == SPLIT:
            _check_split(marker, tasks, reporter)
    for task in plan.tasks:
        for other in task.others:
            state = _status(other.value) if names.plain_key(other.key) in names.STATE_KEYS else None
            if state is not None:
                _compare(task, state, other.at, reporter)


def _report_marker(marker: Marker, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_MARKER",
        f"expected the check marks alone to say how far tasks are, got a mark of a tool, {marker.word}; it changes "
        "nothing",
        at=marker.at,
    )


def _check_complete(marker: Marker, plan: SpectraPlan, reporter: PlanReporter) -> None:
    open_tasks = [task for task in plan.tasks if task.state is not TaskState.DONE]
    if open_tasks:
        first = open_tasks[0]
        reporter.report(
            "SPECTRA_STATE_DIFFERS",
            f"expected all tasks to be done where {COMPLETE} stands, got {len(open_tasks)} that are not; "
            "correct their marks, or take this one out",
            at=marker.at,
            related={"first": first.mark_at},
        )


def _check_split(marker: Marker, tasks: Mapping[str, SpectraTask], reporter: PlanReporter) -> None:
    missing = [part for part in marker.parts if part.id not in tasks]
    if missing:
        reporter.report(
            "SPECTRA_REFERENCE_UNKNOWN",
            f"expected the parts of the split to be tasks of this plan, got no {', '.join(one.id for one in missing)}; "
            "add them",
            at=missing[0].at,
        )


def _compare(task: SpectraTask, state: TaskState, at: tuple[int, int], reporter: PlanReporter) -> None:
    if task.state is not state and task.description is not None:
        reporter.report(
            "SPECTRA_STATE_DIFFERS",
            f"expected the check mark of task {task.id}, which counts, to say {_shown(state)} as this does, got "
            f"{_shown(task.state)}; correct one of them",
            at=at,
            related={"check mark": task.mark_at},
        )


def _shown(state: TaskState) -> str:
    return state.value.replace("_", " ")


def _status(value: str) -> TaskState | None:
    found = _WORDS.search(value)
    return None if found is None else _STATES.get(re.sub("[_-]", " ", found.group()).casefold())
