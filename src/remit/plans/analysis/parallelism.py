"""Computed parallelism: which tasks may run at the same time, and whether that makes a team worth it.

Owns: the verdict with its reason, and the largest set of tasks that are neither ordered nor share a path.
Does not know: what the document recommends.

Finding a largest set is hard in general: it is exact for small plans, and otherwise the best that one pass over each
wave finds. The verdict is exact for every plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.plans.analysis.cycles import Order
from remit.plans.analysis.graph import Graph
from remit.plans.analysis.ownership import Claims, RoleMasks, masks_of
from remit.plans.analysis.reach import Reach, bits, reach_of
from remit.plans.analysis.records import Parallelism, SharedPath, Verdict, VerdictReason
from remit.plans.plan import Plan, TaskKind

LEVEL_MIN: Final = 3
"""Least level at which a team may work on a plan."""

_EXACT_MAX: Final = 40
"""Most tasks among which the largest set is looked for exactly."""

_STEPS_MAX: Final = 20_000
"""Steps of that search, about 50 ms; plans of forty tasks take hundreds."""

_SHARED_MAX: Final = 20
"""Most shared paths that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """Tasks as ranks, with the masks of what they change."""

    reach: Reach
    masks: RoleMasks
    claims: Claims

    def sharing(self, rank: int) -> int:
        """Return the ranks that change a file that this one changes."""
        found = 0
        for cell in self.claims.changes[self.reach.nodes[rank]]:
            found |= self.masks.meeting(cell)
        return found & ~(1 << rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    largest: tuple[int, ...]
    is_largest: bool
    shared: tuple[SharedPath, ...]


def compute_parallelism(plan: Plan, graph: Graph, order: Order, claims: Claims) -> Parallelism:
    """Return the verdict: ``TEAM_ELIGIBLE`` from level 3 on if two tasks are unordered and change different paths."""
    workers = [
        node
        for node, task in enumerate(graph.tasks)
        if task.kind is not TaskKind.HUMAN_GATE and not order.is_cyclic(node)
    ]
    found = _search(graph, order, claims, workers)
    reason = _reason(plan, found, len(workers))
    verdict = Verdict.TEAM_ELIGIBLE if reason is VerdictReason.INDEPENDENT_TASKS else Verdict.SEQUENTIAL_ONLY
    largest = graph.ids(sorted(found.largest))
    return Parallelism(
        verdict=verdict,
        reason=reason,
        explanation=_explain(plan, reason, largest=largest, shared=found.shared),
        largest=largest,
        is_largest=found.is_largest,
        workers_max=len(largest) if verdict is Verdict.TEAM_ELIGIBLE else min(1, len(workers)),
        shared=found.shared,
    )


def _search(graph: Graph, order: Order, claims: Claims, workers: list[int]) -> _Found:
    if len(workers) <= _EXACT_MAX:
        return _search_exactly(graph, order, claims, workers)
    waves = _Waves(claims)
    best = max((waves.pick(wave) for wave in _by_wave(order, graph, workers)), key=len)
    if len(best) > 1:
        return _Found(largest=tuple(best), is_largest=False, shared=())
    return _search_pair(graph, order, claims, workers)


def _search_exactly(graph: Graph, order: Order, claims: Claims, workers: list[int]) -> _Found:
    reach = reach_of(graph, order, workers)
    field = _Field(reach=reach, masks=masks_of(claims.cells, claims.changes, reach), claims=claims)
    apart = [0] * len(reach.nodes)
    shared: list[SharedPath] = []
    for rank, unordered in reach.walk():
        sharing = field.sharing(rank)
        for other in bits(unordered):
            if sharing >> other & 1:
                shared += [_shared(field, other, rank)] if len(shared) < _SHARED_MAX else []
            else:
                apart[rank] |= 1 << other
                apart[other] |= 1 << rank
    search = _LargestSet(apart)
    largest = search.run()
    return _Found(
        largest=tuple(reach.nodes[rank] for rank in largest),
        is_largest=search.steps <= _STEPS_MAX,
        shared=tuple(shared),
    )


class _LargestSet:
    """A largest set of which all members may run together; ``apart[rank]`` are those that may run with one."""

    def __init__(self, apart: Sequence[int]) -> None:
        self._apart = apart
        self._best: tuple[int, ...] = ()
        self.steps = 0

    def run(self) -> tuple[int, ...]:
        """Return the set; it is a largest one if no more than ``_STEPS_MAX`` steps were needed."""
        self._extend((), (1 << len(self._apart)) - 1)
        return self._best

    def _extend(self, taken: tuple[int, ...], open_ranks: int) -> None:
        self.steps += 1
        if len(taken) > len(self._best):
            self._best = taken
        while open_ranks and self.steps <= _STEPS_MAX:
            if len(taken) + open_ranks.bit_count() <= len(self._best):
                return
            rank = self._next(open_ranks)
            self._extend((*taken, rank), open_ranks & self._apart[rank])
            open_ranks &= ~(1 << rank)
            if open_ranks & ~self._apart[rank] == 0:
                # It fits all others: no set without it is larger.
                return

    def _next(self, open_ranks: int) -> int:
        """Return the rank that may run with the most others: large sets are found early."""
        return max(bits(open_ranks), key=lambda rank: ((self._apart[rank] & open_ranks).bit_count(), -rank))


def _search_pair(graph: Graph, order: Order, claims: Claims, workers: list[int]) -> _Found:
    """Look for two tasks in the whole plan: those of one wave may all share what tasks of different waves do not."""
    reach = reach_of(graph, order, workers)
    field = _Field(reach=reach, masks=masks_of(claims.cells, claims.changes, reach), claims=claims)
    shared: list[SharedPath] = []
    for rank, unordered in reach.walk():
        apart = unordered & ~field.sharing(rank) if unordered else 0
        if apart:
            pair = ((apart & -apart).bit_length() - 1, rank)
            return _Found(largest=tuple(reach.nodes[one] for one in pair), is_largest=False, shared=())
        if unordered and len(shared) < _SHARED_MAX:
            shared.append(_shared(field, (unordered & -unordered).bit_length() - 1, rank))
    return _Found(largest=tuple(workers[:1]), is_largest=True, shared=tuple(shared))


def _by_wave(order: Order, graph: Graph, workers: list[int]) -> list[list[int]]:
    depth = [0] * len(graph)
    for nodes in order.groups:
        base = max(depth[node] for node in nodes)
        for node in nodes:
            counted = base + (node < len(graph.tasks) and len(nodes) == 1)
            for other in graph.after[node]:
                depth[other] = max(depth[other], counted)
    waves: dict[int, list[int]] = {}
    for node in workers:
        waves.setdefault(depth[node], []).append(node)
    return list(waves.values())


class _Waves:
    """Picks tasks of one wave that share no path, one after the other."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def pick(self, wave: list[int]) -> list[int]:
        """Return tasks of a wave of which no two change the same path; those with the fewest paths go first."""
        taken: set[int] = set()
        around: set[int] = set()
        picked: list[int] = []
        for node in sorted(wave, key=lambda node: (len(self._claims.changes[node]), node)):
            cells = self._claims.changes[node]
            if any(self._is_taken(cell, taken, around) for cell in cells):
                continue
            picked.append(node)
            taken |= cells
            for cell in cells:
                around.update(self._claims.cells.containing(cell))
        return picked

    def _is_taken(self, cell: int, taken: set[int], around: set[int]) -> bool:
        cells = self._claims.cells
        if cell in around or any(other in taken for other in cells.linked.get(cell, ())):
            return True
        return any(other in taken for other in cells.containing(cell))


def _shared(field: _Field, one: int, other: int) -> SharedPath:
    """Return the path that two ranks share, as the second has it."""
    graph, cells = field.reach.graph, field.claims.cells
    first, second = field.reach.nodes[one], field.reach.nodes[other]
    cell = cells.meeting(field.claims.changes[second], field.claims.changes[first])
    assert cell is not None, "they share none"
    return SharedPath(tasks=(graph.tasks[first].id, graph.tasks[second].id), path=cells.shapes[cell].key)


def _reason(plan: Plan, found: _Found, worker_count: int) -> VerdictReason:
    if plan.level is None:
        return VerdictReason.LEVEL_MISSING
    if plan.level < LEVEL_MIN:
        return VerdictReason.LEVEL_LOW
    if worker_count < 2:
        return VerdictReason.TOO_FEW_TASKS
    if len(found.largest) > 1:
        return VerdictReason.INDEPENDENT_TASKS
    return VerdictReason.PATHS_SHARED if found.shared else VerdictReason.ALL_ORDERED


def _explain(plan: Plan, reason: VerdictReason, *, largest: tuple[str, ...], shared: tuple[SharedPath, ...]) -> str:
    names = ", ".join(largest[:8]) + (f" and {len(largest) - 8} more" if len(largest) > 8 else "")
    match reason:
        case VerdictReason.INDEPENDENT_TASKS:
            return f"{len(largest)} tasks have no order among them and change different paths: {names}"
        case VerdictReason.LEVEL_MISSING:
            return f"the plan has no level, and teams work on plans from level {LEVEL_MIN} on"
        case VerdictReason.LEVEL_LOW:
            return f"the plan is of level {plan.level}, and teams work on plans from level {LEVEL_MIN} on"
        case VerdictReason.TOO_FEW_TASKS:
            return "there are not two tasks to be worked on"
        case VerdictReason.ALL_ORDERED:
            return "of every two tasks one comes before the other"
        case VerdictReason.PATHS_SHARED:
            first = shared[0]
            return (
                "all tasks without order among them change the same paths, such as "
                f"{first.tasks[0]} and {first.tasks[1]} {first.path}"
            )
