"""Building a tree from the outside in, without recursion; both syntaxes use it.

Owns: the rules for keys (strings, each once) and for depth.
Does not know: syntax.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Reporter
from remit.plans.documents.tree import Entry, Invalid, Mapping, Node, Scalar, Sequence, describe, shorten

DEPTH_MAX: Final = 64
"""Deepest nesting of lists and mappings; half of what canonical JSON takes, so that templates may nest around it."""


_NUL: Final = "\0"


class _Open:
    """A list or mapping whose end is not reached; ``key`` is one whose value comes next."""

    __slots__ = ("entries", "is_mapping", "items", "key", "skips_value", "start")

    def __init__(self, start: int, *, is_mapping: bool) -> None:
        self.start = start
        self.is_mapping = is_mapping
        self.items: list[Node] = []
        self.entries: dict[str, Entry] = {}
        self.key: Scalar | None = None
        self.skips_value = False

    def closed(self, end: int) -> Node:
        if self.is_mapping:
            return Mapping(entries=self.entries, start=self.start, end=end)
        return Sequence(items=tuple(self.items), start=self.start, end=end)


class TreeBuilder:
    """Collects nodes. In a mapping keys and values alternate; ``stopped`` is set when reading must end early.

    ``values_max`` is how many nodes it takes, keys and collections counted; ``None`` takes any number.
    """

    def __init__(self, reporter: Reporter, *, values_max: int | None = None) -> None:
        self._reporter = reporter
        self._diagnostics = reporter.diagnostics
        self._open: list[_Open] = []
        self._root: Node | None = None
        self._values_max = values_max
        self._values = 0
        self.stopped = False

    @property
    def depth(self) -> int:
        """Return how many lists and mappings are open."""
        return len(self._open)

    @property
    def is_mapping_open(self) -> bool:
        """Whether the innermost open collection is a mapping."""
        return bool(self._open) and self._open[-1].is_mapping

    @property
    def expects_key(self) -> bool:
        """Whether the next node is a key."""
        return self.is_mapping_open and self._open[-1].key is None

    def open(self, start: int, *, is_mapping: bool) -> None:
        """Begin a list or mapping; one that is nested too deep is reported and stops the reading."""
        if len(self._open) < DEPTH_MAX:
            self._open.append(_Open(start, is_mapping=is_mapping))
            return
        self._reporter.report(
            "NESTING_TOO_DEEP",
            f"expected at most {DEPTH_MAX} nested lists and mappings, got more; flatten the document",
            at=(start, start + 1),
        )
        self.stopped = True

    def close(self, end: int) -> None:
        """End the innermost list or mapping."""
        self.add(self._open.pop().closed(end))

    def add(self, node: Node) -> None:
        """Put a node where it belongs: root, item, key or value. Too many findings stop the reading."""
        if self._diagnostics.is_full:
            self.stopped = True
        if self._values_max is not None and not self.stopped:
            self._count(node, self._values_max)
        if isinstance(node, Scalar) and isinstance(node.value, str) and _NUL in node.value:
            node = self._without_nul(node)
        if not self._open:
            self._root = node if self._root is None else self._root
            return
        parent = self._open[-1]
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node if isinstance(node, Scalar) else Scalar(value=None, start=node.start, end=node.end)
            parent.skips_value = not self._is_new_key(parent, node)
        else:
            if not parent.skips_value:
                parent.entries[str(parent.key.value)] = Entry(key=parent.key, value=node)
            parent.key = None

    def finish(self, end: int) -> Node | None:
        """Return the root; what is still open ends at ``end``."""
        while self._open:
            parent = self._open[-1]
            if parent.key is not None:
                self.add(Invalid(start=end, end=end))
            self.close(end)
        return self._root

    def _count(self, node: Node, values_max: int) -> None:
        self._values += 1
        if self._values > values_max:
            self._reporter.report(
                "DOCUMENT_TOO_LARGE",
                f"expected at most {values_max} values, keys, lists and mappings, got more; split the document",
                at=(node.start, node.end),
            )
            self.stopped = True

    def _without_nul(self, node: Scalar) -> Node:
        self._reporter.report(
            "CHARACTER_FORBIDDEN",
            "expected a text without the character U+0000, got one as an escape; PostgreSQL cannot store it: remove it",
            at=(node.start, node.end),
        )
        return Invalid(start=node.start, end=node.end)

    def _is_new_key(self, parent: _Open, node: Node) -> bool:
        if isinstance(node, Invalid):
            return False
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self._reporter.report(
                "KEY_NOT_STRING",
                f"expected a string as key, got {describe(node)}; put it in quotes",
                at=(node.start, node.end),
            )
            return False
        first = parent.entries.get(node.value)
        if first is None:
            return True
        self._reporter.report(
            "KEY_DUPLICATE",
            f"expected each key once, got {shorten(node.value)} again; remove or rename one",
            at=(node.start, node.end),
            related={"first used here": (first.key.start, first.key.end)},
        )
        return False
