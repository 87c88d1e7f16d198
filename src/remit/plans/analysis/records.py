"""What an analysis finds: records that name tasks by their ids.

Owns: their shape; ``Analysis.to_json`` gives them as JSON data.
Does not know: how they are computed, and what is reported of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from remit.plans.plan import NOWHERE, DependencyOrigin, Place, RiskClass, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One task comes before another. ``origins`` are all the ways in which the document says so, ``at`` the places."""

    before: str
    after: str
    origins: tuple[DependencyOrigin, ...]
    at: tuple[Place, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Where two phases meet: every task of ``before`` ends before any of ``after`` begins. ``gate`` is its gate's id.

    ``after`` is ``None`` for a gate behind the last phase.
    """

    before: str
    after: str | None
    gate: str | None = None


class ReferenceKind(StrEnum):
    """What names a task."""

    DEPENDENCY = "dependency"
    TEST = "test"
    INDEPENDENT = "independent"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReference:
    """A task that is named: ``task`` names it, or the plan itself if that is ``None``."""

    id: str
    kind: ReferenceKind
    task: str | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Tasks of which each waits for all others.

    ``example`` is a cycle among them, each before the next and the last before the first; it is the shortest if
    ``is_shortest``. It leads through the ends of ``phases``. ``tasks`` are all of them, in the document's order.
    """

    tasks: tuple[str, ...]
    example: tuple[str, ...]
    is_shortest: bool
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalPath:
    """The longest path. ``length`` counts tasks or days; ``tied`` are tasks of other paths that are as long."""

    tasks: tuple[str, ...]
    length: Decimal
    tied: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledTask:
    """When a task can be done at the earliest, in days after the plan begins, by the longer estimate.

    A task without estimate takes no time. ``wave`` counts from 1; ``slack_waves`` and ``slack_days`` say how much
    later it can be without delaying the end.
    """

    id: str
    wave: int
    slack_waves: int
    start_days: Decimal
    finish_days: Decimal
    slack_days: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PathUse:
    """Who does what with a path. ``path`` is what compares, ``written`` how it stands first."""

    path: str
    written: str
    owners: tuple[str, ...] = ()
    touchers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


class ConflictKind(StrEnum):
    """Two tasks own a path; or one owns and another touches it, or both touch it, and neither comes first."""

    OWNS_OWNS = "owns_owns"
    OWNS_TOUCHES = "owns_touches"
    TOUCHES_TOUCHES = "touches_touches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A task with one of its claims."""

    task: str
    path: str
    written: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipConflict:
    """Tasks that would change the same files. ``first`` and ``second`` are one pair; ``pair_count`` counts all.

    ``path`` is that of ``second``. Of ``OWNS_TOUCHES`` either may be the owner; ``owner`` says which task.
    """

    kind: ConflictKind
    path: str
    first: Claimed
    second: Claimed
    owner: str
    pair_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """All paths, and the conflicts. ``is_complete`` is false if there were too many globs to compare them all."""

    paths: tuple[PathUse, ...] = ()
    conflicts: tuple[OwnershipConflict, ...] = ()
    is_complete: bool = True


class Verdict(StrEnum):
    """Whether a team may work on the plan in parallel."""

    TEAM_ELIGIBLE = "TEAM_ELIGIBLE"
    SEQUENTIAL_ONLY = "SEQUENTIAL_ONLY"


class VerdictReason(StrEnum):
    """Why: tasks are independent; or the level is too low, all are ordered, or those that are not share files."""

    INDEPENDENT_TASKS = "independent_tasks"
    LEVEL_MISSING = "level_missing"
    LEVEL_LOW = "level_low"
    TOO_FEW_TASKS = "too_few_tasks"
    ALL_ORDERED = "all_ordered"
    PATHS_SHARED = "paths_shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPath:
    """Two tasks of which neither comes first, and a path that both change."""

    tasks: tuple[str, str]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """What may run in parallel.

    ``largest`` are the most tasks that may run at the same time, whatever the level: none comes before another, and no
    two change the same path. It is one largest set if ``is_largest``, else a large one that was found quickly.
    ``workers_max`` is how many workers are of use: 1 unless the verdict is ``TEAM_ELIGIBLE``.
    """

    verdict: Verdict
    reason: VerdictReason
    explanation: str
    largest: tuple[str, ...]
    is_largest: bool
    workers_max: int
    shared: tuple[SharedPath, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedPair:
    """Two tasks of which the first comes before the second, although the document calls both independent."""

    before: str
    after: str
    at: Place = field(default=NOWHERE, compare=False)
    before_at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementTrace:
    """A requirement with the tasks that name it, and their tests (test cases and test tasks; at most 100)."""

    id: str
    is_declared: bool
    tasks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traceability:
    """Requirement → task → test.

    ``uncovered`` are declared requirements in no task; ``untested`` requirements whose tasks have no test;
    ``tasks_without_requirement`` is only filled if the document has requirements; ``test_cases_uncovered`` are declared
    test cases in no task; ``test_cases_without_requirement`` are those whose tasks name no requirement.
    """

    requirements: tuple[RequirementTrace, ...] = ()
    uncovered: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    tasks_without_requirement: tuple[str, ...] = ()
    test_cases_uncovered: tuple[str, ...] = ()
    test_cases_without_requirement: tuple[str, ...] = ()
    declared_count: int = 0
    covered_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateSum:
    """Estimates added up. ``name`` is a phase, role, owner or workstream; ``None`` for tasks that have none."""

    name: str | None
    task_count: int
    unestimated_count: int
    days_min: Decimal
    days_max: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Sums of estimates; ``unestimated`` are the tasks without one, human gates apart."""

    total: EstimateSum
    by_phase: tuple[EstimateSum, ...] = ()
    by_role: tuple[EstimateSum, ...] = ()
    by_owner: tuple[EstimateSum, ...] = ()
    by_workstream: tuple[EstimateSum, ...] = ()
    unestimated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCount:
    """How many tasks have a risk class; ``None`` counts those without."""

    risk: RiskClass | None
    task_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskProfile:
    """Tasks by risk. ``order`` is an order that the graph allows and that takes the highest risk first.

    ``late`` are tasks that could begin at once and stand behind a task of lower risk.
    """

    counts: tuple[RiskCount, ...] = ()
    order: tuple[str, ...] = ()
    late: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many tasks are in a state."""

    state: TaskState
    task_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckTask:
    """A stuck task and the tasks that wait for it directly."""

    id: str
    dependents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the plan is.

    ``done_early`` are pairs of a task that is done and a dependency of it that is not; ``blocked`` are all tasks
    behind a stuck one.
    """

    counts: tuple[StateCount, ...] = ()
    done_early: tuple[tuple[str, str], ...] = ()
    stuck: tuple[StuckTask, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What follows from a plan. Ids are those of its tasks; of several tasks with one id the first counts.

    Attributes:
        edges: Which task comes before which, each pair once: what the document says, tests after their work, and what
            waits for work after its tests.
        joins: Where phases meet; they order tasks without an edge for each pair.
        unknown: References to tasks that are not there.
        self_references: Tasks that name themselves.
        repeated_ids: Ids of more than one task.
        against_phases: Dependencies on a task of a later phase. They are no edges: they can never be met.
        untested: Work that is tested and waited for by so many tasks that they are not ordered; almost always none.
        cycles: Sets of tasks that wait for one another.
        waves: Tasks that can run when all waves before have ended. Tasks of cycles are in none; what comes behind them
            is placed as if they took no time.
        critical_by_count: The path of most tasks.
        critical_by_days_min: The longest path by the shorter estimates; ``None`` without estimates.
        critical_by_days_max: The longest path by the longer estimates; ``None`` without estimates.
        schedule: Earliest start and slack of each task that is in a wave, in the document's order.
        ownership: Who owns, touches and reads what.
        parallelism: What may run in parallel, and why.
        independent_ordered: Pairs that the document calls independent and that are not; at most 100.
        traceability: Requirements, tasks and tests.
        estimates: Sums of estimates.
        risks: Tasks by risk.
        progress: States, and what contradicts them.
    """

    edges: tuple[Edge, ...]
    joins: tuple[Join, ...]
    unknown: tuple[TaskReference, ...]
    self_references: tuple[TaskReference, ...]
    repeated_ids: tuple[str, ...]
    against_phases: tuple[Edge, ...]
    untested: tuple[str, ...]
    cycles: tuple[Cycle, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_by_count: CriticalPath | None
    critical_by_days_min: CriticalPath | None
    critical_by_days_max: CriticalPath | None
    schedule: tuple[ScheduledTask, ...]
    ownership: Ownership
    parallelism: Parallelism
    independent_ordered: tuple[OrderedPair, ...]
    traceability: Traceability
    estimates: Estimates
    risks: RiskProfile
    progress: Progress

    def to_json(self) -> dict[str, Any]:
        """Return the analysis as JSON data; decimals are strings. The keys are always the same."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built
