"""Records as plans: milestones, fanout tasks and issues become tasks.

Owns: what of a record a plan's task gets.
Does not know: the text. Nothing is added that a record does not say, but for the order of a fanout's two kinds of
tasks; defaults of a contract are its own word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from remit.plans.contract.records import (
    ContractDefaults,
    Fanout,
    FanoutTask,
    IssueContract,
    Milestone,
    PlanningContract,
    Priority,
    Role,
)
from remit.plans.contract.slugs import slug_of
from remit.plans.contract.words import MAJOR_DECISION
from remit.plans.plan import Dependency, PathClaim, Plan, PlanFormat, PlanPhase, PlanTask, TaskKind, TaskState, Text

_STATES: Final = {
    "ready": TaskState.PENDING,
    "in-progress": TaskState.IN_PROGRESS,
    "done": TaskState.DONE,
    "blocked": TaskState.STUCK,
    "cancelled": TaskState.STUCK,
}
_PHASES: Final = {
    TaskKind.WORK: PlanPhase(id="build", title="Build"),
    TaskKind.TEST: PlanPhase(id="verify", title="Verify"),
}
_OWNERS_LABELS: Final = frozenset({MAJOR_DECISION, "risk/high"})
"""Labels that ask for an owner's decision before anything changes."""


def plan_of_contract(contract: PlanningContract) -> Plan:
    """Return the milestones as tasks, each with the contract's defaults."""
    return Plan(
        format=PlanFormat.PLANNING_CONTRACT,
        title=contract.objective,
        objective=contract.objective,
        tasks=tuple(_milestone(one, contract.defaults) for one in contract.milestones if one.id),
        decisions=contract.decisions,
    )


def plan_of_fanout(fanout: Fanout) -> Plan:
    """Return the tasks of a fanout under their slugs.

    A fanout has no dependencies. Its one order is that features come before what verifies them (planning rule 7): where
    it has both, they are two phases.
    """
    tasks = tuple(_fanout_task(task) for task in fanout.tasks if task.title)
    if len({task.kind for task in tasks}) < 2:
        return Plan(format=PlanFormat.FANOUT, title="Fanout", tasks=tasks)
    phased = tuple(replace(task, phase=_PHASES[task.kind].id) for task in tasks)
    return Plan(format=PlanFormat.FANOUT, title="Fanout", tasks=phased, phases=tuple(_PHASES.values()))


def plan_of_issue(issue: IssueContract) -> Plan:
    """Return an issue as the one task of a plan. What it depends on stands in other files."""
    objective = next((section.text for section in issue.sections if section.title == "Objective"), "")
    task = PlanTask(
        id=issue.id,
        title=issue.title,
        at=issue.at,
        kind=TaskKind.TEST if issue.role is Role.QA else TaskKind.WORK,
        state=_STATES.get(issue.status, TaskState.PENDING),
        state_at=issue.status_at,
        role=None if issue.role is None else issue.role.value,
        objective=objective,
        depends_on=tuple(Dependency(id=reference.id, at=reference.at) for reference in issue.depends_on),
        criteria=tuple(Text(text=criterion.text, at=criterion.at) for criterion in issue.criteria),
        owns=tuple(map(_path, issue.allowed_paths)),
        denied=tuple(map(_path, issue.denied_paths)),
        verify=issue.acceptance_tests,
        invariants=issue.invariants,
        risk=issue.risk_class,
        priority=None if issue.priority is None else issue.priority.value,
        files_max=issue.max_diff_scope,
        evidence_required=bool(issue.evidence_required),
    )
    tasks = (task,) if issue.id else ()
    return Plan(format=PlanFormat.ISSUE_CONTRACT, title=issue.title, objective=objective, tasks=tasks)


def _milestone(milestone: Milestone, defaults: ContractDefaults) -> PlanTask:
    return PlanTask(
        id=milestone.id,
        title=milestone.title,
        at=milestone.at,
        objective=milestone.outcome,
        depends_on=tuple(Dependency(id=reference.id, at=reference.at) for reference in milestone.dependencies),
        criteria=milestone.acceptance,
        risks=milestone.risks,
        risk=milestone.risk_class or defaults.risk_class,
        files_max=milestone.max_diff_scope or defaults.max_diff_scope,
        verify=defaults.acceptance_tests,
        invariants=defaults.invariants,
        evidence_required=bool(defaults.evidence_required),
    )


def _fanout_task(task: FanoutTask) -> PlanTask:
    return PlanTask(
        id=slug_of(task),
        title=task.title,
        at=task.at,
        kind=TaskKind.TEST if task.role is Role.QA else TaskKind.WORK,
        role=task.role.value,
        objective=task.summary,
        criteria=task.acceptance,
        risk=task.risk_class,
        priority=priority_of(task),
        scope=", ".join(chain.text for chain in task.chains) or None,
        files_max=task.max_diff_scope,
        invariants=task.invariants,
        decisions=tuple(label for label in task.labels if label.text in _OWNERS_LABELS),
    )


def priority_of(task: FanoutTask) -> Priority | None:
    """Return the priority that a task's labels name, if they name one."""
    named = {label.text.removeprefix("priority/") for label in task.labels if label.text.startswith("priority/")}
    return next((priority for priority in Priority if priority in named), None)


def _path(written: Text) -> PathClaim:
    path = written.text.removeprefix("./")
    return PathClaim(path=path or ".", written=written.text, at=written.at)
