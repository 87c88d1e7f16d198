"""Sums of a plan: estimates, risk classes and states.

Owns: the sums, and the order that takes the highest risk first.
Does not know: whether the document writes sums of its own.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from heapq import heapify, heappop, heappush
from typing import Final

from remit.plans.analysis.critical import EXACT
from remit.plans.analysis.cycles import Order
from remit.plans.analysis.graph import Graph, done
from remit.plans.analysis.records import (
    Estimates,
    EstimateSum,
    Progress,
    RiskCount,
    RiskProfile,
    StateCount,
    StuckTask,
)
from remit.plans.plan import PlanTask, RiskClass, TaskKind, TaskState

_WEIGHTS: Final = {RiskClass.CRITICAL: 4, RiskClass.HIGH: 3, RiskClass.MEDIUM: 2, RiskClass.LOW: 1, None: 0}


def sum_estimates(tasks: tuple[PlanTask, ...]) -> Estimates:
    """Return the estimates added up; exactly, however long their decimals are."""
    counted = [task for task in tasks if task.kind is not TaskKind.HUMAN_GATE or task.estimate is not None]
    with localcontext(EXACT):
        return Estimates(
            total=_sum(None, counted),
            by_phase=_by(counted, lambda task: task.phase),
            by_role=_by(counted, lambda task: task.role),
            by_owner=_by(counted, lambda task: task.owner),
            by_workstream=_by(counted, lambda task: task.workstream),
            unestimated=tuple(task.id for task in counted if task.estimate is None),
        )


def profile_risks(graph: Graph, order: Order) -> RiskProfile:
    """Return tasks by risk; a task without class counts as less risky than any with one."""
    counts = Counter(task.risk for task in graph.tasks)
    sequence = _risk_first(graph, order)
    return RiskProfile(
        counts=tuple(RiskCount(risk=risk, task_count=counts[risk]) for risk in _WEIGHTS if counts[risk]),
        order=graph.ids(sequence),
        late=_late(graph, order),
    )


def measure_progress(graph: Graph) -> Progress:
    """Return how far the tasks are, and which of them contradict one another."""
    counts = Counter(task.state for task in graph.tasks)
    stuck = [node for node, task in enumerate(graph.tasks) if task.state is TaskState.STUCK]
    said = [(graph.index[edge.before], graph.index[edge.after]) for edge in graph.edges]
    dependents: dict[int, list[int]] = {}
    for before, after in said:
        dependents.setdefault(before, []).append(after)
    return Progress(
        counts=tuple(StateCount(state=state, task_count=counts[state]) for state in TaskState if counts[state]),
        done_early=tuple(
            (graph.tasks[after].id, graph.tasks[before].id)
            for before, after in said
            if done(graph.tasks[after]) and not done(graph.tasks[before])
        ),
        stuck=tuple(
            StuckTask(id=graph.tasks[node].id, dependents=graph.ids(dependents.get(node, []))) for node in stuck
        ),
        blocked=graph.ids(sorted(_behind(graph, stuck))),
    )


def _by(tasks: list[PlanTask], name_of: Callable[[PlanTask], str | None]) -> tuple[EstimateSum, ...]:
    """Return sums by name; nothing if no task has a name."""
    groups: dict[str | None, list[PlanTask]] = {}
    for task in tasks:
        groups.setdefault(name_of(task), []).append(task)
    return tuple(_sum(name, some) for name, some in groups.items()) if groups.keys() - {None} else ()


def _sum(name: str | None, tasks: list[PlanTask]) -> EstimateSum:
    estimates = [task.estimate for task in tasks if task.estimate is not None]
    return EstimateSum(
        name=name,
        task_count=len(tasks),
        unestimated_count=len(tasks) - len(estimates),
        days_min=sum((estimate.days_min for estimate in estimates), Decimal(0)),
        days_max=sum((estimate.days_max for estimate in estimates), Decimal(0)),
    )


def _risk_first(graph: Graph, order: Order) -> list[int]:
    """Return the tasks outside of cycles: of those that can begin, the riskiest first, then the document's order."""
    waiting = [0] * len(order.groups)
    for node in range(len(graph)):
        for other in graph.after[node]:
            waiting[order.group[other]] += order.group[other] != order.group[node]
    free = [_urgency(graph, order, group) for group, count in enumerate(waiting) if not count]
    heapify(free)
    found: list[int] = []
    while free:
        *_, group = heappop(free)
        nodes = order.groups[group]
        found += nodes if len(nodes) == 1 else ()
        for other in (order.group[other] for node in nodes for other in graph.after[node]):
            waiting[other] -= other != group
            if other != group and not waiting[other]:
                heappush(free, _urgency(graph, order, other))
    return found


def _urgency(graph: Graph, order: Order, group: int) -> tuple[int, int, int]:
    node = order.groups[group][0]
    if node >= len(graph.tasks) or order.is_cyclic(node):
        # Joins and cycles take no time: what they open can begin as soon as they are free.
        return -len(_WEIGHTS), node, group
    return -_WEIGHTS[graph.tasks[node].risk], node, group


def _late(graph: Graph, order: Order) -> tuple[tuple[str, str], ...]:
    """Return tasks of high risk that wait for nothing, each with the first task of lower risk that stands before it."""
    found: list[tuple[str, str]] = []
    lowest: int | None = None
    for node, task in enumerate(graph.tasks):
        weight = _WEIGHTS[task.risk]
        if not weight or order.is_cyclic(node) or done(task):
            continue
        is_risky = weight >= _WEIGHTS[RiskClass.HIGH]
        if is_risky and not graph.before[node] and lowest is not None:
            found.append((task.id, graph.tasks[lowest].id))
        if lowest is None and not is_risky:
            lowest = node
    return tuple(found)


def _behind(graph: Graph, nodes: Iterable[int]) -> set[int]:
    """Return what comes after some nodes, through any number of edges."""
    seen: set[int] = set()
    queue = deque(nodes)
    while queue:
        for other in graph.after[queue.popleft()]:
            if other not in seen:
                seen.add(other)
                queue.append(other)
    return seen
