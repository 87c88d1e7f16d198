"""A plan as lines for a terminal: its tasks by phase or wave, and what follows from them.

Owns: which lines there are and what each piece of a line is. Everything of the document is made harmless for terminals.
Does not know: colours and widths, or how lines are printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remit.diagnostics.rendering import harmless
from remit.plans.plan import TaskKind, TaskState
from remit.plans.showing.sections import facts_of, slack_line
from remit.plans.showing.svg import title_of
from remit.plans.showing.view import PlanView, ShownTask, TaskGroup
from remit.plans.showing.wording import KIND_WORDS, STATE_MARKS, counted, day_range, shown

_NAMED_MAX: Final = 8
"""So many dependencies of a task are named."""


class Look(StrEnum):
    """What a piece of a line is."""

    PLAIN = "plain"
    FRAME = "frame"
    HEADING = "heading"
    QUIET = "quiet"
    ID = "id"
    CRITICAL = "critical"
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    STUCK = "stuck"
    RISK_LOW = "risk_low"
    RISK_MEDIUM = "risk_medium"
    RISK_HIGH = "risk_high"
    RISK_CRITICAL = "risk_critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """A line: ``frame`` is drawn before its first row, ``frame_below`` before further ones if it has to be broken."""

    pieces: tuple[tuple[str, Look], ...]
    frame: str = ""
    frame_below: str = ""

    @property
    def text(self) -> str:
        """Return the line unbroken and without colour."""
        return (self.frame + "".join(text for text, _ in self.pieces)).rstrip()


_BLANK = TreeLine(pieces=())


def tree_of(view: PlanView) -> Iterator[TreeLine]:
    """Yield the lines of a plan."""
    yield TreeLine(pieces=((harmless(title_of(view)), Look.HEADING),))
    yield TreeLine(pieces=((harmless(shown(view.path)), Look.QUIET),))
    for group in view.groups():
        yield _BLANK
        yield from _group_lines(view, group)
    yield _BLANK
    yield from _fact_lines(view)


def tree_text(view: PlanView) -> str:
    """Return the tree without colour; no line is broken."""
    return "".join(f"{line.text}\n" for line in tree_of(view))


def _group_lines(view: PlanView, group: TaskGroup) -> Iterator[TreeLine]:
    count = counted(len(group.tasks), "task")
    yield TreeLine(pieces=((harmless(shown(group.title)), Look.HEADING), (f"  {count}", Look.QUIET)))
    gate = None if group.phase is None else group.phase.gate
    width = max((len(shown(task.task.id)) for task in group.tasks), default=0)
    for task in group.tasks:
        is_last = gate is None and task is group.tasks[-1]
        below = "   " if is_last else "│  "
        yield _task_line(task, frame="└─ " if is_last else "├─ ", frame_below=f"{below}    ", id_width=min(width, 24))
        for line in _detail_lines(view, task):
            yield TreeLine(pieces=((line, Look.QUIET),), frame=f"{below}    ", frame_below=f"{below}      ")
    if gate is not None:
        text = f"human gate {harmless(shown(gate.id))}  {harmless(shown(gate.title))}"
        yield TreeLine(pieces=((text, Look.HEADING),), frame="└─ ", frame_below="   ")


def _task_line(task: ShownTask, *, frame: str, frame_below: str, id_width: int) -> TreeLine:
    one = task.task
    pieces = [
        (STATE_MARKS[one.state], _STATE_LOOKS[one.state]),
        (" ", Look.PLAIN),
        (f"{harmless(shown(one.id)):<{id_width}}", Look.ID),
        (f"  {harmless(shown(one.title))}", Look.PLAIN),
    ]
    if task.is_critical:
        pieces.append(("  ◆ critical path", Look.CRITICAL))
    if one.risk is not None:
        pieces.append((f"  {one.risk.value} risk", Look(f"risk_{one.risk.value}")))
    return TreeLine(pieces=tuple(pieces), frame=frame, frame_below=frame_below)


def _detail_lines(view: PlanView, task: ShownTask) -> Iterator[str]:
    """Yield what else is known of a task: its kind and place, what comes before it, its paths."""
    one = task.task
    first = (
        "" if one.kind is TaskKind.WORK else KIND_WORDS[one.kind],
        "" if task.wave is None or len(view.plan.phases) <= 1 else f"wave {task.wave}",
        "in a cycle" if task.is_cyclic else "",
        "id repeated" if task.is_repeated else "",
        "" if one.estimate is None else day_range(one.estimate.days_min, one.estimate.days_max),
        slack_line(task),
        *(text for text in (one.role, one.owner, one.workstream, one.priority) if text),
        _after(task.before),
    )
    if line := " · ".join(harmless(shown(part)) for part in first if part):
        yield line
    files = () if one.owns or one.touches else one.files
    for word, claims in (("files", files), ("owns", one.owns), ("touches", one.touches), ("reads", one.reads)):
        if claims:
            yield f"{word} {harmless(', '.join(shown(claim.written) for claim in claims))}"


def _after(tasks: tuple[str, ...]) -> str:
    if not tasks:
        return ""
    named = ", ".join(tasks[:_NAMED_MAX])
    return f"after {named}" + (f" and {len(tasks) - _NAMED_MAX} more" if len(tasks) > _NAMED_MAX else "")


def _fact_lines(view: PlanView) -> Iterator[TreeLine]:
    facts = facts_of(view)
    width = max(len(fact.name) for fact in facts)
    for fact in facts:
        detail = f"  {harmless(fact.detail)}" if fact.detail else ""
        yield TreeLine(
            pieces=((harmless(fact.value), Look.HEADING), (detail, Look.QUIET)),
            frame=f"{fact.name:<{width}}  ",
            frame_below=" " * (width + 2),
        )


_STATE_LOOKS = {
    TaskState.PENDING: Look.PENDING,
    TaskState.IN_PROGRESS: Look.IN_PROGRESS,
    TaskState.DONE: Look.DONE,
    TaskState.STUCK: Look.STUCK,
}
