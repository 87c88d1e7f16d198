"""The plan of a task table: what all formats share.

Owns: which field of a task becomes which part of the plan, and what is reported when a value cannot be read.
Does not know: the tables around the tasks, apart from the Effort Summary, the Dependency Matrix and what is declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from remit.plans.markdown.inline import read_out, seen, shown
from remit.plans.plan import (
    Dependency,
    DependencyOrigin,
    Estimate,
    PathClaim,
    Place,
    Plan,
    PlanFormat,
    PlanPhase,
    PlanTask,
    Reference,
    TaskKind,
    TaskState,
    Text,
)
from remit.plans.task_table.columns import TaskField, plain
from remit.plans.task_table.details import Details, TaskDetails
from remit.plans.task_table.efforts import DEFAULT_DAYS, days_of, declared_days, is_bare, is_points, size_of, unit_days
from remit.plans.task_table.matrices import Matrices
from remit.plans.task_table.record import TableForm, TaskRecord, Value
from remit.plans.task_table.references import References
from remit.plans.task_table.states import is_dropped, mark_of, risk_of, state_of
from remit.plans.task_table.wording import counted
from remit.plans.texts import NOTHING_WORDS, PlanReporter

_PHASE_HEADING: Final = ("phase", "milestone", "stage", "sprint", "iteration", "wave")
_KINDS: Final = {
    "test": TaskKind.TEST,
    "testing": TaskKind.TEST,
    "qa": TaskKind.TEST,
    "gate": TaskKind.HUMAN_GATE,
    "humangate": TaskKind.HUMAN_GATE,
    "approval": TaskKind.HUMAN_GATE,
}
_PART_MARK: Final = re.compile(r"`[^`]*`|(;|<br ?/?>)", re.IGNORECASE)
_BULLET: Final = re.compile(r"\s*(?:(?:[-*•]|\d{1,3}[.)])\s+)?(?:\[[ xX]?\]\s+)?")
_PATH_PARTS: Final = re.compile(r"[^,;\s`]+")
_WORDS: Final = frozenset({
    TaskField.PHASE, TaskField.ROLE, TaskField.OWNER, TaskField.PRIORITY, TaskField.WORKFLOW_SCOPE,
    TaskField.WORKSTREAM, TaskField.VERIFICATION_METHOD,
})  # fmt: skip
"""Fields that a plan takes as they are shown."""

_Fields = Mapping[TaskField, Value]
_EMPTY: Final = NOTHING_WORDS | {""}


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What reading the values needs, and what it has told already."""

    details: Details
    reporter: PlanReporter
    days: Mapping[str, tuple[Decimal, Decimal]]
    assumed: list[tuple[str, Place]] = field(default_factory=list)
    states: dict[str, list[Value]] = field(default_factory=dict)
    efforts: dict[str, list[Value]] = field(default_factory=dict)
    points: list[Value] = field(default_factory=list)
    bare: list[Value] = field(default_factory=list)


def plan_of(details: Details, matrices: Matrices, reporter: PlanReporter) -> Plan:
    """Return the plan; what cannot be read of states and estimates is reported."""
    record = details.record
    reading = _Reading(details=details, reporter=reporter, days=declared_days(record))
    blocked = _blocked(details)
    tasks = tuple(_task(task, reading, matrices, blocked.get(task.id, ())) for task in details.tasks)
    _report_states(reading)
    _report_efforts(reading)
    _report_assumed(reading)
    return Plan(
        format=PlanFormat.TASK_TABLE,
        title=record.title,
        tasks=tasks,
        phases=tuple(_phases(details)),
        requirements=tuple(Reference(id=name, at=at) for name, at in matrices.requirements.declared.items()),
        test_cases=tuple(Reference(id=name, at=at) for name, at in matrices.tests.declared.items()),
    )


def _task(task: TaskDetails, reading: _Reading, matrices: Matrices, blocked: tuple[Dependency, ...]) -> PlanTask:
    record = task.record
    fields = record.fields()
    state, state_at = _state(record, fields, reading)
    words = {meant: _word(value) for meant, value in fields.items() if meant in _WORDS}
    return PlanTask(
        id=task.id,
        title=record.title if reading.details.record.form is TableForm.ROWS else shown(record.title),
        at=record.id_at,
        kind=_KINDS.get(plain(_text(fields, TaskField.KIND)), TaskKind.WORK),
        state=state,
        state_at=state_at,
        phase=words.get(TaskField.PHASE) or _phase_heading(record.heading),
        role=words.get(TaskField.ROLE),
        owner=words.get(TaskField.OWNER),
        objective=_text(fields, TaskField.DELIVERABLE) or _text(fields, TaskField.DESCRIPTION),
        depends_on=_joined(tuple(_dependencies(task, fields, matrices)), blocked),
        criteria=_parts(fields.get(TaskField.ACCEPTANCE_CRITERIA)),
        files=_files(fields.get(TaskField.FILES), reading.details),
        verify=_commands(fields.get(TaskField.VERIFY)),
        verification=words.get(TaskField.VERIFICATION_METHOD),
        risk=risk_of(_text(fields, TaskField.RISK)),
        risks=_parts(fields.get(TaskField.RISKS)),
        priority=words.get(TaskField.PRIORITY),
        scope=words.get(TaskField.WORKFLOW_SCOPE),
        workstream=words.get(TaskField.WORKSTREAM),
        estimate=_estimate(fields.get(TaskField.EFFORT), reading),
        requirements=_references(task.requirements),
        requirements_at=task.requirements.at,
        test_cases=_references(task.tests),
    )


def _text(fields: _Fields, meant: TaskField) -> str:
    value = fields.get(meant)
    return "" if value is None else value.text


def _word(value: Value) -> str | None:
    text = shown(value.text)
    return None if text.casefold() in _EMPTY else text


def _parts(value: Value | None) -> tuple[Text, ...]:
    """Return the parts of a cell between semicolons and line breaks, without the marks of lists before them."""
    if value is None or value.text.casefold() in _EMPTY:
        return ()
    return tuple(
        Text(text=read_out(written), at=_within(value.at, start, len(written)))
        for start, written in _split(value.text)
        if written
    )


def _commands(value: Value | None) -> tuple[Text, ...]:
    """Return the commands of a cell: what stands as code is taken as it is."""
    if value is None or value.text.casefold() in _EMPTY:
        return ()
    return tuple(
        Text(text=_code(written), at=_within(value.at, start, len(written)))
        for start, written in _split(value.text)
        if written
    )


def _code(written: str) -> str:
    inner = written[1:-1].strip()
    return inner if written[:1] == written[-1:] == "`" and inner and "`" not in inner else written


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of a cell with where each begins; semicolons in code divide nothing."""
    start = 0
    ends = [(found.start(), found.end()) for found in _PART_MARK.finditer(text) if found[1] is not None]
    for end, following in (*ends, (len(text), len(text))):
        bullet = _BULLET.match(text, start, end)
        first = start if bullet is None else bullet.end()
        yield first, text[first:end].rstrip()
        start = following


def _within(at: Place, start: int, length: int) -> Place:
    return min(at[0] + start, at[1]), min(at[0] + start + length, at[1])


def _files(value: Value | None, details: Details) -> tuple[PathClaim, ...]:
    if value is None or value.text.casefold() in _EMPTY:
        return ()
    start, end = value.at
    return tuple(
        PathClaim(
            path=part.group().removeprefix("./"), written=part.group(), at=(start + part.start(), start + part.end())
        )
        for part in _PATH_PARTS.finditer(seen(details.text.text[start:end]))
        if part.group() not in _EMPTY
    )


def _references(found: References) -> tuple[Reference, ...]:
    return tuple(Reference(id=written, at=mention.at) for written, mention in found.ids())


def _dependencies(task: TaskDetails, fields: _Fields, matrices: Matrices) -> Iterator[Dependency]:
    """Yield what comes before a task: what its own field says, or the matrix where it has no such field."""
    has_field = TaskField.DEPENDS_ON in fields
    listed = task.depends_on if has_field else matrices.dependencies.get(task.id, task.depends_on)
    origin = DependencyOrigin.FIELD if has_field else DependencyOrigin.MATRIX
    for written, mention in listed.ids():
        yield Dependency(id=written, origin=origin, at=mention.at)


def _joined(own: tuple[Dependency, ...], said: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
    """Return what comes before a task, once where both tasks say it."""
    if not said:
        return own
    named = {dependency.id for dependency in own}
    return (*own, *(dependency for dependency in said if dependency.id not in named))


def _blocked(details: Details) -> Mapping[str, tuple[Dependency, ...]]:
    """Return the dependencies that other tasks say: what blocks a task comes before it."""
    found: dict[str, list[Dependency]] = {}
    for task in details.tasks:
        for written, mention in task.blocks.ids():
            found.setdefault(written, []).append(Dependency(id=task.id, at=mention.at))
    return {written: tuple(dependencies) for written, dependencies in found.items()}


def _state(record: TaskRecord, fields: _Fields, reading: _Reading) -> tuple[TaskState, Place]:
    value = fields.get(TaskField.STATUS)
    if value is None:
        return _marked(record, fields)
    if value.text.casefold() in _EMPTY:
        return TaskState.PENDING, value.at
    # A column of percentages may leave out the sign.
    says_percent = "%" in value.name and value.text.isdigit()
    state = state_of(f"{value.text}%" if says_percent else value.text)
    if state is None:
        reading.states.setdefault(value.text, []).append(value)
        state = TaskState.STUCK if is_dropped(value.text) else TaskState.PENDING
    return state, value.at


def _marked(record: TaskRecord, fields: _Fields) -> tuple[TaskState, Place]:
    """Return the state that a box or mark before the title says, such as ``[x] Build``."""
    value = fields.get(TaskField.TITLE)
    state = None if value is None else mark_of(value.text)
    return (TaskState.PENDING, record.id_at) if state is None or value is None else (state, value.at)


def _report_states(reading: _Reading) -> None:
    for written, values in reading.states.items():
        read_as = "stuck, so that nobody begins it; take it out" if is_dropped(written) else "not started"
        reading.reporter.report(
            "TABLE_STATUS_UNKNOWN",
            "expected a state such as NOT_STARTED, IN_PROGRESS, BLOCKED or DONE, got "
            f"{written[:60]!r}{_times(values)}; it is read as {read_as}",
            at=values[0].at,
        )


def _times(values: list[Value]) -> str:
    """Return how often something stands that is reported once."""
    return f" {len(values)} times" if len(values) > 1 else ""


def _estimate(value: Value | None, reading: _Reading) -> Estimate | None:
    if value is None or value.text.casefold() in _EMPTY:
        return None
    written = value.text.strip("`* ")
    size = size_of(written)
    days = reading.days.get(written)
    if days is None and size is not None:
        days = reading.days.get(size) or DEFAULT_DAYS[size]
        if size not in reading.days:
            reading.assumed.append((size, value.at))
    if days is None:
        days = days_of(written, unit_days(value.name))
    if days is None:
        if is_points(written, value.name):
            reading.points.append(value)
        elif is_bare(written):
            reading.bare.append(value)
        else:
            reading.efforts.setdefault(written, []).append(value)
        return None
    return Estimate(days_min=days[0], days_max=days[1], written=written, at=value.at)


def _report_efforts(reading: _Reading) -> None:
    for written, values in reading.efforts.items():
        reading.reporter.report(
            "TABLE_EFFORT_UNKNOWN",
            f"expected an effort such as S, M, 3d or 2-4 days, got {written[:60]!r}{_times(values)}; the task counts "
            "as not estimated",
            at=values[0].at,
        )
    if reading.bare:
        first = reading.bare[0]
        tasks = counted(len(reading.bare), "task")
        reading.reporter.report(
            "TABLE_EFFORT_UNKNOWN",
            f"expected efforts with a unit, got {first.text[:60]!r} and the like in {tasks}; none of them counts as "
            f"estimated. Write 3d or 4h, or the unit in the heading, such as {first.name} (days)",
            at=first.at,
        )
    if reading.points:
        first = reading.points[0]
        reading.reporter.report(
            "TABLE_EFFORT_POINTS",
            f"expected efforts in time, got points in {counted(len(reading.points), 'task')}, which count as not "
            "estimated; a table with the columns Effort, Count and Person-Days says what points mean",
            at=first.at,
        )


def _report_assumed(reading: _Reading) -> None:
    if not reading.assumed:
        return
    used = dict.fromkeys(size for size, _ in reading.assumed)
    shown = ", ".join(
        f"{size} {DEFAULT_DAYS[size][0]}-{DEFAULT_DAYS[size][1]}" for size in DEFAULT_DAYS if size in used
    )
    reading.reporter.report(
        "TABLE_EFFORT_ASSUMED",
        f"expected a table that says what sizes mean, got none; they are read as person-days: {shown}. A table with "
        "the columns Effort, Count and Person-Days says it",
        at=reading.assumed[0][1],
    )


def _phase_id(record: TaskRecord) -> str | None:
    value = record.value(TaskField.PHASE)
    return (None if value is None else _word(value)) or _phase_heading(record.heading)


def _phase_heading(heading: str) -> str | None:
    """Return the phase that the heading above a table of tasks names, such as ``Phase 2: Rollout``."""
    return heading if heading.casefold().startswith(_PHASE_HEADING) else None


def _phases(details: Details) -> Iterable[PlanPhase]:
    found: dict[str, PlanPhase] = {}
    for task in details.record.tasks:
        phase = _phase_id(task)
        if phase is not None and phase not in found:
            value = task.value(TaskField.PHASE)
            found[phase] = PlanPhase(id=phase, title=phase, at=task.at if value is None else value.at)
    return found.values()
