"""A task as a loop: change, then everything that verifies the change, until all of it passes.

Owns: what of a task each call gets, and what the next iteration is told.
Does not know: which steps come before or after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import JsonValue
from remit.plans.compiling.names import Names
from remit.plans.compiling.settings import ITERATIONS_DEFAULT, VERIFY_SECONDS, CompileSettings
from remit.plans.plan import PathClaim, Plan, PlanFormat, PlanTask, TaskKind, Text
from remit.ports.declared import CODE_ASSERT, CODE_CHANGE, CODE_PROVE_WIRING, CODE_VERIFY

WORKSPACE: Final = "${{ input.workspace }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLoop:
    """A task's loop as the document says it. ``tools`` are those that one iteration calls, in order."""

    loop: dict[str, JsonValue]
    iterations_max: int
    tools: tuple[str, ...]


class TaskCompiler:
    """Makes loops of tasks."""

    __slots__ = ("_names", "_plan", "_settings")

    def __init__(self, plan: Plan, settings: CompileSettings, names: Names) -> None:
        self._plan = plan
        self._settings = settings
        self._names = names

    def compile(self, task: PlanTask, step_id: str) -> TaskLoop:
        """Return the loop of a task whose step has this id."""
        change = self._names.take(f"{step_id}_change", "")
        steps: list[dict[str, JsonValue]] = [self._change(task, change, step_id)]
        for tool, what, arguments in self._verifications(task):
            judge = self._names.take(f"{step_id}_{what}", "")
            steps.append(
                {
                    "id": judge,
                    "depends_on": [steps[-1]["id"]],
                    "tool": tool,
                    "principal": self._settings.tester,
                    "input": {"workspace": WORKSPACE, **arguments},
                }
            )
        judges = [str(step["id"]) for step in steps[1:]]
        iterations_max = ITERATIONS_DEFAULT if task.iterations_max is None else task.iterations_max
        body: list[JsonValue] = [*steps]
        loop: dict[str, JsonValue] = {
            "iterations_max": iterations_max,
            "until": " && ".join(f"steps.{judge}.output.passed" for judge in judges),
            "feedback": {judge: f"${{{{ steps.{judge}.output }}}}" for judge in judges},
            "output": {
                "changed": f"${{{{ steps.{change}.output.changed }}}}",
                "revision": f"${{{{ steps.{change}.output.revision }}}}",
            },
            "steps": body,
        }
        return TaskLoop(loop=loop, iterations_max=iterations_max, tools=tuple(str(step["tool"]) for step in steps))

    def _change(self, task: PlanTask, change: str, step_id: str) -> dict[str, JsonValue]:
        is_test = task.kind is TaskKind.TEST
        order: dict[str, JsonValue] = {
            "workspace": WORKSPACE,
            "task": literal(task.id),
            "title": literal(task.title or task.id),
            "objective": literal(task.objective or task.title or task.id),
            "criteria": texts(task.criteria),
            "write": paths(write_scope(self._plan, task)) or f"${{{{ input.write.{step_id} }}}}",
            "read": paths(task.reads),
            "denied": paths(task.denied),
        }
        if task.files_max is not None:
            order["files_max"] = task.files_max
        if task.invariants:
            order["invariants"] = [literal(invariant.id) for invariant in task.invariants]
        if task.evidence_required:
            order["evidence_required"] = True
        order["feedback"] = "${{ iteration.feedback }}"
        return {
            "id": change,
            "tool": CODE_CHANGE.name,
            "principal": self._settings.tester if is_test else self._settings.builder,
            "input": order,
        }

    def _verifications(self, task: PlanTask) -> list[tuple[str, str, dict[str, JsonValue]]]:
        """Return what judges a change, in order: tool, a word for it, and its arguments."""
        commands = commands_of(task) or ["${{ input.verify }}"]
        found: list[tuple[str, str, dict[str, JsonValue]]] = [
            (CODE_VERIFY.name, "verify", {"command": command, "timeout_seconds": VERIFY_SECONDS})
            for command in commands
        ]
        assertions = texts(task.assertions)
        if assertions:
            found.append((CODE_ASSERT.name, "assert", {"assertions": assertions}))
        cli, integration = wiring_of(task)
        if cli or integration:
            owned = paths(write_scope(self._plan, task))
            arguments: dict[str, JsonValue] = {"cli": cli, "integration": integration, "owns": owned}
            found.append((CODE_PROVE_WIRING.name, "wiring", arguments))
        return found


def write_scope(plan: Plan, task: PlanTask) -> tuple[PathClaim, ...]:
    """Return what a task may change: what it owns and touches.

    Below level 3 SPECTRA plans have no ownership, and ``Files`` are what a task changes. Elsewhere a file that is
    mentioned need not be one that is changed: such a task has no write scope, and the run's input gives it.
    """
    claimed = (*task.owns, *task.touches)
    return claimed or (task.files if plan.format is PlanFormat.SPECTRA else ())


def commands_of(task: PlanTask) -> list[JsonValue]:
    """Return the commands that verify a task."""
    found = (command.text.strip().strip("`").strip() for command in task.verify)
    return [literal(command) for command in dict.fromkeys(found) if command]


def wiring_of(task: PlanTask) -> tuple[list[JsonValue], list[JsonValue]]:
    """Return a task's proofs of wiring: commands, and what has to be shown of the code."""
    commands = {command.text for command in task.wiring_commands}
    shown = tuple(proof for proof in task.wiring if proof.text not in commands)
    return texts(task.wiring_commands), texts(shown)


def literal(text: str) -> str:
    """Return a template that gives a text as it is: what looks like an expression in a plan is none."""
    return text.replace("${{", "$${{")


def texts(found: tuple[Text, ...]) -> list[JsonValue]:
    """Return texts as templates, without empty ones."""
    return [literal(one.text) for one in found if one.text.strip()]


def paths(claims: tuple[PathClaim, ...]) -> list[JsonValue]:
    """Return the paths of claims as templates, each once."""
    return [literal(path) for path in dict.fromkeys(claim.path for claim in claims)]
