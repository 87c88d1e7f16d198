"""The compiled document: an orchestration in YAML that a person can review.

Owns: the order of its parts, its comments, its bounds, and which lines are about which task.
Does not know: whether it is accepted (`plans.orchestration` does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import JsonValue
from remit.plans.bounds import COST_USD_MAX, COUNT_MAX, SECONDS_MAX
from remit.plans.compiling.gates import gate_of
from remit.plans.compiling.names import Names, definition_name
from remit.plans.compiling.outline import Outline, Part, Planned
from remit.plans.compiling.settings import (
    CHANGE_SECONDS,
    GATE_DAYS,
    ITERATION_TOKENS,
    ITERATIONS_DEFAULT,
    TASK_COST_USD,
    VERIFY_SECONDS,
    CompileSettings,
)
from remit.plans.compiling.tasks import TaskCompiler, TaskLoop, commands_of, write_scope
from remit.plans.compiling.yaml_text import comment_lines, yaml_lines
from remit.plans.plan import Plan, PlanTask, TaskKind
from remit.ports.declared import PATHS, TEXT_CHARACTERS_MAX, WORKSPACE

VERSION: Final = "1.0.0"
LOOP_REPEATS_MIN: Final = 10
_JOIN_TIMER: Final = "1ms"
"""How long a join waits: as short as a timer can be. It only stands for what it depends on."""

_NAME_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The document. ``lines_of`` are first lines (from 1) with the task that they and the following are about.

    ``calls`` are the tools that the builder and the tester call; ``open_writes`` the tasks whose write scope comes from
    the run's input, by the ids of their steps, ``open_verifies`` those that are verified by the input's command.
    """

    text: str
    lines_of: tuple[tuple[int, PlanTask | None], ...]
    bounds: dict[str, JsonValue]
    calls: frozenset[tuple[str, str]]
    open_writes: tuple[tuple[str, PlanTask], ...]
    open_verifies: tuple[PlanTask, ...]


def write_document(plan: Plan, outline: Outline, names: Names, *, settings: CompileSettings, path: str) -> Written:
    """Return the document of an outline."""
    compiler = TaskCompiler(plan, settings, names)
    loops: dict[str, TaskLoop] = {
        step.id: compiler.compile(step.task, step.id)
        for step in outline.steps
        if step.part is Part.TASK and step.task is not None
    }
    works = [(step.id, step.task) for step in outline.steps if step.part is Part.TASK and step.task is not None]
    open_writes = tuple((step_id, task) for step_id, task in works if not write_scope(plan, task))
    open_verifies = tuple(task for _, task in works if not commands_of(task))
    bounds = _bounds(list(loops.values()))
    head: dict[str, JsonValue] = {
        "name": settings.name or definition_name(plan.title),
        "version": VERSION,
        "description": _one_line(plan.objective) or _one_line(plan.title) or "A plan.",
        "input": _input(open_writes, has_open_verify=bool(open_verifies)),
        "bounds": bounds,
    }
    lines = [*comment_lines(_introduction(plan, outline, path)), "", *yaml_lines(head), "", "steps:"]
    lines_of: list[tuple[int, PlanTask | None]] = []
    for step in outline.steps:
        lines_of.append((len(lines) + 1, step.task))
        lines += ["", *comment_lines(_comment(step), "  "), *_step_lines(step, plan, settings, loops.get(step.id))]
    return Written(
        text="\n".join(lines) + "\n",
        lines_of=tuple(lines_of),
        bounds=bounds,
        calls=frozenset(call for loop in loops.values() for call in loop.calls),
        open_writes=open_writes,
        open_verifies=open_verifies,
    )


def _step_lines(step: Planned, plan: Plan, settings: CompileSettings, loop: TaskLoop | None) -> list[str]:
    fields: dict[str, JsonValue] = {"id": step.id}
    if step.part is Part.TASK and step.task is not None:
        fields["name"] = _one_line(step.task.title) or _one_line(step.task.id)
    if step.depends_on:
        fields["depends_on"] = list(step.depends_on)
    if loop is not None:
        fields["loop"] = loop.loop
    elif step.part is Part.JOIN:
        fields["wait"] = {"timer": _JOIN_TIMER}
    else:
        fields["gate"] = gate_of(step, plan, settings)
    return yaml_lines([fields], "  ")


def _comment(step: Planned) -> str:
    task, phase = step.task, step.phase
    if task is not None:
        return _task_comment(step, task)
    if step.part is Part.PHASE_GATE and phase is not None:
        return f"Human gate after phase {phase.id}: everything later waits for it."
    if step.part is Part.JOIN:
        return (
            "Every decision has been taken." if phase is None else f"Phase {phase.id} has ended: later ones wait here."
        )
    if step.part is Part.DECISION:
        return "The plan leaves this open; nothing begins before its owner has decided."
    return "From level 3 on a person looks at the whole before it is released."


def _task_comment(step: Planned, task: PlanTask) -> str:
    if step.part is Part.APPROVAL:
        return f"Before task {task.id} a person agrees: {'; '.join(step.reasons)}."
    if step.part is Part.REVIEW:
        return f"Task {task.id} is verified by {task.verification}: a person looks at the result."
    if step.part is Part.HUMAN_TASK:
        return f"Task {task.id} is a person's own."
    if step.part is Part.JOIN:
        return f"What came before task {task.id}, which is done."
    limit = task.iterations_max
    what = "a test task" if task.kind is TaskKind.TEST else "a task"
    rounds = f"at most {limit} iterations" if limit is not None else f"{ITERATIONS_DEFAULT} iterations (default)"
    risk = "" if task.risk is None else f", risk {task.risk.value}"
    where = "" if task.phase is None else f" of phase {task.phase}"
    held = f" The plan gives no order, but it must not run beside {', '.join(step.held_by)}." if step.held_by else ""
    return f"Task {task.id}, {what}{where}{risk}, {rounds}.{held}"


def _introduction(plan: Plan, outline: Outline, path: str) -> str:
    level = "" if plan.level is None else f", level {plan.level}"
    done = ", ".join(task.id for task in outline.done)
    lines = [
        f"Compiled from {path} ({plan.format.value}{level}) by `remit plan compile`; change the plan, not this file.",
        f"Tasks: {len(outline.tasks)}. Each is a loop: change, then all that verifies the change, until all passes.",
        (
            f"A change has {CHANGE_SECONDS} s, a command {VERIFY_SECONDS} s; bounds allow for that, for each iteration "
            f"{ITERATION_TOKENS} tokens, and for each task {TASK_COST_USD} USD. A gate waits {GATE_DAYS} days."
        ),
    ]
    if outline.why_single is not None:
        lines.append(f"One task runs at a time: {outline.why_single}.")
    if done:
        lines.append(f"Not here, because they are done: {done}.")
    return "\n".join(lines)


def _bounds(loops: list[TaskLoop]) -> dict[str, JsonValue]:
    """Return bounds that all loops together fit into, with what the settings allow for each."""
    iterations = sum(loop.iterations_max for loop in loops)
    calls = sum(loop.iterations_max * len(loop.calls) for loop in loops)
    seconds = sum(loop.seconds_max for loop in loops)
    longest = max((loop.iterations_max for loop in loops), default=1)
    return {
        "steps_max": max(1, min(calls, COUNT_MAX)),
        "tool_calls_max": max(1, min(calls, COUNT_MAX)),
        "active_seconds_max": max(1, min(seconds, SECONDS_MAX)),
        "tokens_max": max(1, iterations * ITERATION_TOKENS),
        "cost_usd_max": min(len(loops) * TASK_COST_USD, COST_USD_MAX),
        "loop_repeats_max": max(LOOP_REPEATS_MIN, longest),
    }


def _input(open_writes: tuple[tuple[str, PlanTask], ...], *, has_open_verify: bool) -> JsonValue:
    """Return the schema of the run's input; what no call would accept is refused when the run is submitted."""
    properties: dict[str, JsonValue] = {
        "workspace": {**WORKSPACE, "description": "The name of the workspace that is worked on."}
    }
    if open_writes:
        scopes: dict[str, JsonValue] = {step_id: {"$ref": "#/$defs/paths"} for step_id, _ in open_writes}
        properties["write"] = {
            "description": "What each task may change whose paths the plan does not name.",
            "type": "object",
            "required": list(scopes),
            "properties": scopes,
        }
    if has_open_verify:
        properties["verify"] = {
            "description": "The command that verifies tasks for which the plan names none.",
            "type": "string",
            "minLength": 1,
            "maxLength": TEXT_CHARACTERS_MAX,
        }
    schema: dict[str, JsonValue] = {"type": "object", "required": list(properties), "properties": properties}
    if open_writes:
        schema["$defs"] = {"paths": {**PATHS, "minItems": 1}}
    return schema


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _NAME_CHARACTERS_MAX else f"{line[: _NAME_CHARACTERS_MAX - 1]}…"
