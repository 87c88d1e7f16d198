"""Laws of the analysis of plans: whatever the plan is, the answer is that of brute force."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations, pairwise

from hypothesis import given

from remit.plans.analysis import Analysis, analyse
from remit.plans.analysis.records import ConflictKind, Verdict
from remit.plans.plan import Plan, RiskClass
from tests.property.plan_graphs import chains, closure, files_of, pairs_of, plans


def ordered(plan: Plan) -> set[tuple[str, str]]:
    return closure([task.id for task in plan.tasks], pairs_of(plan))


@given(plans())
def test_cycles_are_the_tasks_that_come_before_themselves(plan: Plan) -> None:
    """
    Every task that comes before itself is in one cycle, with all tasks that come before and after it, and no other is.
    """
    before = ordered(plan)
    names = [task.id for task in plan.tasks]
    expected = {
        tuple(other for other in names if {(name, other), (other, name)} <= before)
        for name in names
        if (name, name) in before
    }

    assert expected == {cycle.tasks for cycle in analyse(plan).cycles}


@given(plans())
def test_cycle_example_is_a_shortest_cycle(plan: Plan) -> None:
    """
    Each task of the example comes right before the next, and no cycle through fewer tasks and ends of phases exists.
    """
    pairs = pairs_of(plan)
    before = ordered(plan)

    for cycle in analyse(plan).cycles:
        turned = zip(cycle.example, (*cycle.example[1:], cycle.example[0]), strict=True)
        assert all(pair in pairs for pair in turned)
        assert cycle.is_shortest
        assert len(set(cycle.example)) == len(cycle.example)
        if not plan.phases:
            pairs_both_ways = {(one, other) for one, other in pairs if (other, one) in pairs}
            assert (len(cycle.example) == 2) == any(set(pair) <= set(cycle.tasks) for pair in pairs_both_ways)
        assert all((name, name) in before for name in cycle.example)


@given(plans())
def test_wave_is_the_longest_chain_before(plan: Plan) -> None:
    """
    A task is in the wave that the longest chain of tasks up to it says; tasks of cycles are in none.
    """
    longest: dict[str, int] = {}
    for chain in chains(plan):
        longest[chain[-1]] = max(longest.get(chain[-1], 0), len(chain))
    waves = analyse(plan).waves

    assert longest == {name: number for number, wave in enumerate(waves, start=1) for name in wave}


@given(plans())
def test_critical_paths_are_the_longest_chains(plan: Plan) -> None:
    """
    The critical paths are as long as the longest chain by count and by either estimate, and are chains themselves.
    """
    analysis = analyse(plan)
    estimates = {task.id: task.estimate for task in plan.tasks}
    known = chains(plan)
    days = {
        "min": {name: estimate.days_min if estimate else Decimal(0) for name, estimate in estimates.items()},
        "max": {name: estimate.days_max if estimate else Decimal(0) for name, estimate in estimates.items()},
    }
    paths = (analysis.critical_by_count, analysis.critical_by_days_min, analysis.critical_by_days_max)
    weights = (dict.fromkeys(estimates, Decimal(1)), days["min"], days["max"])

    for path, weight in zip(paths, weights, strict=True):
        longest = max((sum(weight[name] for name in chain) for chain in known), default=Decimal(0))
        assert longest == (path.length if path else 0)
        if path:
            assert path.length == sum(weight[name] for name in path.tasks)
            assert tuple(path.tasks) in known
            on_longest = {
                name
                for chain in known
                if sum(weight[name] for name in chain) == longest
                for name in chain
                if weight[name]
            }
            assert on_longest == {name for name in (*path.tasks, *path.tied) if weight[name]}


@given(plans())
def test_schedule_starts_when_everything_before_has_ended(plan: Plan) -> None:
    """
    A task starts as late as the longest chain before it takes, and its slack is what the longest path leaves.
    """
    analysis = analyse(plan)
    weight = {task.id: task.estimate.days_max if task.estimate else Decimal(0) for task in plan.tasks}
    known = chains(plan)
    total = max((sum(weight[name] for name in chain) for chain in known), default=Decimal(0))

    for scheduled in analysis.schedule:
        through = [sum(weight[name] for name in chain) for chain in known if scheduled.id in chain]
        up_to = [sum(weight[name] for name in chain[:-1]) for chain in known if chain[-1] == scheduled.id]
        assert max(up_to) == scheduled.start_days
        assert total - max(through) == scheduled.slack_days


def conflicts(plan: Plan) -> dict[ConflictKind, set[frozenset[str]]]:
    """Return the pairs of tasks that conflict, by brute force over a small world of files."""
    before = ordered(plan)
    found: dict[ConflictKind, set[frozenset[str]]] = {kind: set() for kind in ConflictKind}
    for one, other in combinations(plan.tasks, 2):
        is_ordered = (one.id, other.id) in before or (other.id, one.id) in before
        for kind, first, second in (
            (ConflictKind.OWNS_OWNS, one.owns, other.owns),
            (ConflictKind.OWNS_TOUCHES, one.owns, other.touches),
            (ConflictKind.OWNS_TOUCHES, one.touches, other.owns),
            (ConflictKind.TOUCHES_TOUCHES, one.touches, other.touches),
        ):
            share = any(files_of(mine.path) & files_of(theirs.path) for mine in first for theirs in second)
            if share and (kind is ConflictKind.OWNS_OWNS or not is_ordered):
                found[kind].add(frozenset({one.id, other.id}))
    return found


@given(plans())
def test_ownership_conflicts_are_those_of_the_files(plan: Plan) -> None:
    """
    A conflict is found exactly where two tasks change a common file, of which one pair is named; of a path that a task
    owns and touches only its owning counts.
    """
    expected = conflicts(plan)
    analysis = analyse(plan)

    strongest = {pair: kind for kind in reversed(ConflictKind) for pair in expected[kind]}
    found = {
        (conflict.kind, frozenset({conflict.first.task, conflict.second.task}))
        for conflict in analysis.ownership.conflicts
    }
    assert all(pair in expected[kind] for kind, pair in found)
    assert analysis.ownership.is_complete
    assert bool(strongest) == bool(found)
    assert {kind for kind in strongest.values() if kind is ConflictKind.OWNS_OWNS} == {
        kind for kind, _ in found if kind is ConflictKind.OWNS_OWNS
    }


def may_run_together(plan: Plan) -> set[frozenset[str]]:
    """Return the pairs of tasks that are neither ordered nor share a file."""
    before = ordered(plan)
    files = {
        task.id: frozenset().union(*(files_of(claim.path) for claim in (*task.owns, *task.touches)))
        for task in plan.tasks
        if (task.id, task.id) not in before
    }
    return {
        frozenset({one, other})
        for one, other in combinations(files, 2)
        if not {(one, other), (other, one)} & before and not files[one] & files[other]
    }


@given(plans())
def test_parallelism_is_the_largest_set_that_may_run_together(plan: Plan) -> None:
    """
    The largest set is as large as brute force finds it; a team is eligible from level 3 on if it has two tasks.
    """
    apart = may_run_together(plan)
    before = ordered(plan)
    names = [task.id for task in plan.tasks if (task.id, task.id) not in before]
    sizes = [
        size
        for size in range(len(names) + 1)
        for some in combinations(names, size)
        if all(frozenset(pair) in apart for pair in combinations(some, 2))
    ]
    parallelism = analyse(plan).parallelism

    assert max(sizes) == len(parallelism.largest)
    assert parallelism.is_largest
    assert all(frozenset(pair) in apart for pair in combinations(parallelism.largest, 2))
    is_eligible = plan.level == 3 and bool(apart)
    assert is_eligible == (parallelism.verdict is Verdict.TEAM_ELIGIBLE)


@given(plans())
def test_risk_order_keeps_to_the_graph(plan: Plan) -> None:
    """
    In the order by risk no task stands before one that comes before it, and of two neighbours the riskier is second
    only if it waits for the first.
    """
    before = ordered(plan)
    risk = {task.id: (*RiskClass, None).index(task.risk) for task in plan.tasks}
    order = analyse(plan).risks.order

    assert all((other, one) not in before for one, other in combinations(order, 2))
    weights = {0: 1, 1: 2, 2: 3, 3: 4, 4: 0}
    for one, other in pairwise(order):
        assert weights[risk[other]] <= weights[risk[one]] or (one, other) in before


@given(plans())
def test_analysis_is_json(plan: Plan) -> None:
    """
    Every analysis is JSON data with the same keys.
    """
    found = analyse(plan).to_json()

    assert set(Analysis.__dataclass_fields__) == set(found)
