"""Work before tests before what builds on the work: the order that pairs of work and test imply.

Owns: which test tasks are the tests of which work, and that what waits for work waits for its tests too.
Does not know: why a document pairs them.

Work counts as done when its tests pass, so nobody builds on it before. Where that contradicts the plan, the plan wins:
a test of two tasks of which one builds on the other can only come behind both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from remit.plans.analysis.cycles import order_graph
from remit.plans.analysis.graph import Graph
from remit.plans.analysis.reach import reach_of
from remit.plans.analysis.records import Edge
from remit.plans.plan import DependencyOrigin, TaskKind

_PAIRS_MAX: Final = 50_000
"""Most pairs of a test and what waits for it that are implied in one plan."""

Pair = tuple[int, int]


def tests_first(graph: Graph) -> Graph:
    """Return the graph in which what waits for work waits for its tests, with the tests of each task.

    A graph without cycles has none afterwards. ``untested`` names the work of which that was not done, because too many
    tasks test it and wait for it.
    """
    if not any(task.tests or task.kind is TaskKind.TEST for task in graph.tasks):
        return graph
    said = {
        (before, after)
        for before, behind in enumerate(graph.after)
        for after in behind
        if max(before, after) < len(graph.tasks)
    }
    paired = _paired(graph, said)
    wanted, untested = _wanted(graph, said, paired)
    kept = _sound(graph, wanted)
    return replace(
        _joined(graph, kept),
        tests={node: tuple(tests) for node, tests in paired.items()},
        untested=graph.ids(untested),
    )


def _paired(graph: Graph, said: Iterable[Pair]) -> dict[int, dict[int, None]]:
    """Return the tests of each task: those that it names, and those that wait for no other work."""
    works: defaultdict[int, list[int]] = defaultdict(list)
    behind: set[Pair] = set()
    for before, after in said:
        behind.add((before, after))
        if graph.tasks[after].kind is TaskKind.TEST and graph.tasks[before].kind is TaskKind.WORK:
            works[after].append(before)
    found: defaultdict[int, dict[int, None]] = defaultdict(dict)
    for node, task in enumerate(graph.tasks):
        for test in task.tests:
            if (node, graph.index.get(test, node)) in behind:
                found[node][graph.index[test]] = None
    for test_node, (work, *others) in sorted(works.items()):
        if not others:
            found[work][test_node] = None
    return found


def _wanted(graph: Graph, said: set[Pair], paired: Mapping[int, Mapping[int, None]]) -> tuple[list[Pair], list[int]]:
    """Return each test with what waits for its work, and the work with too many of both."""
    wanted: dict[Pair, None] = {}
    untested: list[int] = []
    for work, tests in sorted(paired.items()):
        behind = [node for node in graph.after[work] if node < len(graph.tasks) and node not in tests]
        if len(wanted) + len(behind) * len(tests) > _PAIRS_MAX:
            untested.append(work)
            continue
        wanted.update(dict.fromkeys((test, node) for test in tests for node in behind if (test, node) not in said))
    return list(wanted), untested


def _sound(graph: Graph, wanted: list[Pair]) -> list[Pair]:
    """Return the pairs that contradict neither the plan nor one another."""
    if not wanted:
        return []
    order = order_graph(graph)
    doubtful = [pair for pair in wanted if order.group[pair[1]] <= order.group[pair[0]]]
    before: defaultdict[int, list[int]] = defaultdict(list)
    for test, node in doubtful:
        before[test].append(node)
    reach = reach_of(graph, order, {node for pair in doubtful for node in pair})
    against: set[Pair] = set()
    for rank, unordered in reach.walk():
        for node in before.get(reach.nodes[rank], ()):
            place = reach.rank[node]
            if order.group[node] == order.group[reach.nodes[rank]] or not unordered >> place & 1:
                against.add((reach.nodes[rank], node))
    kept = [pair for pair in wanted if pair not in against]
    # Each is sound by itself; together they may still make a circle, through no fault of the plan.
    joined = order_graph(_joined(graph, kept))
    return [(test, node) for test, node in kept if joined.group[test] != joined.group[node]]


def _joined(graph: Graph, pairs: list[Pair]) -> Graph:
    if not pairs:
        return graph
    after, before = list(map(list, graph.after)), list(map(list, graph.before))
    for test, node in pairs:
        after[test].append(node)
        before[node].append(test)
    edges = (
        Edge(before=graph.tasks[test].id, after=graph.tasks[node].id, origins=(DependencyOrigin.TESTED,))
        for test, node in pairs
    )
    return replace(
        graph, after=tuple(map(tuple, after)), before=tuple(map(tuple, before)), edges=(*graph.edges, *edges)
    )
