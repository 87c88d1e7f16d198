"""A program is a definition's graph and expressions, ready to run; damaged bytes never become one."""

import msgspec
import pytest

from remit.core.canonical import canonical_bytes
from remit.core.definition import Definition, EventStep, TimerStep, Trigger, definition_digest, encode_definition
from remit.core.program import load_program
from remit.errors import DefinitionInvalidError, ExpressionError
from remit.testing.definitions import define, program_of, sequence, tool_step


def test_program_keeps_the_order_of_the_document() -> None:
    """
    Steps come in document order, followers in the order in which they name their dependency.
    """
    program = program_of(define(tool_step("c"), tool_step("b", "c"), tool_step("a", "b", "c")))

    assert ["c", "b", "a"] == list(program.steps)
    assert {"c": ("b", "a"), "b": ("a",), "a": ()} == program.successors


def test_program_has_the_digest_of_its_bytes() -> None:
    """
    The digest is over the bytes that were stored, not over what was understood of them.
    """
    body = encode_definition(define(tool_step("a")))

    assert definition_digest(body) == load_program(body).digest


def test_step_has_the_parts_of_its_kind() -> None:
    """
    What a step's kind lacks, or its document leaves out, is not compiled.
    """
    steps = program_of(
        define(
            tool_step("a", condition="input.x"),
            TimerStep(id="t", duration_ms=1),
            EventStep(id="e", event="shop.paid", match="event.ok"),
        )
    ).steps

    assert (True, True, False) == (
        steps["a"].condition is not None,
        steps["a"].arguments is not None,
        steps["a"].output_mapping is not None,
    )
    assert (None, None, None) == (steps["t"].condition, steps["t"].arguments, steps["t"].match)
    assert (True, True) == (steps["e"].match is not None, steps["e"].correlation is None)


def test_triggers_see_the_event_only() -> None:
    """
    A trigger is asked before there is a run: its expressions have one root.
    """
    trigger = Trigger(event="shop.paid", condition="event.ok", input={"id": "${{ event.id }}"}, key="k-${{ event.id }}")
    (compiled,) = program_of(msgspec.structs.replace(define(tool_step("a")), triggers=(trigger,))).triggers
    scope = {"event": {"id": 7, "ok": True}}

    assert compiled.condition is not None
    assert compiled.condition.evaluate_bool(scope)
    assert ("k-7", {"id": 7}) == (compiled.key.render(scope), compiled.input.render(scope))


@pytest.mark.parametrize(
    "definition",
    [
        define(tool_step("a", arguments={"x": "${{ event.id }}"})),
        define(tool_step("a", condition="output.ok")),
        define(tool_step("a"), output="${{ nothing.at.all }}"),
        define(tool_step("a", condition="1 +")),
    ],
    ids=["event-in-arguments", "output-in-condition", "unknown-root", "syntax"],
)
def test_expression_outside_its_roots_does_not_load(definition: Definition) -> None:
    """
    Each expression sees what its place has, and nothing else.
    """
    with pytest.raises(ExpressionError):
        program_of(definition)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (define(tool_step("a", "b")), "'b', which does not exist"),
        (define(tool_step("a", "a")), "in a circle"),
        (define(tool_step("z"), tool_step("a", "b"), tool_step("b", "c"), tool_step("c", "a")), "in a circle"),
        (define(tool_step("a"), tool_step("a")), "two steps of one id"),
    ],
    ids=["dangling", "itself", "circle", "same-id"],
)
def test_steps_that_are_no_graph_do_not_load(definition: Definition, message: str) -> None:
    """
    A run of such steps would wait for ever: its bytes are refused, also when they were stored.
    """
    with pytest.raises(DefinitionInvalidError, match=message):
        program_of(definition)


def test_bytes_that_are_no_definition_do_not_load() -> None:
    """
    Damage is one kind of error.
    """
    with pytest.raises(DefinitionInvalidError):
        load_program(canonical_bytes({"name": "x"}))


def test_long_graph_loads_without_recursion() -> None:
    """
    Ten thousand steps in a row are a graph like any other.
    """
    program = program_of(sequence(10_000))

    assert ("s10000",) == program.successors["s9999"]
