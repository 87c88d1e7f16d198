"""Examples of what a schema describes: what a simulated tool answers if nobody said what it does.

Owns: the smallest plain instance. Does not know: every keyword; whoever has a subtle schema says what its tool does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from remit.core.canonical import JsonValue

DEPTH_MAX: Final = 20
_PLAIN: Final[dict[str, JsonValue]] = {"string": "text", "boolean": True, "null": None}
_GIVEN: Final = ("const", "default")


def example_of(schema: Mapping[str, JsonValue], *, depth: int = 0) -> JsonValue:
    """Return an instance of a JSON schema: what it names itself, or else the plainest value of its type."""
    for keyword in _GIVEN:
        if keyword in schema:
            return schema[keyword]
    for keyword in ("enum", "examples"):
        choices = schema.get(keyword)
        if isinstance(choices, list) and choices:
            return choices[0]
    branches = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(branches, list) and branches and isinstance(branches[0], Mapping):
        return example_of(branches[0], depth=depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else None)
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "object" and depth < DEPTH_MAX:
        return _object(schema, depth)
    if kind == "array" and depth < DEPTH_MAX:
        return _array(schema, depth)
    if kind in {"integer", "number"}:
        lowest = schema.get("minimum", 1)
        return lowest if isinstance(lowest, int | float) else 1
    return _PLAIN.get(kind) if isinstance(kind, str) else {"ok": True}


def _object(schema: Mapping[str, JsonValue], depth: int) -> JsonValue:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {
        name: example_of(member, depth=depth + 1) for name, member in properties.items() if isinstance(member, Mapping)
    }


def _array(schema: Mapping[str, JsonValue], depth: int) -> JsonValue:
    items, count = schema.get("items"), schema.get("minItems", 1)
    item = example_of(items, depth=depth + 1) if isinstance(items, Mapping) else "item"
    return [item] * (count if isinstance(count, int) else 1)
