"""The schedule of a plan as bars over days: each task as early as its dependencies allow.

Owns: rows, bars and ticks with their coordinates. A plan without estimates has waves for days.
Does not know: how they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle
from typing import Final

from remit.plans.showing.graph import task_anchor
from remit.plans.showing.measuring import shorten
from remit.plans.showing.routing import PAGE_WIDTH
from remit.plans.showing.view import PlanView, ShownTask, TaskGroup
from remit.plans.showing.wording import STATE_MARKS, counted, day_range, days, plain, shown

ROWS_MAX: Final = 400
"""With more tasks than this each row is a phase or wave."""

LABEL_WIDTH: Final = 330.0
ROW_HEIGHT: Final = 22.0
_HEAD_HEIGHT: Final = 34.0
_FOOT_HEIGHT: Final = 26.0
_RIGHT: Final = 100.0
_TICKS_MAX: Final = 12
_LABEL_SIZE: Final = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GanttRow:
    """One row: a heading, or a bar from ``x`` that is sure up to ``sure_width`` and possible up to ``width``.

    A task that takes no time is a point: its ``width`` is 0. ``slack_x`` is how far the bar could move to the right.
    """

    y: float
    label: str
    about: str
    anchor: str
    is_heading: bool = False
    is_critical: bool = False
    x: float = 0.0
    sure_width: float = 0.0
    width: float = 0.0
    slack_x: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the scale."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gantt:
    """The chart; ``unit`` is what the scale counts, ``remarks`` what it leaves out."""

    width: float
    height: float
    rows: tuple[GanttRow, ...]
    ticks: tuple[Tick, ...]
    unit: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """When something runs, in units of the scale."""

    start: Decimal
    sure_end: Decimal
    end: Decimal
    latest_end: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From units to coordinates. Divided first: a document's days may be more than a float can be."""

    total: Decimal

    def width(self, amount: Decimal) -> float:
        """Return how wide an amount is drawn."""
        return float(amount / self.total) * (PAGE_WIDTH - LABEL_WIDTH - _RIGHT)

    def x(self, at: Decimal) -> float:
        """Return where a moment stands."""
        return LABEL_WIDTH + self.width(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caption:
    """What stands beside a bar."""

    label: str
    anchor: str
    is_critical: bool
    note: str = ""


def gantt_of(view: PlanView) -> Gantt:
    """Return the chart of a plan."""
    is_condensed = len(view.tasks) > ROWS_MAX
    ends = [bar.latest_end for task in view.tasks if (bar := _bar(view, task)) is not None]
    total = max(ends, default=Decimal(1)) or Decimal(1)
    scale = _Scale(total=total)
    make = _group_rows if is_condensed else _task_rows
    rows = tuple(make(view, scale))
    return Gantt(
        width=PAGE_WIDTH,
        height=_HEAD_HEIGHT + len(rows) * ROW_HEIGHT + _FOOT_HEIGHT,
        rows=rows,
        ticks=tuple(Tick(x=scale.x(at), label=days(at)) for at in _ticks(total, "0.1" if view.has_estimates else "1")),
        unit="days" if view.has_estimates else "waves",
        remarks=tuple(_remarks(view, is_condensed=is_condensed)),
    )


def _task_rows(view: PlanView, scale: _Scale) -> Iterator[GanttRow]:
    groups = view.groups()
    position = 0
    for group in groups:
        tasks = [(task, bar) for task in group.tasks if (bar := _bar(view, task)) is not None]
        if not tasks:
            continue
        if len(groups) > 1 and view.has_estimates:
            yield _heading(group, position)
            position += 1
        for task, bar in sorted(tasks, key=lambda pair: (pair[1].start, pair[0].number)):
            label = f"{STATE_MARKS[task.task.state]} {shown(task.task.id)}  {plain(task.task.title)}"
            caption = _Caption(
                label=label,
                anchor=task_anchor(task.number),
                is_critical=task.is_critical,
                note=_note(view, task),
            )
            yield _row(bar, scale, caption, position=position)
            position += 1


def _group_rows(view: PlanView, scale: _Scale) -> Iterator[GanttRow]:
    position = 0
    for group in view.groups():
        bars = [bar for task in group.tasks if (bar := _bar(view, task)) is not None]
        if not bars:
            continue
        bar = _Bar(
            start=min(bar.start for bar in bars),
            sure_end=max(bar.sure_end for bar in bars),
            end=max(bar.end for bar in bars),
            latest_end=max(bar.latest_end for bar in bars),
        )
        caption = _Caption(
            label=f"{plain(group.title)} ({counted(len(group.tasks), 'task')})",
            anchor=task_anchor(group.tasks[0].number),
            is_critical=any(task.is_critical for task in group.tasks),
        )
        yield _row(bar, scale, caption, position=position)
        position += 1


def _bar(view: PlanView, task: ShownTask) -> _Bar | None:
    """Return when a task runs at the earliest; ``None`` for one that is in no wave."""
    if task.schedule is None:
        return None
    if not view.has_estimates:
        start = Decimal(task.schedule.wave - 1)
        return _Bar(start=start, sure_end=start + 1, end=start + 1, latest_end=start + 1 + task.schedule.slack_waves)
    start, end = task.schedule.start_days, task.schedule.finish_days
    estimate = task.task.estimate
    least = Decimal(0) if estimate is None else max(Decimal(0), estimate.days_min)
    return _Bar(start=start, sure_end=min(start + least, end), end=end, latest_end=end + task.schedule.slack_days)


def _row(bar: _Bar, scale: _Scale, caption: _Caption, *, position: int) -> GanttRow:
    return GanttRow(
        y=_HEAD_HEIGHT + position * ROW_HEIGHT,
        label=shorten(caption.label, width=LABEL_WIDTH - 34, size=_LABEL_SIZE),
        about=caption.label,
        anchor=caption.anchor,
        is_critical=caption.is_critical,
        x=scale.x(bar.start),
        sure_width=scale.width(bar.sure_end - bar.start),
        width=scale.width(bar.end - bar.start),
        slack_x=scale.x(bar.latest_end),
        note=caption.note,
    )


def _heading(group: TaskGroup, position: int) -> GanttRow:
    title = plain(group.title)
    return GanttRow(
        y=_HEAD_HEIGHT + position * ROW_HEIGHT,
        label=shorten(title, width=PAGE_WIDTH - 60, size=_LABEL_SIZE * 1.06),
        about=title,
        anchor=task_anchor(group.tasks[0].number),
        is_heading=True,
    )


def _note(view: PlanView, task: ShownTask) -> str:
    estimate = task.task.estimate
    if estimate is not None:
        return day_range(estimate.days_min, estimate.days_max)
    return "no estimate" if view.has_estimates else ""


def _remarks(view: PlanView, *, is_condensed: bool) -> Iterable[str]:
    if not view.has_estimates:
        yield "No task has an estimate: each takes one wave."
    if is_condensed:
        yield f"{counted(len(view.tasks), 'task')} are too many rows: each stands for all tasks under one heading."
    if omitted := sum(task.schedule is None for task in view.tasks):
        yield f"{counted(omitted, 'task')} in cycles or with a repeated id cannot be scheduled."


def _ticks(total: Decimal, least: str) -> Sequence[Decimal]:
    """Return about ten round numbers from 0 to the total, at least so far apart."""
    step = Decimal(least)
    factors = cycle((Decimal(2), Decimal("2.5"), Decimal(2)))
    while total / step > _TICKS_MAX:
        step *= next(factors)
    return [step * index for index in range(int(total / step) + 1)]
