"""The drawing of a graph: every box, line and band with its coordinates.

Owns: sizes, and the way of each line from the foot of one box to the head of another, beside all boxes between.
Does not know: colours, or the format that it is written in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.plans.showing.graph import GraphNode, PlanGraph
from remit.plans.showing.layering import Layering, layer
from remit.plans.showing.measuring import shorten, text_width, wrap
from remit.plans.showing.placing import Sizes, place

PAGE_WIDTH: Final = 1240.0
"""What a page shows without being moved sideways."""

_COMPACT_FROM: Final = 60
"""From so many boxes on they have no foot, and more of them stand in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Sizes of one look, in CSS pixels; ``bar_from`` is where the bars of groups begin."""

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


_ROOMY: Final = Style(box_width=212.0, box_height=80.0, title_lines=2, row_length_max=5)
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

_GAP: Final = 12.0
_LANE_GAP: Final = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBox:
    """A box with its texts cut to fit; ``x`` and ``y`` are its upper left corner."""

    node: GraphNode
    x: float
    y: float
    width: float
    height: float
    heading: str
    title: tuple[str, ...]
    note: str
    risk: str
    risk_width: float
    bar_x: float
    bar_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """A line as the commands of an SVG path."""

    path: str
    is_critical: bool


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
    inner = max(page, least)
    left = style.label_width + style.margin
    centres = {node: left + x for node, x in place(layering, sizes, width=inner).items()}
    tops, bands, height = _vertical(graph, layering, style)
    boxes = {
        node: _box(graph.nodes[node], centres[node] - style.box_width / 2, tops[node], style)
        for node in range(layering.node_count)
    }
    return Drawing(
        width=left + inner + style.margin,
        height=height,
        style=style,
        bands=bands,
        lines=_lines(graph, layering, centres=centres, tops=tops, style=style),
        boxes=tuple(boxes.values()),
    )


def _layered(graph: PlanGraph, style: Style, sizes: Sizes, *, width: float) -> tuple[Layering, float]:
    """Return the rows and the width that they need; shorter rows leave room for lines, where that is quickly tried."""
    bands = [band.nodes for band in graph.bands]
    tries = (
        range(style.row_length_max, 0, -1)
        if len(graph.nodes) + len(graph.links) <= _TRIED_MAX
        else (style.row_length_max,)
    )
    found: list[tuple[float, int, Layering]] = []
    for length in tries:
        layering = layer(bands, graph.links, row_length_max=length)
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
    graph: PlanGraph, layering: Layering, style: Style
) -> tuple[dict[int, float], tuple[DrawnBand, ...], float]:
    """Return the top of each node and lane, the bands, and the height of all."""
    tops: dict[int, float] = {}
    bands: list[DrawnBand] = []
    rows: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for row, wave in zip(layering.rows, layering.wave_of, strict=True):
        rows[wave].append(row)
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
        border = shorten(band.border, width=PAGE_WIDTH - 40, size=style.title_size)
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
        title=wrap(node.title, width=inner, size=style.title_size, lines_max=style.title_lines),
        note=shorten(node.note, width=inner, size=style.note_size),
        risk=risk,
        risk_width=risk_width,
        bar_x=style.bar_from,
        bar_width=0.0 if node.share is None else max(2.0, node.share * room),
    )


def _lines(
    graph: PlanGraph, layering: Layering, *, centres: Mapping[int, float], tops: Mapping[int, float], style: Style
) -> tuple[DrawnLine, ...]:
    leaves = _ports(layering, centres, style, end=0)
    enters = _ports(layering, centres, style, end=-1)
    drawn = []
    for link, chain in layering.chains.items():
        points = [(leaves[link], tops[chain[0]] + style.box_height)]
        for lane in chain[1:-1]:
            points += [(centres[lane], tops[lane]), (centres[lane], tops[lane] + style.box_height)]
        points.append((enters[link], tops[chain[-1]] - 5.0))
        drawn.append(DrawnLine(path=_curve(points), is_critical=link in graph.critical))
    return tuple(sorted(drawn, key=lambda line: line.is_critical))


def _ports(layering: Layering, centres: Mapping[int, float], style: Style, *, end: int) -> dict[tuple[int, int], float]:
    """Return where each link leaves its first box (``end`` 0) or enters its last (-1): side by side, in order."""
    step = 1 if end == 0 else -2
    links: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for link, chain in layering.chains.items():
        links[chain[end]].append(link)
    found: dict[tuple[int, int], float] = {}
    for node, joined in links.items():
        joined.sort(key=lambda link: centres[layering.chains[link][step]])
        apart = min(16.0, style.box_width * 0.7 / len(joined))
        for position, link in enumerate(joined):
            found[link] = centres[node] + (position - (len(joined) - 1) / 2) * apart
    return found


def _curve(points: Sequence[tuple[float, float]]) -> str:
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
