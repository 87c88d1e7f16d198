"""Waves, critical paths and the schedule: longest paths through the order.

Owns: the arithmetic. Joins and the tasks of cycles take no time.
Does not know: what an estimate was written as.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Final

from remit.plans.analysis.cycles import Order
from remit.plans.analysis.graph import Graph
from remit.plans.analysis.records import CriticalPath, ScheduledTask
from remit.plans.plan import PlanTask

EXACT: Final = Context(prec=50, traps=[])
"""Arithmetic of estimates: no sum of a document is rounded, and nothing raises."""

_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """``start[node]`` is the length of the longest path up to a node, ``rest[node]`` that from its start to the end."""

    weights: Sequence[Decimal]
    start: Sequence[Decimal]
    rest: Sequence[Decimal]
    total: Decimal

    def slack(self, node: int) -> Decimal:
        """Return how much later a node can begin."""
        return self.total - self.start[node] - self.rest[node]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What longest paths tell of a plan."""

    waves: tuple[tuple[str, ...], ...]
    by_count: CriticalPath | None
    by_days_min: CriticalPath | None
    by_days_max: CriticalPath | None
    schedule: tuple[ScheduledTask, ...]


def time_plan(graph: Graph, order: Order) -> Timing:
    """Return waves, critical paths and schedule."""
    with localcontext(EXACT):
        tasks = [task if not order.is_cyclic(node) else None for node, task in enumerate(graph.tasks)]
        counts = _lengths(graph, order, [Decimal(task is not None) for task in tasks])
        most, least = ([_days(task, which) for task in tasks] for which in ("days_max", "days_min"))
        days_max = _lengths(graph, order, most)
        by_days_max = _path(graph, order, days_max)
        return Timing(
            waves=_waves(graph, order, counts),
            by_count=_path(graph, order, counts),
            by_days_min=by_days_max if least == most else _path(graph, order, _lengths(graph, order, least)),
            by_days_max=by_days_max,
            schedule=_schedule(graph, order, counts=counts, days=days_max),
        )


def _days(task: PlanTask | None, which: str) -> Decimal:
    estimate = None if task is None else task.estimate
    if estimate is None:
        return _NONE
    days = estimate.days_min if which == "days_min" else estimate.days_max
    return days if days.is_finite() and days > 0 else _NONE


def _lengths(graph: Graph, order: Order, weights: list[Decimal]) -> Lengths:
    count = len(graph)
    weights = weights + [_NONE] * (count - len(weights))
    start, rest = [_NONE] * count, list(weights)
    for nodes in order.groups:
        begin = max((start[node] for node in nodes), default=_NONE)
        for node in nodes:
            start[node] = begin
        for node in nodes:
            end = begin + weights[node]
            for other in graph.after[node]:
                start[other] = max(start[other], end)
    for position in range(len(order.groups) - 1, -1, -1):
        nodes = order.groups[position]
        behind = max((rest[other] for other in _following(graph, order, position)), default=_NONE)
        for node in nodes:
            rest[node] = weights[node] + behind
    total = max((start[node] + weights[node] for node in range(count)), default=_NONE)
    return Lengths(weights=weights, start=start, rest=rest, total=total)


def _following(graph: Graph, order: Order, position: int) -> Iterator[int]:
    """Yield what comes right after a group."""
    for node in order.groups[position]:
        for other in graph.after[node]:
            if order.group[other] != position:
                yield other


def _waves(graph: Graph, order: Order, counts: Lengths) -> tuple[tuple[str, ...], ...]:
    waves: list[list[str]] = [[] for _ in range(int(counts.total))]
    for node, task in enumerate(graph.tasks):
        if not order.is_cyclic(node):
            waves[int(counts.start[node])].append(task.id)
    return tuple(map(tuple, waves))


def _path(graph: Graph, order: Order, lengths: Lengths) -> CriticalPath | None:
    """Return the first of the longest paths; ``None`` if nothing takes any time."""
    if not lengths.total:
        return None
    node: int | None = next(node for nodes in order.groups for node in nodes if not lengths.slack(node))
    path: list[int] = []
    while node is not None:
        path.append(node)
        end = lengths.start[node] + lengths.weights[node]
        follows = (
            other
            for other in _following(graph, order, order.group[node])
            if lengths.start[other] == end and not lengths.slack(other)
        )
        node = min(follows, default=None)
    taken = frozenset(path)
    tied = [
        node
        for node in range(len(graph.tasks))
        if node not in taken and lengths.weights[node] and not lengths.slack(node)
    ]
    tasks = [node for node in path if node < len(graph.tasks) and not order.is_cyclic(node)]
    return CriticalPath(tasks=graph.ids(tasks), length=lengths.total, tied=graph.ids(tied))


def _schedule(graph: Graph, order: Order, *, counts: Lengths, days: Lengths) -> tuple[ScheduledTask, ...]:
    return tuple(
        ScheduledTask(
            id=task.id,
            wave=int(counts.start[node]) + 1,
            slack_waves=int(counts.slack(node)),
            start_days=days.start[node],
            finish_days=days.start[node] + days.weights[node],
            slack_days=days.slack(node),
        )
        for node, task in enumerate(graph.tasks)
        if not order.is_cyclic(node)
    )
