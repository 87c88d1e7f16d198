"""Ownership: who owns, touches and reads which path, and who would change the same files.

Owns: the map, and the conflicts among tasks of which neither comes first.
Does not know: how paths compare (``cells``), or how bad a conflict is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.plans.analysis.cells import Cells, cells_of
from remit.plans.analysis.cycles import Order
from remit.plans.analysis.graph import Graph
from remit.plans.analysis.reach import Reach, reach_of
from remit.plans.analysis.records import Claimed, ConflictKind, Ownership, OwnershipConflict, PathUse
from remit.plans.plan import PathClaim, PlanTask

_CONFLICTS_MAX: Final = 1000
"""Most conflicts that are kept."""

Masks = Mapping[int, int]
"""For each cell the tasks that claim it, as bits of their ranks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The claims of all tasks, with the cells of their paths."""

    cells: Cells
    owns: tuple[frozenset[int], ...]
    touches: tuple[frozenset[int], ...]
    changes: tuple[frozenset[int], ...]


def claims_of(graph: Graph) -> Claims:
    """Return the claims of a plan.

    ``changes`` is what a task owns and touches, and its files if it claims nothing: that nobody asked for claims does
    not make two tasks that name one file independent. Conflicts are about claims alone.
    """
    cells = cells_of(claim.path for task in graph.tasks for claim in _claims(task))
    return Claims(
        cells=cells,
        owns=tuple(_cells(cells, task.owns) for task in graph.tasks),
        touches=tuple(_cells(cells, task.touches) for task in graph.tasks),
        changes=tuple(_cells(cells, (*task.owns, *_touched(task))) for task in graph.tasks),
    )


def _touched(task: PlanTask) -> tuple[PathClaim, ...]:
    """Return what a task touches, which is its files if it claims nothing."""
    return task.touches if task.owns or task.touches else task.files


def map_ownership(graph: Graph, order: Order, claims: Claims) -> Ownership:
    """Return the map of paths and the conflicts."""
    contested = _contested(claims)
    reach = reach_of(graph, order, contested)
    conflicts = _Search(graph, claims, reach).run() if contested else ()
    return Ownership(paths=_uses(graph, claims.cells), conflicts=conflicts, is_complete=claims.cells.is_complete)


def _claims(task: PlanTask) -> Iterable[PathClaim]:
    for claimed in (task.owns, task.touches, task.reads, task.files):
        yield from (claim for claim in claimed if claim.path.strip())


def _cells(cells: Cells, claims: Iterable[PathClaim]) -> frozenset[int]:
    return frozenset(cells.number[claim.path] for claim in claims if claim.path.strip())


def _uses(graph: Graph, cells: Cells) -> tuple[PathUse, ...]:
    """Return who claims each path, in the document's order."""
    written: dict[int, PathClaim] = {}
    tasks: dict[tuple[int, str], dict[str, None]] = {}
    for task in graph.tasks:
        for role, claim in _by_role(task):
            cell = cells.number[claim.path]
            written.setdefault(cell, claim)
            tasks.setdefault((cell, role), {})[task.id] = None
    return tuple(
        PathUse(
            path=claim.path,
            written=claim.written,
            owners=tuple(tasks.get((cell, "owns"), ())),
            touchers=tuple(tasks.get((cell, "touches"), ())),
            readers=tuple(tasks.get((cell, "reads"), ())),
        )
        for cell, claim in written.items()
    )


def _by_role(task: PlanTask) -> Iterable[tuple[str, PathClaim]]:
    for role, claimed in (("owns", task.owns), ("touches", _touched(task)), ("reads", task.reads)):
        yield from ((role, claim) for claim in claimed if claim.path.strip())


def _contested(claims: Claims) -> list[int]:
    """Return the tasks with a cell that another task may have in common with them."""
    cells = claims.cells
    parent = list(range(len(cells.shapes)))

    def root(cell: int) -> int:
        while parent[cell] != cell:
            parent[cell] = parent[parent[cell]]
            cell = parent[cell]
        return cell

    claimed = [owns | touches for owns, touches in zip(claims.owns, claims.touches, strict=True)]
    for cell, nearest in enumerate(cells.around):
        for other in (nearest, *cells.linked.get(cell, ())):
            if other >= 0:
                parent[root(cell)] = root(other)
    groups: dict[int, int] = {}
    for mine in claimed:
        for group in {root(cell) for cell in mine}:
            groups[group] = groups.get(group, 0) + 1
    return [node for node, mine in enumerate(claimed) if any(groups[root(cell)] > 1 for cell in mine)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMasks:
    """For each cell the ranks that claim it, that claim a cell around it, and that claim one inside it."""

    here: Masks
    around: Masks
    inside: Masks
    linked: Callable[[int], tuple[int, ...]]

    def meeting(self, cell: int) -> int:
        """Return the ranks with a claim that has files in common with a cell."""
        found = self.here.get(cell, 0) | self.around.get(cell, 0) | self.inside.get(cell, 0)
        for other in self.linked(cell):
            found |= self.here.get(other, 0)
        return found


def masks_of(cells: Cells, claimed: tuple[frozenset[int], ...], reach: Reach) -> RoleMasks:
    """Return the masks of the tasks that are asked about; ``claimed[node]`` are the cells of a task."""
    here: dict[int, int] = {}
    for rank, node in enumerate(reach.nodes):
        for cell in claimed[node]:
            here[cell] = here.get(cell, 0) | 1 << rank
    around: dict[int, int] = {}
    inside: dict[int, int] = {}
    for cell, other in enumerate(cells.around):
        above = around.get(other, 0) | here.get(other, 0)
        if other >= 0 and above:
            around[cell] = above
    for cell in range(len(cells.around) - 1, -1, -1):
        below = inside.get(cell, 0) | here.get(cell, 0)
        if cells.around[cell] >= 0 and below:
            inside[cells.around[cell]] = inside.get(cells.around[cell], 0) | below
    return RoleMasks(here=here, around=around, inside=inside, linked=lambda cell: cells.linked.get(cell, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two ranks that conflict, and which of them owns."""

    first: int
    second: int
    first_owns: bool
    second_owns: bool

    @property
    def kind(self) -> ConflictKind:
        if self.first_owns and self.second_owns:
            return ConflictKind.OWNS_OWNS
        return ConflictKind.OWNS_TOUCHES if self.first_owns or self.second_owns else ConflictKind.TOUCHES_TOUCHES


class _Search:
    """Looks for conflicts, from each task at those before it in the order; of a cell's pairs only the first is kept."""

    def __init__(self, graph: Graph, claims: Claims, reach: Reach) -> None:
        self._graph = graph
        self._claims = claims
        self._reach = reach
        self._owns = masks_of(claims.cells, claims.owns, reach)
        self._touches = masks_of(claims.cells, claims.touches, reach)
        self._pairs: dict[tuple[int, ConflictKind], _Pair] = {}
        self._counts: Counter[tuple[int, ConflictKind]] = Counter()

    def run(self) -> tuple[OwnershipConflict, ...]:
        """Return the conflicts, one for each cell and kind."""
        for rank, unordered in self._reach.walk():
            node = self._reach.nodes[rank]
            for cell in sorted(self._claims.owns[node] | self._claims.touches[node]):
                self._look(cell, rank=rank, unordered=unordered)
        kept = list(self._pairs.items())[:_CONFLICTS_MAX]
        return tuple(self._conflict(cell, pair, self._counts[cell, kind]) for (cell, kind), pair in kept)

    def _look(self, cell: int, *, rank: int, unordered: int) -> None:
        owners = self._owns.meeting(cell)
        touchers = self._touches.meeting(cell) & ~owners
        owns = cell in self._claims.owns[self._reach.nodes[rank]]
        earlier = (1 << rank) - 1
        for others, others_own in ((owners & (earlier if owns else unordered), True), (touchers & unordered, False)):
            if not others:
                continue
            lowest = (others & -others).bit_length() - 1
            pair = _Pair(first=lowest, second=rank, first_owns=others_own, second_owns=owns)
            self._pairs.setdefault((cell, pair.kind), pair)
            self._counts[cell, pair.kind] += others.bit_count()

    def _conflict(self, cell: int, pair: _Pair, pair_count: int) -> OwnershipConflict:
        one = self._claimed(pair.first, cell, owns=pair.first_owns)
        two = self._claimed(pair.second, cell, owns=pair.second_owns)
        first, second = sorted((one, two), key=lambda claimed: self._graph.index[claimed.task])
        return OwnershipConflict(
            kind=pair.kind,
            path=two.path,
            first=first,
            second=second,
            owner=(one if pair.first_owns else two).task,
            pair_count=pair_count,
        )

    def _claimed(self, rank: int, cell: int, *, owns: bool) -> Claimed:
        """Return the claim with which a task meets a cell."""
        task = self._graph.tasks[self._reach.nodes[rank]]
        numbered = [
            (self._claims.cells.number[claim.path], claim)
            for claim in (task.owns if owns else task.touches)
            if claim.path.strip()
        ]
        same = (claim for number, claim in numbered if number == cell)
        near = (claim for number, claim in numbered if self._claims.cells.meets(number, cell))
        claim = next(same, None) or next(near)
        return Claimed(task=task.id, path=claim.path, written=claim.written, at=claim.at)
