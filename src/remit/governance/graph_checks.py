"""Checks of a definition's graph: ids, dependencies, cycles, and which steps have surely finished before which.

Owns: the graph, those of loops' bodies inside it, and which steps an expression at some place may use.
Does not know: what steps do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from remit.core.definition import Definition, LoopStep, Step
from remit.governance.findings import Findings, Pointer
from remit.governance.suggestions import did_you_mean

CYCLES_MAX: Final = 20
CYCLE_SHOWN_MAX: Final = 12


class Graph:
    """The steps of one list, a definition's or a loop's body, by id, and their ancestors.

    A step's ancestors are what it depends on, directly or through others. Sets of steps are kept as the bits of an
    integer: ten thousand steps with all their ancestors take a dozen megabytes. ``bodies`` are the graphs of loops by
    the loops' ids, ``loops`` the id of the loop that a step is inside of.
    """

    __slots__ = ("_ancestors", "at", "bodies", "loops", "order", "places")

    def __init__(self, steps: Sequence[Step], at: Pointer = ("steps",)) -> None:
        self.at = at
        self.places = {step.id: index for index, step in reversed(list(enumerate(steps)))}
        self.order, self._ancestors = self._sorted(steps)
        loops = [(index, step) for index, step in enumerate(steps) if isinstance(step, LoopStep)]
        self.bodies = {step.id: Graph(step.body, (*at, index, "body")) for index, step in loops}
        self.loops = {inner: loop_id for loop_id, body in self.bodies.items() for inner in body.places}

    def pointer(self, step_id: str) -> Pointer:
        """Return where a step of this list stands."""
        return (*self.at, self.places[step_id])

    def is_before(self, ancestor: str, step_id: str) -> bool:
        """Whether a step has always ended when another one starts. Steps on a cycle come before everything."""
        known = self._ancestors.get(step_id)
        return known is None or bool(known >> self.places[ancestor] & 1)

    def _sorted(self, steps: Sequence[Step]) -> tuple[list[str], dict[str, int]]:
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


class View(NamedTuple):
    """Which steps an expression may use.

    ``reader`` is the step of the definition that it belongs to, ``None`` for the run's output, which sees every step.
    Inside of a loop ``body`` is the body's graph, and ``inner`` the step of the body; ``None`` is after an iteration.
    """

    graph: Graph
    reader: str | None = None
    body: Graph | None = None
    inner: str | None = None

    def place_of(self, used: str) -> Pointer | None:
        """Return where a step stands that may be named here; ``None`` if there is none of this id."""
        if self.body is not None and used in self.body.places:
            return self.body.pointer(used)
        return self.graph.pointer(used) if used in self.graph.places else None

    def is_finished(self, used: str) -> bool:
        """Whether a step that may be named here has always ended when the expression is evaluated."""
        if self.body is not None and used in self.body.places:
            return self.inner is None or self.body.is_before(used, self.inner)
        return self.reader is None or self.graph.is_before(used, self.reader)

    @property
    def name(self) -> str | None:
        """Return the id of the step that has to wait for what it uses."""
        return self.inner or self.reader

    def names(self) -> list[str]:
        """Return the ids of all steps that may be named here."""
        return [*(() if self.body is None else self.body.places), *self.graph.places]


def every_step(definition: Definition) -> Iterator[tuple[Pointer, Step]]:
    """Yield each step with its place, those of a loop's body after the loop."""
    for index, step in enumerate(definition.steps):
        yield ("steps", index), step
        if isinstance(step, LoopStep):
            for place, inner in enumerate(step.body):
                yield ("steps", index, "body", place), inner


def check_graph(definition: Definition, findings: Findings) -> Graph:
    """Check ids and dependencies, and return the graph."""
    if not definition.steps:
        findings.add("STEP_MISSING", ("steps",), "expected at least one step, got none; write one")
    first: dict[str, Pointer] = {}
    for pointer, step in every_step(definition):
        if step.id in first:
            findings.add(
                "STEP_DUPLICATE",
                (*pointer, "id"),
                f"expected every step id once, got {step.id!r} again; rename one",
                related=(("the first one", (*first[step.id], "id")),),
            )
        first.setdefault(step.id, pointer)
    graph = Graph(definition.steps)
    _check_list(definition.steps, graph, View(graph), findings)
    for step in definition.steps:
        if isinstance(step, LoopStep):
            body = graph.bodies[step.id]
            _check_list(step.body, body, View(graph, step.id, body), findings)
    return graph


def _check_list(steps: Sequence[Step], graph: Graph, view: View, findings: Findings) -> None:
    for index, step in enumerate(steps):
        _check_dependencies(step, (*graph.at, index), view, findings)
    _check_cycles(steps, graph, findings)


def _check_dependencies(step: Step, at: Pointer, view: View, findings: Findings) -> None:
    known = (view.body or view.graph).places
    seen: set[str] = set()
    for place, dependency in enumerate(step.depends_on):
        pointer = (*at, "depends_on", place)
        if dependency == step.id:
            findings.add("DEPENDENCY_SELF", pointer, f"expected another step, got {step.id!r} itself; remove it")
        elif dependency not in known:
            message = f"expected the id of a step, got {dependency!r}{_hint(dependency, step, view)}"
            findings.add("DEPENDENCY_UNKNOWN", pointer, message)
        elif dependency in seen:
            findings.add("DEPENDENCY_REPEATED", pointer, f"expected each dependency once, got {dependency!r} again")
        seen.add(dependency)


def _hint(dependency: str, step: Step, view: View) -> str:
    """Return what to do about a dependency that is none: name the loop for what is inside one, or a similar step."""
    if view.body is not None and dependency in view.graph.places:
        return f", which is outside of the loop; add it to depends_on of {view.reader!r}"
    loop = view.graph.loops.get(dependency)
    if loop is not None:
        return f", which is inside of loop {loop!r}; depend on {loop!r}"
    return did_you_mean(dependency, (view.body or view.graph).places.keys() - {step.id})


def _check_cycles(steps: Sequence[Step], graph: Graph, findings: Findings) -> None:
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
        (*graph.pointer(step_id), "depends_on", remaining[step_id].depends_on.index(ids[(i + 1) % len(ids)]))
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
