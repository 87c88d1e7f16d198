"""Whether the places that state dependencies agree: fields, chains, graph, and the list of independent tasks.

Owns: what is said in one place and not in another that speaks of the same tasks.
Does not know: cycles; they are judged on the common plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from remit.plans.plan import DependencyOrigin, Place
from remit.plans.spectra.conversion import edges
from remit.plans.spectra.record import SpectraPlan
from remit.plans.texts import PlanReporter

_STEPS_MAX: Final = 200_000
"""Steps of all searches together; what a larger plan's places say indirectly is not compared."""

_SAYS: Final = {
    DependencyOrigin.FIELD: "the field 'Dependencies' says",
    DependencyOrigin.CHAIN: "the list of sequential dependencies says",
    DependencyOrigin.GRAPH: "the dependency graph says",
}


def check_agreement(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report what one place says about the order of two tasks and another, which knows both, does not."""
    said: dict[DependencyOrigin, dict[tuple[str, str], Place]] = {}
    for after, before, origin in edges(plan):
        said.setdefault(origin, {}).setdefault((before.id, after), before.at)
    if any(task.dependencies is not None for task in plan.tasks):
        said.setdefault(DependencyOrigin.FIELD, {})
    sources = {origin: _Source(plan, origin, pairs) for origin, pairs in said.items()}
    budget = _Budget()
    for origin, pairs in said.items():
        for other, source in sources.items():
            if other is not origin:
                _compare(pairs, origin, source, budget=budget, reporter=reporter)
    _check_independent(plan, sources, reporter)


class _Budget:
    """How many steps are left for searches."""

    def __init__(self) -> None:
        self.left = _STEPS_MAX


class _Source:
    """What one place says: direct edges, and which tasks it speaks of."""

    def __init__(self, plan: SpectraPlan, origin: DependencyOrigin, pairs: Mapping[tuple[str, str], Place]) -> None:
        self.origin = origin
        self.before: dict[str, list[str]] = defaultdict(list)
        for before, after in pairs:
            self.before[after].append(before)
        self._pairs = pairs
        self._fields = {task.id for task in plan.tasks if task.dependencies is not None}
        self._named = {name for pair in pairs for name in pair}

    def knows(self, before: str, after: str) -> bool:
        """Whether the place would say it, if it were so."""
        if self.origin is DependencyOrigin.FIELD:
            return after in self._fields
        return before in self._named and after in self._named

    def says(self, before: str, after: str, budget: _Budget) -> bool:
        """Whether the place says that one comes before another, directly or through others."""
        if (before, after) in self._pairs:
            return True
        seen = {after}
        waiting = [after]
        while waiting and budget.left > 0:
            for one in self.before.get(waiting.pop(), ()):
                budget.left -= 1
                if one == before:
                    return True
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
        return budget.left <= 0


def _compare(
    pairs: Mapping[tuple[str, str], Place],
    origin: DependencyOrigin,
    source: _Source,
    *,
    budget: _Budget,
    reporter: PlanReporter,
) -> None:
    unsaid: dict[Place, list[tuple[str, str]]] = {}
    for (before, after), at in pairs.items():
        if before != after and source.knows(before, after) and not source.says(before, after, budget):
            unsaid.setdefault(at, []).append((before, after))
    for at, found in unsaid.items():
        opposite = [pair for pair in found if source.knows(*pair[::-1]) and source.says(*pair[::-1], budget)]
        if budget.left <= 0:
            break
        before, after = (opposite or found)[0]
        more = f" (and {len(found) - 1} more pairs)" if len(found) > 1 else ""
        reporter.report(
            "SPECTRA_DEPENDENCY_DIFFERS",
            f"expected all places to agree that {before} comes before {after}{more}, as {_SAYS[origin]}; got no "
            f"agreement: {_SAYS[source.origin]} {'the opposite' if opposite else 'nothing of it'}; correct one of them",
            at=at,
        )


def _check_independent(plan: SpectraPlan, sources: Mapping[DependencyOrigin, _Source], reporter: PlanReporter) -> None:
    """Report tasks that are called independent and come after another that is not (both: the analysis says so)."""
    independent = () if plan.parallelism is None else plan.parallelism.independent or ()
    listed = {one.id for one in independent}
    known = {task.id for task in plan.tasks}
    for one in independent:
        before = [
            (name, origin)
            for origin, source in sources.items()
            for name in source.before.get(one.id, ())
            if name in known
        ]
        if before and not any(name in listed for name, _ in before):
            name, origin = before[0]
            reporter.report(
                "SPECTRA_INDEPENDENT_ORDERED",
                f"expected independent tasks to wait for no other, got {one.id}, which comes after {name}, as "
                f"{_SAYS[origin]}; take it out of the list, or drop the dependency",
                at=one.at,
            )
