"""Dotted paths into JSON values: keeping only some places, masking others.

Owns: what a path means. ``customer.email`` is a place; ``*`` is any name; lists are passed through, so that
``items.sku`` and ``items.*.sku`` both mean the ``sku`` of every item.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from remit.core.canonical import JsonValue

_END: Final = ""
_ABSENT: Final = object()

_Tree = Mapping[str, Any]


def keep_paths(value: JsonValue, paths: tuple[str, ...]) -> JsonValue:
    """Return only what lies on one of the paths; ``None`` if the value has no such places at all."""
    kept = _keep(value, _tree(paths))
    return None if kept is _ABSENT else kept  # type: ignore[return-value]  # what is kept is part of a JSON value


def mask_paths(value: JsonValue, paths: tuple[str, ...], *, mark: str) -> JsonValue:
    """Return the value with the mark in every place that one of the paths names."""
    masked: JsonValue = _mask(value, _tree(paths), mark)
    return masked


@lru_cache(maxsize=1_024)
def _tree(paths: tuple[str, ...]) -> _Tree:
    """Return the paths as nested mappings; `_END` among the names says that a path ends here."""
    root: dict[str, Any] = {}
    for path in paths:
        node = root
        for part in path.split("."):
            node = node.setdefault(part, {})
        node[_END] = {}
    return root


def _keep(value: object, tree: _Tree) -> object:
    if _END in tree:
        return value
    match value:
        case Mapping():
            kept = {name: _keep(item, _merged(tree.get(name), tree.get("*"))) for name, item in value.items()}
            return {name: item for name, item in kept.items() if item is not _ABSENT}
        case list():
            items = [_keep(item, tree.get("*", tree)) for item in value]
            return [item for item in items if item is not _ABSENT]
        case _:
            return _ABSENT


def _mask(value: Any, tree: _Tree, mark: str) -> Any:
    if _END in tree:
        return mark
    match value:
        case Mapping():
            return {name: _mask(item, _merged(tree.get(name), tree.get("*")), mark) for name, item in value.items()}
        case list():
            passed = _merged(tree, tree.get("*"))
            return [_mask(item, passed, mark) for item in value]
        case _:
            return value


def _merged(first: _Tree | None, second: _Tree | None) -> _Tree:
    if not first or not second:
        return first or second or {}
    return {name: _merged(first.get(name), second.get(name)) for name in {*first, *second}}
