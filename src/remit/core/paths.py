"""Paths into JSON values: a name, then keys and indexes.

Owns: the type of paths and looking one up, with the meaning that CEL gives to it.
Does not know: how paths are written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from remit.core.canonical import JsonValue
from remit.errors import EvaluationError

Key: TypeAlias = str | int
Path: TypeAlias = tuple[Key, ...]

_SUGGESTED_FROM_MAX: Final = 200
"""Most keys that a misspelt one is compared with."""


def look_up(path: Path, scope: Mapping[str, JsonValue]) -> JsonValue:
    """Return the value at a path.

    Args:
        path: Keys of objects and non-negative indexes of lists.
        scope: Values by the path's first key.

    Raises:
        EvaluationError: A key is missing, an index is beyond the list's end, or a value is neither object nor list.
    """
    value: object = scope
    for depth, key in enumerate(path):
        if type(value) is dict or isinstance(value, Mapping):
            if key not in value:
                raise _missing(path, depth, value)
            value = value[key]
        elif isinstance(value, list) and isinstance(key, int):
            if key >= len(value):
                raise EvaluationError(f"expected more than {key} elements in {_place(path, depth)}, got {len(value)}")
            value = value[key]
        else:
            expected = "a list" if isinstance(key, int) else "an object"
            raise EvaluationError(f"expected {expected} at {_place(path, depth)}, got {type_name(value)}")
    result: JsonValue = value  # type: ignore[assignment]  # a part of a scope of JSON values is one
    return result


def type_name(value: object) -> str:
    """Return what a JSON value is, in words and without its content."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def suggestion(name: str, known: Iterable[str], *, otherwise: str) -> str:
    """Return a question after the closest known name, or something else to do."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise


def _missing(path: Path, depth: int, value: Mapping[str, object]) -> EvaluationError:
    key = path[depth]
    if depth == 0:
        return EvaluationError(f"expected {key!r} in the scope, got {', '.join(sorted(map(str, value)))}")
    known = list(value) if len(value) <= _SUGGESTED_FROM_MAX else []
    hint = suggestion(str(key), known, otherwise="guard it with has(...) or give a default with .?")
    return EvaluationError(f"expected the key {key!r} in {_place(path, depth)}, got an object without it; {hint}")


def _place(path: Path, depth: int) -> str:
    return ".".join(str(key) for key in path[:depth])
