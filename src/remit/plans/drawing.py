"""Drawings in characters: which tasks stand in one, and which lines lead from which to which.

Owns: the alphabet of lines and arrowheads, following a line through branches and merges, and the longest drawn line.
Does not know: what the tasks depend on.

A *net* is everything that is joined by lines. Arrowheads show which of its ends are reached; the other ends are where
it comes from. Without an arrowhead a net leads down, or to the right. An arrowhead that points at the side of a line,
as in ``│◄──┘``, leads to wherever that line leads.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from remit.plans.plan import NOWHERE, Place

EDGES_MAX: Final = 10_000
"""So many edges are read from one drawing; a bus that joins all with all would have more."""

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_STEP: Final = {UP: (-1, 0), DOWN: (1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
_OPPOSITE: Final = {UP: DOWN, DOWN: UP, LEFT: RIGHT, RIGHT: LEFT}

_LINES: Final = {
    **dict.fromkeys("│┃┆┊╎╏║", UP | DOWN),
    **dict.fromkeys("─━┄┈╌╍", LEFT | RIGHT),
    **dict.fromkeys("┌┏╭", DOWN | RIGHT),
    **dict.fromkeys("┐┓╮", DOWN | LEFT),
    **dict.fromkeys("└┗╰", UP | RIGHT),
    **dict.fromkeys("┘┛╯", UP | LEFT),
    **dict.fromkeys("├┣", UP | DOWN | RIGHT),
    **dict.fromkeys("┤┫", UP | DOWN | LEFT),
    **dict.fromkeys("┬┳", DOWN | LEFT | RIGHT),
    **dict.fromkeys("┴┻", UP | LEFT | RIGHT),
    **dict.fromkeys("┼╋", UP | DOWN | LEFT | RIGHT),
}
_ARROWS: Final = {
    **dict.fromkeys("▼↓⬇▾🠋", DOWN),
    **dict.fromkeys("▲↑⬆▴", UP),
    **dict.fromkeys("◄←⬅◀◂", LEFT),
    **dict.fromkeys("►→➔➜➝⟶⇒▶▸➡", RIGHT),
}
_WIRES: Final = {
    **_LINES,
    **dict.fromkeys(_ARROWS, UP | DOWN | LEFT | RIGHT),
}
_RUN: Final = re.compile(f"[^\\s{re.escape(''.join(_WIRES))}]+(?: [^\\s{re.escape(''.join(_WIRES))}]+)*")
_ID_WORD: Final = re.compile(r"#?\w+(?:[-.:]\w+)*")
_HIDDEN: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")

_ASCII: Final = str.maketrans("|-=+<>v^V", "│──┼◄►▼▲▼")
_VERTICAL: Final = frozenset(character for character, way in _LINES.items() if way & (UP | DOWN)) | frozenset("▼▲")
_ASCII_VERTICAL: Final = re.compile(r"(?<!\S)[|+](?!\S)|-\+|\+-|(?<!\S)\|-")
_ASCII_WORD: Final = re.compile(r"(?<!\S)[|+<>=^vV-]+(?!\S)|-+>|<-+|=+>")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Node:
    """A task in a drawing. ``bottom`` is the last row of its label; ``first`` to ``last`` are its columns."""

    row: int
    first: int
    last: int
    bottom: int
    id: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a drawing says: its tasks in reading order, and which leads to which.

    ``crooked`` is the row and column where a line first goes on one column beside itself; ``loose`` those of the first
    arrowhead that points at nothing, although its line joins tasks. Where that line leads is not known; no edge is read
    from it.
    """

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Node, Node], ...]
    is_complete: bool = True
    crooked: tuple[int, int] | None = None
    loose: tuple[int, int] | None = None


def words_of(text: str) -> Iterator[str]:
    """Return the words of a drawing, among them the ids."""
    return (found.group() for found in _ID_WORD.finditer(text))


def is_drawn(text: str) -> bool:
    """Whether a text has lines that go up or down, so that it says more than its rows do."""
    return any(character in text for character in _VERTICAL)


def is_drawn_in_ascii(text: str) -> bool:
    """Whether a text has strokes such as ``|`` and ``+--``; outside of blocks of code a table has them as well."""
    return _ASCII_VERTICAL.search(text) is not None


def has_arrows(text: str) -> bool:
    """Whether a text has arrowheads at all."""
    return any(arrow in text for arrow in _ARROWS) or "->" in text or "|" in text


def read_picture(text: str, starts: Sequence[int], ids: frozenset[str]) -> Picture:
    """Return what a drawing says.

    Args:
        text: The drawing.
        starts: The offset of the first character of each of its lines.
        ids: What counts as a task.
    """
    lines = text.split("\n")
    if not any(character in text for character in _ARROWS):
        lines = list(_from_ascii(lines))
    nodes = _nodes(lines, starts, ids)
    return _Tracing(lines, nodes).run()


def longest_line(picture: Picture) -> tuple[str, ...]:
    """Return the longest line of tasks that is drawn; none if lines lead back."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((source.id, target.id) for source, target in picture.edges if source.id != target.id)
    if not nx.is_directed_acyclic_graph(graph):
        return ()
    return tuple(nx.dag_longest_path(graph))


def _from_ascii(lines: list[str]) -> Iterator[str]:
    """Return the lines with strokes such as ``-->``, ``|`` and ``v`` replaced by the characters for them."""
    above = ""
    for line in lines:
        parts: list[str] = []
        done = 0
        for found in _ASCII_WORD.finditer(line):
            if not _is_stroke(found.group(), found.start(), above):
                continue
            parts += [line[done : found.start()], found.group().translate(_ASCII)]
            done = found.end()
        parts.append(line[done:])
        above = "".join(parts)
        yield above


def _is_stroke(word: str, column: int, above: str) -> bool:
    """Whether a word of strokes is one: a lone hyphen, ``v`` or ``+`` may be text, unless it goes on from above."""
    if len(word) > 1 or word in {"|", ">", "<"}:
        return True
    return word != "-" and _WIRES.get(above[column : column + 1], 0) & DOWN != 0


def _nodes(lines: list[str], starts: Sequence[int], ids: frozenset[str]) -> list[Node]:
    """Return the tasks, each with the label below it."""
    finished: list[Node] = []
    above: list[Node] = []
    for row, line in enumerate(lines):
        named: list[Node] = []
        labelled: dict[Node, Node] = {}
        for run in _RUN.finditer(line):
            first, last = run.start(), run.end() - 1
            word = next((word for word in _id_words(run.group()) if word[0] in ids), None)
            if word is not None:
                start = starts[row] + first + word[1] if row < len(starts) else 0
                at = (start, start + len(word[0]))
                named.append(Node(row=row, first=first, last=last, bottom=row, id=word[0], at=at))
                continue
            node = _covering(above, first, last)
            if node is not None:
                labelled[node] = _with_label(labelled.get(node, node), row, first, last)
        finished += [node for node in above if node not in labelled]
        above = sorted([*named, *labelled.values()], key=_first_column)
    return sorted(finished + above)


def _with_label(node: Node, row: int, first: int, last: int) -> Node:
    return replace(node, first=min(first, node.first), last=max(last, node.last), bottom=row)


def _first_column(node: Node) -> int:
    return node.first


def _id_words(run: str) -> Iterator[tuple[str, int]]:
    shown = _HIDDEN.sub(lambda found: " " * len(found.group()), run)
    return ((found.group(), found.start()) for found in _ID_WORD.finditer(shown))


@dataclass(slots=True, kw_only=True)
class _Net:
    """Everything that is joined by lines.

    ``ends`` are the tasks that its lines end at, each with the direction, and whether by an arrowhead; ``into`` the
    places of other lines at whose side one of its arrowheads points, ``missed`` those of arrowheads that point at
    nothing; ``waiting`` are places to be followed.
    """

    ends: dict[tuple[Node, int], bool] = field(default_factory=dict)
    into: list[tuple[int, int]] = field(default_factory=list)
    missed: list[tuple[int, int]] = field(default_factory=list)
    waiting: list[tuple[int, int]] = field(default_factory=list)
    sources: tuple[Node, ...] = ()
    targets: tuple[Node, ...] = ()

    @property
    def is_loose(self) -> bool:
        """Whether its only arrowheads point at nothing, although it joins tasks."""
        return bool(self.missed and self.sources and self.targets) and not self.into and True not in self.ends.values()

    def settle(self) -> None:
        """Decide which of its ends are where it comes from, and which where it leads."""
        reached = tuple(dict.fromkeys(node for (node, _), is_arrow in self.ends.items() if is_arrow))
        left = [(node, side) for (node, side), is_arrow in self.ends.items() if not is_arrow and node not in reached]
        if reached or self.into:
            self.sources, self.targets = tuple(dict.fromkeys(node for node, _ in left)), reached
            return
        self.sources = tuple(node for node, side in left if side in {UP, LEFT})
        self.targets = tuple(node for node, side in left if side in {DOWN, RIGHT})


class _Tracing:
    """Follows the lines of one drawing; every character is visited once."""

    def __init__(self, lines: list[str], nodes: list[Node]) -> None:
        self._lines = lines
        self._nodes = nodes
        # The number of the net that a character belongs to; 0 where none is known yet.
        self._numbers = [array("i", bytes(4 * len(line))) for line in lines]
        self._nets: list[_Net] = []
        self._tops = _by_row(nodes, "row")
        self._bottoms = _by_row(nodes, "bottom")
        self._crooked: tuple[int, int] | None = None

    def run(self) -> Picture:
        """Return the picture."""
        for row, line in enumerate(self._lines):
            for column, character in enumerate(line):
                if character in _WIRES and not self._numbers[row][column]:
                    self._trace((row, column))
        edges: dict[tuple[Node, Node], None] = {}
        steps_left = EDGES_MAX
        for net in self._nets:
            if net.is_loose:
                continue
            steps_left, targets = self._reached(net, steps_left)
            if len(edges) + len(net.sources) * len(targets) > EDGES_MAX:
                steps_left = -1
                continue
            edges.update(((source, target), None) for source in net.sources for target in targets if source != target)
        return Picture(
            nodes=tuple(self._nodes),
            edges=tuple(edges),
            is_complete=steps_left >= 0,
            crooked=self._crooked,
            loose=min((net.missed[0] for net in self._nets if net.is_loose), default=None),
        )

    def _trace(self, place: tuple[int, int]) -> None:
        """Follow all lines that are joined to a place: they are one net."""
        net = _Net()
        self._nets.append(net)
        self._visit(place, net)
        while net.waiting:
            place = net.waiting.pop()
            for direction in (UP, DOWN, LEFT, RIGHT):
                self._follow(place, direction, net)
        net.settle()

    def _reached(self, net: _Net, steps_left: int) -> tuple[int, tuple[Node, ...]]:
        """Return where a net leads, also through the lines that it leads into, and how many steps are left then."""
        if not net.into:
            return steps_left, net.targets
        targets = dict.fromkeys(net.targets)
        waiting = list(net.into)
        seen = {id(net)}
        while waiting and steps_left > 0:
            row, column = waiting.pop()
            other = self._nets[self._numbers[row][column] - 1]
            if id(other) in seen:
                continue
            seen.add(id(other))
            steps_left -= 1 + len(other.targets)
            targets.update(dict.fromkeys(other.targets))
            waiting += other.into
        return steps_left if not waiting else -1, tuple(targets)

    def _follow(self, place: tuple[int, int], direction: int, net: _Net) -> None:
        row, column = place
        character = self._lines[row][column]
        if not _WIRES[character] & direction:
            return
        beyond = row + _STEP[direction][0], column + _STEP[direction][1]
        if self._joins(character, self._at(*beyond), direction):
            self._visit(beyond, net)
            return
        arrow = _ARROWS.get(character)
        if arrow is not None and direction not in {arrow, _OPPOSITE[arrow]}:
            return
        if direction == arrow and self._at(*beyond) in _LINES and not self._is_edge(beyond, direction):
            net.into.append(beyond)
            return
        node = self._node_at(row, column, direction)
        if node is not None:
            net.ends[node, direction] = net.ends.get((node, direction), False) or direction == arrow
            return
        if direction == arrow:
            net.missed.append(place)
        beside = self._continued(place, beyond[0], direction)
        if beside is not None:
            self._crooked = min(self._crooked or beside, beside)
            self._visit(beside, net)

    def _is_edge(self, place: tuple[int, int], direction: int) -> bool:
        """Whether a line is the edge of a box around a task: the task stands right behind it, a line behind that."""
        row, column = place
        step = _STEP[direction][1]
        node = _covering(self._beside(row), column + step, column + step) if step else None
        return node is not None and self._at(row, node.last + 1 if step > 0 else node.first - 1) in _LINES

    def _visit(self, place: tuple[int, int], net: _Net) -> None:
        row, column = place
        if not self._numbers[row][column]:
            self._numbers[row][column] = len(self._nets)
            net.waiting.append(place)

    def _continued(self, place: tuple[int, int], next_row: int, direction: int) -> tuple[int, int] | None:
        """Return where a line that ends in the air goes on one column beside, with another end in the air."""
        if direction not in {UP, DOWN}:
            return None
        row, column = place
        for other in (column - 1, column + 1):
            beyond = self._at(next_row, other)
            is_open = not _WIRES.get(self._at(row, other), 0) & direction
            if is_open and self._joins(self._lines[row][column], beyond, direction):
                return next_row, other
        return None

    def _joins(self, character: str, beyond: str, direction: int) -> bool:
        if not _WIRES.get(beyond, 0) & _OPPOSITE[direction]:
            return False
        arrows = _ARROWS.get(character), _ARROWS.get(beyond)
        # Arrowheads side by side belong to lines of their own; one is entered from behind or from the side.
        return None in arrows and arrows[1] != _OPPOSITE[direction]

    def _at(self, row: int, column: int) -> str:
        if not 0 <= row < len(self._lines) or not 0 <= column < len(self._lines[row]):
            return ""
        return self._lines[row][column]

    def _node_at(self, row: int, column: int, direction: int) -> Node | None:
        """Return the task that a line ends at: right above or below, or beside it with at most one space between."""
        match direction:
            case 1:
                return _covering(self._bottoms.get(row - 1, []), column, column)
            case 2:
                return _covering(self._tops.get(row + 1, []), column, column)
            case 4:
                return _covering(self._beside(row), column - 2, column - 1)
            case _:
                return _covering(self._beside(row), column + 1, column + 2)

    def _beside(self, row: int) -> list[Node]:
        return self._tops.get(row) or self._bottoms.get(row, [])


def _by_row(nodes: list[Node], which: str) -> dict[int, list[Node]]:
    table: dict[int, list[Node]] = {}
    for node in nodes:
        table.setdefault(node.row if which == "row" else node.bottom, []).append(node)
    for row in table.values():
        row.sort(key=_first_column)
    return table


def _covering(nodes: list[Node], first: int, last: int) -> Node | None:
    """Return the first task of a row that has a column between two."""
    index = bisect_left(nodes, first, key=lambda node: node.last)
    if index < len(nodes) and nodes[index].first <= last:
        return nodes[index]
    return None
