"""The sequence of tasks: the document's own order, as far as dependencies and phases leave it.

Owns: which task is placed next. Does not know: steps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

from remit.plans.analysis import Analysis
from remit.plans.plan import PlanTask


def in_sequence(
    tasks: Sequence[PlanTask], analysis: Analysis, positions: Mapping[str, int | None]
) -> Iterator[PlanTask]:
    """Yield tasks so that each stands behind all that come before it, and otherwise as they stand in the document.

    Args:
        tasks: The tasks, each id once, none in a cycle.
        analysis: Has the edges among them.
        positions: The position of each task's phase; ``None`` for a task that has none.
    """
    numbers = {task.id: number for number, task in enumerate(tasks)}
    behind: defaultdict[int, list[int]] = defaultdict(list)
    waiting = [0] * len(tasks)
    for edge in analysis.edges:
        behind[numbers[edge.before]].append(numbers[edge.after])
        waiting[numbers[edge.after]] += 1
    left = Counter(position for position in positions.values() if position is not None)
    phases = sorted(left, reverse=True)
    held: defaultdict[int, list[int]] = defaultdict(list)
    free = [number for number, count in enumerate(waiting) if not count]
    heapify(free)
    while free:  # bound: each turn yields a task, or holds one back until its phase begins, which happens once
        number = heappop(free)
        position = positions[tasks[number].id]
        if position is not None and phases and position > phases[-1]:
            held[position].append(number)
            continue
        yield tasks[number]
        for other in behind[number]:
            waiting[other] -= 1
            if not waiting[other]:
                heappush(free, other)
        if position is not None:
            left[position] -= 1
        while phases and not left[phases[-1]]:
            phases.pop()
            for other in held.pop(phases[-1], ()) if phases else ():
                heappush(free, other)
