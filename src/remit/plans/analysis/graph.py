"""The dependency graph of a plan: tasks and the joins of its phases as numbered nodes.

Owns: which node comes before which, each pair once, with everything in the document that says so.
Does not know: cycles, paths, or what is reported.

A join stands between two phases, so that they take as many edges as they have tasks, not one for each pair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from remit.plans.analysis.records import Edge, Join, ReferenceKind, TaskReference
from remit.plans.plan import NOWHERE, DependencyOrigin, Place, Plan, PlanTask, TaskState

_Said = dict[tuple[int, int], list[tuple[DependencyOrigin, Place]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What the document names and cannot be an edge."""

    unknown: tuple[TaskReference, ...]
    selves: tuple[TaskReference, ...]
    against_phases: tuple[Edge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The graph.

    Nodes are numbered: first the tasks in the document's order, then the joins. ``after[node]`` are the nodes that come
    right after it, ``before[node]`` those right before. ``tests[node]`` are the tests of a task's work; ``untested``
    is the work whose dependents do not wait for its tests, because there are too many of both (see ``tested``).
    """

    tasks: tuple[PlanTask, ...]
    index: Mapping[str, int]
    repeated: tuple[str, ...]
    after: tuple[tuple[int, ...], ...]
    before: tuple[tuple[int, ...], ...]
    edges: tuple[Edge, ...]
    joins: tuple[Join, ...]
    references: References
    tests: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    untested: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.after)

    def ids(self, nodes: Iterator[int] | list[int] | tuple[int, ...]) -> tuple[str, ...]:
        """Return the ids of those nodes that are tasks."""
        count = len(self.tasks)
        return tuple(self.tasks[node].id for node in nodes if node < count)


def build_graph(plan: Plan) -> Graph:
    """Return the graph of a plan; what cannot be an edge is kept aside, nothing raises."""
    firsts: dict[str, PlanTask] = {}
    repeated: dict[str, None] = {}
    for task in plan.tasks:
        if firsts.setdefault(task.id, task) is not task:
            repeated[task.id] = None
    tasks = tuple(firsts.values())
    index = {name: node for node, name in enumerate(firsts)}
    phases = _phases_of(plan, tasks)
    said, references = _read_references(plan, tasks, index=index, phases=phases)
    _imply_tests(tasks, said, index=index, phases=phases)
    edges = tuple(_edge(tasks, pair, what) for pair, what in said.items())
    joins, implied = _joins(plan, phases, first=len(tasks))
    after: list[list[int]] = [[] for _ in range(len(tasks) + len(joins))]
    before: list[list[int]] = [[] for _ in range(len(tasks) + len(joins))]
    for one, other in (*said, *implied):
        after[one].append(other)
        before[other].append(one)
    return Graph(
        tasks=tasks,
        index=index,
        repeated=tuple(repeated),
        after=tuple(map(tuple, after)),
        before=tuple(map(tuple, before)),
        edges=edges,
        joins=joins,
        references=references,
    )


def done(task: PlanTask) -> bool:
    """Whether a task is done."""
    return task.state is TaskState.DONE


def _phases_of(plan: Plan, tasks: tuple[PlanTask, ...]) -> list[int | None]:
    """Return the position of each task's phase; ``None`` where it has none or an unknown one."""
    positions: dict[str, int] = {}
    for phase in plan.phases:
        positions.setdefault(phase.id, len(positions))
    return [None if task.phase is None else positions.get(task.phase) for task in tasks]


def _read_references(
    plan: Plan, tasks: tuple[PlanTask, ...], *, index: Mapping[str, int], phases: list[int | None]
) -> tuple[_Said, References]:
    said: _Said = defaultdict(list)
    against: _Said = defaultdict(list)
    unknown: dict[tuple[str, Place, str | None], TaskReference] = {}
    selves: list[TaskReference] = []
    for node, task in enumerate(tasks):
        for dependency in task.depends_on:
            first = index.get(dependency.id)
            if first is not None and first != node:
                where = against if _is_later(phases[first], phases[node]) else said
                where[first, node].append((dependency.origin, dependency.at))
                continue
            reference = TaskReference(id=dependency.id, kind=ReferenceKind.DEPENDENCY, task=task.id, at=dependency.at)
            if first is None:
                unknown.setdefault(_key(reference), reference)
            else:
                selves.append(reference)
    for reference in _other_references(plan, tasks):
        if reference.id not in index:
            unknown.setdefault(_key(reference), reference)
        elif reference.id == reference.task:
            selves.append(reference)
    return said, References(
        unknown=tuple(unknown.values()),
        selves=tuple(selves),
        against_phases=tuple(_edge(tasks, pair, what) for pair, what in against.items()),
    )


def _key(reference: TaskReference) -> tuple[str, Place, str | None]:
    """Return what makes a reference the same: a chain stands in the plan and in its tasks' dependencies."""
    return reference.id, reference.at, reference.task if reference.at == NOWHERE else None


def _other_references(plan: Plan, tasks: tuple[PlanTask, ...]) -> Iterator[TaskReference]:
    for task in tasks:
        for test in task.tests:
            yield TaskReference(id=test, kind=ReferenceKind.TEST, task=task.id, at=task.at)
    if plan.parallelism is None:
        return
    for independent in plan.parallelism.independent:
        yield TaskReference(id=independent.id, kind=ReferenceKind.INDEPENDENT, at=independent.at)
    for chain in plan.parallelism.chains:
        for link in chain:
            yield TaskReference(id=link.id, kind=ReferenceKind.CHAIN, at=link.at)


def _is_later(phase: int | None, than: int | None) -> bool:
    return phase is not None and than is not None and phase > than


def _imply_tests(
    tasks: tuple[PlanTask, ...], said: _Said, *, index: Mapping[str, int], phases: list[int | None]
) -> None:
    """Put tests after their work, unless the document says the opposite."""
    for node, task in enumerate(tasks):
        for test in dict.fromkeys(task.tests):
            other = index.get(test)
            if other is None or other == node or (other, node) in said or _is_later(phases[node], phases[other]):
                continue
            said[node, other].append((DependencyOrigin.TEST, NOWHERE))


def _edge(tasks: tuple[PlanTask, ...], pair: tuple[int, int], said: list[tuple[DependencyOrigin, Place]]) -> Edge:
    return Edge(
        before=tasks[pair[0]].id,
        after=tasks[pair[1]].id,
        origins=tuple(dict.fromkeys(origin for origin, _ in said)),
        at=tuple(dict.fromkeys(at for _, at in said if at != NOWHERE)),
    )


def _joins(plan: Plan, phases: list[int | None], *, first: int) -> tuple[tuple[Join, ...], list[tuple[int, int]]]:
    """Return the joins, numbered from ``first``, and the edges to and from them."""
    known = {phase.id: phase for phase in reversed(plan.phases)}
    ordered = [known[name] for name in dict.fromkeys(phase.id for phase in plan.phases)]
    joins = [
        Join(before=one.id, after=other.id, gate=one.gate.id if one.gate else None) for one, other in pairwise(ordered)
    ]
    pairs: list[tuple[int, int]] = [(first + place, first + place + 1) for place in range(len(joins) - 1)]
    for node, phase in enumerate(phases):
        if phase is None:
            continue
        if phase < len(joins):
            pairs.append((node, first + phase))
        if phase > 0:
            pairs.append((first + phase - 1, node))
    if ordered and ordered[-1].gate:
        last = first + len(joins)
        joins.append(Join(before=ordered[-1].id, after=None, gate=ordered[-1].gate.id))
        pairs += [(node, last) for node, phase in enumerate(phases) if phase == len(ordered) - 1]
        pairs += [(last - 1, last)] if len(joins) > 1 else []
    return tuple(joins), pairs
