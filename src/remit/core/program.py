"""A definition ready to be run: its expressions compiled and its graph indexed.

Owns: everything that is derived from a definition's bytes and never changes. Shared by all runs of the definition.
Does not know: any run's state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.core.canonical import JsonValue
from remit.core.definition import (
    Definition,
    EventStep,
    RunnableStep,
    SignalStep,
    TimerStep,
    ToolStep,
    decode_definition,
    definition_digest,
)
from remit.core.expressions import Expression, Template, compile_expression, compile_template
from remit.core.runnable import require_runnable
from remit.errors import DefinitionInvalidError
from remit.ids import Digest

RUN_ROOTS: Final = frozenset({"input", "steps", "run"})
OUTPUT_ROOTS: Final = RUN_ROOTS | {"output"}
MATCH_ROOTS: Final = RUN_ROOTS | {"event"}
TRIGGER_ROOTS: Final = frozenset({"event"})
LOOP_ROOTS: Final = RUN_ROOTS | {"iteration"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStep:
    """One step with its compiled expressions; a part that the step's kind lacks is ``None``."""

    step: RunnableStep
    condition: Expression | None = None
    arguments: Template | None = None
    output_mapping: Template | None = None
    correlation: Template | None = None
    match: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTrigger:
    """One trigger with its compiled expressions."""

    event: str
    condition: Expression | None
    key: Template
    input: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A definition with its digest, compiled steps by id (in document order) and the steps that depend on each."""

    definition: Definition
    digest: Digest
    steps: dict[str, CompiledStep]
    successors: dict[str, tuple[str, ...]]
    output: Template | None
    triggers: tuple[CompiledTrigger, ...]


def load_program(body: bytes) -> Program:
    """Return the program of stored definition bytes.

    Raises:
        DefinitionInvalidError: the bytes are no definition, or its steps do not form a graph without cycles.
        DefinitionUnrunnableError: it has parts that this version knows and cannot run. No run of it is ever begun.
        ExpressionError: an expression does not compile (a stored definition was checked before, so this is damage).
    """
    definition = decode_definition(body)
    steps = require_runnable(definition)
    return Program(
        definition=definition,
        digest=definition_digest(body),
        steps={step.id: _compile_step(step) for step in steps},
        successors=_successors_of(definition),
        output=_optional_template(definition.output, RUN_ROOTS),
        triggers=tuple(
            CompiledTrigger(
                event=trigger.event,
                condition=_optional_expression(trigger.condition, TRIGGER_ROOTS),
                key=compile_template(trigger.key, roots=TRIGGER_ROOTS),
                input=compile_template(dict(trigger.input), roots=TRIGGER_ROOTS),
            )
            for trigger in definition.triggers
        ),
    )


def _successors_of(definition: Definition) -> dict[str, tuple[str, ...]]:
    """Return the steps that depend on each; a run of a graph that is none would wait for ever."""
    successors: dict[str, list[str]] = {step.id: [] for step in definition.steps}
    if len(successors) != len(definition.steps):
        raise DefinitionInvalidError("stored definition has two steps of one id")
    remaining = {step.id: len(step.depends_on) for step in definition.steps}
    for step in definition.steps:
        for dependency in step.depends_on:
            if dependency not in successors:
                raise DefinitionInvalidError(f"step {step.id!r} depends on {dependency!r}, which does not exist")
            successors[dependency].append(step.id)
    ready = [step_id for step_id, count in remaining.items() if count == 0]
    for step_id in ready:
        for follower in successors[step_id]:
            remaining[follower] -= 1
            if remaining[follower] == 0:
                ready.append(follower)
    if len(ready) != len(remaining):
        raise DefinitionInvalidError("the steps of the stored definition depend on each other in a circle")
    return {step_id: tuple(following) for step_id, following in successors.items()}


def _compile_step(step: RunnableStep) -> CompiledStep:
    condition = _optional_expression(step.condition, RUN_ROOTS)
    match step:
        case ToolStep():
            mapping = None if step.output_mapping is None else dict(step.output_mapping)
            return CompiledStep(
                step=step,
                condition=condition,
                arguments=compile_template(dict(step.input), roots=RUN_ROOTS),
                output_mapping=_optional_template(mapping, OUTPUT_ROOTS),
            )
        case EventStep():
            return CompiledStep(
                step=step,
                condition=condition,
                correlation=_optional_template(step.correlation, RUN_ROOTS),
                match=_optional_expression(step.match, MATCH_ROOTS),
            )
        case TimerStep() | SignalStep():
            return CompiledStep(step=step, condition=condition)


def _optional_expression(text: str | None, roots: frozenset[str]) -> Expression | None:
    return None if text is None else compile_expression(text, roots=roots)


def _optional_template(value: JsonValue, roots: frozenset[str]) -> Template | None:
    return None if value is None else compile_template(value, roots=roots)
