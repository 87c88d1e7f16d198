"""Keeping tasks apart: which earlier tasks a task waits for although the plan gives them no order.

Owns: that no two tasks may change the same files at the same time, and that plans which allow one worker get one.
Does not know: what the plan orders itself (it is told), or who is told of it.

The plan's order comes first: steps are placed in an order in which they can run, and a step only ever waits for steps
that were placed before it, so nothing here can make a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from remit.plans.analysis import Analysis, Verdict, meaning_of
from remit.plans.analysis.cells import cells_of
from remit.plans.compiling.tasks import OWNERSHIP_LEVEL, write_scope
from remit.plans.plan import Plan, PlanTask


def one_at_a_time(plan: Plan, analysis: Analysis) -> str | None:
    """Return why the tasks of a plan run one at a time, as words; ``None`` if those without order may run together.

    Below level 3 plans are for one worker, and at any level a plan may say so itself: a recommendation that is more
    careful than the graph is followed.
    """
    if plan.level is not None and plan.level < OWNERSHIP_LEVEL:
        return f"plans of level {plan.level} are for one worker"
    said = None if plan.parallelism is None else plan.parallelism.recommendation
    if said is not None and meaning_of(said) is Verdict.SEQUENTIAL_ONLY:
        return "the plan recommends it"
    if not analysis.ownership.is_complete:
        return "its paths have too many globs to compare them all"
    return None


class Apart:
    """Steps in the order in which they are placed, each with what comes before it, as bits of their positions."""

    __slots__ = ("_cells", "_changing", "_here", "_ids", "_inside", "_is_single", "_plan", "_positions", "_reach")

    def __init__(self, plan: Plan, tasks: Iterable[PlanTask], *, is_single: bool) -> None:
        self._plan = plan
        self._cells = cells_of(claim.path for task in tasks for claim in write_scope(plan, task) if claim.path.strip())
        self._is_single = is_single
        self._ids: list[str] = []
        self._positions: dict[str, int] = {}
        self._reach: list[int] = []
        self._changing = 0
        self._here: defaultdict[int, int] = defaultdict(int)
        self._inside: defaultdict[int, int] = defaultdict(int)

    def place(self, step_id: str, depends_on: Sequence[str]) -> None:
        """Note a step that changes nothing."""
        self._positions[step_id] = len(self._ids)
        self._ids.append(step_id)
        self._reach.append(self._before(depends_on))

    def place_task(self, step_id: str, task: PlanTask, depends_on: Sequence[str]) -> tuple[str, ...]:
        """Note a step that does a task; return what else it has to wait for, the latest first."""
        changed = self._changed(task)
        held = self._held(self._changing if self._is_single else self._meeting(changed), self._before(depends_on))
        self.place(step_id, (*depends_on, *held))
        bit = 1 << self._positions[step_id]
        self._changing |= bit
        for cell in changed:
            self._here[cell] |= bit
            for other in self._cells.containing(cell):
                self._inside[other] |= bit
        return held

    def _changed(self, task: PlanTask) -> list[int]:
        paths = (claim.path for claim in write_scope(self._plan, task) if claim.path.strip())
        return list(dict.fromkeys(self._cells.number[path] for path in paths))

    def _meeting(self, changed: Iterable[int]) -> int:
        """Return the steps that change a file that some cells mean."""
        found = 0
        for cell in changed:
            found |= self._inside[cell]
            for other in (*self._cells.containing(cell), *self._cells.linked.get(cell, ())):
                found |= self._here[other]
        return found

    def _held(self, wanted: int, reach: int) -> tuple[str, ...]:
        """Return the fewest of some steps after which all of them have ended, without those that come before anyway."""
        found: list[str] = []
        wanted &= ~reach
        while wanted:  # bound: each turn takes out at least one step
            last = wanted.bit_length() - 1
            found.append(self._ids[last])
            wanted &= ~(self._reach[last] | 1 << last)
        return tuple(found)

    def _before(self, depends_on: Sequence[str]) -> int:
        reach = 0
        for name in depends_on:
            position = self._positions[name]
            reach |= self._reach[position] | 1 << position
        return reach
