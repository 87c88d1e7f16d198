"""Issue contracts given together: their dependencies on each other.

Owns: what only several issues show: ids that stand twice, dependencies on none of them, cycles, issues that are done
before what they wait for, and stuck ones that others wait for.
Does not know: files and commands. One issue alone tells nothing of its queue, and nothing is said about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.diagnostics import Severity
from remit.plans.analysis import analyse
from remit.plans.analysis.records import Analysis, Cycle
from remit.plans.analysis.wording import alike, listed
from remit.plans.formats import PlanReading
from remit.plans.plan import Place, Plan, PlanFormat, PlanTask
from remit.plans.texts import PlanReporter

_STEPS_SHOWN_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    """An issue with its file."""

    task: PlanTask
    path: str
    reporter: PlanReporter


def check_queue(readings: Iterable[PlanReading]) -> None:
    """Report what issue contracts that are given together say against each other, each finding in its own file."""
    issues: dict[str, _Issue] = {}
    for reading in readings:
        for issue in _issues_of(reading):
            first = issues.setdefault(issue.task.id, issue)
            if first is not issue:
                issue.reporter.report(
                    "ISSUE_REPEATED",
                    f"expected each issue once, got {issue.task.id} again, which {first.path} has; number one anew",
                    at=issue.task.at,
                )
    if len(issues) < 2:
        return
    tasks = tuple(issue.task for issue in issues.values())
    analysis = analyse(Plan(format=PlanFormat.ISSUE_CONTRACT, title="", tasks=tasks))
    _check_unknown(issues, analysis)
    for cycle in analysis.cycles:
        _check_cycle(issues, analysis, cycle)
    _check_progress(issues, analysis)


def _issues_of(reading: PlanReading) -> Iterable[_Issue]:
    if reading.format is not PlanFormat.ISSUE_CONTRACT or reading.plan is None or reading.text is None:
        return ()
    reporter = PlanReporter(reading.text, reading.diagnostics)
    return tuple(_Issue(task=task, path=reading.path, reporter=reporter) for task in reading.plan.tasks)


def _check_unknown(issues: Mapping[str, _Issue], analysis: Analysis) -> None:
    known = alike(issues)
    for reference in analysis.unknown:
        if reference.task is None:
            continue
        meant = known(reference.id)
        hint = f"did you mean {meant!r}?" if meant else "give its file too, or take the id out"
        # The rest of the queue, with all that is done, may stand in files that were not given.
        issues[reference.task].reporter.report(
            "DEPENDENCY_UNKNOWN",
            f"expected dependencies of {reference.task} among the {len(issues)} issues that are given, got "
            f"{reference.id!r}; {hint}",
            at=reference.at,
            severity=Severity.WARNING,
        )


def _check_cycle(issues: Mapping[str, _Issue], analysis: Analysis, cycle: Cycle) -> None:
    places: dict[tuple[str, str], Place] = {(edge.before, edge.after): edge.at[0] for edge in analysis.edges if edge.at}
    shown = " -> ".join(cycle.example[:_STEPS_SHOWN_MAX])
    cut = " -> …" if len(cycle.example) > _STEPS_SHOWN_MAX else ""
    more = len(cycle.tasks) - len(cycle.example)
    others = f" ({len(cycle.tasks)} issues wait for one another)" if more > 0 else ""
    before, after = cycle.example[0], cycle.example[1 % len(cycle.example)]
    files = listed([issues[name].path for name in cycle.example])
    issues[after].reporter.report(
        "DEPENDENCY_CYCLE",
        f"expected an order of issues, got a cycle: {shown}{cut} -> {cycle.example[0]}{others}, in {files}; drop one "
        "of these dependencies",
        at=places.get((before, after), issues[after].task.at),
    )


def _check_progress(issues: Mapping[str, _Issue], analysis: Analysis) -> None:
    for name, dependency in analysis.progress.done_early:
        issue, other = issues[name], issues[dependency]
        issue.reporter.report(
            "TASK_DONE_EARLY",
            f"expected {name} to be done after {dependency}, which it waits for, got {dependency} "
            f"{other.task.state.replace('_', ' ')} in {other.path}; correct the status of one, or drop the dependency",
            at=issue.task.state_at,
        )
    for stuck in analysis.progress.stuck:
        if stuck.dependents:
            issue = issues[stuck.id]
            issue.reporter.report(
                "TASK_STUCK",
                f"expected {stuck.id} to go on, got it stuck, and {listed(stuck.dependents)} waiting for it; clear "
                "what stops it, or drop the dependency on it",
                at=issue.task.state_at,
            )
