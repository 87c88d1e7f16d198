"""Traceability: from requirements through tasks to tests, and what is left out on the way.

Owns: the trace and its coverage.
Does not know: what a requirement says.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice
from typing import Final

from remit.plans.analysis.graph import Graph
from remit.plans.analysis.records import RequirementTrace, Traceability
from remit.plans.plan import Plan, PlanTask, Reference, TaskKind

_TESTS_MAX: Final = 100
"""Most tests that are named for one requirement."""


def trace_plan(plan: Plan, graph: Graph) -> Traceability:
    """Return the trace of a plan: linear in the references that it writes."""
    declared = _first(plan.requirements)
    tasks: dict[str, list[int]] = {}
    places = dict(declared)
    for node, task in enumerate(graph.tasks):
        for reference in task.requirements:
            places.setdefault(reference.id, reference)
            named = tasks.setdefault(reference.id, [])
            if named[-1:] != [node]:
                named.append(node)
    requirements = tuple(_traces(graph, places, declared, tasks))
    covered = sum(1 for name in declared if name in tasks)
    has_requirements = bool(places)
    return Traceability(
        requirements=requirements,
        uncovered=tuple(name for name in declared if name not in tasks),
        untested=tuple(trace.id for trace in requirements if trace.tasks and not trace.tests),
        tasks_without_requirement=tuple(
            task.id for task in graph.tasks if has_requirements and not task.requirements and _is_work(task)
        ),
        test_cases_uncovered=_uncovered_tests(plan, graph),
        test_cases_without_requirement=_loose_tests(graph) if has_requirements else (),
        declared_count=len(declared),
        covered_count=covered,
    )


def _first(references: tuple[Reference, ...]) -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    for reference in references:
        found.setdefault(reference.id, reference)
    return found


def _is_work(task: PlanTask) -> bool:
    return task.kind is TaskKind.WORK


def _traces(
    graph: Graph, places: Mapping[str, Reference], declared: Mapping[str, Reference], tasks: Mapping[str, list[int]]
) -> list[RequirementTrace]:
    tests: dict[tuple[int, ...], tuple[str, ...]] = {}
    traces: list[RequirementTrace] = []
    for name, reference in places.items():
        nodes = tuple(tasks.get(name, ()))
        if nodes not in tests:
            tests[nodes] = _tests(graph, nodes)
        traces.append(
            RequirementTrace(
                id=name, is_declared=name in declared, tasks=graph.ids(nodes), tests=tests[nodes], at=reference.at
            )
        )
    return traces


def _tests(graph: Graph, nodes: tuple[int, ...]) -> tuple[str, ...]:
    """Return the tests of some tasks: their test cases, their test tasks, and themselves if they are tests."""
    named = chain.from_iterable(_tests_of(graph, node) for node in nodes)
    return tuple(dict.fromkeys(islice(named, _TESTS_MAX)))


def _tests_of(graph: Graph, node: int) -> chain[str]:
    task = graph.tasks[node]
    own = (task.id,) if task.kind is TaskKind.TEST else ()
    return chain((one.id for one in task.test_cases), task.tests, graph.ids(graph.tests.get(node, ())), own)


def _uncovered_tests(plan: Plan, graph: Graph) -> tuple[str, ...]:
    named = {reference.id for task in graph.tasks for reference in task.test_cases}
    return tuple(name for name in _first(plan.test_cases) if name not in named)


def _loose_tests(graph: Graph) -> tuple[str, ...]:
    traced = {reference.id for task in graph.tasks if task.requirements for reference in task.test_cases}
    return tuple(
        dict.fromkeys(
            reference.id for task in graph.tasks for reference in task.test_cases if reference.id not in traced
        )
    )
