"""Cycles, and the order of a graph in spite of them.

Owns: the sets of nodes that wait for one another, one short cycle of each, and a sequence in which every other node
stands behind what comes before it.
Does not know: what the nodes mean. The sets are ``networkx``'s strongly connected components, asked only about what is
left when everything outside of cycles has been put in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.plans.analysis.graph import Graph

_STEPS_MAX: Final = 200_000
"""Edges followed to find the shortest cycle of one set; about 50 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knot:
    """Nodes that wait for one another; ``example`` is a cycle among them, the shortest if ``is_shortest``."""

    nodes: tuple[int, ...]
    example: tuple[int, ...]
    is_shortest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Nodes in order.

    ``groups`` are the nodes, each group behind all that come before one of it; a group is one node or one knot.
    ``group[node]`` is the position of its group.
    """

    groups: tuple[tuple[int, ...], ...]
    group: tuple[int, ...]
    knots: tuple[Knot, ...]

    def is_cyclic(self, node: int) -> bool:
        """Whether a node waits for itself."""
        return len(self.groups[self.group[node]]) > 1


def order_graph(graph: Graph) -> Order:
    """Return the order of a graph: linear in its edges, apart from the search for short cycles, which is bounded."""
    sets = _knotted(graph)
    member = {node: nodes for nodes in sets for node in nodes}
    groups = _in_order(graph, member)
    group = [0] * len(graph)
    for position, nodes in enumerate(groups):
        for node in nodes:
            group[node] = position
    knots = tuple(_knot(graph, nodes) for nodes in sorted(sets))
    return Order(groups=tuple(groups), group=tuple(group), knots=knots)


def _knotted(graph: Graph) -> list[tuple[int, ...]]:
    """Return the sets of nodes that wait for one another, each in ascending order."""
    waiting = [len(before) for before in graph.before]
    free = deque(node for node, count in enumerate(waiting) if not count)
    while free:
        for other in graph.after[free.popleft()]:
            waiting[other] -= 1
            if not waiting[other]:
                free.append(other)
    left = [node for node, count in enumerate(waiting) if count]
    if not left:
        return []
    import networkx as nx

    rest: nx.DiGraph[int] = nx.DiGraph()
    rest.add_edges_from((node, other) for node in left for other in graph.after[node])
    return [tuple(sorted(nodes)) for nodes in nx.strongly_connected_components(rest) if len(nodes) > 1]


def _in_order(graph: Graph, member: Mapping[int, tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return the groups, in the order of nodes as far as the graph leaves it open."""
    single = {node: (node,) for node in range(len(graph)) if node not in member}
    groups = {**single, **member}
    waiting = {
        first: sum(groups[other] is not nodes for node in nodes for other in graph.before[node])
        for first, nodes in groups.items()
        if nodes[0] == first
    }
    free = deque(node for node in range(len(graph)) if waiting.get(node) == 0)
    found: list[tuple[int, ...]] = []
    while free:
        nodes = groups[free.popleft()]
        found.append(nodes)
        for other in (other for node in nodes for other in graph.after[node]):
            first = groups[other][0]
            if groups[other] is nodes:
                continue
            waiting[first] -= 1
            if not waiting[first]:
                free.append(first)
    assert len(graph) == sum(map(len, found)), "a node is in no group"
    return found


def _knot(graph: Graph, nodes: tuple[int, ...]) -> Knot:
    """Return the set with a shortest cycle: breadth first from each node until the steps are used up."""
    inside = frozenset(nodes)
    best: tuple[int, ...] = ()
    steps = 0
    for node in nodes:
        found, taken = _shortest_through(graph, node, inside=inside, shorter_than=len(best) or len(nodes) + 1)
        best = found or best
        steps += taken
        if len(best) == 2:
            break
        if steps > _STEPS_MAX and best:
            return Knot(nodes=nodes, example=_turned(best), is_shortest=node == nodes[-1])
    return Knot(nodes=nodes, example=_turned(best), is_shortest=True)


def _shortest_through(
    graph: Graph, start: int, *, inside: frozenset[int], shorter_than: int
) -> tuple[tuple[int, ...], int]:
    """Return the shortest cycle through a node if it is shorter than a number of nodes, and the edges followed."""
    came: dict[int, int] = {start: -1}
    depth = {start: 1}
    queue = deque((start,))
    steps = 0
    while queue:
        node = queue.popleft()
        if depth[node] >= shorter_than:
            break
        for other in graph.after[node]:
            steps += 1
            if other == start:
                return _path(came, node), steps
            if other in inside and other not in came:
                came[other] = node
                depth[other] = depth[node] + 1
                queue.append(other)
    return (), steps


def _path(came: Mapping[int, int], node: int) -> tuple[int, ...]:
    found: list[int] = []
    while node >= 0:
        found.append(node)
        node = came[node]
    return tuple(reversed(found))


def _turned(cycle: Iterable[int]) -> tuple[int, ...]:
    """Return a cycle from its first node in the document's order on."""
    nodes = tuple(cycle)
    start = nodes.index(min(nodes))
    return nodes[start:] + nodes[:start]
