"""Checks of a definition's expressions: that they compile, and that what they use exists when they are evaluated.

Owns: which places may use what. Does not know: values; what a step's output holds is known only when it ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from remit.core.canonical import JsonValue
from remit.core.definition import Definition, EventStep, LoopStep, Step, ToolStep
from remit.core.expressions import compile_expression, compile_template
from remit.core.program import LOOP_ROOTS, MATCH_ROOTS, OUTPUT_ROOTS, RUN_ROOTS, TRIGGER_ROOTS
from remit.errors import ExpressionError
from remit.governance.findings import Findings, Pointer
from remit.governance.graph_checks import Graph, View
from remit.governance.suggestions import did_you_mean

RUN_FIELDS: Final = frozenset({"id", "principal", "tenant"})
STEP_FIELDS: Final = frozenset({"output", "status"})
ITERATION_FIELDS: Final = frozenset({"feedback", "number", "number_max"})

_MAYBE_BOOLEAN: Final = frozenset({"BOOL", "DYN"})
_LOOP_ROOT: Final = LOOP_ROOTS - RUN_ROOTS

References = frozenset[tuple[str, ...]]


class ExpressionChecks:
    """The checks of one definition's expressions."""

    __slots__ = ("_definition", "_findings", "_graph", "_inputs")

    def __init__(self, definition: Definition, graph: Graph, findings: Findings) -> None:
        self._definition = definition
        self._graph = graph
        self._findings = findings
        self._inputs = known_properties(definition.input_schema)

    def check(self) -> None:
        """Check every expression of the definition."""
        for index, step in enumerate(self._definition.steps):
            self._check_step(step, ("steps", index), View(self._graph, step.id))
        everything = View(self._graph)
        self._template(self._definition.output, ("output",), RUN_ROOTS, everything)
        for index, trigger in enumerate(self._definition.triggers):
            pointer = ("triggers", index)
            self._condition(trigger.condition, (*pointer, "condition"), TRIGGER_ROOTS, everything)
            self._template(dict(trigger.input), (*pointer, "input"), TRIGGER_ROOTS, everything)
            references = self._template(trigger.key, (*pointer, "key"), TRIGGER_ROOTS, everything)
            if references is not None and not references:
                self._findings.add(
                    "TRIGGER_KEY_CONSTANT",
                    (*pointer, "key"),
                    "expected a key that differs from event to event, got a constant; use ${{ event.id }} or the like",
                )

    def _check_step(self, step: Step, pointer: Pointer, view: View) -> None:
        further = frozenset() if view.body is None else _LOOP_ROOT
        self._condition(step.condition, (*pointer, "condition"), RUN_ROOTS | further, view)
        match step:
            case ToolStep():
                self._template(dict(step.input), (*pointer, "input"), RUN_ROOTS | further, view)
                mapping = None if step.output_mapping is None else dict(step.output_mapping)
                self._template(mapping, (*pointer, "output_mapping"), OUTPUT_ROOTS | further, view)
            case LoopStep():
                self._check_loop(step, pointer)
            case EventStep():
                self._condition(step.match, (*pointer, "match"), MATCH_ROOTS | further, view)
                self._template(step.correlation, (*pointer, "correlation"), RUN_ROOTS | further, view)
                if step.correlation is None and step.match is None:
                    self._findings.add(
                        "EVENT_UNSPECIFIC",
                        (*pointer, "event"),
                        f"expected a correlation or a match for {step.event!r}, got neither: the first event of this "
                        "name ends the wait, whoever it is about",
                    )
            case _:
                pass

    def _check_loop(self, loop: LoopStep, pointer: Pointer) -> None:
        body = self._graph.bodies[loop.id]
        for place, inner in enumerate(loop.body):
            self._check_step(inner, (*pointer, "body", place), View(self._graph, loop.id, body, inner.id))
        after = View(self._graph, loop.id, body)
        self._condition(loop.until, (*pointer, "until"), LOOP_ROOTS, after)
        self._template(loop.feedback, (*pointer, "feedback"), LOOP_ROOTS, after)
        self._template(loop.output, (*pointer, "output"), LOOP_ROOTS, after)
        if loop.body:
            self._check_until(loop, (*pointer, "until"))

    def _check_until(self, loop: LoopStep, pointer: Pointer) -> None:
        """Check that a loop can end otherwise than by running out of iterations, and that its condition is one."""
        try:
            until = compile_expression(loop.until, roots=LOOP_ROOTS)
        except ExpressionError:
            return  # told with the other conditions
        if until.kind not in _MAYBE_BOOLEAN:
            self._findings.add(
                "LOOP_UNTIL_INVALID",
                pointer,
                f"expected true or false from until of loop {loop.id!r}, got {until.kind.lower()}; compare it with "
                "something",
            )
        elif self._is_fixed(loop, until.references):
            self._findings.add(
                "LOOP_UNTIL_INVALID",
                pointer,
                f"expected an output of the body's steps in until of loop {loop.id!r}, got none: no iteration could "
                "change it; use one",
            )

    def _is_fixed(self, loop: LoopStep, references: References) -> bool:
        """Whether an expression uses nothing of what an iteration does; a computed name may be anything."""
        if ("steps",) in references:
            return False
        return self._graph.bodies[loop.id].places.keys().isdisjoint(_steps_of(references))

    def _condition(self, text: str | None, pointer: Pointer, roots: frozenset[str], view: View) -> None:
        if text is None:
            return
        try:
            expression = compile_expression(text, roots=roots)
        except ExpressionError as error:
            self._invalid(error, pointer)
            return
        self._check_references(expression.references, pointer, view)

    def _template(self, value: JsonValue, pointer: Pointer, roots: frozenset[str], view: View) -> References | None:
        """Check a template member by member, so that findings name the place; ``None`` if one does not compile."""
        references: set[tuple[str, ...]] = set()
        is_valid = True
        for place, text in _texts(value, pointer):
            try:
                template = compile_template(text, roots=roots)
            except ExpressionError as error:
                self._invalid(error, place)
                is_valid = False
                continue
            self._check_references(template.references, place, view)
            references |= template.references
        return frozenset(references) if is_valid else None

    def _invalid(self, error: ExpressionError, pointer: Pointer) -> None:
        offset = error.fields.get("offset")
        self._findings.add(
            "EXPRESSION_INVALID", pointer, error.message, offset=offset if isinstance(offset, int) else None
        )

    def _check_references(self, references: References, pointer: Pointer, view: View) -> None:
        for path in sorted(references):
            match path[0]:
                case "steps":
                    self._check_step_reference(path, pointer, view)
                case "run":
                    self._check_name(path, RUN_FIELDS, pointer)
                case "iteration":
                    self._check_name(path, ITERATION_FIELDS, pointer)
                case "input" if self._inputs is not None:
                    self._check_name(path, self._inputs, pointer)
                case _:
                    pass

    def _check_step_reference(self, path: tuple[str, ...], pointer: Pointer, view: View) -> None:
        if len(path) == 1:
            message = "expected the name of a step, got one that is computed; nothing can check that it has finished"
            self._findings.add("REFERENCE_DYNAMIC", pointer, message)
            return
        used = path[1]
        place = view.place_of(used)
        if place is None:
            loop = self._graph.loops.get(used)
            hint = did_you_mean(used, view.names())
            if loop is not None:
                hint = f", which is inside of loop {loop!r}; give it out as part of the loop's output"
            self._findings.add("REFERENCE_UNKNOWN", pointer, f"expected the id of a step, got steps.{used}{hint}")
            return
        self._check_name(path[1:], STEP_FIELDS, pointer)
        if view.name is not None and not view.is_finished(used):
            own = used == view.name
            waiting = view.name if view.body is not None and used in view.body.places else view.reader
            self._findings.add(
                "REFERENCE_RACE",
                pointer,
                f"expected a step that has finished before {view.name!r} starts, got {used!r}"
                + (" itself" if own else f"; add it to depends_on of {waiting!r}"),
                related=((f"step {used}", (*place, "id")),),
            )

    def _check_name(self, path: tuple[str, ...], known: frozenset[str], pointer: Pointer) -> None:
        if len(path) > 1 and path[1] not in known:
            names = ", ".join(sorted(known)[:8]) or "nothing"
            self._findings.add(
                "REFERENCE_UNKNOWN",
                pointer,
                f"expected one of {names} in {path[0]}, got {path[1]!r}{did_you_mean(path[1], known)}",
            )


def known_properties(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the names that an object of a closed schema may have at its top, or ``None`` if they cannot be listed."""
    listed = schema.get("properties")
    is_composed = schema.keys() & {"$ref", "allOf", "anyOf", "oneOf", "patternProperties", "dependentSchemas", "if"}
    is_open = schema.get("additionalProperties", False) is not False or "unevaluatedProperties" in schema
    if is_composed or is_open or not isinstance(listed, Mapping):
        return None
    return frozenset(str(name) for name in listed)


def _steps_of(references: References) -> set[str]:
    """Return the ids of steps that an expression names."""
    return {path[1] for path in references if path[0] == "steps" and len(path) > 1}


def _texts(value: JsonValue, pointer: Pointer) -> list[tuple[Pointer, str]]:
    """Return every text of a template with its place."""
    match value:
        case str():
            return [(pointer, value)]
        case dict():
            return [found for name, item in value.items() for found in _texts(item, (*pointer, name))]
        case list():
            return [found for index, item in enumerate(value) for found in _texts(item, (*pointer, index))]
        case _:
            return []
