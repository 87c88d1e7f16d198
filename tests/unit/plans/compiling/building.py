"""Plans for tests of the compiler, built in a line, and short answers about what they compile to."""

from __future__ import annotations

from typing import Any

from remit.plans.plan import (
    Dependency,
    PathClaim,
    Plan,
    PlanFormat,
    PlanTask,
    Text,
)
from tests.property.compiled_plans import compiled


def claims(*paths: str) -> tuple[PathClaim, ...]:
    """Return claims of paths."""
    return tuple(PathClaim(path=path, written=path) for path in paths)


OWNED = claims("src/a.ts")


def task(task_id: str, *before: str, **changes: Any) -> PlanTask:
    fields: dict[str, Any] = {
        "title": f"Do {task_id}",
        "depends_on": tuple(Dependency(id=name) for name in before),
        "owns": OWNED,
        "verify": (Text(text="make test"),),
    }
    return PlanTask(id=task_id, **(fields | changes))


def plan(*tasks: PlanTask, **changes: Any) -> Plan:
    fields: dict[str, Any] = {"format": PlanFormat.SPECTRA, "title": "A plan"}
    return Plan(tasks=tasks, **(fields | changes))


def codes_of(made: Plan) -> list[str]:
    """Return the codes of what the compiler says of a plan."""
    return [finding.code for finding in compiled(made)[1]]


def shape_of(made: Plan) -> dict[str, tuple[str, ...]]:
    """Return the steps of a compiled plan with what they wait for."""
    compilation, _ = compiled(made)
    assert compilation is not None
    return {step.id: step.depends_on for step in compilation.definition.steps}
