"""Reachability: which of some nodes come before another, through any number of edges.

Owns: the sets, as bits of integers, each for only as long as something still needs it.
Does not know: why somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from remit.plans.analysis.cycles import Order
from remit.plans.analysis.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Those nodes that are asked about, ranked so that none stands before one that comes before it.

    ``rank[node]`` is the bit of a node in the sets; ``nodes[rank]`` is the node.
    """

    graph: Graph
    order: Order
    nodes: tuple[int, ...]
    rank: Mapping[int, int]

    def walk(self) -> Iterator[tuple[int, int]]:
        """Yield each asked node's rank with those of lower rank that do not come before it, as bits.

        These are all that are unordered with it, as far as their rank is lower: none of them can come after it. Nodes
        of a cycle come before one another.
        """
        pending: dict[int, int] = {}
        for position, nodes in enumerate(self.order.groups):
            known = pending.pop(position, 0)
            asked = [self.rank[node] for node in nodes if node in self.rank]
            full = known
            for rank in asked:
                full |= 1 << rank
            for rank in asked:
                yield rank, ((1 << rank) - 1) & ~full
            if full:
                self._hand_on(position, full, pending)

    def _hand_on(self, position: int, full: int, pending: dict[int, int]) -> None:
        for node in self.order.groups[position]:
            for other in self.graph.after[node]:
                behind = self.order.group[other]
                if behind != position:
                    pending[behind] = pending.get(behind, 0) | full


def reach_of(graph: Graph, order: Order, asked: Iterable[int]) -> Reach:
    """Return what answers for some nodes: time and memory grow with how many are asked about."""
    wanted = frozenset(asked)
    nodes = tuple(node for group in order.groups for node in group if node in wanted)
    return Reach(graph=graph, order=order, nodes=nodes, rank={node: rank for rank, node in enumerate(nodes)})


def bits(number: int) -> Iterator[int]:
    """Yield the set bits of a number from the lowest on."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low
