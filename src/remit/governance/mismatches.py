"""Mismatches: how a value that does not match its schema is told without telling the value.

Owns: the words for each JSON Schema keyword, and the paths. Does not know: the library that found the mismatch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from remit.governance.suggestions import did_you_mean

NAME_SHOWN_MAX: Final = 64
NAMES_SHOWN_MAX: Final = 8

_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_TYPES: Final[dict[type, str]] = {
    bool: "boolean", dict: "object", float: "number", int: "integer", list: "array", str: "string", type(None): "null",
}  # fmt: skip


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a value is not what its schema says: where, what was expected, what came.

    ``path`` is like ``$.items[0].price``; ``got`` never says the value, only its type, its size, or an unknown name.
    """

    path: str
    expected: str
    got: str
    keyword: str

    def __str__(self) -> str:
        return f"expected {self.expected} at {self.path}, got {self.got}"


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """What the validator found: the place, the keyword with its terms, the value there, and the names known there."""

    place: Sequence[str | int]
    keyword: str
    terms: Mapping[str, Any]
    value: object
    known: Sequence[str] = ()
    branches: Sequence[Sequence[Violation]] = ()


def describe(violation: Violation) -> Mismatch:
    """Return the words for a violation."""
    if any(violation.branches):
        return _describe_branches(violation)
    if violation.keyword == "required":
        name = str(violation.terms.get("property", "?"))
        place = [*violation.place, name]
        got = "nothing"
        if isinstance(violation.value, Mapping):
            unknown = [key for key in violation.value if key not in violation.known]
            got += did_you_mean(name, unknown).replace("did you mean", "is it").rstrip("?") if unknown else ""
        return Mismatch(path=path_of(place), expected="a value (it is required)", got=got, keyword="required")
    expected = _EXPECTED.get(violation.keyword)
    return Mismatch(
        path=path_of(violation.place),
        expected=f"what {violation.keyword!r} of the schema asks" if expected is None else expected(violation.terms),
        got=_got(violation),
        keyword=violation.keyword,
    )


def path_of(place: Sequence[str | int]) -> str:
    """Return a place as text, like ``$.items[0].price``; unusual names are quoted and cut."""
    parts = ["$"]
    for part in place:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        elif _PLAIN_NAME.match(part) and len(part) <= NAME_SHOWN_MAX:
            parts.append(f".{part}")
        else:
            parts.append(f"[{_shown(part)}]")
    return "".join(parts)


def type_name(value: object) -> str:
    """Return the JSON type of a value."""
    return _TYPES.get(type(value), type(value).__name__)


def _describe_branches(violation: Violation) -> Mismatch:
    """Tell of the alternative that was meant, if the value's type shows which, else what each of them expects."""
    here = list(violation.place)
    meant = [
        branch
        for branch in violation.branches
        if branch and not any(error.keyword == "type" and list(error.place) == here for error in branch)
    ]
    if len(meant) == 1:
        return describe(meant[0][0])
    options = list(dict.fromkeys(describe(branch[0]).expected for branch in violation.branches if branch))
    return Mismatch(
        path=path_of(here),
        expected=" or ".join(options[:NAMES_SHOWN_MAX]),
        got=_article(type_name(violation.value)),
        keyword=violation.keyword,
    )


def _got(violation: Violation) -> str:
    name = type_name(violation.value)
    match violation.keyword:
        case "additionalProperties" | "unevaluatedProperties":
            return _got_unknown(violation)
        case "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties":
            return _counted(violation.value)
        case "type" | "falseSchema":
            return _article(name)
        case "const" | "enum" if name not in _option_types(violation.terms):
            return _article(name)
        case keyword:
            return _GOT.get(keyword, "another {}").format(name)


def _option_types(terms: Mapping[str, Any]) -> set[str]:
    return {type_name(option) for option in terms.get("options", [terms.get("expected_value")])}


def _got_unknown(violation: Violation) -> str:
    unknown = [str(name) for name in violation.terms.get("unexpected", ())]
    shown = ", ".join(_shown(name) for name in unknown[:NAMES_SHOWN_MAX])
    more = f" and {len(unknown) - NAMES_SHOWN_MAX} more" if len(unknown) > NAMES_SHOWN_MAX else ""
    hint = did_you_mean(unknown[0], violation.known).rstrip("?") if len(unknown) == 1 else ""
    return f"{shown}{more}{hint}"


def _counted(value: object) -> str:
    match value:
        case str():
            return f"{len(value)} characters"
        case list():
            return f"{len(value)} items"
        case dict():
            return f"{len(value)} properties"
        case _:
            return _article(type_name(value))


def _shown(name: str) -> str:
    shown = name if len(name) <= NAME_SHOWN_MAX else name[:NAME_SHOWN_MAX] + "…"
    return json.dumps(shown)


def _article(name: str) -> str:
    if name == "null":
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _listed(values: Sequence[object]) -> str:
    shown = ", ".join(json.dumps(value, ensure_ascii=True)[:NAME_SHOWN_MAX] for value in values[:NAMES_SHOWN_MAX])
    return shown + (", …" if len(values) > NAMES_SHOWN_MAX else "")


def _types(terms: Mapping[str, Any]) -> str:
    return " or ".join(_article(name) for name in terms.get("types", ()))


_GOT: Final = {
    "exclusiveMaximum": "a larger {}",
    "exclusiveMinimum": "a smaller {}",
    "maximum": "a larger {}",
    "minimum": "a smaller {}",
    "oneOf": "what matches several",
    "uniqueItems": "an item twice",
}
_EXPECTED: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "additionalProperties": lambda _: "only known properties",
    "const": lambda terms: _listed([terms.get("expected_value")]),
    "contains": lambda _: "an item that matches 'contains'",
    "enum": lambda terms: f"one of {_listed(list(terms.get('options', ())))}",
    "exclusiveMaximum": lambda terms: f"less than {terms.get('limit')}",
    "exclusiveMinimum": lambda terms: f"more than {terms.get('limit')}",
    "falseSchema": lambda _: "nothing",
    "format": lambda terms: f"the format {terms.get('format')}",
    "maxItems": lambda terms: f"at most {terms.get('limit')} items",
    "maxLength": lambda terms: f"at most {terms.get('limit')} characters",
    "maxProperties": lambda terms: f"at most {terms.get('limit')} properties",
    "maximum": lambda terms: f"at most {terms.get('limit')}",
    "minItems": lambda terms: f"at least {terms.get('limit')} items",
    "minLength": lambda terms: f"at least {terms.get('limit')} characters",
    "minProperties": lambda terms: f"at least {terms.get('limit')} properties",
    "minimum": lambda terms: f"at least {terms.get('limit')}",
    "multipleOf": lambda terms: f"a multiple of {terms.get('multiple_of')}",
    "not": lambda _: "anything but what 'not' describes",
    "oneOf": lambda _: "exactly one of the alternatives",
    "pattern": lambda terms: f"text that matches {str(terms.get('pattern'))[:NAME_SHOWN_MAX]}",
    "propertyNames": lambda _: "property names that match 'propertyNames'",
    "type": _types,
    "unevaluatedProperties": lambda _: "only known properties",
    "uniqueItems": lambda _: "every item once",
}
