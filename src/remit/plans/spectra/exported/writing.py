"""Writing ``plan.json``.

Owns: the form. Reading what was written gives an equal common plan.
Does not know: files. What a record does not say is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from remit.plans.json_text import json_text
from remit.plans.plan import PathClaim, PlanTask, Reference, TaskState
from remit.plans.spectra.conversion import to_plan
from remit.plans.spectra.exported.record import Origin
from remit.plans.spectra.exported.words import STATUSES, VERSION
from remit.plans.spectra.names import TITLE
from remit.plans.spectra.record import Assertion, OtherField, Parallelism, SpectraPlan, SpectraTask, Wiring
from remit.plans.spectra.writing import marker_text


def missing_of(plan: SpectraPlan) -> tuple[str, ...]:
    """Return what the form requires and a plan does not say."""
    header = (("## Project", plan.project), ("## Generated", plan.generated))
    untitled = (f"a title of task {task.id}" for task in plan.tasks if not task.title)
    tasks = () if plan.tasks else ("a task",)
    return (*(name for name, value in header if not value), *tasks, *untitled)


def write_exported(plan: SpectraPlan, origin: Origin, *, level: int) -> str:
    """Return the JSON of a plan; ``level`` is the one that counts."""
    common = to_plan(plan, level=level)
    lines = (*origin.lines, *(1 for _ in plan.tasks[len(origin.lines) :]))
    tasks = [_task(*parts) for parts in zip(plan.tasks, common.tasks, lines, strict=True)]
    value = {
        "version": VERSION,
        "source_hash": origin.source_hash,
        "project": plan.project,
        "level": level,
        "generated": plan.generated,
        "source": plan.source,
        "tasks": tasks,
        "parallelism": None if plan.parallelism is None else _parallelism(plan.parallelism),
        "title": plan.title if plan.title != TITLE else None,
        "fields": [{"key": other.key, "value": other.value} for other in plan.others] or None,
        "graph": None if plan.graph is None else [_ids(entry.chain) for entry in plan.graph],
        "marks": [marker_text(marker) for marker in plan.markers] or None,
    }
    return json_text(_said(value))


def _task(task: SpectraTask, common: PlanTask, line_number: int) -> dict[str, Any]:
    is_marked = task.description is not None
    ownership = task.ownership
    lists = () if ownership is None else (ownership.owns, ownership.touches, ownership.reads)
    owns, touches, reads = (*map(_paths, lists), None, None, None)[:3]
    states = {state: word for word, state in STATUSES.items()}
    return _said(
        {
            "id": task.id,
            "title": task.title,
            "status": states.get(task.state, "pending"),
            "risk": None if task.risk is None else task.risk.value,
            "verify": None if task.verify is None else task.verify.text or None,
            "max_iterations": task.iterations_max,
            "owns": owns,
            "touches": touches,
            "reads": reads,
            "deps": list(dict.fromkeys(dependency.id for dependency in common.depends_on)),
            "line_number": line_number,
            "scope": task.scope,
            "files": None if task.files is None else ", ".join(claim.written for claim in task.files),
            "ac": None if task.criteria is None else [one.text for one in task.criteria if one.text],
            "description": task.description if is_marked and task.description != task.title else None,
            "marked": None if is_marked else False,
            "in_progress": True if task.state is TaskState.IN_PROGRESS else None,
            "dependencies": None if task.dependencies is None else _ids(task.dependencies),
            "wiring_proof": None if task.wiring is None else _wiring(task.wiring),
            "assertions": None if task.assertions is None else _assertions(task.assertions),
            "fields": [_other(other) for other in task.others] or None,
        }
    )


def _paths(claims: Iterable[PathClaim] | None) -> list[str] | None:
    return None if claims is None else [claim.written for claim in claims]


def _ids(references: Iterable[Reference]) -> list[str]:
    return [reference.id for reference in references]


def _wiring(wiring: Wiring) -> dict[str, Any]:
    return _said(
        {
            "cli": None if wiring.command is None else wiring.command.text,
            "integration": None if wiring.integration is None else wiring.integration.text,
            "others": [other.text for other in wiring.others if other.text] or None,
        }
    )


def _assertions(assertions: Iterable[Assertion]) -> list[str]:
    return [assertion.text for assertion in assertions if assertion.text]


def _other(other: OtherField) -> dict[str, Any]:
    return {"key": other.key, "value": other.value, **({"items": list(other.items)} if other.items else {})}


def _parallelism(parallelism: Parallelism) -> dict[str, Any]:
    return _said(
        {
            "independent": None if parallelism.independent is None else _ids(parallelism.independent),
            "sequential": None if parallelism.chains is None else [_ids(chain) for chain in parallelism.chains],
            "recommendation": parallelism.recommendation,
            "fields": [_other(other) for other in parallelism.others] or None,
        }
    )


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
