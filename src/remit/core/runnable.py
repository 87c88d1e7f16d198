"""What of a definition this version can run: documents may say more than runs can do.

Owns: finding every part that cannot be run, and refusing it by name.
Does not know: who asks (every way in does, and `load_program`, so that no run can have such a part).
"""

from __future__ import annotations

from typing import Final, Literal, assert_never

import msgspec

from remit.core.definition import Definition, GateStep, LoopStep, RunnableStep, Step, ToolStep
from remit.errors import DefinitionUnrunnableError

UnrunnableKind = Literal["loop", "gate", "principal", "tool"]

NAMED_MAX: Final = 3
"""Most steps and names of each kind that the message names; the error carries all of them."""


class Unrunnable(msgspec.Struct, frozen=True, kw_only=True):
    """One part that cannot be run: the step, what about it, and the principal's or tool's name (else empty)."""

    step: str
    kind: UnrunnableKind
    name: str = ""


def unrunnable_parts(definition: Definition, *, without_adapter: frozenset[str] = frozenset()) -> list[Unrunnable]:
    """Return every part that this version cannot run, in document order; empty for a definition that can run.

    Args:
        definition: Any definition.
        without_adapter: Names of tools that are declared and that nothing here can call.
    """
    return [part for step in definition.steps for part in _parts(step, without_adapter)]


def require_runnable(
    definition: Definition, *, without_adapter: frozenset[str] = frozenset()
) -> tuple[RunnableStep, ...]:
    """Return the steps of a definition that can run.

    Raises:
        DefinitionUnrunnableError: it cannot; carries ``unrunnable``, every part with step, kind and name.
    """
    parts = unrunnable_parts(definition, without_adapter=without_adapter)
    if parts:
        raise DefinitionUnrunnableError(
            f"expected a definition that this version can run, got {definition.name} {definition.version} "
            f"with {told(parts)}; this version runs steps that call installed tools in the run's own name, and waits",
            definition=definition.name,
            unrunnable=[msgspec.to_builtins(part) for part in parts],
        )
    return tuple(step for step in definition.steps if not isinstance(step, LoopStep | GateStep))


def told(parts: list[Unrunnable]) -> str:
    """Return parts as words, each kind once: the first few by name, the others as a count."""
    steps: dict[UnrunnableKind, dict[str, None]] = {}
    names: dict[UnrunnableKind, dict[str, None]] = {}
    for part in parts:
        steps.setdefault(part.kind, {})[part.step] = None
        names.setdefault(part.kind, {})[part.name] = None
    found: list[str] = []
    for kind, some in steps.items():
        where = f"{'step' if len(some) == 1 else 'steps'} {_listed(list(some))}"
        named = list(names[kind])
        match kind:
            case "loop":
                found.append(f"{'a loop' if len(some) == 1 else 'loops'} ({where})")
            case "gate":
                found.append(f"{'a human gate' if len(some) == 1 else 'human gates'} ({where})")
            case "principal":
                found.append(f"steps that act as {_listed(named)} ({where})")
            case "tool":
                found.append(f"calls of {_listed(named)} without adapter here ({where})")
            case _:
                assert_never(kind)
    return ", ".join(found)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more


def _parts(step: Step, without_adapter: frozenset[str]) -> list[Unrunnable]:
    match step:
        case LoopStep():
            inside = [part for inner in step.body for part in _parts(inner, without_adapter)]
            return [Unrunnable(step=step.id, kind="loop"), *inside]
        case GateStep():
            return [Unrunnable(step=step.id, kind="gate")]
        case ToolStep():
            return _parts_of_call(step, without_adapter)
        case _:
            return []


def _parts_of_call(step: ToolStep, without_adapter: frozenset[str]) -> list[Unrunnable]:
    parts: list[Unrunnable] = []
    if isinstance(step.principal, str):
        parts.append(Unrunnable(step=step.id, kind="principal", name=step.principal))
    if step.tool in without_adapter:
        parts.append(Unrunnable(step=step.id, kind="tool", name=step.tool))
    return parts
