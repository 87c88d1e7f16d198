"""The analysis of a plan: all parts, put together.

Owns: the order of work.
Does not know: any document's format.
"""

from __future__ import annotations

from remit.plans.analysis.critical import time_plan
from remit.plans.analysis.cycles import Knot, order_graph
from remit.plans.analysis.declared import ordered_independents
from remit.plans.analysis.graph import Graph, build_graph
from remit.plans.analysis.ownership import claims_of, map_ownership
from remit.plans.analysis.parallelism import compute_parallelism
from remit.plans.analysis.records import Analysis, Cycle
from remit.plans.analysis.tested import tests_first
from remit.plans.analysis.totals import measure_progress, profile_risks, sum_estimates
from remit.plans.analysis.traceability import trace_plan
from remit.plans.plan import Plan


def analyse(plan: Plan) -> Analysis:
    """Return what follows from a plan.

    Never raises, whatever the plan is: tasks that are named and not there, cycles and contradictions are part of the
    result. A plan of 20,000 tasks takes seconds.
    """
    graph = tests_first(build_graph(plan))
    order = order_graph(graph)
    claims = claims_of(graph)
    timing = time_plan(graph, order)
    return Analysis(
        edges=graph.edges,
        joins=graph.joins,
        unknown=graph.references.unknown,
        self_references=graph.references.selves,
        repeated_ids=graph.repeated,
        against_phases=graph.references.against_phases,
        untested=graph.untested,
        cycles=tuple(_cycle(graph, knot) for knot in order.knots),
        waves=timing.waves,
        critical_by_count=timing.by_count,
        critical_by_days_min=timing.by_days_min,
        critical_by_days_max=timing.by_days_max,
        schedule=timing.schedule,
        ownership=map_ownership(graph, order, claims),
        parallelism=compute_parallelism(plan, graph, order, claims),
        independent_ordered=ordered_independents(plan, graph, order),
        traceability=trace_plan(plan, graph),
        estimates=sum_estimates(graph.tasks),
        risks=profile_risks(graph, order),
        progress=measure_progress(graph),
    )


def _cycle(graph: Graph, knot: Knot) -> Cycle:
    first = len(graph.tasks)
    return Cycle(
        tasks=graph.ids(knot.nodes),
        example=graph.ids(knot.example),
        is_shortest=knot.is_shortest,
        phases=tuple(graph.joins[node - first].before for node in knot.example if node >= first),
    )
