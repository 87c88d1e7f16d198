"""Inference: what a function's signature says about the arguments and the result of its tool.

Owns: the rules from annotations to JSON Schema, and turning JSON arguments into the annotated types.
Does not know: contracts beyond their schemas.

Every parameter needs an annotation. ``str``, ``int``, ``float``, ``bool``, ``None``, ``list``, ``dict``, ``Literal``,
unions, enumerations, dates, TypedDicts, dataclasses and msgspec Structs are understood, and ``msgspec.Meta`` in
``Annotated`` constrains them. A parameter annotated with ``ToolContext`` receives the context and is no argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

import msgspec

from remit.core.canonical import JsonValue
from remit.errors import ContractInvalidError
from remit.ports.tool import ToolContext, ToolResult

_REFERENCE: Final = "#/$defs/{name}"
_FREE: Final = (Any, object, ToolResult, inspect.Signature.empty)
"""Return annotations that promise nothing about the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a function takes its arguments: as keywords of these types, or as they come if ``types`` is ``None``."""

    context_name: str | None
    types: type[msgspec.Struct] | None

    def keywords(self, arguments: Mapping[str, JsonValue]) -> dict[str, Any]:
        """Return the arguments as the function wants them; ``msgspec.ValidationError`` if they do not fit."""
        if self.types is None:
            return dict(arguments)
        record = msgspec.convert(dict(arguments), self.types)
        return {name: getattr(record, name) for name in self.types.__struct_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """What a signature says: the shape of the arguments, and both schemas."""

    shape: Shape
    input_schema: dict[str, JsonValue]
    output_schema: dict[str, JsonValue]


def infer(function: Callable[..., object], *, name: str, input_schema: Mapping[str, JsonValue] | None) -> Inferred:
    """Return what a function's signature says about its tool.

    Args:
        function: The function, synchronous or not.
        name: The tool's name, for messages.
        input_schema: If given, it counts instead of the annotations, and a function that takes ``**arguments`` gets
            them as they come.

    Raises:
        ContractInvalidError: a parameter has no annotation, or one that has no JSON form.
    """
    hints = _hints(function, name)
    parameters = inspect.signature(function).parameters.values()
    context_name = next((p.name for p in parameters if hints.get(p.name) is ToolContext), None)
    own = [parameter for parameter in parameters if parameter.name != context_name]
    output_schema = _output_schema(hints.get("return", inspect.Signature.empty), name)
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in own)
    if takes_any and input_schema is not None:
        shape = Shape(context_name=context_name, types=None)
        return Inferred(shape=shape, input_schema=dict(input_schema), output_schema=output_schema)
    types = _record(own, hints, name)
    return Inferred(
        shape=Shape(context_name=context_name, types=types),
        input_schema=_schema_of(types, name) if input_schema is None else dict(input_schema),
        output_schema=output_schema,
    )


def _hints(function: Callable[..., object], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ContractInvalidError(
            f"expected annotations of tool {name} that can be looked up in its module, got one that cannot: {error}; "
            "define the type at module level and import it at run time",
            tool=name,
            field="input_schema",
        ) from error


def _record(parameters: list[inspect.Parameter], hints: Mapping[str, Any], name: str) -> type[msgspec.Struct]:
    """Return a record with one field for each parameter."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in parameters:
        if parameter.kind not in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}:
            raise ContractInvalidError(
                f"expected named parameters for tool {name}, got {str(parameter)!r}; arguments are passed by name",
                tool=name,
                field="input_schema",
            )
        if parameter.name not in hints:
            raise ContractInvalidError(
                f"expected an annotation for parameter {parameter.name!r} of tool {name}, got none; "
                "its schema is made from it",
                tool=name,
                field="input_schema",
            )
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, hints[parameter.name]))
        else:
            fields.append((parameter.name, hints[parameter.name], _default(parameter.default)))
    return msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)


def _default(value: object) -> object:
    if not isinstance(value, list | dict | set | bytearray):
        return value
    # A call must not see what an earlier one did to a shared default.
    return msgspec.field(default_factory=lambda: deepcopy(value))


def _output_schema(annotation: object, name: str) -> dict[str, JsonValue]:
    if annotation in _FREE:
        return {}
    return _schema_of(annotation, name)


def _schema_of(annotation: Any, name: str) -> dict[str, JsonValue]:
    try:
        (schema,), components = msgspec.json.schema_components([annotation], ref_template=_REFERENCE)
    except TypeError as error:
        raise ContractInvalidError(
            f"expected annotations of tool {name} that have a JSON form, got one that has none: {error}; "
            "use plain types, records or TypedDicts",
            tool=name,
            field="input_schema",
        ) from error
    root = schema
    if set(schema) == {"$ref"} and not _refers_to(components, schema["$ref"]):
        root = components.pop(schema["$ref"].rpartition("/")[2])
        root.pop("title", None)
    _open_free_objects([root, *components.values()])
    return {**root, "$defs": components} if components else dict(root)


def _refers_to(components: object, reference: str) -> bool:
    match components:
        case dict():
            return any(
                (name == "$ref" and value == reference) or _refers_to(value, reference)
                for name, value in components.items()
            )
        case list() | tuple():
            return any(_refers_to(item, reference) for item in components)
        case _:
            return False


def _open_free_objects(schemas: list[Any]) -> None:
    """Say of every mapping without known names that it takes any: a schema that says nothing takes none."""
    waiting = list(schemas)
    while waiting:  # bound: a schema is a finite tree
        schema = waiting.pop()
        if isinstance(schema, list | tuple):
            waiting.extend(schema)
        elif isinstance(schema, dict):
            if schema.get("type") == "object" and not schema.keys() & {"additionalProperties", "properties"}:
                schema["additionalProperties"] = True
            waiting.extend(schema.values())
