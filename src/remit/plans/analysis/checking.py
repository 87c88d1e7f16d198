"""The checks common to all formats: what an analysis says against a plan.

Owns: the findings about the graph, ownership, parallelism, requirements, states and risk.
Does not know: any format. What only a format can judge it reports: ids that stand twice, sums, coverage of matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remit.diagnostics import Severity
from remit.plans.analysis.ownership_checks import check_ownership
from remit.plans.analysis.parallelism_checks import check_parallelism
from remit.plans.analysis.records import Analysis, Cycle, ReferenceKind, RequirementTrace
from remit.plans.analysis.wording import alike, listed
from remit.plans.plan import NOWHERE, DependencyOrigin, Place, Plan, PlanFormat, PlanTask, RiskClass
from remit.plans.texts import PlanReporter

_STEPS_SHOWN_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    plan: Plan
    analysis: Analysis
    reporter: PlanReporter
    tasks: Mapping[str, PlanTask]


def check_plan(plan: Plan, analysis: Analysis, reporter: PlanReporter) -> None:
    """Report what follows from a plan and cannot be meant; all of it, and nothing twice."""
    tasks: dict[str, PlanTask] = {}
    for task in plan.tasks:
        tasks.setdefault(task.id, task)
    checked = _Checked(plan=plan, analysis=analysis, reporter=reporter, tasks=tasks)
    _check_references(checked)
    _check_phases(checked)
    _check_tested(checked)
    for cycle in analysis.cycles:
        _check_cycle(checked, cycle)
    check_ownership(analysis.ownership, reporter)
    check_parallelism(plan, analysis, reporter)
    _check_requirements(checked)
    _check_progress(checked)
    _check_risk(checked)


def _check_references(checked: _Checked) -> None:
    known = alike(checked.tasks)
    # The dependencies of an issue contract are other files of its queue.
    is_whole = checked.plan.format is not PlanFormat.ISSUE_CONTRACT
    for reference in checked.analysis.unknown if is_whole else ():
        meant = known(reference.id)
        fix = meant if meant and checked.reporter.text.text[slice(*reference.at)] == reference.id else None
        hint = f"; did you mean {meant!r}?" if meant else "; add the task, or take the id out"
        by = f" of {reference.task}" if reference.task else ""
        match reference.kind:
            case ReferenceKind.DEPENDENCY | ReferenceKind.CHAIN:
                message = f"expected dependencies{by} to be tasks of this plan, got {reference.id!r}{hint}"
                checked.reporter.report("DEPENDENCY_UNKNOWN", message, at=reference.at, replacement=fix)
            case ReferenceKind.INDEPENDENT:
                message = f"expected independent tasks to be tasks of this plan, got {reference.id!r}{hint}"
                checked.reporter.report("TASK_UNKNOWN", message, at=reference.at, replacement=fix)
            case ReferenceKind.TEST:
                message = f"expected tests{by} to be tasks of this plan, got {reference.id!r}{hint}"
                checked.reporter.report("TASK_UNKNOWN", message, at=reference.at)
    for reference in checked.analysis.self_references:
        message = f"expected {reference.id} to wait for other tasks, got itself; take it out"
        checked.reporter.report("DEPENDENCY_SELF", message, at=reference.at)


def _check_phases(checked: _Checked) -> None:
    for edge in checked.analysis.against_phases:
        first, second = checked.tasks[edge.before], checked.tasks[edge.after]
        checked.reporter.report(
            "DEPENDENCY_AGAINST_PHASES",
            f"expected {second.id} to wait for tasks of its phase {second.phase} or of earlier ones, got {first.id} of "
            f"phase {first.phase}, which begins later; move one of them",
            at=edge.at[0] if edge.at else second.at,
            related={f"{first.id}, of phase {first.phase}": first.at},
        )


def _check_tested(checked: _Checked) -> None:
    for name in checked.analysis.untested:
        checked.reporter.report(
            "TESTS_UNORDERED",
            f"expected fewer tasks that test {name} or wait for it, got too many to let each of these wait for each "
            "test; test it in one task, or write the dependencies",
            at=checked.tasks[name].at,
        )


def _check_cycle(checked: _Checked, cycle: Cycle) -> None:
    places = {(edge.before, edge.after): edge.at for edge in checked.analysis.edges if edge.at}
    steps = list(zip(cycle.example, (*cycle.example[1:], *cycle.example[:1]), strict=True))
    related: dict[str, Place] = {}
    for before, after in steps[:_STEPS_SHOWN_MAX]:
        related[f"{after} waits for {before}"] = places.get((before, after), (checked.tasks[after].at,))[0]
    at = related.pop(f"{steps[0][1]} waits for {steps[0][0]}") if steps else NOWHERE
    shown = " -> ".join((*cycle.example[:_STEPS_SHOWN_MAX], *(("…",) if len(steps) > _STEPS_SHOWN_MAX else ())))
    way = f", through the end of phase {listed(cycle.phases)}" if cycle.phases else ""
    more = len(cycle.tasks) - len(cycle.example)
    others = f" ({len(cycle.tasks)} tasks wait for one another)" if more > 0 else ""
    checked.reporter.report(
        "DEPENDENCY_CYCLE",
        f"expected an order of tasks, got a cycle: {shown} -> {cycle.example[0]}{way}{others}; drop one of these "
        "dependencies",
        at=at,
        related=related,
    )


def _check_requirements(checked: _Checked) -> None:
    trace, reporter = checked.analysis.traceability, checked.reporter
    severity = Severity.WARNING if trace.declared_count else Severity.NOTE
    for name in trace.tasks_without_requirement:
        message = f"expected {name} to name the requirement that it is for, as other tasks do, got none; name it"
        task = checked.tasks[name]
        at = task.at if task.requirements_at == NOWHERE else task.requirements_at
        reporter.report("TASK_WITHOUT_REQUIREMENT", message, at=at, severity=severity)
    untested: dict[tuple[str, ...], list[RequirementTrace]] = {}
    for requirement in trace.requirements:
        if requirement.tasks and not requirement.tests:
            untested.setdefault(requirement.tasks, []).append(requirement)
    for tasks, requirements in untested.items():
        message = (
            f"expected a test of {listed([one.id for one in requirements])}, got none: {listed(tasks)} "
            f"{'names' if len(tasks) == 1 else 'name'} no test case, and no test waits for it; name one"
        )
        reporter.report("REQUIREMENT_UNTESTED", message, at=requirements[0].at)
    loose = frozenset(trace.test_cases_without_requirement)
    for task in checked.plan.tasks:
        for reference in task.test_cases if loose else ():
            if reference.id in loose:
                message = f"expected a requirement that {reference.id} tests, got none on {task.id}; name it"
                reporter.report("TEST_WITHOUT_REQUIREMENT", message, at=reference.at)


def _check_progress(checked: _Checked) -> None:
    progress, tasks = checked.analysis.progress, checked.tasks
    implied = {DependencyOrigin.TEST, DependencyOrigin.TESTED}
    edges = {(edge.after, edge.before): edge for edge in checked.analysis.edges}
    for name, dependency in progress.done_early:
        if implied.issuperset(edges[name, dependency].origins):
            continue
        checked.reporter.report(
            "TASK_DONE_EARLY",
            f"expected {name} to be done after {dependency}, which it waits for, got {dependency} "
            f"{tasks[dependency].state.replace('_', ' ')}; correct the mark of one, or drop the dependency",
            at=_mark(tasks[name]),
            related={f"{dependency} is {tasks[dependency].state.replace('_', ' ')}": _mark(tasks[dependency])},
        )
    for stuck in progress.stuck:
        if stuck.dependents:
            checked.reporter.report(
                "TASK_STUCK",
                f"expected {stuck.id} to go on, got it stuck, and {listed(stuck.dependents)} waiting for it; clear "
                "what stops it, and set its mark back to [ ]",
                at=_mark(tasks[stuck.id]),
            )


def _mark(task: PlanTask) -> Place:
    return task.at if task.state_at == NOWHERE else task.state_at


def _check_risk(checked: _Checked) -> None:
    """Report once that something risky stands late: the order is free there, and the advice is the same for all."""
    late = checked.analysis.risks.late
    if not late:
        return
    name, other = late[0]
    risk, lower = checked.tasks[name].risk or RiskClass.HIGH, checked.tasks[other].risk or RiskClass.LOW
    more = f" (and {len(late) - 1} more)" if len(late) > 1 else ""
    checked.reporter.report(
        "RISK_LATE",
        f"expected tasks of high risk first where the order is free, got {name} ({risk}){more} behind {other} "
        f"({lower}); it waits for nothing, so it can come first",
        at=checked.tasks[name].at,
        related={f"{other} is of lower risk": checked.tasks[other].at},
    )
