"""What reading a task table document finds, before it is a record.

Owns: tasks and tables so far, and what is to be told about how they are written.
Does not know: how they are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from remit.diagnostics import Severity
from remit.plans.markdown import Cell, Table
from remit.plans.plan import Place
from remit.plans.task_table.kinds import Columns
from remit.plans.task_table.record import SideTable, TaskRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something about how a document is written: a code's name, and the words of its message."""

    code: str
    message: str
    at: Place
    related: tuple[tuple[str, Place], ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A row of a task table that is no task."""

    name: str
    is_total: bool
    at: Place


@dataclass(slots=True, kw_only=True)
class Found:
    """What reading has found so far; ``places`` are the position of each task, and the number of its table."""

    tasks: list[TaskRecord] = field(default_factory=list)
    tables: list[tuple[SideTable, Table]] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)
    joined: list[TaskRecord] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    mapped: list[tuple[tuple[Cell, ...], Columns]] = field(default_factory=list)
