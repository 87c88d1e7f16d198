"""Checks of the order of tasks: the Dependency Matrix and the drawings against each task's own dependencies.

Owns: comparing what the document says in two places, and the length of the critical path.
Does not know: unknown tasks and cycles, which the checks common to all formats report.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

from remit.diagnostics import Severity
from remit.plans.analysis.critical import time_plan
from remit.plans.analysis.cycles import order_graph
from remit.plans.analysis.graph import build_graph
from remit.plans.drawing import EDGES_MAX, Node, Picture, longest_line, read_picture, words_of
from remit.plans.plan import Place, Plan
from remit.plans.task_table.columns import TaskField, field_named
from remit.plans.task_table.details import Details
from remit.plans.task_table.ids import RANGE, form_of
from remit.plans.task_table.matrices import Matrices, MatrixRow
from remit.plans.task_table.record import Drawing
from remit.plans.task_table.totals import claim_of, metrics_of
from remit.plans.task_table.wording import counted, listed
from remit.plans.texts import PlanReporter

_STEPS_MAX: Final = 500_000
"""So many dependencies are followed to see whether drawn lines lead around other tasks."""

_INDENTATION_MAX: Final = 200
"""So far to the right may a drawing stand."""

_PATH_NAMES: Final = frozenset({"criticalpathlength", "criticalpath", "lengthofcriticalpath", "longestchain"})
_PATH_UNITS: Final = frozenset({"", "task", "tasks", "steps", "nodes"})


class Order:
    """The dependencies of a plan, each part worked out when a document says something to compare with it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def before(self) -> Mapping[str, frozenset[str]]:
        """Return what each task waits for."""
        return {task.id: frozenset(one.id for one in task.depends_on) for task in reversed(self._plan.tasks)}

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Return where each task stands."""
        return {task.id: task.at for task in reversed(self._plan.tasks)}

    @cached_property
    def chain(self) -> tuple[str, ...]:
        """Return the longest chain of tasks; none if nothing is outside of cycles."""
        graph = build_graph(self._plan)
        longest = time_plan(graph, order_graph(graph)).by_count
        return () if longest is None else longest.tasks


def check_order(details: Details, matrices: Matrices, order: Order, reporter: PlanReporter) -> None:
    """Report matrix rows, lengths and drawn lines that the tasks' own dependencies contradict."""
    _check_readable(details, reporter)
    _check_ranges(details, reporter)
    _check_matrix(details, matrices, order, reporter)
    claimed = _check_length(details, order, reporter)
    for drawing in details.record.drawings:
        _check_drawing(drawing, details, order, claimed=claimed, reporter=reporter)


def _check_readable(details: Details, reporter: PlanReporter) -> None:
    for task in details.tasks:
        value = task.record.value(TaskField.DEPENDS_ON)
        if value is None:
            continue
        # Blockers may be anything; those that are tasks are read.
        severity = Severity.NOTE if field_named(value.name) is TaskField.BLOCKED_BY else None
        for loose in task.depends_on.loose:
            reporter.report(
                "TABLE_REFERENCE_UNREADABLE",
                f"expected ids or titles of tasks in {value.name} of {task.id}, got "
                f"{loose.text[:60]!r}, which is left out",
                at=loose.at,
                severity=severity,
            )


def _check_ranges(details: Details, reporter: PlanReporter) -> None:
    """Report ranges of requirements and tests that do not count up: they would stand for nothing without a word."""
    for task in details.tasks:
        for loose in (*task.requirements.loose, *task.tests.loose):
            if RANGE.search(loose.text) is not None and any(map(str.isdigit, loose.text)):
                reporter.report(
                    "TABLE_REFERENCE_UNREADABLE",
                    f"expected a range of ids that counts up, such as R01..R05, got {loose.text[:60]!r} in {task.id}, "
                    "which is left out",
                    at=loose.at,
                )


def _check_matrix(details: Details, matrices: Matrices, order: Order, reporter: PlanReporter) -> None:
    if not matrices.rows:
        return
    has_field = {task.id for task in details.tasks if task.record.value(TaskField.DEPENDS_ON) is not None}
    seen: dict[str, MatrixRow] = {}
    for row in matrices.rows:
        if row.task is None:
            reporter.report(
                "TABLE_MATRIX_TASK_UNKNOWN",
                f"expected a task of the document, got {row.written[:60]!r}; correct the row or take it out",
                at=row.at,
            )
        elif row.task in seen:
            reporter.report(
                "TABLE_MATRIX_ROW_REPEATED",
                f"expected one row for {row.task}, got another; the first is read, keep one",
                at=row.at,
                related={"the first": seen[row.task].at},
            )
        else:
            seen[row.task] = row
            if row.task in has_field:
                _compare(row, row.task, order, reporter)
    absent = [task for task in order.before if task not in seen]
    if absent:
        reporter.report(
            "TABLE_MATRIX_INCOMPLETE",
            "expected a row for every task in the Dependency Matrix, got none for "
            f"{listed(reversed(absent), len(absent))}; add what is missing",
            at=matrices.rows[0].at,
        )


def _compare(row: MatrixRow, task: str, order: Order, reporter: PlanReporter) -> None:
    said = order.before[task]
    listed_here = {written for written, _ in row.before.ids()}
    missing = sorted(said - listed_here)
    extra = sorted(listed_here - said)
    parts = [f"lacks {listed(missing)}"] if missing else []
    parts += [f"has {listed(extra)} besides"] if extra else []
    if parts:
        reporter.report(
            "TABLE_MATRIX_DIFFERS",
            f"expected for {task} what its Depends_On says, {listed(sorted(said)) or 'nothing'}; the row "
            f"{' and '.join(parts)}; correct one of both",
            at=row.cell_at,
            related={f"{task} itself": order.places[task]},
        )


def _check_length(details: Details, order: Order, reporter: PlanReporter) -> int | None:
    """Report a length of the critical path that is not that of the longest chain; return what is claimed."""
    metric = next((metric for metric in metrics_of(details) if metric.key in _PATH_NAMES), None)
    claim = None if metric is None else claim_of(metric.value)
    if metric is None or claim is None or claim.of is not None or claim.unit not in _PATH_UNITS or not order.chain:
        return None
    length = len(order.chain)
    if claim.count != length:
        reporter.report(
            "TABLE_PATH_LENGTH_WRONG",
            f"expected {metric.name} to be {length}, the longest chain of dependencies ({_chain(order.chain)}), got "
            f"{claim.count}; correct the number, or the dependencies",
            at=claim.at,
            replacement=str(length),
        )
    return claim.count


def _chain(tasks: tuple[str, ...]) -> str:
    shown = tasks if len(tasks) <= 16 else (*tasks[:8], "…", *tasks[-4:])
    return " → ".join(shown)


def _check_drawing(
    drawing: Drawing, details: Details, order: Order, *, claimed: int | None, reporter: PlanReporter
) -> None:
    starts = _starts(drawing, details)
    picture = read_picture(drawing.text, starts, _drawn_ids(drawing, order))
    if picture.crooked is not None:
        start = starts[picture.crooked[0]] + picture.crooked[1]
        reporter.report(
            "TABLE_DRAWING_CROOKED",
            "expected a line to go on in its column, got it one column beside; it is read as one line",
            at=(start, start + 1),
        )
    if picture.loose is not None:
        start = starts[picture.loose[0]] + picture.loose[1]
        reporter.report(
            "TABLE_DRAWING_LOOSE",
            "expected an arrowhead to point at a task or at another line, got one that points at nothing; its line is "
            "not read, lead it to a task",
            at=(start, start + 1),
        )
    if not picture.is_complete:
        reporter.report(
            "TABLE_DRAWING_TOO_LARGE",
            f"expected at most {EDGES_MAX} lines between tasks in a drawing, got more; some of them are not compared",
            at=drawing.at,
        )
    _check_nodes(picture, order, reporter)
    known = [(source, target) for source, target in picture.edges if {source.id, target.id} <= order.before.keys()]
    reach = _Reach(order)
    for source, target in known:
        if not reporter.diagnostics.has_room(Severity.WARNING):
            break
        if source.id not in order.before[target.id] and source.id != target.id:
            _report_edge(source, target, reach, reporter)
    if "critical" in drawing.heading.casefold() or "critical path" in drawing.text.casefold():
        _check_line(drawing, picture, order, claimed=claimed, reporter=reporter)


def _drawn_ids(drawing: Drawing, order: Order) -> frozenset[str]:
    """Return what counts as a task in a drawing: the tasks, and what looks like one of them."""
    forms = {form_of(task) for task in order.before}
    forms -= set(order.before)
    drawn = {word for word in words_of(drawing.text) if form_of(word) in forms}
    return frozenset(order.before) | drawn


def _starts(drawing: Drawing, details: Details) -> list[int]:
    """Return where the lines of a drawing stand in the text."""
    text = details.text.text
    starts: list[int] = []
    position = drawing.at[0]
    for line in drawing.text.split("\n"):
        end = min(position + len(line) + _INDENTATION_MAX, drawing.at[1])
        found = text.find(line, position, end) if line else position
        start = position if found < 0 else found
        starts.append(start)
        position = start + len(line)
    return starts


def _check_nodes(picture: Picture, order: Order, reporter: PlanReporter) -> None:
    unknown = Counter(node.id for node in picture.nodes if node.id not in order.before)
    for node in picture.nodes:
        if unknown.pop(node.id, None) is not None:
            reporter.report(
                "TABLE_DRAWN_TASK_UNKNOWN",
                f"expected tasks of the document in the drawing, got {node.id!r}, which is none; correct it, or "
                "add the task",
                at=node.at,
            )


def _report_edge(source: Node, target: Node, reach: _Reach, reporter: PlanReporter) -> None:
    before = reach.order.before[target.id]
    on = f"depends on {listed(sorted(before))}" if before else "depends on nothing"
    between = reach.leads(source.id, target.id)
    if between:
        message = (
            f"expected drawn lines to be dependencies, got one from {source.id} to {target.id}; {target.id} {on}, and "
            f"comes after {source.id} through others"
        )
    else:
        message = (
            f"expected drawn lines to be dependencies, got one from {source.id} to {target.id}; {target.id} {on}. "
            "Correct the drawing or the dependency"
        )
    reporter.report(
        "TABLE_DRAWN_EDGE_WRONG",
        message,
        at=target.at,
        related={"drawn from here": source.at, f"{target.id} itself": reach.order.places[target.id]},
        severity=Severity.NOTE if between else None,
    )


def _check_line(
    drawing: Drawing, picture: Picture, order: Order, *, claimed: int | None, reporter: PlanReporter
) -> None:
    """Compare the longest drawn line with the length that is claimed, or else with the longest chain."""
    drawn = tuple(task for task in longest_line(picture) if task in order.before)
    length = len(order.chain)
    if len(drawn) < 2 or not length or len(drawn) == (length if claimed is None else claimed):
        return
    said = "" if claimed is None else f"{counted(claimed, 'task')} as the summary says, or "
    reporter.report(
        "TABLE_DRAWN_PATH_LENGTH",
        f"expected the drawn critical path to have {said}{length} as the longest chain of dependencies has, got "
        f"{len(drawn)} ({_chain(drawn)}); correct the drawing",
        at=_first_place(picture, drawn[0], drawing.at),
    )


def _first_place(picture: Picture, task: str, otherwise: Place) -> Place:
    return next((node.at for node in picture.nodes if node.id == task), otherwise)


class _Reach:
    """Says whether one task comes before another through others, as far as the budget goes."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._steps = _STEPS_MAX

    def leads(self, source: str, target: str) -> bool:
        """Whether a chain of dependencies leads from one task to another."""
        seen = {target}
        waiting = deque([target])
        while waiting and self._steps > 0:
            for before in self._before(waiting.popleft()):
                if before == source:
                    return True
                if before not in seen:
                    seen.add(before)
                    waiting.append(before)
        return False

    def _before(self, task: str) -> Iterator[str]:
        for before in self.order.before.get(task, ()):
            self._steps -= 1
            yield before
