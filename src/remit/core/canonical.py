"""Canonical JSON (RFC 8785): one value, one sequence of bytes, one digest.

Owns: the type of JSON values, their canonical bytes and the digest over those.
Does not know: what the values mean or who signs them.

``rfc8785`` is the definition. ``orjson`` writes the same bytes many times faster for most values; `_is_plain` says for
which, and a differential test holds the two together. Where they differ: whole floats (``1.0``), exponents (``1e16``,
``1e-6``), NaN (orjson writes ``null``), and keys that UTF-8 and UTF-16 sort differently (from U+D800 on).
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final, TypeAlias

import orjson
import rfc8785

from remit.errors import CanonicalizationError

# Type checkers take this name for true. msgspec reads annotations at run time and knows no recursive alias: for it, a
# field of type `JsonValue` holds whatever JSON can say.
TYPE_CHECKING = False
if TYPE_CHECKING:
    JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
else:
    JsonValue = Any

INTEGER_MAX: Final = 2**53 - 1
"""Largest magnitude of an integer: every JSON reader, JavaScript included, reads it back unchanged (RFC 7493)."""

DEPTH_MAX: Final = 128
"""Deepest nesting of lists and objects: twice what strict JSON lets in, and far from Python's own recursion limit."""

_FIRST_SURROGATE: Final = "\ud800"
_FLOAT_PLAIN_MIN: Final = 1e-4  # from here up to _FLOAT_PLAIN_MAX neither writer uses an exponent
_FLOAT_PLAIN_MAX: Final = 1e15
_SCALARS: Final = frozenset({str, int, bool, type(None)})
_ORJSON_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Equal values have equal bytes, whatever the order of their keys and whether a number came as ``1`` or ``1.0``. Whole
    doubles from 2**53 on are written in digits alone, as the RFC wants; read back as integers they are refused.

    Args:
        value: None, booleans, numbers, strings, lists and dictionaries with string keys, nested at most `DEPTH_MAX`
            deep. Subclasses count as what they extend, tuples as lists.

    Returns:
        UTF-8 without byte-order mark or insignificant white space.

    Raises:
        CanonicalizationError: The value holds NaN, an infinity, an integer beyond `INTEGER_MAX`, a lone surrogate, a
            key that is no string, another type, or is nested too deeply. Carries ``path``, like ``$.items[3].price``.
    """
    if _is_plain(value, 0):
        try:
            return orjson.dumps(value, option=_ORJSON_OPTIONS)
        except orjson.JSONEncodeError:
            pass  # an unsafe integer or a lone surrogate: the slow path names its place
    _require_canonical(value, "$", 0)
    return rfc8785.dumps(value)


def digest(value: JsonValue) -> str:
    """Return the SHA-256 of the canonical bytes as 64 lower-case hex digits.

    Raises:
        CanonicalizationError: As `canonical_bytes`.
    """
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def member_path(path: str, key: object) -> str:
    """Return where a member is, given the path of its object: ``$.items`` and ``price`` give ``$.items.price``.

    Raises:
        CanonicalizationError: The key is no string or holds a lone surrogate.
    """
    if not isinstance(key, str):
        raise CanonicalizationError(
            f"expected string keys in the object at {path}, got {key!r}; JSON knows no other keys", path=path
        )
    _require_unicode(key, f"a key of {path}")
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{orjson.dumps(key).decode()}]"


def _is_plain(value: object, depth: int) -> bool:
    # Exact types only: orjson also writes enums, UUIDs and instants. What it refuses may count as plain.
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is float:
        assert isinstance(value, float)
        return _FLOAT_PLAIN_MIN <= abs(value) < _FLOAT_PLAIN_MAX and value % 1 != 0
    if depth == DEPTH_MAX:
        return False
    if kind is dict:
        assert isinstance(value, dict)
        return _is_plain_dict(value, depth)
    if kind is list:
        assert isinstance(value, list)
        return all(type(item) in _SCALARS or _is_plain(item, depth + 1) for item in value)
    return False


def _is_plain_dict(value: dict[object, object], depth: int) -> bool:
    for key, item in value.items():
        if type(key) is not str or not (key.isascii() or max(key) < _FIRST_SURROGATE):
            return False
        if type(item) not in _SCALARS and not _is_plain(item, depth + 1):
            return False
    return True


def _require_canonical(value: object, path: str, depth: int) -> None:
    match value:
        case None | bool():
            return
        case int():
            _require_safe_integer(value, path)
        case float():
            if not math.isfinite(value):
                raise CanonicalizationError(
                    f"expected a finite number at {path}, got {value!r}; leave it out or send null", path=path
                )
        case str():
            _require_unicode(value, path)
        case list() | tuple():
            _require_depth(path, depth)
            for index, item in enumerate(value):
                _require_canonical(item, f"{path}[{index}]", depth + 1)
        case dict():
            _require_depth(path, depth)
            for key, item in value.items():
                _require_canonical(item, member_path(path, key), depth + 1)
        case _:
            raise CanonicalizationError(
                f"expected a JSON value at {path}, got {type(value).__name__}; convert it first", path=path
            )


def _require_safe_integer(value: int, path: str) -> None:
    if abs(value) <= INTEGER_MAX:
        return
    got = str(value) if value.bit_length() <= 128 else f"one of {value.bit_length()} bits"
    raise CanonicalizationError(
        f"expected an integer between -(2**53 - 1) and 2**53 - 1 at {path}, got {got}; send it as a string", path=path
    )


def _require_unicode(value: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise CanonicalizationError(
            f"expected Unicode text at {path}, got a lone surrogate at character {error.start}; send whole characters",
            path=path,
        ) from None


def _require_depth(path: str, depth: int) -> None:
    if depth >= DEPTH_MAX:
        shown = path if len(path) <= 80 else path[:80] + "…"
        raise CanonicalizationError(
            f"expected at most {DEPTH_MAX} nested lists and objects, got more at {shown}; flatten the value", path=path
        )
