"""Checks of a definition's expressions: that they compile, and that what they use exists when they are evaluated.

Owns: which places may use what. Does not know: values; what a step's output holds is known only when it ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from remit.core.canonical import JsonValue
from remit.core.definition import Definition, EventStep, Step, ToolStep
from remit.core.expressions import compile_expression, compile_template
from remit.core.program import MATCH_ROOTS, OUTPUT_ROOTS, RUN_ROOTS, TRIGGER_ROOTS
from remit.errors import ExpressionError
from remit.governance.findings import Findings, Pointer
from remit.governance.graph_checks import Graph
from remit.governance.suggestions import did_you_mean

RUN_FIELDS: Final = frozenset({"id", "principal", "tenant"})
STEP_FIELDS: Final = frozenset({"output", "status"})

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
            self._check_step(step, index)
        self._template(self._definition.output, ("output",), RUN_ROOTS, step=None)
        for index, trigger in enumerate(self._definition.triggers):
            pointer = ("triggers", index)
            self._condition(trigger.condition, (*pointer, "condition"), TRIGGER_ROOTS, step=None)
            self._template(dict(trigger.input), (*pointer, "input"), TRIGGER_ROOTS, step=None)
            references = self._template(trigger.key, (*pointer, "key"), TRIGGER_ROOTS, step=None)
            if references is not None and not references:
                self._findings.add(
                    "TRIGGER_KEY_CONSTANT",
                    (*pointer, "key"),
                    "expected a key that differs from event to event, got a constant; use ${{ event.id }} or the like",
                )

    def _check_step(self, step: Step, index: int) -> None:
        pointer = ("steps", index)
        self._condition(step.condition, (*pointer, "condition"), RUN_ROOTS, step=step)
        match step:
            case ToolStep():
                self._template(dict(step.input), (*pointer, "input"), RUN_ROOTS, step=step)
                mapping = None if step.output_mapping is None else dict(step.output_mapping)
                self._template(mapping, (*pointer, "output_mapping"), OUTPUT_ROOTS, step=step)
            case EventStep():
                self._condition(step.match, (*pointer, "match"), MATCH_ROOTS, step=step)
                self._template(step.correlation, (*pointer, "correlation"), RUN_ROOTS, step=step)
                if step.correlation is None and step.match is None:
                    self._findings.add(
                        "EVENT_UNSPECIFIC",
                        (*pointer, "event"),
                        f"expected a correlation or a match for {step.event!r}, got neither: the first event of this "
                        "name ends the wait, whoever it is about",
                    )
            case _:
                pass

    def _condition(self, text: str | None, pointer: Pointer, roots: frozenset[str], *, step: Step | None) -> None:
        if text is None:
            return
        try:
            expression = compile_expression(text, roots=roots)
        except ExpressionError as error:
            self._invalid(error, pointer)
            return
        self._check_references(expression.references, pointer, step)

    def _template(
        self, value: JsonValue, pointer: Pointer, roots: frozenset[str], *, step: Step | None
    ) -> References | None:
        """Check a template member by member, so that findings name the place; ``None`` if one does not compile."""
        references: References = frozenset()
        is_valid = True
        for place, text in _texts(value, pointer):
            try:
                template = compile_template(text, roots=roots)
            except ExpressionError as error:
                self._invalid(error, place)
                is_valid = False
                continue
            self._check_references(template.references, place, step)
            references |= template.references
        return references if is_valid else None

    def _invalid(self, error: ExpressionError, pointer: Pointer) -> None:
        offset = error.fields.get("offset")
        self._findings.add(
            "EXPRESSION_INVALID", pointer, error.message, offset=offset if isinstance(offset, int) else None
        )

    def _check_references(self, references: References, pointer: Pointer, step: Step | None) -> None:
        for path in sorted(references):
            match path[0]:
                case "steps":
                    self._check_step_reference(path, pointer, step)
                case "run":
                    self._check_name(path, RUN_FIELDS, pointer)
                case "input" if self._inputs is not None:
                    self._check_name(path, self._inputs, pointer)
                case _:
                    pass

    def _check_step_reference(self, path: tuple[str, ...], pointer: Pointer, step: Step | None) -> None:
        if len(path) == 1:
            message = "expected the name of a step, got one that is computed; nothing can check that it has finished"
            self._findings.add("REFERENCE_DYNAMIC", pointer, message)
            return
        used = path[1]
        if used not in self._graph.places:
            hint = did_you_mean(used, self._graph.places)
            self._findings.add("REFERENCE_UNKNOWN", pointer, f"expected the id of a step, got steps.{used}{hint}")
            return
        self._check_name(path[1:], STEP_FIELDS, pointer)
        if step is not None and not self._graph.is_before(used, step.id):
            own = " itself" if used == step.id else ""
            self._findings.add(
                "REFERENCE_RACE",
                pointer,
                f"expected a step that has finished before {step.id!r} starts, got {used!r}{own}"
                + ("" if own else f"; add it to depends_on of {step.id!r}"),
                related=((f"step {used}", ("steps", self._graph.places[used], "id")),),
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
