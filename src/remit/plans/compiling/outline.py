"""The outline of a compiled plan: which steps there are, in which order, before anything is said of what they do.

Owns: dependencies of steps, which are those of the plan's graph: tasks that are done are passed over, phases meet in
one step each, and gates stand before what needs them. Tasks that the plan leaves unordered and that must not run at the
same time are ordered as they stand in the document (`apart`).
Does not know: documents.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remit.plans.analysis import Analysis, ReferenceKind
from remit.plans.compiling.apart import Apart, one_at_a_time
from remit.plans.compiling.names import Names
from remit.plans.compiling.sequence import in_sequence
from remit.plans.plan import HumanGate, Plan, PlanPhase, PlanTask, RiskClass, TaskKind, TaskState, Text

DEPLOY_LEVEL: Final = 3
"""From this level on a person looks at the whole before it counts as done."""

_SPREAD_MAX: Final = 8
"""So many steps a done task may stand for; beyond, a join stands for them, so that the document stays small."""

_APPROVED_RISKS: Final = frozenset({RiskClass.HIGH, RiskClass.CRITICAL})

_LOOKED_AT: Final = frozenset({"review", "demo", "demonstration", "inspection", "manual", "walkthrough"})
"""Ways of verification for which a person looks at the result."""

_MARK: Final = re.compile(r"(?<![\w/-])decision/major(?![\w/-])")
"""Stands in the title of a task that its owner has to decide about, in formats that have no labels."""


class Part(StrEnum):
    """What a step of the outline is."""

    TASK = "task"
    APPROVAL = "approval"
    REVIEW = "review"
    HUMAN_TASK = "human_task"
    PHASE_GATE = "phase_gate"
    DECISION = "decision"
    RELEASE = "release"
    JOIN = "join"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One step of the outline, with what of the plan it is about.

    ``reasons`` are those of an approval. ``held_by`` are those of ``depends_on`` that the plan does not order before
    it: tasks that must not run at the same time.
    """

    id: str
    part: Part
    depends_on: tuple[str, ...]
    task: PlanTask | None = None
    phase: PlanPhase | None = None
    gate: HumanGate | None = None
    decision: Text | None = None
    reasons: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The steps in an order in which they can run; ``done`` are the tasks that are passed over.

    ``why_single`` says why only one task runs at a time; ``None`` if those without order may run together.
    """

    steps: tuple[Planned, ...]
    done: tuple[PlanTask, ...]
    why_single: str | None = None

    @property
    def tasks(self) -> tuple[PlanTask, ...]:
        """Return the tasks that are worked on."""
        return tuple(step.task for step in self.steps if step.part is Part.TASK and step.task is not None)


def outline_plan(plan: Plan, analysis: Analysis, names: Names) -> Outline:
    """Return the outline of a plan without cycles."""
    outlining = _Outlining(plan, analysis, names)
    for task in in_sequence(outlining.tasks, analysis, outlining.positions):
        outlining.place(task)
    outlining.end()
    return Outline(steps=tuple(outlining.steps), done=tuple(outlining.done), why_single=outlining.why_single)


def reasons_to_ask(task: PlanTask, elsewhere: list[str]) -> tuple[str, ...]:
    """Return why a person has to agree before a task begins; empty if nobody has to.

    Args:
        task: The task.
        elsewhere: The ids of what it waits for that is in other files: no run can see whether that is done.
    """
    reasons = [f"its risk is {task.risk.value}"] if task.risk in _APPROVED_RISKS and task.risk is not None else []
    marks = [decision.text for decision in task.decisions] or _MARK.findall(task.title)[:1]
    reasons += [f"it is marked {mark}" for mark in marks]
    if elsewhere:
        reasons.append(f"it waits for {', '.join(elsewhere)}, which this plan does not have: that has to be done")
    if task.state is TaskState.STUCK:
        reasons.append("it is stuck, blocked or cancelled: whatever stops it has to be out of the way")
    return tuple(reasons)


class _Outlining:
    """An outline in the making.

    ``_stands[task]`` are the steps after which a task counts as finished: its own, or for one that is done those of
    what it depends on. ``_met[n]`` are those after which the first ``n + 1`` phases have ended.
    """

    def __init__(self, plan: Plan, analysis: Analysis, names: Names) -> None:
        self._plan = plan
        self._names = names
        self.steps: list[Planned] = []
        self.done: list[PlanTask] = []
        tasks: dict[str, PlanTask] = {}
        for task in plan.tasks:
            tasks.setdefault(task.id, task)
        self.tasks = tuple(tasks.values())
        self._elsewhere: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for reference in analysis.unknown:
            if reference.kind is ReferenceKind.DEPENDENCY and reference.task is not None:
                self._elsewhere[reference.task][reference.id] = None
        self.why_single = one_at_a_time(plan, analysis)
        self._apart = Apart(plan, self.tasks, is_single=self.why_single is not None)
        self._before: dict[str, list[str]] = {task.id: [] for task in self.tasks}
        for edge in analysis.edges:
            self._before[edge.after].append(edge.before)
        phases: dict[str, PlanPhase] = {}
        for phase in plan.phases:
            phases.setdefault(phase.id, phase)
        self._phases = list(phases.values())
        known = {phase.id: position for position, phase in enumerate(self._phases)}
        self.positions = {task.id: None if task.phase is None else known.get(task.phase) for task in self.tasks}
        self._ends: list[dict[str, None]] = [{} for _ in self._phases]
        self._met: list[tuple[str, ...]] = []
        self._stands: dict[str, tuple[str, ...]] = {}
        self._start = self._decide()

    def place(self, task: PlanTask) -> None:
        """Add the steps of a task whose predecessors have been placed."""
        position = self.positions[task.id]
        before = [step for other in self._before[task.id] for step in self._stands[other]]
        if position:
            before += self._meeting(position - 1)
        depends_on = tuple(dict.fromkeys(before)) or self._start
        self._stands[task.id] = self._place(task, depends_on)
        if position is not None:
            self._ends[position].update(dict.fromkeys(self._stands[task.id]))

    def end(self) -> None:
        """Add the gates behind the last tasks, and from level 3 on the one before release."""
        asking = [position for position, phase in enumerate(self._phases) if phase.gate is not None]
        if asking:
            self._meeting(asking[-1])
        if (self._plan.level or 0) >= DEPLOY_LEVEL and self.steps:
            followed = {name for step in self.steps for name in step.depends_on}
            last = tuple(step.id for step in self.steps if step.id not in followed)
            self._add(Planned(id=self._names.take("release", ""), part=Part.RELEASE, depends_on=last))

    def _place(self, task: PlanTask, depends_on: tuple[str, ...]) -> tuple[str, ...]:
        if task.state is TaskState.DONE:
            self.done.append(task)
            if len(depends_on) <= _SPREAD_MAX:
                return depends_on
            join = self._names.take("done", task.id)
            return self._add(Planned(id=join, part=Part.JOIN, depends_on=depends_on, task=task))
        if task.kind is TaskKind.HUMAN_GATE:
            decide = self._names.take("decide", task.id)
            return self._add(Planned(id=decide, part=Part.HUMAN_TASK, depends_on=depends_on, task=task))
        reasons = reasons_to_ask(task, list(self._elsewhere[task.id]))
        if reasons:
            approve = self._names.take("approve", task.id)
            depends_on = self._add(
                Planned(id=approve, part=Part.APPROVAL, depends_on=depends_on, task=task, reasons=reasons)
            )
        work = self._names.take("task", task.id)
        held_by = self._apart.place_task(work, task, depends_on)
        step = Planned(id=work, part=Part.TASK, depends_on=(*depends_on, *held_by), task=task, held_by=held_by)
        self.steps.append(step)
        if (task.verification or "").strip().casefold() not in _LOOKED_AT:
            return (work,)
        review = self._names.take("review", task.id)
        return self._add(Planned(id=review, part=Part.REVIEW, depends_on=(work,), task=task))

    def _meeting(self, position: int) -> tuple[str, ...]:
        """Return the steps after which a phase and all before it have ended, adding what is still missing of them."""
        for number in range(len(self._met), position + 1):
            phase = self._phases[number]
            before = tuple(self._ends[number]) or (self._met[-1] if self._met else self._start)
            if phase.gate is not None:
                gate = self._names.take("gate", phase.gate.id or phase.id)
                before = self._add(
                    Planned(id=gate, part=Part.PHASE_GATE, depends_on=before, phase=phase, gate=phase.gate)
                )
            elif len(before) > 1:
                end = self._names.take("end_of", phase.id)
                before = self._add(Planned(id=end, part=Part.JOIN, depends_on=before, phase=phase))
            self._met.append(before)
        return self._met[position]

    def _decide(self) -> tuple[str, ...]:
        """Add a gate for each decision that the plan leaves open; everything waits for all of them."""
        asked: tuple[str, ...] = ()
        for number, decision in enumerate(self._plan.decisions, start=1):
            name = self._names.take("decision", str(number))
            asked += self._add(Planned(id=name, part=Part.DECISION, depends_on=(), decision=decision))
        if len(asked) <= 1:
            return asked
        return self._add(Planned(id=self._names.take("decided", ""), part=Part.JOIN, depends_on=asked))

    def _add(self, step: Planned) -> tuple[str, ...]:
        """Add a step; return what its followers depend on."""
        self.steps.append(step)
        self._apart.place(step.id, step.depends_on)
        return (step.id,)
