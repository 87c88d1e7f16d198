"""The files of one task: what it lists against what it owns and touches.

Owns: contradictions inside a task.
Does not know: other tasks' files; those are judged on the common plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from remit.diagnostics import Severity
from remit.plans.analysis.paths import overlap, shape_of
from remit.plans.plan import PathClaim
from remit.plans.spectra import names
from remit.plans.spectra.lists import path_lists
from remit.plans.spectra.paths import leaves, names_files
from remit.plans.spectra.record import SpectraPlan, SpectraTask
from remit.plans.texts import PlanReporter

_PARENTS_MAX: Final = 64
_COMPARED_MAX: Final = 50
"""So many patterns of one task are compared with a file."""


def check_claims(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report files that a task changes and does not own, the reverse, and paths that it claims twice."""
    for task in plan.tasks:
        _check_outside(task, reporter)
        if task.ownership is None or names.OWNERSHIP not in task.places:
            continue
        _check_twice(task, reporter)
        if task.files and (task.ownership.owns is not None or task.ownership.touches is not None):
            _check_files(task, reporter)


def _check_outside(task: SpectraTask, reporter: PlanReporter) -> None:
    """Report paths that lead out of the project: none of them can be changed, and few of them read."""
    ownership = task.ownership if task.ownership is not None and names.OWNERSHIP in task.places else None
    lists = (("", task.files or ()), *(() if ownership is None else path_lists(ownership)))
    for key, claims in lists:
        for claim in claims:
            if not names_files(claim) or not leaves(claim.written):
                continue
            is_read = key == names.READS
            why = (
                "may see only the project's files where it runs"
                if is_read
                else "may change only the project's files; name one of those"
            )
            reporter.report(
                "SPECTRA_PATH_OUTSIDE",
                f"expected a path inside the project, got {claim.written!r}; a task {why}",
                at=claim.at,
                severity=Severity.NOTE if is_read else Severity.WARNING,
            )


def _check_twice(task: SpectraTask, reporter: PlanReporter) -> None:
    assert task.ownership is not None
    seen: dict[str, tuple[str, PathClaim]] = {}
    for key, claims in path_lists(task.ownership):
        for claim in claims:
            first_key, first = seen.setdefault(shape_of(claim.path).key, (key, claim))
            if first is not claim:
                where = f"in {key} twice" if key == first_key else f"in {first_key} and in {key}"
                reporter.report(
                    "SPECTRA_PATH_REPEATED",
                    f"expected each path once in the ownership of task {task.id}, got {claim.written!r} {where}; "
                    "take one out",
                    at=claim.at,
                    related={"first": first.at},
                )


def _check_files(task: SpectraTask, reporter: PlanReporter) -> None:
    assert task.ownership is not None
    assert task.files is not None
    changed = [*(task.ownership.owns or ()), *(task.ownership.touches or ())]
    files = [claim for claim in task.files if names_files(claim)]
    changed = [claim for claim in changed if names_files(claim)]
    listed, claimed = _Cover(files), _Cover(changed)
    for claim in files:
        if not claimed.meets(claim.path):
            reporter.report(
                "SPECTRA_FILE_UNOWNED",
                f"expected every file of task {task.id} in its owns or touches, got {claim.written!r} in neither; add "
                "it to one of them, or the task could not write it",
                at=claim.at,
            )
    for claim in changed:
        if not listed.meets(claim.path):
            reporter.report(
                "SPECTRA_FILE_UNLISTED",
                f"expected {names.FILES} of task {task.id} to name all that it owns and touches, got no "
                f"{claim.written!r}; add it there, or take it out here",
                at=claim.at,
            )


class _Cover:
    """Paths, and whether another one has a file in common with any of them."""

    def __init__(self, claims: Iterable[PathClaim]) -> None:
        shapes = [shape_of(claim.path) for claim in claims]
        self._globs = [shape for shape in shapes if shape.is_glob]
        self._plain = [shape for shape in shapes if not shape.is_glob]
        self._keys = {shape.key for shape in shapes}
        self._parents = {parent for shape in self._plain for parent in _parents(shape.key)}

    def meets(self, path: str) -> bool:
        """Whether a path is one of these, or inside, around, or matched by one; too many patterns count as such."""
        shape = shape_of(path)
        if shape.key in self._keys or shape.key in self._parents:
            return True
        if not shape.is_glob and any(parent in self._keys for parent in _parents(shape.key)):
            return True
        others = [*self._globs, *self._plain] if shape.is_glob else self._globs
        return len(others) > _COMPARED_MAX or any(overlap(shape, other) for other in others)


def _parents(key: str) -> list[str]:
    parts = key.split("/")[:_PARENTS_MAX]
    return ["/".join(parts[:size]) for size in range(1, len(parts))]
