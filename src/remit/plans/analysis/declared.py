"""What a document says about parallelism, held against its graph.

Owns: finding tasks that are called independent and are not.
Does not know: the recommendation; checks compare it with the computed verdict.
"""

from __future__ import annotations

from typing import Final

from remit.plans.analysis.cycles import Order
from remit.plans.analysis.graph import Graph
from remit.plans.analysis.reach import bits, reach_of
from remit.plans.analysis.records import OrderedPair
from remit.plans.plan import Plan

_PAIRS_MAX: Final = 100
"""Most pairs that are kept."""


def ordered_independents(plan: Plan, graph: Graph, order: Order) -> tuple[OrderedPair, ...]:
    """Return the pairs of tasks that the document calls independent although one comes before the other."""
    declared = () if plan.parallelism is None else plan.parallelism.independent
    places = {graph.index[one.id]: one.at for one in reversed(declared) if one.id in graph.index}
    reach = reach_of(graph, order, places)
    pairs: list[OrderedPair] = []
    for rank, unordered in reach.walk():
        ordered = ((1 << rank) - 1) & ~unordered
        for other in bits(ordered):
            if len(pairs) == _PAIRS_MAX:
                return tuple(pairs)
            before, after = reach.nodes[other], reach.nodes[rank]
            pairs.append(
                OrderedPair(
                    before=graph.tasks[before].id,
                    after=graph.tasks[after].id,
                    at=places[after],
                    before_at=places[before],
                )
            )
    return tuple(pairs)
