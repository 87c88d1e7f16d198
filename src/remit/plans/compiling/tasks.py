"""A task as a loop: change, then everything that verifies the change, until all of it passes.

Owns: what of a task each call gets, and what the next iteration is told.
Does not know: which steps come before or after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import JsonValue
from remit.plans.compiling.names import Names
from remit.plans.compiling.settings import (
    ASSERT_SECONDS,
    CHANGE_SECONDS,
    COPY_SECONDS,
    ITERATIONS_DEFAULT,
    VERIFY_SECONDS,
    CompileSettings,
)
from remit.plans.plan import PathClaim, Plan, PlanFormat, PlanTask, TaskKind, Text
from remit.ports.declared import CODE_ASSERT, CODE_CHANGE, CODE_PROVE_WIRING, CODE_VERIFY

WORKSPACE: Final = "${{ input.workspace }}"

OWNERSHIP_LEVEL: Final = 3
"""From this level on plans say what a task owns and touches, and what they do not say is not granted."""

_FILES_FORMATS: Final = frozenset({PlanFormat.SPECTRA, PlanFormat.TASK_TABLE})
"""Formats with a field of their own for the files that a task changes."""

_SECONDS: Final = {
    CODE_CHANGE.name: CHANGE_SECONDS,
    CODE_VERIFY.name: VERIFY_SECONDS + COPY_SECONDS,
    CODE_ASSERT.name: ASSERT_SECONDS,
    CODE_PROVE_WIRING.name: VERIFY_SECONDS,
}
"""How long one call of each tool may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLoop:
    """A task's loop as the document says it.

    ``calls`` are the tools that one iteration calls, in order, each with who calls it.
    """

    loop: dict[str, JsonValue]
    iterations_max: int
    calls: tuple[tuple[str, str], ...]

    @property
    def seconds_max(self) -> int:
        """Return how long all iterations take at most."""
        return self.iterations_max * sum(_SECONDS[tool] for tool, _ in self.calls)


class TaskCompiler:
    """Makes loops of tasks."""

    __slots__ = ("_names", "_plan", "_settings")

    def __init__(self, plan: Plan, settings: CompileSettings, names: Names) -> None:
        self._plan = plan
        self._settings = settings
        self._names = names

    def compile(self, task: PlanTask, step_id: str) -> TaskLoop:
        """Return the loop of a task whose step has this id: builder and tester verify what the other changed."""
        pair = (self._settings.builder, self._settings.tester)
        changer, judge = reversed(pair) if task.kind is TaskKind.TEST else pair
        change = self._names.take(f"{step_id}_change", "")
        steps = [_call(change, CODE_CHANGE.name, changer, self._order(task, step_id))]
        for tool, what, arguments in self._verifications(task, step_id):
            name = self._names.take(f"{step_id}_{what}", "")
            steps.append(_call(name, tool, judge, {"workspace": WORKSPACE, **arguments}, after=str(steps[-1]["id"])))
        judges = [str(step["id"]) for step in steps[1:]]
        iterations_max = ITERATIONS_DEFAULT if task.iterations_max is None else task.iterations_max
        body: list[JsonValue] = [*steps]
        loop: dict[str, JsonValue] = {
            "iterations_max": iterations_max,
            "until": " && ".join(f"steps.{name}.output.passed" for name in judges),
            "feedback": {name: f"${{{{ steps.{name}.output }}}}" for name in judges},
            "output": {
                "changed": f"${{{{ steps.{change}.output.changed }}}}",
                "revision": f"${{{{ steps.{change}.output.revision }}}}",
            },
            "steps": body,
        }
        calls = tuple((str(step["tool"]), str(step["principal"])) for step in steps)
        return TaskLoop(loop=loop, iterations_max=iterations_max, calls=calls)

    def _order(self, task: PlanTask, step_id: str) -> dict[str, JsonValue]:
        """Return what the agent is asked to do."""
        order: dict[str, JsonValue] = {
            "workspace": WORKSPACE,
            "task": literal(task.id),
            "title": literal(task.title or task.id),
            "objective": literal(task.objective or task.title or task.id),
            "criteria": texts(task.criteria),
            "write": self._writable(task, step_id),
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
        return order

    def _writable(self, task: PlanTask, step_id: str) -> JsonValue:
        return paths(write_scope(self._plan, task)) or f"${{{{ input.write.{step_id} }}}}"

    def _verifications(self, task: PlanTask, step_id: str) -> list[tuple[str, str, dict[str, JsonValue]]]:
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
            owned = self._writable(task, step_id)
            arguments: dict[str, JsonValue] = {"cli": cli, "integration": integration, "owns": owned}
            found.append((CODE_PROVE_WIRING.name, "wiring", arguments))
        return found


def _call(
    name: str, tool: str, principal: str, arguments: dict[str, JsonValue], *, after: str | None = None
) -> dict[str, JsonValue]:
    """Return one step of a loop's body."""
    order: dict[str, JsonValue] = {} if after is None else {"depends_on": [after]}
    seconds = f"{_SECONDS[tool]}s"
    return {"id": name, **order, "tool": tool, "principal": principal, "timeout": seconds, "input": arguments}


def write_scope(plan: Plan, task: PlanTask) -> tuple[PathClaim, ...]:
    """Return what a task may change: what it owns and touches.

    SPECTRA plans below level 3 and task tables have no ownership: their field ``Files`` is what a task changes. In
    other formats a file that is mentioned need not be one that is changed, and from level 3 on ``Files`` grants
    nothing: such a task has no write scope, and the run's input gives it.
    """
    claimed = (*task.owns, *task.touches)
    if claimed or plan.format not in _FILES_FORMATS or (plan.level or 0) >= OWNERSHIP_LEVEL:
        return claimed
    return task.files


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
    """Return the paths of claims as templates, each once, without empty ones."""
    return [literal(path) for path in dict.fromkeys(claim.path for claim in claims) if path.strip()]
