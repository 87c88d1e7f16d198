"""What this version cannot run is refused by name, and never reaches the machine."""

import ast
from pathlib import Path

import msgspec
import pytest

import remit.core
from remit.core.definition import (
    Definition,
    GateStep,
    LoopStep,
    TimerStep,
    ToolStep,
    decode_definition,
    definition_digest,
    encode_definition,
)
from remit.core.program import load_program
from remit.core.runnable import NAMED_MAX, require_runnable, unrunnable_parts
from remit.errors import DefinitionUnrunnableError
from remit.testing.definitions import define, tool_step

LOOP = LoopStep(id="l", body=(tool_step("inner"),), until="steps.inner.output.done", iterations_max=3)
GATE = GateStep(id="g", question="Go on?", approvers=("ada",))
ACTING: ToolStep = msgspec.structs.replace(tool_step("p"), principal="builder")
KNOWING = frozenset({"definition.py", "runnable.py"})
"""The only modules of the core that know of steps which cannot be run."""


def parts_of(*steps: LoopStep | GateStep | ToolStep | TimerStep, without: frozenset[str] = frozenset()) -> list[str]:
    found = unrunnable_parts(define(*steps), without_adapter=without)
    return [f"{part.step} {part.kind} {part.name}".strip() for part in found]


def test_every_part_that_cannot_run_is_found() -> None:
    """
    Loops with what is in their bodies, gates, acting principals and tools without adapter are named in document order.
    """
    inside = msgspec.structs.replace(LOOP, body=(msgspec.structs.replace(tool_step("inner"), principal="builder"),))
    tool = tool_step("t").tool

    assert ["l loop", "inner principal builder", "g gate"] == parts_of(inside, TimerStep(id="w", duration_ms=1), GATE)
    assert ["p principal builder", f"p tool {tool}"] == parts_of(ACTING, without=frozenset({tool}))
    assert [] == parts_of(tool_step("t"), TimerStep(id="w", duration_ms=1))


@pytest.mark.parametrize("step", [LOOP, GATE, ACTING], ids=["loop", "gate", "principal"])
def test_definition_with_such_a_part_never_becomes_a_program(step: LoopStep | GateStep | ToolStep) -> None:
    """
    Its bytes are a definition like any other; a program, and so a run, cannot be made of them.
    """
    definition = define(tool_step("a"), step)
    body = encode_definition(definition)

    assert definition == decode_definition(body)
    with pytest.raises(DefinitionUnrunnableError) as caught:
        load_program(body)
    assert step.id in caught.value.message
    assert step.id in {part["step"] for part in _parts(caught.value)}


def test_runnable_steps_are_handed_on_as_they_are() -> None:
    """
    A definition without such parts keeps its steps, in their order.
    """
    definition = define(tool_step("b"), TimerStep(id="a", duration_ms=1))

    assert definition.steps == require_runnable(definition)


def test_message_names_a_few_and_the_error_carries_all() -> None:
    """
    A plan of a hundred loops is refused in one readable sentence.
    """
    loops = [msgspec.structs.replace(LOOP, id=f"l{number}", body=()) for number in range(100)]
    with pytest.raises(DefinitionUnrunnableError) as caught:
        require_runnable(define(*loops))

    assert f"and {100 - NAMED_MAX} more" in caught.value.message
    assert 100 == len(_parts(caught.value))
    assert len(caught.value.message) < 500


def test_core_machine_does_not_know_them() -> None:
    """
    No module of the core but the definition and the refusal mentions a kind of step that cannot be run.
    """
    folder = Path(remit.core.__file__).parent
    knowing = {
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if {"LoopStep", "GateStep"} & {getattr(node, "id", None), getattr(node, "name", None)}
    }

    assert KNOWING == knowing


def test_absent_principal_has_no_bytes() -> None:
    """
    A step without principal is stored without the field; with one it is there, and changes the digest.
    """
    without = Definition(name="x", version="1.0.0", steps=(tool_step("a"),))
    acting = Definition(name="x", version="1.0.0", steps=(msgspec.structs.replace(tool_step("a"), principal="b"),))

    assert b"principal" not in encode_definition(without)
    assert b'"principal":"b"' in encode_definition(acting)
    assert definition_digest(encode_definition(without)) != definition_digest(encode_definition(acting))


def _parts(error: DefinitionUnrunnableError) -> list[dict[str, str]]:
    parts = error.fields["unrunnable"]
    assert isinstance(parts, list)
    return parts
