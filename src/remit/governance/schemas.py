"""JSON Schema: compiled once, closed, self-contained, and silent about values.

Owns: which schemas we accept (2020-12 without anything to fetch), how they are closed, and how a mismatch is told.
Does not know: whose schema it is. ``jsonschema_rs`` stands behind this module alone: always offline, with formats
validated, patterns in linear time, and values masked; its own messages are not used at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

from remit.core.canonical import JsonValue
from remit.errors import ContractInvalidError
from remit.governance.memo import per_record
from remit.governance.mismatches import Mismatch, Violation, describe, path_of
from remit.governance.suggestions import nearest

SCHEMA_URI: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_DEPTH_MAX: Final = 32
SCHEMA_WEIGHT_MAX: Final = 10_000
"""Most schemas that one is when each reference is followed: who asks twice for what asks twice for something, and so
on, asks a billion times in thirty lines."""

MISMATCHES_MAX: Final = 10
"""Most mismatches told at once: enough to correct a call, too few to flood a trace."""

COMPARISONS_MAX: Final = 50_000
"""Values times schemas up to which all mismatches are looked for; beyond it the first one is told. Each costs up to ten
microseconds and a kilobyte, and the library finds them all before it hands out one."""

_SINGLE: Final = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_PLAIN: Final = frozenset(
    {
        "$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "const", "contentEncoding",
        "contentMediaType", "default", "dependentRequired", "deprecated", "description", "enum", "examples",
        "exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems", "maxLength", "maxProperties",
        "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern",
        "readOnly", "required", "title", "type", "uniqueItems", "writeOnly",
    }
)  # fmt: skip
_KEYWORDS: Final = _SINGLE | _LISTS | _MAPS | _PLAIN
_IN_PLACE: Final = frozenset(
    {"$dynamicRef", "$ref", "allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then"}
)
"""Keywords whose subschemas speak of the same value: such an object is closed as a whole, not branch by branch."""

_MEMBER_KEYWORDS: Final = _IN_PLACE | {
    "additionalProperties", "enum", "const", "patternProperties", "properties", "unevaluatedProperties",
}  # fmt: skip
_CLOSERS: Final = frozenset({"additionalProperties", "unevaluatedProperties"})


class Schema:
    """One schema, ready to check values."""

    __slots__ = ("_schema", "_validator", "_weight")

    def __init__(self, schema: Mapping[str, JsonValue]) -> None:
        """Compile a schema; `ContractInvalidError` if it is none, or not one that we accept."""
        require_schema(schema)
        self._schema = schema
        self._validator = _compile(schema)
        self._weight = _weight_of(schema)

    def matches(self, value: JsonValue) -> bool:
        """Whether the value is what the schema says."""
        return self._validator.is_valid(value)

    def mismatches(self, value: JsonValue) -> list[Mismatch]:
        """Return where the value is not what the schema says, at most `MISMATCHES_MAX` places."""
        if self._validator.is_valid(value):
            return []
        if _value_count(value, COMPARISONS_MAX) * self._weight > COMPARISONS_MAX:
            return self._first_mismatch(value)
        found: list[Mismatch] = []
        for error in self._validator.iter_errors(value):
            found.append(describe(_violation(error, self._schema)))
            if len(found) == MISMATCHES_MAX:
                break
        return _without_echoes(found)

    def _first_mismatch(self, value: JsonValue) -> list[Mismatch]:
        try:
            self._validator.validate(value)
        except ValidationError as error:
            return [describe(_violation(error, self._schema))]
        return []


@per_record
def compiled_schema(schema: Mapping[str, JsonValue]) -> Schema:
    """Return the compiled form of a schema object, made once. The schema must not be changed afterwards."""
    return Schema(schema)


def require_schema(schema: Mapping[str, JsonValue]) -> None:
    """Refuse a schema that is not JSON Schema 2020-12, refers outside itself, or has a misspelt keyword.

    Raises:
        ContractInvalidError: carries ``path``, like ``$.properties.amount``.
    """
    for path, subschema in _subschemas(schema, "$", 0):
        _require_known_keywords(subschema, path)
        _require_self_contained(subschema, path)
    if _weight_of(schema) > SCHEMA_WEIGHT_MAX:
        raise ContractInvalidError(
            f"expected a schema of at most {SCHEMA_WEIGHT_MAX} schemas with every reference followed, got more; "
            "ask for each definition once",
            path="$",
        )
    _compile(schema)


def require_stated_members(schema: Mapping[str, JsonValue]) -> None:
    """Refuse a schema, about to be closed, with an object inside that says nothing of its members.

    Closed, it would accept the empty object only, which nobody means.

    Raises:
        ContractInvalidError: carries ``path``.
    """
    for path, subschema in _subschemas(schema, "$", 0):
        if path != "$" and _describes_object(subschema) and not subschema.keys() & _MEMBER_KEYWORDS:
            raise ContractInvalidError(
                f"expected properties or additionalProperties in the object at {path}, got neither; "
                "write additionalProperties: true if it may hold anything",
                path=path,
            )


def close_schema(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the schema with every object closed that does not say otherwise.

    An object whose fields are all listed in one place gets ``additionalProperties: false``. One that is put together
    (``allOf``, ``$ref`` and the like) gets ``unevaluatedProperties: false``, which sees through the parts; the parts
    themselves stay open, because each of them knows only some of the fields. An object that says nothing of its members
    accepts none (see `require_stated_members`). Closing twice changes nothing.
    """
    closed: dict[str, JsonValue] = _closed(schema)
    return closed


def _compile(schema: Mapping[str, JsonValue]) -> Draft202012Validator:
    try:
        return Draft202012Validator(
            dict(schema),
            offline=True,
            validate_formats=True,
            ignore_unknown_formats=False,
            mask="[value]",
            pattern_options=RegexOptions(),
        )
    except ValidationError as error:
        path = path_of(error.instance_path)
        raise ContractInvalidError(
            f"expected a JSON Schema 2020-12 at {path}, got one that is not: {error.message}; correct it", path=path
        ) from None


def _weight_of(schema: Mapping[str, Any]) -> int:
    """Return how many schemas one is when each reference is followed, up to just above `SCHEMA_WEIGHT_MAX`.

    A definition that refers to itself counts as one place there: how often it is asked is up to the value.
    """
    return _Weights(schema).of(schema)


class _Weights:
    """Weighs schemas by the place at which they are asked: a keyword's, or a reference's."""

    __slots__ = ("_known", "_root", "_under_way")

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._known: dict[str, int] = {}
        self._under_way: set[str] = set()

    def of(self, schema: object, place: str = "#") -> int:
        if not isinstance(schema, Mapping) or place in self._under_way:
            return 1
        weight = self._known.get(place)
        if weight is None:
            self._under_way.add(place)
            parts = sum(self.of(part, where) for where, part in self._parts(schema, place))
            weight = min(1 + parts, SCHEMA_WEIGHT_MAX + 1)
            self._under_way.discard(place)
            self._known[place] = weight
        return weight

    def _parts(self, schema: Mapping[str, Any], place: str) -> list[tuple[str, object]]:
        """Return what a schema asks: its subschemas but for definitions, and what it refers to."""
        parts = [
            (f"{place} {keyword}{inner}", part)
            for keyword, value in schema.items()
            if keyword not in {"$defs", "definitions"}
            for inner, part in _children(keyword, value)
        ]
        references = [schema.get(keyword) for keyword in ("$ref", "$dynamicRef")]
        return [*parts, *((text, self._target(text)) for text in references if isinstance(text, str))]

    def _target(self, reference: str) -> object:
        place: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(place, list) and name.isdecimal() and int(name) < len(place):
                place = place[int(name)]
            elif isinstance(place, Mapping):
                place = place.get(name)
            else:
                return None
        return place


def _value_count(value: object, most: int) -> int:
    """Return how many values there are in one, or a number above ``most``."""
    count = 0
    pending = [value]
    while pending and count <= most:
        item = pending.pop()
        count += 1
        if isinstance(item, list):
            pending += item
        elif isinstance(item, Mapping):
            pending += item.values()
    return count


def _subschemas(schema: object, path: str, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every place that holds a schema, the schema itself first; places that hold plain data are left out."""
    if depth > SCHEMA_DEPTH_MAX:
        raise ContractInvalidError(
            f"expected at most {SCHEMA_DEPTH_MAX} nested schemas, got more at {path[:80]}; use $defs", path=path
        )
    if not isinstance(schema, Mapping):
        return  # true, false, or what the compiler will refuse with a better message
    yield path, schema
    for keyword, value in schema.items():
        for place, subschema in _children(keyword, value):
            yield from _subschemas(subschema, f"{path}.{keyword}{place}", depth + 1)


def _children(keyword: str, value: object) -> list[tuple[str, object]]:
    if keyword in _SINGLE:
        return [("", value)]
    if keyword in _LISTS and isinstance(value, list):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if keyword in _MAPS and isinstance(value, Mapping):
        return [(f".{name}", item) for name, item in value.items()]
    return []


def _require_known_keywords(schema: Mapping[str, Any], path: str) -> None:
    for keyword in schema:
        if keyword in _KEYWORDS:
            continue
        meant = nearest(keyword, _KEYWORDS) if not keyword.startswith("x-") else None
        # JSON Schema ignores what it does not know: a misspelt `required` would silently require nothing.
        if meant is not None and _is_slip(keyword, meant):
            raise ContractInvalidError(
                f"expected a JSON Schema keyword at {path}, got {keyword!r}; did you mean {meant!r}?", path=path
            )


def _is_slip(keyword: str, meant: str) -> bool:
    return keyword.lower() == meant.lower() or (abs(len(keyword) - len(meant)) <= 2 and keyword[:1] == meant[:1])


def _require_self_contained(schema: Mapping[str, Any], path: str) -> None:
    for keyword in ("$ref", "$dynamicRef"):
        reference = schema.get(keyword)
        if reference is not None and not str(reference).startswith("#"):
            raise ContractInvalidError(
                f"expected {keyword} into the schema itself (#/$defs/…) at {path}, got {reference!r}; "
                "nothing is fetched: copy what it refers to",
                path=path,
            )
    if "$id" in schema:
        raise ContractInvalidError(f"expected no $id at {path}; references are resolved inside the schema", path=path)
    if str(schema.get("$schema", SCHEMA_URI)).rstrip("#") != SCHEMA_URI:
        raise ContractInvalidError(f"expected $schema {SCHEMA_URI} at {path}, got {schema['$schema']!r}", path=path)


def _closed(schema: Any) -> Any:
    """Close a schema that stands where a value of its own is described."""
    if not isinstance(schema, Mapping):
        return schema
    closed = _with_closed_members(schema)
    if _CLOSERS & schema.keys():
        return closed
    if _IN_PLACE & schema.keys():
        closed["unevaluatedProperties"] = False
    elif _describes_object(schema):
        closed["additionalProperties"] = False
    return closed


def _with_closed_members(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Close the members and items of a schema, but not the schema: it may be one part of a whole."""
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        visit = _with_closed_members_or_bool if keyword in _IN_PLACE or keyword in {"$defs", "definitions"} else _closed
        if keyword in _SINGLE and keyword not in {"propertyNames", "not", "if", "contains"}:
            result[keyword] = visit(value)
        elif keyword in _LISTS and isinstance(value, list):
            result[keyword] = [visit(item) for item in value]
        elif keyword in _MAPS and isinstance(value, Mapping):
            result[keyword] = {name: visit(item) for name, item in value.items()}
        else:
            result[keyword] = value
    return result


def _with_closed_members_or_bool(schema: Any) -> Any:
    return _with_closed_members(schema) if isinstance(schema, Mapping) else schema


def _describes_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return "properties" in schema or kind == "object" or (isinstance(kind, list) and "object" in kind)


def _without_echoes(found: list[Mismatch]) -> list[Mismatch]:
    """Leave out "unknown" properties that only count as unknown because the alternative that knows them failed."""
    causes = [mismatch.path for mismatch in found if mismatch.keyword != "unevaluatedProperties"]
    return [
        mismatch
        for mismatch in found
        if mismatch.keyword != "unevaluatedProperties" or not any(path.startswith(mismatch.path) for path in causes)
    ]


def _violation(error: ValidationError, schema: Mapping[str, Any]) -> Violation:
    terms = error.kind.as_dict()
    context = terms.pop("context", ())
    return Violation(
        place=error.instance_path,
        keyword=error.kind.name,
        terms=terms,
        value=error.instance,
        known=_known_names(schema, error.schema_path),
        branches=[[_violation(inner, schema) for inner in branch[:MISMATCHES_MAX]] for branch in context],
    )


def _known_names(schema: Mapping[str, Any], place: list[str | int]) -> list[str]:
    """Return the properties that the schema around a keyword lists, as far as they can be found."""
    around: Any = schema
    for part in place[:-1]:
        try:
            around = around[part]
        except (KeyError, IndexError, TypeError):
            return []
    properties = around.get("properties") if isinstance(around, Mapping) else None
    return list(properties) if isinstance(properties, Mapping) else []
