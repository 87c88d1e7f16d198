"""The plan: what every plan format is read to, whatever its text looks like.

Owns: the records that analysis, pages and the compiler work on.
Does not know: any format's grammar. A format's own record holds what only that format has.

Places are offsets of the text as it is read; they never make two plans differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

Place = tuple[int, int]

NOWHERE: Place = (0, 0)


class PlanFormat(StrEnum):
    """The formats of plan documents."""

    SPECTRA = "spectra"
    TASK_TABLE = "task-table"
    DELIVERY_PLAN = "delivery-plan"
    PLANNING_CONTRACT = "planning-contract"
    FANOUT = "fanout"
    ISSUE_CONTRACT = "issue-contract"


class TaskState(StrEnum):
    """How far a task is; in marks ``[ ]``, ``[~]``, ``[x]``, ``[!]``."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    STUCK = "stuck"


class TaskKind(StrEnum):
    """What a task is: work, the test of somebody else's work, or a decision that a person takes (human gate)."""

    WORK = "work"
    TEST = "test"
    HUMAN_GATE = "human_gate"


class RiskClass(StrEnum):
    """How bad it is when a task goes wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class DependencyOrigin(StrEnum):
    """Where a document says that one task comes before another.

    ``TEST`` is that a task tests the work of the one before; ``TESTED`` that it builds on work which that one tests.
    """

    FIELD = "field"
    CHAIN = "chain"
    GRAPH = "graph"
    MATRIX = "matrix"
    ORDER = "order"
    TEST = "test"
    TESTED = "tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An id that a document writes, and where."""

    id: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A task that comes first."""

    id: str
    origin: DependencyOrigin = DependencyOrigin.FIELD
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A piece of the document that people read: a criterion, a command, a risk."""

    text: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathClaim:
    """A path that a task owns, touches or reads.

    ``path`` is what compares (``./a`` is ``a``; directories end in ``/``; globs stay); ``written`` is as it stands.
    """

    path: str
    written: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How much work a task is: person-days between ``days_min`` and ``days_max``; ``written`` as it stands."""

    days_min: Decimal
    days_max: Decimal
    written: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """One task.

    ``id`` is unique in a sound plan; ``phase`` is the id of its phase; ``role`` says who does it (builder, tester,
    human, developer, qa, planner) and ``owner`` which person or team, as written. ``iterations_max`` bounds the loop of
    change and verification; ``files_max`` how many files it may change. ``tests`` are ids of the test tasks that must
    pass before it is done. ``wiring`` are all proofs that the work is reached, ``wiring_commands`` those of them that
    are commands. ``verification`` is how it is verified, as written (TEST, REVIEW). ``state_at`` is the place of the
    mark alone, ``requirements_at`` that of the field of requirements, also if it names none.
    """

    id: str
    title: str
    at: Place = field(default=NOWHERE, compare=False)
    kind: TaskKind = TaskKind.WORK
    state: TaskState = TaskState.PENDING
    state_at: Place = field(default=NOWHERE, compare=False)
    phase: str | None = None
    role: str | None = None
    owner: str | None = None
    objective: str = ""
    depends_on: tuple[Dependency, ...] = ()
    criteria: tuple[Text, ...] = ()
    files: tuple[PathClaim, ...] = ()
    owns: tuple[PathClaim, ...] = ()
    touches: tuple[PathClaim, ...] = ()
    reads: tuple[PathClaim, ...] = ()
    denied: tuple[PathClaim, ...] = ()
    verify: tuple[Text, ...] = ()
    verification: str | None = None
    wiring: tuple[Text, ...] = ()
    wiring_commands: tuple[Text, ...] = ()
    assertions: tuple[Text, ...] = ()
    invariants: tuple[Reference, ...] = ()
    risk: RiskClass | None = None
    risks: tuple[Text, ...] = ()
    priority: str | None = None
    scope: str | None = None
    workstream: str | None = None
    estimate: Estimate | None = None
    iterations_max: int | None = None
    files_max: int | None = None
    requirements: tuple[Reference, ...] = ()
    requirements_at: Place = field(default=NOWHERE, compare=False)
    test_cases: tuple[Reference, ...] = ()
    tests: tuple[str, ...] = ()
    decisions: tuple[Text, ...] = ()
    evidence_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanGate:
    """A decision of a person that everything after a phase waits for."""

    id: str
    title: str
    criteria: tuple[Text, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPhase:
    """A phase: its tasks are those that name it. A phase begins when the one before it has ended."""

    id: str
    title: str
    goal: str = ""
    exit_criteria: tuple[Text, ...] = ()
    gate: HumanGate | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredParallelism:
    """What a document says may run in parallel; ``recommendation`` as written."""

    independent: tuple[Reference, ...] = ()
    chains: tuple[tuple[Reference, ...], ...] = ()
    recommendation: str | None = None
    recommendation_at: Place = field(default=NOWHERE, compare=False)
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan as it was read. ``requirements`` and ``test_cases`` are those that the document declares to exist."""

    format: PlanFormat
    title: str
    level: int | None = None
    level_at: Place = field(default=NOWHERE, compare=False)
    objective: str = ""
    tasks: tuple[PlanTask, ...] = ()
    phases: tuple[PlanPhase, ...] = ()
    parallelism: DeclaredParallelism | None = None
    requirements: tuple[Reference, ...] = ()
    test_cases: tuple[Reference, ...] = ()
    risks: tuple[Text, ...] = ()
    decisions: tuple[Text, ...] = ()

    def task(self, task_id: str) -> PlanTask | None:
        """Return the first task with an id, or ``None``. Linear: for many look-ups build a table."""
        return next((task for task in self.tasks if task.id == task_id), None)
