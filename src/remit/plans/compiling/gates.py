"""Human gates of a compiled plan: what people are asked, what they look at, and what their answers mean.

Owns: the words. Does not know: which steps wait for a gate.
"""

from __future__ import annotations

from typing import Final

from remit.core.canonical import JsonValue
from remit.plans.compiling.outline import Part, Planned
from remit.plans.compiling.settings import GATE_DAYS, CompileSettings
from remit.plans.compiling.tasks import write_scope
from remit.plans.plan import Plan, PlanTask, TaskState

QUESTION_CHARACTERS_MAX: Final = 500
CRITERIA_MAX: Final = 100
"""Most criteria of one gate, as orchestrations have them; what is beyond stands in the last one."""

_DECISION_OPTIONS: Final[list[JsonValue]] = ["continue", "narrow", "stop"]
"""What an owner can say to an open decision. Only the first lets the run go on: a narrowed scope is another plan."""

_RELEASE: Final = "From level 3 on a person looks at the whole of a plan before it is released."


def gate_of(step: Planned, plan: Plan, settings: CompileSettings) -> dict[str, JsonValue]:
    """Return a gate as the document says it."""
    question, criteria = _asked(step, plan)
    short = _shortened(question)
    if short.endswith("…"):
        criteria = [question, *criteria]
    gate: dict[str, JsonValue] = {"question": short, "approvers": list(settings.approvers)}
    if criteria:
        gate["criteria"] = list(_whole(criteria))
    if step.part is Part.DECISION:
        gate["options"] = list(_DECISION_OPTIONS)
        gate["passing"] = _DECISION_OPTIONS[:1]
    gate["timeout"] = f"{GATE_DAYS}d"
    return gate


def _asked(step: Planned, plan: Plan) -> tuple[str, list[str]]:
    task, phase = step.task, step.phase
    match step.part:
        case Part.APPROVAL if task is not None:
            scope = dict.fromkeys(claim.path for claim in write_scope(plan, task) if claim.path.strip())
            paths = ", ".join(scope) or "what the run's input names for it (write)"
            criteria = [*(reason[:1].upper() + reason[1:] + "." for reason in step.reasons), f"It may change: {paths}."]
            criteria += [risk.text for risk in task.risks]
            return f"May task {task.id} begin: {task.title}?", criteria
        case Part.REVIEW if task is not None:
            return f"Task {task.id} is done: {task.title}. Is the result as the plan says?", _described(task)
        case Part.HUMAN_TASK if task is not None:
            return f"Task {task.id}: {task.title}", _described(task)
        case Part.PHASE_GATE if phase is not None and step.gate is not None:
            criteria = [criterion.text for criterion in (*step.gate.criteria, *phase.exit_criteria)]
            return f"{step.gate.title or 'Human gate'} (after phase {phase.id}: {phase.title})", criteria
        case Part.DECISION if step.decision is not None:
            return f"Decision of the owner: {step.decision.text}", [
                "What is decided goes into the plan, if it changes it."
            ]
        case _:
            done = ", ".join(task.id for task in plan.tasks if task.state is TaskState.DONE)
            skipped = [f"Not verified in this run, because the plan calls them done: {done}."] if done else []
            question = f"Every task of {plan.title!r} that was to do has passed its verification. May it be released?"
            return question, [_RELEASE, *skipped]


def _described(task: PlanTask) -> list[str]:
    objective = [task.objective] if task.objective.strip() else []
    return objective + [criterion.text for criterion in task.criteria]


def _whole(criteria: list[str]) -> list[str]:
    """Return criteria on one line each, none left out and none shortened: people agree to all of what they read."""
    lines = [" ".join(criterion.split()) or "–" for criterion in criteria]
    if len(lines) <= CRITERIA_MAX:
        return lines
    return [*lines[: CRITERIA_MAX - 1], "; ".join(lines[CRITERIA_MAX - 1 :])]


def _shortened(text: str) -> str:
    """Return a question that is not empty and no longer than a person reads; the whole of it is a criterion then."""
    line = " ".join(text.split()) or "–"
    return line if len(line) <= QUESTION_CHARACTERS_MAX else f"{line[: QUESTION_CHARACTERS_MAX - 1]}…"
