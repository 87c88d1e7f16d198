"""The input of an orchestration: a JSON Schema, or the seed's list of parameters.

Owns: how parameters become a schema, and which schemas are accepted.
Does not know: JSON Schema itself; ``governance.schemas`` does.
"""

from __future__ import annotations

import re
from typing import Final

from remit.core.canonical import JsonValue
from remit.diagnostics import Reporter
from remit.errors import ContractInvalidError
from remit.governance.schemas import Schema, close_schema, require_schema
from remit.plans.documents import Node, Pointer, describe, follow, plain_value
from remit.plans.fields import STEP_ID, Fields, fields_of, place, wrong_type
from remit.plans.orchestration.tables import PARAMETER

_TYPES: Final[dict[str, dict[str, JsonValue]]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object", "additionalProperties": True},
    "array": {"type": "array"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
}
_LIST_SUFFIX: Final = "[]"
_PATH_PART: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def read_input(fields: Fields) -> dict[str, JsonValue]:
    """Return the closed schema of a run's input; ``{}`` accepts anything and stands for no schema at all."""
    fields.exclude("input", "parameters")
    parameters = _read_parameters(fields) if "parameters" in fields else {}
    return _read_schema(fields) if "input" in fields else parameters


def _read_schema(fields: Fields) -> dict[str, JsonValue]:
    mapping = fields.object("input")
    if mapping is None:
        return {}
    schema = plain_value(mapping)
    assert isinstance(schema, dict)
    if schema and schema.get("type") != "object":
        fields.reporter.report(
            "SCHEMA_MALFORMED",
            "expected `type: object` in the schema of the input, got none; a run's input is an object: write it",
            at=fields.key("input"),
        )
        return {}
    return checked_schema(fields.reporter, mapping, schema)


def checked_schema(reporter: Reporter, node: Node, schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a schema closed; one that is malformed is reported at the place inside it and replaced by ``{}``."""
    try:
        require_schema(schema)
    except ContractInvalidError as error:
        where = follow(node, _pointer(str(error.fields.get("path", "$"))))[-1]
        reporter.report("SCHEMA_MALFORMED", error.message, at=place(where))
        return {}
    return close_schema(schema)


def _pointer(path: str) -> Pointer:
    return tuple(int(found[2]) if found[2] else found[1] for found in _PATH_PART.finditer(path))


def _read_parameters(fields: Fields) -> dict[str, JsonValue]:
    properties: dict[str, JsonValue] = {}
    required: list[JsonValue] = []
    for node in fields.items("parameters") or ():
        parameter = fields_of(fields.reporter, node, PARAMETER)
        if parameter is None:
            continue
        name = parameter.text("name", rule=STEP_ID) if parameter.require("name") else None
        schema = _parameter_schema(parameter)
        is_required = parameter.boolean("required")
        if name is None:
            continue
        if name in properties:
            parameter.reporter.report(
                "KEY_DUPLICATE", f"expected each parameter once, got {name!r} again; remove one", at=place(node)
            )
        properties[name] = schema
        if is_required or (is_required is None and "default" not in parameter):
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _parameter_schema(parameter: Fields) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = dict(_parameter_type(parameter))
    description = parameter.text("description")
    if description is not None:
        schema["description"] = description
    options = parameter.items("enum")
    if options is not None:
        schema["enum"] = [plain_value(option) for option in options]
    if options == ():
        wrong_type(parameter.reporter, _node(parameter, "enum"), "at least one value")
        schema.pop("enum")
    if "default" in parameter:
        _take_default(parameter, schema)
    return schema


def _parameter_type(parameter: Fields) -> dict[str, JsonValue]:
    written = parameter.text("type") if "type" in parameter else "string"
    if written is None:
        return {}
    kind = written.removesuffix(_LIST_SUFFIX)
    if kind not in _TYPES:
        known = ", ".join(_TYPES)
        node = _node(parameter, "type")
        parameter.reporter.report(
            "VALUE_INVALID",
            f"expected one of {known}, each also with [], got {describe(node)}; use `input` for other schemas",
            at=place(node),
        )
        return {}
    return {"type": "array", "items": dict(_TYPES[kind])} if written.endswith(_LIST_SUFFIX) else _TYPES[kind]


def _take_default(parameter: Fields, schema: dict[str, JsonValue]) -> None:
    node = _node(parameter, "default")
    value = plain_value(node)
    if Schema(schema).matches(value):
        schema["default"] = value
        return
    parameter.reporter.report(
        "VALUE_INVALID",
        f"expected a default that the parameter's type and enum allow, got {describe(node)}; correct one of them",
        at=place(node),
    )


def _node(fields: Fields, name: str) -> Node:
    node = fields.node(name)
    assert node is not None
    return node
