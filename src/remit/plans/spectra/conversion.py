"""From the record of a SPECTRA execution plan to the common plan.

Owns: what the format's fields mean in the common model; dependencies from all three places that state them.
Does not know: texts or checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from remit.plans.plan import (
    DeclaredParallelism,
    Dependency,
    DependencyOrigin,
    PathClaim,
    Place,
    Plan,
    PlanFormat,
    PlanTask,
    Reference,
    Text,
)
from remit.plans.spectra.commands import commands_in
from remit.plans.spectra.ids import ALL
from remit.plans.spectra.paths import names_files
from remit.plans.spectra.record import Ownership, Parallelism, SpectraPlan, SpectraTask, Wiring

Edge = tuple[str, Reference, DependencyOrigin]
"""The task that comes after, the one before, and where that is said."""


def to_plan(plan: SpectraPlan, *, level: int) -> Plan:
    """Return the common plan of a record.

    Args:
        plan: The record.
        level: The level that counts.
    """
    before: dict[str, list[Dependency]] = {}
    seen: set[tuple[str, str, DependencyOrigin]] = set()
    for after, reference, origin in edges(plan):
        key = (after, reference.id, origin)
        if key not in seen:
            seen.add(key)
            before.setdefault(after, []).append(Dependency(id=reference.id, origin=origin, at=reference.at))
    return Plan(
        format=PlanFormat.SPECTRA,
        title=plan.project or plan.title,
        level=level,
        level_at=plan.level_at,
        tasks=tuple(_task(task, before.get(task.id, ())) for task in plan.tasks),
        parallelism=None if plan.parallelism is None else _parallelism(plan.parallelism),
    )


def edges(plan: SpectraPlan) -> Iterator[Edge]:
    """Return which task comes before which, from the fields, the chains and the graph.

    ``all`` stands for every other task, in the first place that says it; two tasks cannot both come after all others.
    """
    everyone = _Everyone(plan)
    for task in plan.tasks:
        for reference in task.dependencies or ():
            yield from everyone.expand(task.id, reference, DependencyOrigin.FIELD)
    for chain in chains(plan):
        for one, other in pairwise(chain):
            yield from everyone.expand(other.id, one, DependencyOrigin.CHAIN)
    for entry in plan.graph or ():
        for one, other in pairwise(entry.chain):
            yield from everyone.expand(other.id, one, DependencyOrigin.GRAPH)


def chains(plan: SpectraPlan) -> tuple[tuple[Reference, ...], ...]:
    """Return the chains of the assessment."""
    return () if plan.parallelism is None else plan.parallelism.chains or ()


class _Everyone:
    """Puts every other task in the place of ``all``, once."""

    def __init__(self, plan: SpectraPlan) -> None:
        self._ids = tuple(dict.fromkeys(task.id for task in plan.tasks))
        self._last: str | None = None

    def expand(self, after: str, reference: Reference, origin: DependencyOrigin) -> Iterator[Edge]:
        """Return the edges of one reference."""
        if reference.id != ALL:
            yield after, reference, origin
            return
        if self._last is None:
            self._last = after
            yield from _others(self._ids, after, reference.at, origin)


def _others(ids: Iterable[str], after: str, at: Place, origin: DependencyOrigin) -> Iterator[Edge]:
    return ((after, Reference(id=other, at=at), origin) for other in ids if other != after)


def _task(task: SpectraTask, before: Iterable[Dependency]) -> PlanTask:
    ownership = task.ownership or Ownership()
    return PlanTask(
        id=task.id,
        title=task.title,
        at=task.at,
        state=task.state,
        state_at=task.mark_at,
        objective=task.description or "",
        depends_on=tuple(before),
        criteria=tuple(criterion for criterion in task.criteria or () if criterion.text),
        files=_files(task.files),
        owns=_files(ownership.owns),
        touches=_files(ownership.touches),
        reads=_files(ownership.reads),
        verify=(task.verify,) if task.verify is not None and task.verify.text else (),
        wiring=() if task.wiring is None else _wiring(task.wiring),
        wiring_commands=() if task.wiring is None else _commands(task.wiring),
        assertions=tuple(Text(text=assertion.text, at=assertion.at) for assertion in task.assertions or ()),
        risk=task.risk,
        scope=task.scope,
        iterations_max=task.iterations_max,
    )


def _files(claims: tuple[PathClaim, ...] | None) -> tuple[PathClaim, ...]:
    """Return the claims that are of files; words in their place are nobody's."""
    return tuple(claim for claim in claims or () if names_files(claim))


def _commands(wiring: Wiring) -> tuple[Text, ...]:
    return () if wiring.command is None else commands_in(wiring.command).found


def _wiring(wiring: Wiring) -> tuple[Text, ...]:
    parts = (wiring.command, wiring.integration, *wiring.others)
    return tuple(part for part in parts if part is not None and part.text)


def _parallelism(parallelism: Parallelism) -> DeclaredParallelism:
    return DeclaredParallelism(
        independent=parallelism.independent or (),
        chains=parallelism.chains or (),
        recommendation=parallelism.recommendation,
        recommendation_at=parallelism.recommendation_at,
        at=parallelism.at,
    )
