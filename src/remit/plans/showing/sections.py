"""The sections of a page: what stands in its tables.

Owns: picking and naming what the analysis found, in the order in which people read it.
Does not know: HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from remit.diagnostics import Diagnostic, Severity, excerpts_of
from remit.plans.analysis.records import ConflictKind, EstimateSum, RequirementTrace
from remit.plans.showing.view import PlanView, ShownTask
from remit.plans.showing.wording import (
    RISK_ORDER,
    STATE_MARKS,
    STATE_WORDS,
    counted,
    day_range,
    days,
    percent,
    plain,
    shown,
)

CONFLICT_WORDS: Final = {
    ConflictKind.OWNS_OWNS: "both own",
    ConflictKind.OWNS_TOUCHES: "one owns, the other touches",
    ConflictKind.TOUCHES_TOUCHES: "both touch",
}

_FORMAT_WORDS: Final = {
    "spectra": "SPECTRA execution plan",
    "task-table": "task table",
    "delivery-plan": "delivery plan",
    "planning-contract": "planning contract",
    "fanout": "fanout file",
    "issue-contract": "issue contract",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of the summary; ``anchor`` leads to the section that tells more."""

    name: str
    value: str
    detail: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SumTable:
    """Estimates added up by one property; ``share`` of a row compares it with the largest."""

    name: str
    rows: tuple[tuple[EstimateSum, str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many tasks are something; ``share`` is their part of all."""

    word: str
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFinding:
    """A finding with the line it is about; ``is_excerpted`` is false if nothing of the text is shown."""

    finding: Diagnostic
    excerpt: str


def facts_of(view: PlanView) -> tuple[Fact, ...]:
    """Return the summary of a plan: what somebody who reviews it asks first."""
    return (
        _format_fact(view),
        Fact(name="Tasks", value=f"{len(view.tasks):,}", detail=_states_line(view), anchor="tasks"),
        *([Fact(name="Phases", value=f"{len(view.plan.phases):,}")] if view.plan.phases else []),
        Fact(name="Waves", value=f"{len(view.analysis.waves):,}", detail=_widest_line(view), anchor="waves"),
        *_critical_facts(view),
        *_estimate_facts(view),
        _parallelism_fact(view),
        *_coverage_facts(view),
        Fact(name="Ownership conflicts", value=f"{len(view.analysis.ownership.conflicts):,}", anchor="ownership"),
        Fact(name="Findings", value=view.diagnostics.totals(), anchor="findings"),
    )


def sums_of(view: PlanView) -> tuple[SumTable, ...]:
    """Return the sums that tell anything: those by a property in which tasks differ."""
    titles = {phase.id: plain(phase.title or phase.id) for phase in view.plan.phases}
    estimates = view.analysis.estimates
    kinds: tuple[tuple[str, tuple[EstimateSum, ...], dict[str, str]], ...] = (
        ("phase", estimates.by_phase, titles),
        ("role", estimates.by_role, {}),
        ("owner", estimates.by_owner, {}),
        ("workstream", estimates.by_workstream, {}),
    )
    return tuple(SumTable(name=name, rows=_sum_rows(name, sums, names)) for name, sums, names in kinds if len(sums) > 1)


def risk_counts(view: PlanView) -> tuple[Count, ...]:
    """Return how many tasks have which risk, the highest first; those without come last."""
    counts = {row.risk: row.task_count for row in view.analysis.risks.counts}
    whole = len(view.tasks) or 1
    rows = [(risk.value, counts.get(risk, 0)) for risk in RISK_ORDER]
    rows.append(("not stated", counts.get(None, 0)))
    return tuple(Count(word=word, count=count, share=count / whole) for word, count in rows)


def state_counts(view: PlanView) -> tuple[Count, ...]:
    """Return how many tasks are in which state."""
    whole = len(view.tasks) or 1
    return tuple(
        Count(
            word=f"{STATE_MARKS[row.state]} {STATE_WORDS[row.state]}",
            count=row.task_count,
            share=row.task_count / whole,
        )
        for row in view.analysis.progress.counts
    )


def trace_states(trace: RequirementTrace) -> tuple[str, ...]:
    """Return whether a requirement is tested, or what is missing for it."""
    if not trace.tasks:
        return ("in no task",)
    tested = "tested" if trace.tests else "no test"
    return (tested,) if trace.is_declared else (tested, "not declared")


def findings_of(view: PlanView) -> tuple[ShownFinding, ...]:
    """Return the findings with their lines, the worst first."""
    order = list(Severity)
    findings = sorted(view.diagnostics, key=lambda finding: order.index(finding.severity))
    source = view.source
    if source is None or not source.text:
        return tuple(ShownFinding(finding=finding, excerpt="") for finding in findings)
    own = [finding for finding in findings if finding.path == source.path]
    excerpts = dict(zip(map(id, own), excerpts_of(own, source), strict=True))
    return tuple(ShownFinding(finding=finding, excerpt=excerpts.get(id(finding), "")) for finding in findings)


def longest_of(tasks: Sequence[ShownTask]) -> str:
    """Return the longest estimate among tasks that run at the same time; empty if none has one."""
    estimates = [task.task.estimate for task in tasks if task.task.estimate is not None]
    if not estimates:
        return ""
    longest = max(estimates, key=lambda estimate: estimate.days_max)
    return day_range(longest.days_min, longest.days_max)


def _format_fact(view: PlanView) -> Fact:
    level = "" if view.plan.level is None else f"level {view.plan.level}"
    return Fact(name="Format", value=_FORMAT_WORDS.get(view.plan.format, view.plan.format), detail=level)


def _states_line(view: PlanView) -> str:
    parts = [f"{row.task_count:,} {STATE_WORDS[row.state]}" for row in view.analysis.progress.counts if row.task_count]
    return ", ".join(parts)


def _widest_line(view: PlanView) -> str:
    widest = max(map(len, view.analysis.waves), default=0)
    return f"at most {counted(widest, 'task')} in one" if widest else ""


def _critical_facts(view: PlanView) -> Iterator[Fact]:
    analysis = view.analysis
    if analysis.critical_by_count is not None:
        path = analysis.critical_by_count
        yield Fact(
            name="Critical path by count", value=counted(int(path.length), "task"), detail=_path_line(path.tasks)
        )
    if analysis.critical_by_days_max is not None:
        path = analysis.critical_by_days_max
        least = analysis.critical_by_days_min
        value = day_range(path.length if least is None else least.length, path.length)
        yield Fact(name="Critical path by days", value=value, detail=_path_line(path.tasks), anchor="schedule")


def _path_line(tasks: Sequence[str]) -> str:
    shown_max = 40
    line = " → ".join(shown(task) for task in tasks[:shown_max])
    return line if len(tasks) <= shown_max else f"{line} → … ({len(tasks) - shown_max} more)"


def _estimate_facts(view: PlanView) -> Iterator[Fact]:
    total = view.analysis.estimates.total
    if total.unestimated_count == total.task_count:
        return
    missing = f"{counted(total.unestimated_count, 'task')} without estimate" if total.unestimated_count else ""
    yield Fact(
        name="Estimate", value=f"{day_range(total.days_min, total.days_max)} of work", detail=missing, anchor="sums"
    )


def _parallelism_fact(view: PlanView) -> Fact:
    parallelism = view.analysis.parallelism
    return Fact(name="Parallelism", value=parallelism.verdict.value, detail=shown(parallelism.explanation))


def _coverage_facts(view: PlanView) -> Iterator[Fact]:
    trace = view.analysis.traceability
    if not trace.requirements:
        return
    covered = f"{trace.covered_count:,} of {trace.declared_count:,}"
    share = percent(trace.covered_count, trace.declared_count)
    value = f"{share} ({covered})" if trace.declared_count else "none declared"
    untested = f"{counted(len(trace.untested), 'requirement')} without test" if trace.untested else ""
    yield Fact(name="Requirements in tasks", value=value, detail=untested, anchor="traceability")


def _sum_rows(
    kind: str, sums: Sequence[EstimateSum], names: dict[str, str]
) -> tuple[tuple[EstimateSum, str, float], ...]:
    largest = max((one.days_max for one in sums), default=0)
    return tuple(
        (
            one,
            f"no {kind}" if one.name is None else names.get(one.name, shown(one.name)),
            float(one.days_max / largest) if largest else 0.0,
        )
        for one in sums
    )


def sum_range(one: EstimateSum) -> str:
    """Return a sum as a range; empty if nothing was estimated."""
    return "" if one.unestimated_count == one.task_count else day_range(one.days_min, one.days_max)


def slack_line(task: ShownTask) -> str:
    """Return how much later a task can be; empty where nothing is scheduled."""
    if task.schedule is None or not task.schedule.slack_days:
        return ""
    return f"{days(task.schedule.slack_days)} d slack"
