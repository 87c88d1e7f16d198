"""Checks of a definition's graph: ids, dependencies, cycles, and which steps have surely finished before which.

Owns: the graph. Does not know: what steps do.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from remit.core.definition import Definition, Step
from remit.governance.findings import Findings
from remit.governance.suggestions import did_you_mean

CYCLES_MAX: Final = 20
CYCLE_SHOWN_MAX: Final = 12


class Graph:
    """The steps of a definition by id, and their ancestors.

    A step's ancestors are what it depends on, directly or through others. Sets of steps are kept as the bits of an
    integer: ten thousand steps with all their ancestors take a dozen megabytes.
    """

    __slots__ = ("_ancestors", "order", "places")

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.places = {step.id: index for index, step in reversed(list(enumerate(steps)))}
        self.order, self._ancestors = self._sorted(steps)

    def is_before(self, ancestor: str, step_id: str) -> bool:
        """Whether a step has always ended when another one starts. Steps on a cycle come before everything."""
        known = self._ancestors.get(step_id)
        return known is None or bool(known >> self.places[ancestor] & 1)

    def _sorted(self, steps: tuple[Step, ...]) -> tuple[list[str], dict[str, int]]:
        waiting = {step.id: {name for name in step.depends_on if name in self.places} for step in steps}
        followers: dict[str, list[str]] = {step_id: [] for step_id in waiting}
        for step_id, dependencies in waiting.items():
            for dependency in dependencies:
                followers[dependency].append(step_id)
        remaining = {step_id: len(dependencies) for step_id, dependencies in waiting.items()}
        ready = deque(step_id for step_id, count in remaining.items() if count == 0)
        order: list[str] = []
        ancestors: dict[str, int] = {}
        while ready:  # bound: each step becomes ready at most once
            step_id = ready.popleft()
            order.append(step_id)
            bits = 0
            for dependency in waiting[step_id]:
                bits |= ancestors[dependency] | 1 << self.places[dependency]
            ancestors[step_id] = bits
            for follower in followers[step_id]:
                remaining[follower] -= 1
                if remaining[follower] == 0:
                    ready.append(follower)
        return order, ancestors


def check_graph(definition: Definition, findings: Findings) -> Graph:
    """Check ids and dependencies, and return the graph."""
    if not definition.steps:
        findings.add("STEP_MISSING", ("steps",), "expected at least one step, got none; write one")
    first: dict[str, int] = {}
    for index, step in enumerate(definition.steps):
        if step.id in first:
            findings.add(
                "STEP_DUPLICATE",
                ("steps", index, "id"),
                f"expected every step id once, got {step.id!r} again; rename one",
                related=(("the first one", ("steps", first[step.id], "id")),),
            )
        first.setdefault(step.id, index)
    for index, step in enumerate(definition.steps):
        _check_dependencies(step, index, first, findings)
    graph = Graph(definition.steps)
    _check_cycles(definition.steps, graph, findings)
    return graph


def _check_dependencies(step: Step, index: int, known: dict[str, int], findings: Findings) -> None:
    seen: set[str] = set()
    for place, dependency in enumerate(step.depends_on):
        pointer = ("steps", index, "depends_on", place)
        if dependency == step.id:
            findings.add("DEPENDENCY_SELF", pointer, f"expected another step, got {step.id!r} itself; remove it")
        elif dependency not in known:
            hint = did_you_mean(dependency, known.keys() - {step.id})
            findings.add("DEPENDENCY_UNKNOWN", pointer, f"expected the id of a step, got {dependency!r}{hint}")
        elif dependency in seen:
            findings.add("DEPENDENCY_REPEATED", pointer, f"expected each dependency once, got {dependency!r} again")
        seen.add(dependency)


def _check_cycles(steps: tuple[Step, ...], graph: Graph, findings: Findings) -> None:
    sorted_ids = set(graph.order)
    remaining = {step.id: step for step in steps if step.id not in sorted_ids}
    for _ in range(CYCLES_MAX):
        cycle = _find_cycle(remaining)
        if not cycle:
            return
        if len(cycle) > 1:  # a step that depends on itself was told already
            _report_cycle(cycle, remaining, graph, findings)
        for step_id in cycle:
            del remaining[step_id]


def _find_cycle(remaining: dict[str, Step]) -> list[str]:
    """Return one cycle of the remaining steps, each depending on the next; empty if there is none."""
    explored: set[str] = set()
    for start in remaining:
        path: dict[str, None] = {} if start in explored else {start: None}
        while path:  # bound: every turn adds a step to the path or explores one for good
            follow = [name for name in remaining[next(reversed(path))].depends_on if name in remaining]
            closing = next((name for name in follow if name in path), None)
            if closing is not None:
                ids = list(path)
                return ids[ids.index(closing) :]
            following = next((name for name in follow if name not in explored), None)
            if following is None:
                explored.add(path.popitem()[0])
            else:
                path[following] = None
    return []


def _report_cycle(cycle: list[str], remaining: dict[str, Step], graph: Graph, findings: Findings) -> None:
    first = min(range(len(cycle)), key=lambda index: graph.places[cycle[index]])
    ids = cycle[first:] + cycle[:first]
    shown = ids if len(ids) <= CYCLE_SHOWN_MAX else [*ids[: CYCLE_SHOWN_MAX - 1], "…"]
    places = [
        ("steps", graph.places[step_id], "depends_on", remaining[step_id].depends_on.index(ids[(i + 1) % len(ids)]))
        for i, step_id in enumerate(ids)
    ]
    findings.add(
        "DEPENDENCY_CYCLE",
        places[0],
        f"expected an order in which steps can run, got a circle: {' → '.join([*shown, ids[0]])}; remove one of these",
        related=tuple(
            (f"{step_id} depends on {ids[(i + 1) % len(ids)]}", places[i])
            for i, step_id in enumerate(ids[:CYCLE_SHOWN_MAX])
            if i > 0
        ),
    )
