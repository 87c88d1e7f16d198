"""The graph that is drawn of a plan: its nodes with what stands in them, by wave, and the links between them.

Owns: what a node says; leaving out links that others imply; condensing a plan too large to be read as a drawing.
Does not know: sizes and coordinates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from remit.plans.plan import RiskClass, TaskKind, TaskState
from remit.plans.showing.cyclic import in_layers
from remit.plans.showing.layering import Link, reduced
from remit.plans.showing.view import PlanView, ShownTask, TaskGroup
from remit.plans.showing.wording import (
    KIND_WORDS,
    RISK_ORDER,
    STATE_MARKS,
    STATE_WORDS,
    counted,
    day_range,
    plain,
    shown,
)

TASKS_DRAWN_MAX: Final = 400
"""More boxes than this are no picture any more: a screen shows about thirty."""

LINKS_DRAWN_MAX: Final = 1_200
"""More links than this are a grey area."""

GROUPS_DRAWN_MAX: Final = 60
"""Most boxes of a condensed graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A box: ``heading`` stands beside the mark, ``title`` below it, ``note`` at its foot; ``about`` says it all.

    ``anchor`` is the place in the page that tells more. ``share`` compares a group's size with that of the largest.
    """

    heading: str
    title: str
    note: str
    about: str
    anchor: str
    mark: str = ""
    risk: RiskClass | None = None
    state: TaskState | None = None
    kind: TaskKind = TaskKind.WORK
    is_critical: bool = False
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphBand:
    """Nodes of one wave. ``border`` is what stands between it and the band before: a phase's end, or its gate.

    Nodes in no wave, which wait for one another, stand in several ``layers`` one below the other.
    """

    title: str
    layers: tuple[tuple[int, ...], ...]
    subtitle: str = ""
    border: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanGraph:
    """What is drawn.

    ``upward`` are links whose lower node comes before the upper one, because of a cycle; a link may be among ``links``,
    too. ``critical`` are links of the critical path; ``remarks`` say what the drawing leaves out; ``is_condensed`` if
    its nodes are groups of tasks.
    """

    nodes: tuple[GraphNode, ...]
    bands: tuple[GraphBand, ...]
    links: tuple[Link, ...]
    critical: frozenset[Link]
    upward: tuple[Link, ...] = ()
    remarks: tuple[str, ...] = ()
    is_condensed: bool = False


def graph_of(view: PlanView) -> PlanGraph:
    """Return the graph of a plan: of its tasks, or of its phases or waves if there are too many."""
    if len(view.tasks) <= TASKS_DRAWN_MAX:
        graph = _of_tasks(view)
        if len(graph.links) + len(graph.upward) <= LINKS_DRAWN_MAX:
            return graph
    return _of_groups(view)


def task_anchor(number: int) -> str:
    """Return the id of a task's place in the page; ids of documents may be anything."""
    return f"task-{number + 1}"


def about_task(task: ShownTask) -> str:
    """Return a task in one sentence, for those who cannot see its box."""
    one = task.task
    parts = [
        f"{shown(one.id)}: {plain(one.title)}",
        KIND_WORDS[one.kind],
        STATE_WORDS[one.state],
        *([f"{one.risk.value} risk"] if one.risk is not None else []),
        *(["on the critical path"] if task.is_critical else []),
        *(["in a cycle"] if task.is_cyclic else []),
        *([f"after {', '.join(map(shown, task.before[:10]))}"] if task.before else []),
    ]
    return "; ".join(parts)


def _of_tasks(view: PlanView) -> PlanGraph:
    pairs = {(view.first[edge.before], view.first[edge.after]) for edge in view.analysis.edges}
    bands = _task_bands(view, pairs)
    layers = [layer for band in bands for layer in band.layers]
    rank = {node: number for number, layer in enumerate(layers) for node in layer}
    links = {link for link in pairs if rank[link[0]] < rank[link[1]]}
    upward = {(after, before) for before, after in pairs if rank[after] < rank[before]}
    critical = _critical_links(view, pairs)
    of_cycles = [link for link in links if all(view.tasks[node].is_cyclic for node in link)]
    ranks = [rank[number] for number in range(len(view.tasks))]
    drawn = reduced(links, [*critical, *of_cycles], ranks=ranks)
    remarks = []
    if omitted := len(links - set(drawn)):
        are = "is" if omitted == 1 else "are"
        remarks.append(f"{counted(omitted, 'dependency', 'dependencies')} that others imply {are} not drawn.")
    if any(task.is_cyclic for task in view.tasks):
        remarks.append("Tasks of cycles stand in no wave, below the others; dashed lines lead up.")
    return PlanGraph(
        nodes=tuple(_task_node(task) for task in view.tasks),
        bands=bands,
        links=tuple(drawn),
        critical=frozenset(critical),
        upward=tuple(sorted(upward)),
        remarks=tuple(remarks),
    )


def _critical_links(view: PlanView, pairs: set[Link]) -> list[Link]:
    """Return the links of the critical path: dependencies, and steps to a next phase, but none that skips a cycle."""
    critical = view.critical
    if critical is None:
        return []
    numbers = [view.first[task] for task in critical.tasks]
    phases = [task.task.phase for task in view.tasks]
    return [link for link in pairwise(numbers) if link in pairs or phases[link[0]] != phases[link[1]]]


def _task_node(task: ShownTask) -> GraphNode:
    one = task.task
    estimate = "" if one.estimate is None else day_range(one.estimate.days_min, one.estimate.days_max)
    kind = "" if one.kind is TaskKind.WORK else KIND_WORDS[one.kind]
    who = shown(one.role or one.owner or "")
    parts = (estimate, kind, "" if who.casefold() == kind else who, "id repeated" if task.is_repeated else "")
    return GraphNode(
        heading=shown(one.id),
        title=plain(one.title),
        note=" · ".join(part for part in parts if part),
        about=about_task(task),
        anchor=task_anchor(task.number),
        mark=STATE_MARKS[one.state],
        risk=one.risk,
        state=one.state,
        kind=one.kind,
        is_critical=task.is_critical,
    )


def _task_bands(view: PlanView, links: Iterable[Link]) -> tuple[GraphBand, ...]:
    phases = view.plan.phases if len(view.plan.phases) > 1 else ()
    titles = {phase.id: plain(phase.title or phase.id) for phase in phases}
    gates = {join.before: join.gate for join in view.analysis.joins if join.gate is not None}
    bands: list[GraphBand] = []
    last: str | None = None
    for group in view.by_wave():
        numbers = tuple(task.number for task in group.tasks)
        inside = list(dict.fromkeys(task.task.phase for task in group.tasks if task.task.phase in titles))
        phase = inside[0] if len(inside) == 1 else None
        border = ""
        if phase is not None and phase != last:
            gate = f"after human gate {shown(gates[last])} · " if last in gates else ""
            border = gate + titles[phase]
            last = phase
        bands.append(
            GraphBand(
                title=group.title,
                subtitle=counted(len(group.tasks), "task"),
                layers=(numbers,) if group.wave is not None else in_layers(numbers, links),
                border=border,
            )
        )
    return tuple(bands)


def _of_groups(view: PlanView) -> PlanGraph:
    phases = view.by_phase()
    if 1 < len(phases) <= GROUPS_DRAWN_MAX:
        groups, what = phases, "of a phase"
    else:
        groups, what = _waves_together(view.by_wave()), "of a wave, or of several"
    group_of = {task.number: number for number, group in enumerate(groups) for task in group.tasks}
    counts = Counter(
        (group_of[view.first[edge.before]], group_of[view.first[edge.after]]) for edge in view.analysis.edges
    )
    forward = {link for link in counts if link[0] < link[1]}
    backward = sum(count for link, count in counts.items() if link[0] > link[1])
    if groups is phases:
        forward |= _phase_links(view, groups)
    links = reduced(forward, (), ranks=range(len(groups)))
    tasks, edges = len(view.tasks), len(view.analysis.edges)
    remarks = [
        (
            f"{counted(tasks, 'task')} with {counted(edges, 'dependency', 'dependencies')} are more than a drawing can "
            f"show: each box stands for all tasks {what}, its bar for how many they are, the word in its corner for "
            "the highest risk among them."
        )
    ]
    if backward:
        remarks.append(f"{counted(backward, 'dependency', 'dependencies')} on later boxes are not drawn.")
    critical = list(
        dict.fromkeys(group_of[view.first[task]] for task in (view.critical.tasks if view.critical else ()))
    )
    on_path = frozenset(pairwise(critical))
    largest = max(len(group.tasks) for group in groups)
    return PlanGraph(
        nodes=tuple(
            _group_node(group, largest=largest, is_critical=number in critical) for number, group in enumerate(groups)
        ),
        bands=_group_bands(links, len(groups)),
        links=tuple(links),
        critical=on_path & frozenset(links),
        remarks=tuple(remarks),
        is_condensed=True,
    )


def _waves_together(groups: Sequence[TaskGroup]) -> tuple[TaskGroup, ...]:
    """Return groups of neighbouring waves, few enough to be drawn."""
    size = -(-len(groups) // GROUPS_DRAWN_MAX)
    if size == 1:
        return tuple(groups)
    together = []
    for start in range(0, len(groups), size):
        part = groups[start : start + size]
        title = part[0].title if len(part) == 1 else f"{part[0].title} to {part[-1].title.lower()}"
        together.append(TaskGroup(title=title, tasks=tuple(task for group in part for task in group.tasks)))
    return tuple(together)


def _phase_links(view: PlanView, groups: Sequence[TaskGroup]) -> set[Link]:
    position = {group.phase.id: number for number, group in enumerate(groups) if group.phase is not None}
    pairs = ((position.get(join.before), position.get(join.after or "")) for join in view.analysis.joins)
    return {(before, after) for before, after in pairs if before is not None and after is not None and before < after}


def _group_node(group: TaskGroup, *, largest: int, is_critical: bool) -> GraphNode:
    risks = Counter(task.task.risk for task in group.tasks if task.task.risk is not None)
    states = Counter(task.task.state for task in group.tasks)
    marks = [f"{STATE_MARKS[state]} {states[state]:,}" for state in TaskState if states[state]]
    count = counted(len(group.tasks), "task")
    return GraphNode(
        heading=plain(group.title),
        title="   ".join([count, *marks]),
        note="",
        about=f"{plain(group.title)}: {count}, {', '.join(f'{states[s]:,} {STATE_WORDS[s]}' for s in states)}",
        anchor=task_anchor(group.tasks[0].number) if group.tasks else "tasks",
        risk=next((risk for risk in RISK_ORDER if risks[risk]), None),
        is_critical=is_critical,
        share=len(group.tasks) / largest if largest else 0.0,
    )


def _group_bands(links: Iterable[Link], node_count: int) -> tuple[GraphBand, ...]:
    """Return groups in bands, each group as high as what comes before it allows."""
    depth = [0] * node_count
    for before, after in sorted(links):
        depth[after] = max(depth[after], depth[before] + 1)
    bands: dict[int, list[int]] = defaultdict(list)
    for node, level in enumerate(depth):
        bands[level].append(node)
    return tuple(GraphBand(title="", layers=(tuple(bands[level]),)) for level in sorted(bands))
