"""Loops and human gates of an orchestration: the kinds of steps that hold more than one call or wait.

Owns: their fields, and the defaults that are filled in.
Does not know: how the steps of a body are read (it is told), or whether conditions and approvers make sense.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypedDict

from remit.core.canonical import JsonValue
from remit.core.definition import STEPS_MAX, GateStep, LoopStep, RunnableStep
from remit.core.program import LOOP_ROOTS
from remit.plans.documents import Node
from remit.plans.expressions import condition_of, template_of
from remit.plans.fields import ANSWER, PRINCIPAL_NAME, Fields
from remit.plans.orchestration.tables import GATE, LOOP

Outcome = Literal["fail", "continue"]


class CommonFields(TypedDict):
    """What every step has."""

    id: str
    depends_on: tuple[str, ...]
    condition: str | None
    on_failure: Outcome


ITERATIONS_MAX: Final = 100
"""Most iterations of one loop: as many as attempts of a step. What needs more is not getting nearer."""

CRITERIA_MAX: Final = 100
APPROVERS_MAX: Final = 20
QUESTION_CHARACTERS_MAX: Final = 2_000

_UNANSWERED: Final = "true"
"""Stands in for a condition that cannot be read; what follows from it is told at the field that is missing."""


def read_loop(fields: Fields, common: CommonFields, *, read_inner: Callable[[Node, int], RunnableStep]) -> LoopStep:
    """Return a loop; ``read_inner`` reads one step of its body, numbered from 1."""
    loop = fields.fields("loop", LOOP)
    if loop is None:
        return LoopStep(**common, body=(), until=_UNANSWERED, iterations_max=1)
    for name in ("steps", "until", "iterations_max"):
        loop.require(name)
    items = loop.items("steps") or ()
    until = loop.node("until")
    return LoopStep(
        **common,
        body=tuple(read_inner(item, number) for number, item in enumerate(items[:STEPS_MAX], start=1)),
        until=(None if until is None else condition_of(loop.reporter, until)) or _UNANSWERED,
        iterations_max=loop.integer("iterations_max", minimum=1, maximum=ITERATIONS_MAX) or 1,
        feedback=_template(loop, "feedback"),
        output=_template(loop, "output"),
    )


def read_gate(fields: Fields, common: CommonFields) -> GateStep:
    """Return a human gate."""
    gate = fields.fields("gate", GATE)
    if gate is None:
        return GateStep(**common, question="", approvers=("unreadable",))
    for name in ("question", "approvers"):
        gate.require(name)
    default = GateStep(id="default", question="", approvers=())
    options = gate.texts("options", rule=ANSWER)
    passing = gate.texts("passing", rule=ANSWER)
    return GateStep(
        **common,
        question=gate.text("question", length_max=QUESTION_CHARACTERS_MAX) or "",
        approvers=(gate.texts("approvers", rule=PRINCIPAL_NAME) or ())[:APPROVERS_MAX],
        criteria=(gate.texts("criteria") or ())[:CRITERIA_MAX],
        approvers_required=gate.integer("approvers_required", minimum=1, maximum=APPROVERS_MAX) or 1,
        options=default.options if options is None else options,
        passing=default.passing if passing is None else passing,
        timeout_ms=gate.duration_ms("timeout"),
    )


def _template(fields: Fields, name: str) -> JsonValue:
    node = fields.node(name)
    return None if node is None else template_of(fields.reporter, node, roots=LOOP_ROOTS)
