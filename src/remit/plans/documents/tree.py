"""The tree of a document: what YAML and JSON have in common, with the place of every node.

Owns: the node records, plain JSON values of them, and the nodes that a pointer passes.
Does not know: the syntax the text was in, or what the document means.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from remit.core.canonical import JsonValue
from remit.diagnostics import Source

Pointer: TypeAlias = tuple[str | int, ...]
"""Path inside a document: keys and list positions, such as ``("steps", 2, "depends_on", 0)``."""

PLAIN: Final = ""
"""Style of a scalar without quotes; the others are the character that opens it."""


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A string, number, boolean or null. ``style`` is the opening character of a quoted or block scalar."""

    value: str | int | float | bool | None
    start: int
    end: int
    style: str = PLAIN


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    start: int
    end: int


class Entry(msgspec.Struct, frozen=True):
    """A key with its value."""

    key: Scalar
    value: Node


class Mapping(msgspec.Struct, frozen=True):
    """A mapping; of a repeated key the first stands here."""

    entries: dict[str, Entry]
    start: int
    end: int


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """A place whose content was refused and reported; nothing more is said about it."""

    start: int
    end: int


Node: TypeAlias = Scalar | Sequence | Mapping | Invalid


class Document(msgspec.Struct, frozen=True):
    """A read document.

    ``root`` is ``None`` when nothing could be read. ``is_complete`` is false when reading stopped early: what is
    missing then may only be unread, so checks of its content would mislead.
    """

    source: Source
    root: Node | None
    is_complete: bool


def plain_value(node: Node) -> JsonValue:
    """Return the JSON value of a node; a refused part is null. Nodes nest at most ``DEPTH_MAX`` deep."""
    match node:
        case Scalar(value=value):
            return value
        case Sequence(items=items):
            return [plain_value(item) for item in items]
        case Mapping(entries=entries):
            return {key: plain_value(entry.value) for key, entry in entries.items()}
        case Invalid():
            return None


def describe(node: Node) -> str:
    """Return what a node is, for messages: ``a list``, ``the string 'no'``."""
    match node:
        case Sequence():
            return "a list"
        case Mapping():
            return "a mapping"
        case Invalid():
            return "something unreadable"
        case Scalar(value=None):
            return "null"
        case Scalar(value=bool() as value):
            return "true" if value else "false"
        case Scalar(value=str() as value):
            return f"the string {shorten(value)}"
        case Scalar(value=value):
            return f"the number {value}"


def shorten(text: str, *, length_max: int = 60) -> str:
    """Return a quoted text, cut if it is long."""
    return repr(text) if len(text) <= length_max else f"{text[:length_max]!r}…"


def follow(root: Node, pointer: Pointer) -> tuple[Node, ...]:
    """Return the nodes along a pointer, the root first; it ends early where the document does."""
    path = [root]
    for part in pointer:
        node = path[-1]
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            path.append(node.entries[part].value)
        elif isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
            path.append(node.items[part])
        else:
            break
    return tuple(path)
