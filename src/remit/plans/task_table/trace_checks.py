"""Checks of traceability: the matrices of requirements and tests against what the tasks name, in both directions.

Owns: comparing them, what is covered, and the coverage that the summary claims.
Does not know: what a requirement or a test says.

A row such as ``P1-R01..R02 | 06, 07`` is right if each of its ids is named by a task, each of its tasks names one of
its ids, and no other task does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from remit.diagnostics import Severity
from remit.plans.plan import Place
from remit.plans.task_table.details import Details, TaskDetails
from remit.plans.task_table.ids import base_of
from remit.plans.task_table.matrices import Matrices, Trace, TraceRow
from remit.plans.task_table.patterns import IdSet
from remit.plans.task_table.references import References
from remit.plans.task_table.totals import Claim, Metric, claim_of, metrics_of
from remit.plans.task_table.wording import counted, listed
from remit.plans.texts import PlanReporter

_LOOSE_MAX: Final = 20
"""So many patterns that fit nothing are looked at again."""

_INCOMPLETE_MAX: Final = 1_000
"""So many rows that leave out tasks are looked at; nobody reads of more."""

_OFTEN_MIN: Final = 4
"""From so many rows on that leave out one and the same task, it is told once for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What is traced: how it is called, in which field tasks name it, and which metrics of a summary count it."""

    noun: str
    field: str
    named_by: Callable[[TaskDetails], References]
    metrics: frozenset[str]


_REQUIREMENTS: Final = _Kind(
    noun="requirement",
    field="Requirement_IDs",
    named_by=lambda task: task.requirements,
    metrics=frozenset({"requirementscovered", "requirements", "requirementcoverage", "totalrequirements"}),
)
_TESTS: Final = _Kind(
    noun="test",
    field="Test_Cases",
    named_by=lambda task: task.tests,
    metrics=frozenset({"testsmapped", "tests", "testcoverage", "testcases", "testscovered", "totaltests"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What the tasks name: the tasks of each id and of each pattern, with the first place of each."""

    tasks: Mapping[str, dict[str, Place]]
    patterns: Mapping[str, dict[str, Place]]

    def of(self, name: str) -> Mapping[str, Place]:
        """Return the tasks that name an id or a pattern."""
        return self.tasks.get(name) or self.patterns[name]

    def first_place(self, name: str) -> Place:
        """Return where an id or a pattern is named first."""
        return next(iter(self.of(name).values()))


def check_traces(details: Details, matrices: Matrices, reporter: PlanReporter) -> None:
    """Report rows, ids and claims of coverage that do not agree with the tasks."""
    for trace, kind in ((matrices.requirements, _REQUIREMENTS), (matrices.tests, _TESTS)):
        named = _named(details.tasks, kind)
        claim = _claim(details, kind)
        if trace.has_tasks:
            rows = _Rows(trace, kind, named, details)
            rows.check(reporter)
            rows.check_absent(reporter)
        coverage = _Coverage(trace, kind, named, reporter)
        coverage.report_uncovered(claim)
        if claim is not None and trace.declared:
            coverage.check_claim(*claim)


def _named(tasks: Iterable[TaskDetails], kind: _Kind) -> _Named:
    ids: dict[str, dict[str, Place]] = {}
    patterns: dict[str, dict[str, Place]] = {}
    for task in tasks:
        for mention in kind.named_by(task).mentions:
            for written in mention.ids:
                ids.setdefault(written, {}).setdefault(task.id, mention.at)
            if mention.pattern is not None:
                patterns.setdefault(mention.pattern, {}).setdefault(task.id, mention.at)
    return _Named(tasks=ids, patterns=patterns)


def _variants(named: _Named) -> Mapping[str, tuple[str, ...]]:
    """Return the ids that are variants, by the id that they belong to."""
    found: dict[str, list[str]] = {}
    for written in named.tasks:
        base = base_of(written)
        if base is not None:
            found.setdefault(base, []).append(written)
    return {base: tuple(variants) for base, variants in found.items()}


def _claim(details: Details, kind: _Kind) -> tuple[Metric, Claim] | None:
    for metric in metrics_of(details):
        claim = claim_of(metric.value) if metric.key in kind.metrics else None
        if claim is not None:
            return metric, claim
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """A row, and the tasks that name one of its ids and are not in it, with where they do."""

    row: TraceRow
    tasks: Mapping[str, Place]


class _Rows:
    """Compares the rows of one matrix with what the tasks name."""

    def __init__(self, trace: Trace, kind: _Kind, named: _Named, details: Details) -> None:
        self._trace = trace
        self._kind = kind
        self._named = named
        self._known = details.index.ids
        self._variants = _variants(named)
        self._by_pattern = _fitting(trace, named)
        self._loose = _loosened([one for one in trace.patterns if one not in self._by_pattern], named)
        self._own_patterns: dict[str, list[str]] = {}
        for pattern, tasks in named.patterns.items():
            for task in tasks:
                self._own_patterns.setdefault(task, []).append(pattern)

    def check(self, reporter: PlanReporter) -> None:
        """Report what is wrong with the rows, until nobody would read more."""
        missing: list[_Missing] = []
        for row in self._trace.rows:
            if not reporter.diagnostics.has_room(Severity.WARNING) or len(missing) >= _INCOMPLETE_MAX:
                break
            self._report_loose(row, reporter)
            naming = self._naming(row)
            self._check_listed(row, naming, reporter)
            tasks = {task for task, _ in row.tasks.ids()}
            absent = {task: at for task, at in naming.items() if task not in tasks}
            if absent:
                missing.append(_Missing(row=row, tasks=absent))
        self._report_missing(missing, reporter)

    def check_absent(self, reporter: PlanReporter) -> None:
        """Report ids and patterns that tasks name and no row has."""
        trace, named = self._trace, self._named
        rows = IdSet(trace.declared, trace.patterns)
        declared = sorted(trace.declared)
        loose = {name for names in self._loose.values() for name in names}
        absent = [name for name in named.tasks if name not in rows]
        absent += [name for name in named.patterns if not _has_part(name.partition("*")[0], rows, declared)]
        for name in (name for name in absent if name not in loose):
            reporter.report(
                "TABLE_TRACE_ID_MISSING",
                f"expected a row for {name} in {trace.heading or 'the traceability matrix'}, for a task names it; got "
                "none, add one",
                at=named.first_place(name),
            )

    def _report_loose(self, row: TraceRow, reporter: PlanReporter) -> None:
        for mention in row.ids.patterns:
            names = self._loose.get(mention.pattern or "")
            if names:
                reporter.report(
                    "TABLE_PATTERN_LOOSE",
                    f"expected a pattern that fits ids of tasks, got {mention.pattern}; it is read as {listed(names)}, "
                    "which have a number besides; write it with its number",
                    at=mention.at,
                    related={f"{names[0]} here": self._named.first_place(names[0])},
                )

    def _check_listed(self, row: TraceRow, naming: Mapping[str, Place], reporter: PlanReporter) -> None:
        for task, mention in dict(row.tasks.ids()).items():
            if task not in self._known:
                reporter.report(
                    "TABLE_TRACE_TASK_UNKNOWN",
                    f"expected tasks of the document in the row of {row.names[:60]}, got {task!r}, which is none; "
                    "correct it, or add the task",
                    at=mention.at,
                )
            elif task not in naming and not self._names_pattern(task, row):
                reporter.report(
                    "TABLE_TRACE_UNBACKED",
                    f"expected {task} to name one of {row.names[:60]} in its {self._kind.field}, for the row lists it; "
                    "it names none of them. Name one there, or take the task out of the row",
                    at=mention.at,
                )

    def _report_missing(self, missing: list[_Missing], reporter: PlanReporter) -> None:
        """Report each row that leaves out tasks; a task that many rows leave out is one mistake and told once."""
        counts = Counter(task for one in missing for task in one.tasks)
        often = {task for task, count in counts.items() if count >= _OFTEN_MIN}
        for one in missing:
            for task in sorted(often & one.tasks.keys(), key=self._position):
                often.discard(task)
                self._report_often(task, [other for other in missing if task in other.tasks], reporter)
            tasks = sorted((task for task in one.tasks if counts[task] < _OFTEN_MIN), key=self._position)
            if tasks:
                reporter.report(
                    "TABLE_TRACE_INCOMPLETE",
                    f"expected the row of {one.row.names[:60]} to list every task that names one of its ids, got none "
                    f"of {listed(tasks)}; add to the row, or take the ids out of {self._kind.field}",
                    at=one.row.place,
                    related={f"{tasks[0]} names one here": one.tasks[tasks[0]]},
                )

    def _report_often(self, task: str, missing: list[_Missing], reporter: PlanReporter) -> None:
        reporter.report(
            "TABLE_TRACE_INCOMPLETE",
            f"expected {task} in {len(missing)} rows whose ids it names in its {self._kind.field}, got it in none of "
            f"them: {listed(one.row.names[:60] for one in missing)}; add it, or take the ids out there",
            at=missing[0].row.place,
            related={f"{task} names them here": missing[0].tasks[task]},
        )

    def _position(self, task: str) -> int:
        return self._known.get(task, len(self._known))

    def _naming(self, row: TraceRow) -> Mapping[str, Place]:
        """Return the tasks that name one of a row's ids, and where."""
        found: dict[str, Place] = {}
        for written, _ in row.ids.ids():
            for one in (written, *self._variants.get(written, ())):
                for task, at in self._named.tasks.get(one, {}).items():
                    found.setdefault(task, at)
        for mention in row.ids.patterns:
            for task, at in self._by_pattern.get(mention.pattern or "", {}).items():
                found.setdefault(task, at)
            for name in self._loose.get(mention.pattern or "", ()):
                for task, at in self._named.of(name).items():
                    found.setdefault(task, at)
        return found

    def _names_pattern(self, task: str, row: TraceRow) -> bool:
        """Whether a pattern that a task names fits one of a row's ids."""
        patterns = IdSet((), self._own_patterns.get(task, ()))
        return any(patterns.fits_pattern(written) for written, _ in row.ids.ids())


def _fitting(trace: Trace, named: _Named) -> Mapping[str, Mapping[str, Place]]:
    """Return for each pattern of a matrix which tasks name an id, or a pattern, that it stands for."""
    patterns = IdSet((), trace.patterns)
    found: dict[str, dict[str, Place]] = {}
    begun = ((name.partition("*")[0], tasks) for name, tasks in named.patterns.items())
    for written, tasks in chain(named.tasks.items(), begun):
        for pattern in patterns.patterns_of(written):
            found.setdefault(pattern, {}).update(tasks)
    return found


def _loosened(unfit: list[str], named: _Named) -> Mapping[str, tuple[str, ...]]:
    """Return what patterns that fit nothing stand for if they leave numbers out: ``T-NEG-*`` for ``T01-NEG-*``."""
    found: dict[str, tuple[str, ...]] = {}
    for pattern in unfit[:_LOOSE_MAX]:
        parts = pattern.partition("*")[0].split("-")
        names = tuple(name for name in chain(named.patterns, named.tasks) if _is_looser(parts, name.split("-")))
        if names:
            found[pattern] = names
    return found


def _is_looser(parts: list[str], written: list[str]) -> bool:
    if len(written) < len(parts) or not written[len(parts) - 1].startswith(parts[-1]):
        return False
    return all(
        part == other or (part and other.startswith(part) and other[len(part) :].isdigit())
        for part, other in zip(parts[:-1], written, strict=False)
    )


def _has_part(prefix: str, rows: IdSet, declared: list[str]) -> bool:
    """Whether a row has an id that begins as a pattern does, or a pattern that takes it in."""
    index = bisect_left(declared, prefix)
    return rows.fits_pattern(prefix) or (index < len(declared) and declared[index].startswith(prefix))


class _Coverage:
    """Compares what one matrix declares, and what the summary claims of it, with what the tasks name."""

    def __init__(self, trace: Trace, kind: _Kind, named: _Named, reporter: PlanReporter) -> None:
        self._trace = trace
        self._kind = kind
        self._named = named
        self._reporter = reporter
        variants = _variants(named)
        self._uncovered = {
            written: at
            for written, at in trace.declared.items()
            if written not in named.tasks and written not in variants and base_of(written) not in named.tasks
        }

    def report_uncovered(self, claim: tuple[Metric, Claim] | None) -> None:
        """Report declared ids that no task names, not even a variant of them."""
        open_patterns = IdSet((), self._named.patterns)
        related: dict[str, Place] = {}
        if claim is not None and claim[1].of == claim[1].count:
            related["all of them are said to be covered"] = claim[1].at
        for written, at in self._uncovered.items():
            by_pattern = "; a pattern that fits it names no id in particular" if written in open_patterns else ""
            message = (
                f"expected a task that names {written} in its {self._kind.field}, got none{by_pattern}; name it where "
                "the work is planned, or take it out"
            )
            if self._kind is _REQUIREMENTS:
                self._reporter.report("TABLE_REQUIREMENT_UNCOVERED", message, at=at, related=related)
            else:
                self._reporter.report("TABLE_TEST_UNMAPPED", message, at=at, related=related)

    def check_claim(self, metric: Metric, claim: Claim) -> None:
        """Report a claimed number of requirements or tests that neither the matrix nor the tasks show."""
        total = claim.count if claim.of is None else claim.of
        patterns = IdSet((), self._trace.patterns)
        declared = len(self._trace.declared)
        by_pattern = sum(name not in self._trace.declared and patterns.fits_pattern(name) for name in self._named.tasks)
        if total not in {declared, declared + by_pattern, len(self._named.tasks)}:
            self._report_number(metric, claim)
            return
        covered = declared - len(self._uncovered)
        if claim.of not in {None, claim.count} and claim.count not in {covered, covered + by_pattern}:
            self._reporter.report(
                "TABLE_COVERAGE_WRONG",
                f"expected {metric.name} to be {covered} of {declared}, got {claim.count}; correct one of both",
                at=claim.at,
            )

    def _report_number(self, metric: Metric, claim: Claim) -> None:
        trace, named = self._trace, self._named
        patterns = tuple(dict.fromkeys((*trace.patterns, *named.patterns)))
        besides = f", and patterns that name no id in particular ({listed(patterns)})" if patterns else ""
        message = (
            f"expected {metric.name} to be a number that the document shows: {trace.heading or 'the matrix'} lists "
            f"{counted(len(trace.declared), self._kind.noun)}, the tasks name {len(named.tasks)}{besides}; got "
            f"{claim.count if claim.of is None else claim.of}"
        )
        if patterns:
            self._reporter.report("TABLE_COVERAGE_UNPROVEN", message, at=claim.at)
        else:
            self._reporter.report("TABLE_COVERAGE_WRONG", message, at=claim.at)
