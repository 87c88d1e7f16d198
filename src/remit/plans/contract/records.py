"""Records of planning contracts, fanout files and issue contracts: what their documents say, no more.

Owns: the three records. ``None`` and ``""`` stand for what a document leaves out or has unreadable.
Does not know: how they are written, or what a plan makes of them. Places never make two records differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from remit.plans.plan import NOWHERE, Place, Reference, RiskClass, Text


class Role(StrEnum):
    """Who does a task."""

    PLANNER = "planner"
    DEVELOPER = "developer"
    QA = "qa"


class Priority(StrEnum):
    """How soon: ``p0`` before ``p1``."""

    P0 = "p0"
    P1 = "p1"
    P2 = "p2"
    P3 = "p3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A milestone. ``max_diff_scope`` counts files."""

    id: str
    title: str
    outcome: str
    dependencies: tuple[Reference, ...] = ()
    acceptance: tuple[Text, ...] = ()
    risks: tuple[Text, ...] = ()
    risk_class: RiskClass | None = None
    max_diff_scope: int | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDefaults:
    """What holds for tasks that say nothing else."""

    risk_class: RiskClass | None = None
    max_diff_scope: int | None = None
    acceptance_tests: tuple[Text, ...] = ()
    invariants: tuple[Reference, ...] = ()
    evidence_required: bool | None = None


NO_DEFAULTS: Final = ContractDefaults()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningContract:
    """A planning contract: the milestones of a roadmap, defaults, and decisions that an owner has to take."""

    version: str
    objective: str
    milestones: tuple[Milestone, ...] = ()
    defaults: ContractDefaults = NO_DEFAULTS
    decisions: tuple[Text, ...] = ()
    schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutTask:
    """A task that a planner hands on. ``chains`` are the chains (of blocks) that it is about."""

    title: str
    role: Role = Role.DEVELOPER
    summary: str = ""
    labels: tuple[Text, ...] = ()
    acceptance: tuple[Text, ...] = ()
    notes: str = ""
    chains: tuple[Text, ...] = ()
    risk_class: RiskClass | None = None
    max_diff_scope: int | None = None
    invariants: tuple[Reference, ...] = ()
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fanout:
    """A fanout file. ``schema`` is the address of a JSON Schema, if the document names one."""

    tasks: tuple[FanoutTask, ...] = ()
    schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of an issue contract: its title, and the Markdown under it without blank lines around."""

    title: str
    text: str
    at: Place = field(default=NOWHERE, compare=False)
    title_at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """An acceptance criterion with its mark (one character); ``mark_at`` is the place of the mark alone."""

    text: str
    mark: str = " "
    at: Place = field(default=NOWHERE, compare=False)
    mark_at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueContract:
    """An issue contract: header fields, what stands before the first section, and the sections in order.

    ``criteria`` are read from the section on acceptance and say nothing that it does not. ``status_at`` is the place of
    the status alone.
    """

    id: str
    role: Role | None = None
    status: str = ""
    priority: Priority | None = None
    depends_on: tuple[Reference, ...] = ()
    title: str = ""
    complexity: RiskClass | None = None
    risk_class: RiskClass | None = None
    max_diff_scope: int | None = None
    allowed_paths: tuple[Text, ...] = ()
    denied_paths: tuple[Text, ...] = ()
    acceptance_tests: tuple[Text, ...] = ()
    invariants: tuple[Reference, ...] = ()
    non_goals: str = ""
    evidence_required: bool | None = None
    preamble: str = ""
    sections: tuple[Section, ...] = ()
    schema: str = ""
    criteria: tuple[Criterion, ...] = field(default=(), compare=False)
    at: Place = field(default=NOWHERE, compare=False)
    status_at: Place = field(default=NOWHERE, compare=False)


Record = PlanningContract | Fanout | IssueContract
