"""Human gates of a compiled plan: what people are asked, what they look at, and what their answers mean.

Owns: the words. Does not know: which steps wait for a gate.
"""

from __future__ import annotations

from typing import Final

from remit.core.canonical import JsonValue
from remit.plans.compiling.outline import Part, Planned
from remit.plans.compiling.settings import GATE_DAYS, CompileSettings
from remit.plans.compiling.tasks import write_scope
from remit.plans.plan import Plan

QUESTION_CHARACTERS_MAX: Final = 500
CRITERIA_MAX: Final = 100

_DECISION_OPTIONS: Final[list[JsonValue]] = ["continue", "narrow", "stop"]
"""What an owner can say to an open decision. Only the first lets the run go on: a narrowed scope is another plan."""

_RELEASE: Final = "From level 3 on a person looks at the whole of a plan before it is released."


def gate_of(step: Planned, plan: Plan, settings: CompileSettings) -> dict[str, JsonValue]:
    """Return a gate as the document says it."""
    question, criteria = _asked(step, plan)
    gate: dict[str, JsonValue] = {"question": _shortened(question), "approvers": list(settings.approvers)}
    if criteria:
        gate["criteria"] = [_shortened(criterion) for criterion in criteria[:CRITERIA_MAX]]
    if step.part is Part.DECISION:
        gate["options"] = list(_DECISION_OPTIONS)
        gate["passing"] = _DECISION_OPTIONS[:1]
    gate["timeout"] = f"{GATE_DAYS}d"
    return gate


def _asked(step: Planned, plan: Plan) -> tuple[str, list[str]]:
    task, phase = step.task, step.phase
    match step.part:
        case Part.APPROVAL if task is not None:
            paths = ", ".join(claim.path for claim in write_scope(plan, task)) or "what the run's input names"
            criteria = [*(reason[:1].upper() + reason[1:] + "." for reason in step.reasons), f"It may change: {paths}."]
            criteria += [risk.text for risk in task.risks]
            return f"May task {task.id} begin: {task.title}?", criteria
        case Part.HUMAN_TASK if task is not None:
            return f"Task {task.id}: {task.title}", [criterion.text for criterion in task.criteria]
        case Part.PHASE_GATE if phase is not None and step.gate is not None:
            criteria = [criterion.text for criterion in (*step.gate.criteria, *phase.exit_criteria)]
            return f"{step.gate.title or 'Human gate'} (after phase {phase.id}: {phase.title})", criteria
        case Part.DECISION if step.decision is not None:
            return f"Decision of the owner: {step.decision.text}", [
                "What is decided goes into the plan, if it changes it."
            ]
        case _:
            return f"Every task of {plan.title!r} has passed its verification. May the result be released?", [_RELEASE]


def _shortened(text: str) -> str:
    """Return a text that is not empty and no longer than a person reads."""
    line = " ".join(text.split()) or "–"
    return line if len(line) <= QUESTION_CHARACTERS_MAX else f"{line[: QUESTION_CHARACTERS_MAX - 1]}…"
