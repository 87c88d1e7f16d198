"""What is shown of a plan: its tasks with what the analysis says of each, ready to be laid out.

Owns: joining plan, analysis and findings, once for all forms.
Does not know: any form. Nothing here is escaped or shortened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.diagnostics import Diagnostics, Source
from remit.plans.analysis import Analysis
from remit.plans.analysis.records import CriticalPath, ScheduledTask
from remit.plans.plan import NOWHERE, Place, Plan, PlanPhase, PlanTask
from remit.plans.texts import PlanText

_EMPTY: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTask:
    """A task with its place in the order.

    ``number`` counts the plan's tasks from 0; ``wave`` counts from 1 and is ``None`` in a cycle and for a repeated id,
    whose first task alone counts. ``before`` and ``after`` are the tasks right before and right after it.
    """

    number: int
    task: PlanTask
    wave: int | None
    schedule: ScheduledTask | None
    is_critical: bool
    is_cyclic: bool
    is_repeated: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """Tasks under one heading: those of a phase, of a wave, or those in no wave."""

    title: str
    tasks: tuple[ShownTask, ...]
    phase: PlanPhase | None = None
    wave: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan as it is shown. ``first`` gives the number of the task that an id means."""

    path: str
    plan: Plan
    analysis: Analysis
    diagnostics: Diagnostics
    text: PlanText | None
    tasks: tuple[ShownTask, ...]
    first: Mapping[str, int]

    @property
    def critical(self) -> CriticalPath | None:
        """Return the critical path that is shown: by days if there are estimates, else by count."""
        return self.analysis.critical_by_days_max or self.analysis.critical_by_count

    @property
    def has_estimates(self) -> bool:
        """Whether any task has an estimate."""
        return self.analysis.critical_by_days_max is not None

    @property
    def source(self) -> Source | None:
        """Return the text that findings point into."""
        return None if self.text is None else self.text.source

    def line(self, at: Place) -> int | None:
        """Return the line of the file where something stands; ``None`` if that is not known."""
        if self.text is None or at == NOWHERE:
            return None
        return self.text.span(*at).start.line

    def by_wave(self) -> tuple[TaskGroup, ...]:
        """Return the tasks by wave; those that are in none come last."""
        waves: dict[int, list[ShownTask]] = defaultdict(list)
        rest: list[ShownTask] = []
        for task in self.tasks:
            (rest if task.wave is None else waves[task.wave]).append(task)
        groups = [
            TaskGroup(title=f"Wave {number}", tasks=tuple(waves[number]), wave=number) for number in sorted(waves)
        ]
        return (*groups, *([TaskGroup(title="In no wave", tasks=tuple(rest))] if rest else []))

    def by_phase(self) -> tuple[TaskGroup, ...]:
        """Return the tasks by phase, in the plan's order; those without a known phase come last."""
        known = {phase.id: phase for phase in reversed(self.plan.phases)}
        tasks: dict[str | None, list[ShownTask]] = defaultdict(list)
        for task in self.tasks:
            tasks[task.task.phase if task.task.phase in known else None].append(task)
        groups = [
            TaskGroup(title=phase.title or phase.id, tasks=tuple(tasks[phase_id]), phase=phase)
            for phase_id, phase in reversed(known.items())
        ]
        rest = tasks.get(None)
        return (*groups, *([TaskGroup(title="In no phase", tasks=tuple(rest))] if rest else []))

    def groups(self) -> tuple[TaskGroup, ...]:
        """Return the tasks by phase if the plan has several, else by wave."""
        return self.by_phase() if len(self.plan.phases) > 1 else self.by_wave()


def view_plan(
    plan: Plan, analysis: Analysis, *, path: str, diagnostics: Diagnostics, text: PlanText | None = None
) -> PlanView:
    """Return a plan as it is shown.

    Args:
        plan: The plan as it was read.
        analysis: That of the same plan.
        path: The file as the user named it.
        diagnostics: What was found in it.
        text: Its text, for excerpts and lines.
    """
    first: dict[str, int] = {}
    for number, task in enumerate(plan.tasks):
        first.setdefault(task.id, number)
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for edge in analysis.edges:
        before[edge.after].append(edge.before)
        after[edge.before].append(edge.after)
    scheduled = {entry.id: entry for entry in analysis.schedule}
    critical = analysis.critical_by_days_max or analysis.critical_by_count
    on_path = frozenset(_EMPTY if critical is None else critical.tasks)
    cyclic = frozenset(task for cycle in analysis.cycles for task in cycle.tasks)

    def one(number: int, task: PlanTask) -> ShownTask:
        is_repeated = first[task.id] != number
        schedule = None if is_repeated else scheduled.get(task.id)
        return ShownTask(
            number=number,
            task=task,
            wave=None if schedule is None else schedule.wave,
            schedule=schedule,
            is_critical=not is_repeated and task.id in on_path,
            is_cyclic=not is_repeated and task.id in cyclic,
            is_repeated=is_repeated,
            before=_EMPTY if is_repeated else _sorted(before[task.id], first),
            after=_EMPTY if is_repeated else _sorted(after[task.id], first),
        )

    return PlanView(
        path=path,
        plan=plan,
        analysis=analysis,
        diagnostics=diagnostics,
        text=text,
        tasks=tuple(one(number, task) for number, task in enumerate(plan.tasks)),
        first=first,
    )


def _sorted(ids: Sequence[str], first: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda task_id: first.get(task_id, len(first))))
