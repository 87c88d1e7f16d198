"""Ids: each once and increasing; graph and marks name tasks that exist.

Owns: these checks.
Does not know: fields of tasks. References in fields and chains are judged on the common plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from remit.plans.plan import Reference
from remit.plans.spectra.ids import ALL, is_canonical
from remit.plans.spectra.record import SpectraPlan, SpectraTask
from remit.plans.texts import PlanReporter


def check_ids(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report ids that occur twice, that do not increase, and 000."""
    first: dict[str, SpectraTask] = {}
    last: SpectraTask | None = None
    for task in plan.tasks:
        known = first.setdefault(task.id, task)
        if known is not task:
            reporter.report(
                "SPECTRA_TASK_DUPLICATE",
                f"expected each id once, got {task.id} again; give the task another",
                at=task.id_at,
                related={"first": known.id_at},
            )
        elif is_canonical(task.id):
            _check_order(task, last, reporter)
        if is_canonical(task.id) and (last is None or task.id > last.id):
            last = task


def _check_order(task: SpectraTask, last: SpectraTask | None, reporter: PlanReporter) -> None:
    if task.id == "000":
        reporter.report(
            "SPECTRA_TASK_ZERO",
            "expected tasks to be numbered from 001, got 000, which other readers always refuse; renumber them",
            at=task.id_at,
        )
    elif last is not None and task.id < last.id:
        reporter.report(
            "SPECTRA_TASK_ORDER",
            f"expected ids that increase, got {task.id} after {last.id}; move the task, or renumber it",
            at=task.id_at,
            related={"before": last.id_at},
        )


def check_references(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report ids of tasks that do not exist in the graph and in marks; fields and chains are the analysis's."""
    known = {task.id for task in plan.tasks} | {ALL}
    _check_all(plan, reporter)
    for marker in plan.markers:
        parts = marker.parts if marker.task is None else (marker.task,)
        _report_unknown(parts, known, reporter)
    for entry in plan.graph or ():
        # What comes before a task that exists is one of its dependencies, and reported as such.
        following = (*(one.id in known for one in entry.chain[1:]), False)
        lost = [one for one, is_before in zip(entry.chain, following, strict=True) if not is_before]
        _report_unknown(lost, known, reporter)


def _report_unknown(references: Iterable[Reference], known: set[str], reporter: PlanReporter) -> None:
    for reference in references:
        if reference.id not in known:
            reporter.report(
                "SPECTRA_REFERENCE_UNKNOWN",
                f"expected the id of a task of this plan, got {reference.id!r}; add the task, or take the id out",
                at=reference.at,
            )


def _check_all(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report tasks that are said to come after all others, beside the first that is."""
    said = [(task.id, one) for task in plan.tasks for one in task.dependencies or () if one.id == ALL]
    links = [pair for entry in plan.graph or () for pair in pairwise(entry.chain)]
    said += [(after.id, before) for before, after in links if before.id == ALL]
    for task_id, reference in said[1:]:
        if task_id != said[0][0]:
            reporter.report(
                "SPECTRA_ALL_REPEATED",
                f"expected one task after all others, got {task_id} beside {said[0][0]}; name the tasks it waits for",
                at=reference.at,
                related={"first": said[0][1].at},
            )
