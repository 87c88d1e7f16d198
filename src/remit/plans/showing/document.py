"""A plan as data: plan, analysis and findings with keys that do not change, and the JSON Schema that they follow.

Owns: the document, and places as lines and columns of the file.
Does not know: what the records mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Any, Final

import msgspec

from remit.plans.analysis import Analysis
from remit.plans.plan import NOWHERE, Plan
from remit.plans.showing.view import PlanView

DOCUMENT_VERSION: Final = 1
"""Grows when a key changes its meaning or is taken away; keys are added without it."""

Locate = Callable[[Sequence[int]], dict[str, int] | None]
"""From offsets of the text as it was read to a place in the file; ``None`` for what stands nowhere."""

_PLACE: Final = ("line", "column", "end_line", "end_column")

_SEVERITIES: Final = ["error", "warning", "note"]


def plan_document(view: PlanView) -> dict[str, Any]:
    """Return a plan with its analysis and findings as JSON data. Decimals are strings; places are of the file."""
    locate = _locator(view)
    return {
        "version": DOCUMENT_VERSION,
        "path": view.path,
        "plan": _located(msgspec.to_builtins(view.plan), locate),
        "analysis": _located(msgspec.to_builtins(view.analysis), locate),
        "diagnostics": view.diagnostics.to_json(),
    }


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of what ``plan_document`` returns."""
    (plan, analysis), definitions = msgspec.json.schema_components((Plan, Analysis), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A plan as remit plan show --format json prints it",
        **_record(
            version={"const": DOCUMENT_VERSION},
            path={"type": "string", "description": "The file as it was named."},
            plan=plan,
            analysis=analysis,
            diagnostics={"$ref": "#/$defs/Diagnostics"},
        ),
        "$defs": {
            **{name: _strict(definition) for name, definition in sorted(definitions.items())},
            "Place": _place_schema(),
            **_finding_schemas(),
        },
    }


def _locator(view: PlanView) -> Locate:
    text = view.text

    def locate(at: Sequence[int]) -> dict[str, int] | None:
        if text is None or tuple(at) == NOWHERE:
            return None
        span = text.span(*at)
        return dict(zip(_PLACE, (span.start.line, span.start.column, span.end.line, span.end.column), strict=True))

    return locate


def _located(value: Any, locate: Locate) -> Any:
    """Return the data with offsets replaced by places: those are the fields called ``at`` or ``…_at``."""
    if isinstance(value, (list, tuple)):
        return [_located(item, locate) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _places(item, locate) if name == "at" or name.endswith("_at") else _located(item, locate)
        for name, item in value.items()
    }


def _places(value: Sequence[Any], locate: Locate) -> Any:
    if all(isinstance(item, int) for item in value) and value:
        return locate(value)
    return [locate(item) for item in value]


def _strict(definition: Any) -> Any:
    """Return a schema in which every field is there and no other: what is printed always has all of them."""
    if isinstance(definition, list):
        return [_strict(item) for item in definition]
    if not isinstance(definition, dict):
        return definition
    if "prefixItems" in definition and definition["prefixItems"] == [{"type": "integer"}] * 2:
        return {"anyOf": [{"$ref": "#/$defs/Place"}, {"type": "null"}]}
    found = {name: _strict(item) for name, item in definition.items() if name != "default"}
    if "description" in found:
        found["description"] = cleandoc(found["description"]).replace("``", "`")
    if "properties" in found:
        found |= {"required": list(found["properties"]), "additionalProperties": False}
    return found


def _record(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _place_schema() -> dict[str, Any]:
    fields = {name: {"type": "integer", "minimum": 1} for name in _PLACE}
    return {**_record(**fields), "description": "A stretch of the file; lines and columns count from 1."}


def _finding_schemas() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    count: dict[str, Any] = {"type": "integer", "minimum": 0}
    place = _place_schema()["properties"]
    fix = _record(message=text, replacement=text, **place)
    return {
        "Diagnostics": {
            **_record(
                errors=count,
                warnings=count,
                omitted=count,
                findings={"type": "array", "items": {"$ref": "#/$defs/Finding"}},
            ),
            "description": "What is wrong with the file. `omitted` counts the findings that are not listed.",
        },
        "Finding": _record(
            code=text,
            severity={"enum": _SEVERITIES},
            message=text,
            path=text,
            **place,
            related={"type": "array", "items": _record(message=text, **place)},
            fix={"anyOf": [fix, {"type": "null"}]},
        ),
    }
