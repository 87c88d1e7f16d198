"""The drawing of a graph: every box, line and band with its coordinates.

Owns: sizes, and the way of each line from the foot of one box to the head of another, beside all boxes between.
Does not know: colours, or the format that it is written in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from remit.plans.showing.graph import GraphNode, PlanGraph
from remit.plans.showing.layering import Layering, Link, layer
from remit.plans.showing.measuring import is_rtl, shorten, text_width, wrap
from remit.plans.showing.placing import Sizes, place

Point = tuple[float, float]

PAGE_WIDTH: Final = 1240.0
"""What a page shows without being moved sideways."""

_COMPACT_FROM: Final = 60
"""From so many boxes on they have no foot, and more of them stand in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Sizes of one look, in CSS pixels; ``bar_from`` is where the bars of groups begin.

    A box that ``has_foot`` has its note there, or one more line of its title.
    """

    box_width: float
    box_height: float
    title_lines: int
    row_length_max: int
    row_space: float = 34.0
    band_space: float = 30.0
    border_height: float = 26.0
    margin: float = 14.0
    label_width: float = 74.0
    heading_size: float = 12.5
    title_size: float = 12.0
    note_size: float = 11.0
    bar_from: float = 0.0
    has_foot: bool = False


_ROOMY: Final = Style(box_width=212.0, box_height=80.0, title_lines=2, row_length_max=5, has_foot=True)
_COMPACT: Final = Style(box_width=179.0, box_height=60.0, title_lines=2, row_length_max=6, band_space=24.0)
_CONDENSED: Final = Style(
    box_width=1100.0,
    box_height=46.0,
    title_lines=1,
    row_length_max=1,
    row_space=0.0,
    band_space=14.0,
    label_width=0.0,
    bar_from=440.0,
)
_TRIED_MAX: Final = 400
"""Graphs of up to so many boxes and lines are laid out again with shorter rows if they are wider than a page."""

_BOLD: Final = 1.12
"""How much wider bold text is."""

_ROOM_TO_MOVE: Final = 1.2
"""So much wider than its longest row a drawing is, so that boxes can stand where lines are straight."""

_INNER_MIN: Final = 520.0
"""Narrower than this the sentences below a drawing would be many lines."""

_ARROW_ROOM: Final = 5.0
"""So far from its box a line with an arrow ends."""

_GAP: Final = 12.0
_LANE_GAP: Final = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBox:
    """A box with its texts cut to fit; ``x`` and ``y`` are its upper left corner.

    ``is_rtl`` if its title is read from the right.
    """

    node: GraphNode
    x: float
    y: float
    width: float
    height: float
    heading: str
    title: tuple[str, ...]
    is_rtl: bool
    note: str
    risk: str
    risk_width: float
    bar_x: float
    bar_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """A line as the commands of an SVG path. One that joins another that leads to the same box has no arrow."""

    path: str
    is_critical: bool
    is_upward: bool = False
    has_arrow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBand:
    """The ground of a wave; ``border`` is the text on the line above it."""

    y: float
    height: float
    title: tuple[str, ...]
    subtitle: str
    border: str
    border_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing, the lines in the order in which they are painted."""

    width: float
    height: float
    style: Style
    bands: tuple[DrawnBand, ...]
    lines: tuple[DrawnLine, ...]
    boxes: tuple[DrawnBox, ...]


def draw(graph: PlanGraph) -> Drawing:
    """Return the drawing of a graph."""
    style = _style_of(graph)
    sizes = Sizes(box=style.box_width, gap=_GAP, lane_gap=_LANE_GAP)
    page = PAGE_WIDTH - style.label_width - 2 * style.margin
    layering, least = _layered(graph, style, sizes, width=page)
    inner = max(least, min(page, max(least * _ROOM_TO_MOVE, _INNER_MIN)))
    left = style.label_width + style.margin
    centres = {node: left + x for node, x in place(layering, sizes, width=inner).items()}
    width = left + inner + style.margin
    tops, bands, height = _vertical(graph, layering, style, width=width)
    boxes = {
        node: _box(graph.nodes[node], centres[node] - style.box_width / 2, tops[node], style)
        for node in range(layering.node_count)
    }
    return Drawing(
        width=width,
        height=height,
        style=style,
        bands=bands,
        lines=_lines(graph, layering, centres=centres, tops=tops, style=style),
        boxes=tuple(boxes.values()),
    )


def _layered(graph: PlanGraph, style: Style, sizes: Sizes, *, width: float) -> tuple[Layering, float]:
    """Return the rows and the width that they need; shorter rows leave room for lines, where that is quickly tried."""
    waves = [nodes for band in graph.bands for nodes in band.layers]
    links = {*graph.links, *graph.upward}
    alone = {*graph.critical, *graph.upward}
    tries = (
        range(style.row_length_max, 0, -1) if len(graph.nodes) + len(links) <= _TRIED_MAX else (style.row_length_max,)
    )
    found: list[tuple[float, int, Layering]] = []
    for length in tries:
        layering = layer(waves, links, row_length_max=length, alone=alone)
        least = max((sizes.offsets(row, layering.node_count)[1] for row in layering.rows), default=0.0)
        if least <= width:
            return layering, least
        found.append((least, length, layering))
    least, _, layering = min(found, key=lambda one: one[:2])
    return layering, least


def _style_of(graph: PlanGraph) -> Style:
    if graph.is_condensed:
        return _CONDENSED
    return _COMPACT if len(graph.nodes) > _COMPACT_FROM else _ROOMY


def _vertical(
    graph: PlanGraph, layering: Layering, style: Style, *, width: float
) -> tuple[dict[int, float], tuple[DrawnBand, ...], float]:
    """Return the top of each node and lane, the bands, and the height of all."""
    tops: dict[int, float] = {}
    bands: list[DrawnBand] = []
    rows: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    band_of = [number for number, band in enumerate(graph.bands) for _ in band.layers]
    for row, wave in zip(layering.rows, layering.wave_of, strict=True):
        rows[band_of[wave]].append(row)
    at = style.margin
    for number, band in enumerate(graph.bands):
        border_y = at
        at += style.border_height if band.border else 0.0
        start = at
        at += style.band_space / 2
        for row in rows[number]:
            tops.update(dict.fromkeys(row, at))
            at += style.box_height + style.row_space
        at += style.band_space / 2 - style.row_space
        title = wrap(band.title, width=style.label_width - 8, size=style.title_size, lines_max=3)
        border = shorten(band.border, width=width - 40, size=style.title_size * _BOLD)
        bands.append(
            DrawnBand(y=start, height=at - start, title=title, subtitle=band.subtitle, border=border, border_y=border_y)
        )
        at += 8.0
    return tops, tuple(bands), at + style.margin - 8.0


def _box(node: GraphNode, x: float, y: float, style: Style) -> DrawnBox:
    risk = "" if node.risk is None else node.risk.value
    risk_width = text_width(risk, style.note_size) + 10 if risk else 0.0
    inner = (style.bar_from or style.box_width) - 18
    room = style.box_width - style.bar_from - 110
    lines_max = style.title_lines + (style.has_foot and not node.note)
    lead = text_width(f"{node.mark} ", style.note_size) if node.mark else 0.0
    lead += text_width("◆ ", style.note_size) + 3 if node.is_critical else 0.0
    return DrawnBox(
        node=node,
        x=x,
        y=y,
        width=style.box_width,
        height=style.box_height,
        heading=shorten(
            node.heading,
            width=inner - lead - (0 if style.bar_from else risk_width + 4),
            size=style.heading_size * _BOLD,
        ),
        title=wrap(node.title, width=inner, size=style.title_size, lines_max=lines_max),
        is_rtl=is_rtl(node.title),
        note=shorten(node.note, width=inner, size=style.note_size) if style.has_foot else "",
        risk=risk,
        risk_width=risk_width,
        bar_x=style.bar_from,
        bar_width=0.0 if node.share is None else max(2.0, node.share * room),
    )


def _lines(
    graph: PlanGraph, layering: Layering, *, centres: Mapping[int, float], tops: Mapping[int, float], style: Style
) -> tuple[DrawnLine, ...]:
    ports = _Ports(layering, centres, tops, style)
    downward, upward = set(graph.links), set(graph.upward)
    done: set[Link] = set()
    drawn: list[DrawnLine] = []
    for link, chain in layering.chains.items():
        if link in downward:
            drawn.append(_downward(chain, ports, done, is_critical=link in graph.critical))
        if link in upward:
            points = [ports.enters(*chain[-2:], room=0.0), *ports.along(chain, down=False)]
            points.append(ports.leaves(*chain[:2], room=_ARROW_ROOM))
            drawn.append(DrawnLine(path=_curve(points), is_critical=False, is_upward=True))
    return tuple(sorted(drawn, key=lambda line: (line.is_critical, line.is_upward)))


def _downward(chain: Sequence[int], ports: _Ports, done: set[Link], *, is_critical: bool) -> DrawnLine:
    """Return the part of a line that no other has drawn: what it shares is its beginning, or its end."""
    pieces = [piece for piece in pairwise(chain) if piece not in done]
    done.update(pieces)
    first, last = pieces[0], pieces[-1]
    is_joining = last[1] != chain[-1]
    lanes = [piece[1] for piece in pieces[:-1]]
    points = [ports.foot(first[0]) if first[0] != chain[0] else ports.leaves(*first, room=0.0)]
    points += ports.along((0, *lanes, 0), down=True)
    points.append(ports.head(last[1]) if is_joining else ports.enters(*last, room=_ARROW_ROOM))
    return DrawnLine(path=_curve(points), is_critical=is_critical, has_arrow=not is_joining)


class _Ports:
    """Where lines begin, end and pass: side by side at boxes, in the order of what they lead to."""

    def __init__(
        self, layering: Layering, centres: Mapping[int, float], tops: Mapping[int, float], style: Style
    ) -> None:
        self._centres, self._tops, self._style = centres, tops, style
        self._leaves = self._beside(layering, end=0)
        self._enters = self._beside(layering, end=1)

    def leaves(self, node: int, following: int, *, room: float) -> Point:
        """Return where a line begins below a box."""
        return self._leaves[node, following], self._tops[node] + self._style.box_height + room

    def enters(self, previous: int, node: int, *, room: float) -> Point:
        """Return where a line ends above a box."""
        return self._enters[previous, node], self._tops[node] - room

    def head(self, lane: int) -> Point:
        """Return where a lane begins."""
        return self._centres[lane], self._tops[lane]

    def foot(self, lane: int) -> Point:
        """Return where a lane ends."""
        return self._centres[lane], self._tops[lane] + self._style.box_height

    def along(self, chain: Sequence[int], *, down: bool) -> list[Point]:
        """Return the way through the lanes between the ends of a chain."""
        points = [point for lane in chain[1:-1] for point in (self.head(lane), self.foot(lane))]
        return points if down else points[::-1]

    def _beside(self, layering: Layering, *, end: int) -> dict[Link, float]:
        """Return the places of pieces at the boxes that they leave (``end`` 0) or enter (1)."""
        joined: dict[int, list[Link]] = defaultdict(list)
        for piece in layering.segments:
            if piece[end] < layering.node_count:
                joined[piece[end]].append(piece)
        found: dict[Link, float] = {}
        for node, pieces in joined.items():
            pieces.sort(key=lambda piece: self._centres[piece[1 - end]])
            apart = min(16.0, self._style.box_width * 0.7 / len(pieces))
            for position, piece in enumerate(pieces):
                found[piece] = self._centres[node] + (position - (len(pieces) - 1) / 2) * apart
        return found


def _curve(points: Sequence[Point]) -> str:
    """Return a path that is straight beside boxes and bends between rows."""
    (x, y), *rest = points
    parts = [f"M{number(x)} {number(y)}"]
    for next_x, next_y in rest:
        if abs(next_x - x) < 0.5:
            parts.append(f"L{number(next_x)} {number(next_y)}")
        else:
            middle = (y + next_y) / 2
            parts.append(
                f"C{number(x)} {number(middle)} {number(next_x)} {number(middle)} {number(next_x)} {number(next_y)}"
            )
        x, y = next_x, next_y
    return "".join(parts)


def number(value: float) -> str:
    """Return a coordinate with at most one digit behind the point."""
    return f"{value:.1f}".removesuffix(".0")
