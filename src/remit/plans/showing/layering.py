"""Rows of a graph: which boxes stand beside each other, in which order, and where lines pass between them.

Owns: waves wider than a page become several rows, lines over several rows get a lane in each, which those from one node
or to one node share, and the order in each row is the one with few crossings that ``fast-sugiyama`` finds.
Does not know: sizes and coordinates, or what a node means.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

Link = tuple[int, int]
"""Two nodes: the first stands above the second."""

_TRANSPOSED_MAX: Final = 4000
"""Up to so many segments neighbours are also swapped where that helps; it takes most of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layering:
    """Nodes in rows.

    ``rows`` hold nodes and lanes in their order; whatever is not smaller than ``node_count`` is a lane. ``wave_of``
    gives the wave of each row. ``chains`` are the links with the lanes that they pass, from node to node. Links share
    lanes only if all of them leave one node, and then from it on, or all reach one node, and then up to it.
    """

    node_count: int
    rows: tuple[tuple[int, ...], ...]
    wave_of: tuple[int, ...]
    chains: Mapping[Link, tuple[int, ...]]

    @property
    def segments(self) -> Iterator[Link]:
        """Yield the pieces of links from one row to the next, each once."""
        yield from _segments(self.chains)


def layer(
    waves: Sequence[Sequence[int]], links: Iterable[Link], *, row_length_max: int, alone: Collection[Link] = ()
) -> Layering:
    """Return nodes in rows.

    Args:
        waves: Nodes by wave. All together are the numbers from 0 on, each once.
        links: Each from a node of one wave to a node of a later one.
        row_length_max: Most nodes in a row.
        alone: Links that share no lane.
    """
    trunks = _trunks(sorted(set(links)), alone)
    if any(len(wave) > row_length_max for wave in waves):
        waves = _nodes_only(_ordered(*_with_lanes(waves, trunks)), sum(map(len, waves)))
    rows: list[Sequence[int]] = []
    wave_of: list[int] = []
    for number, wave in enumerate(waves):
        count = max(1, -(-len(wave) // row_length_max))
        # Dealt out, not cut: what stands side by side stays where it was, and lines stay short.
        rows += [wave[first::count] for first in range(count)]
        wave_of += [number] * count
    laned, chains = _with_lanes(rows, trunks)
    return Layering(
        node_count=sum(map(len, waves)),
        rows=tuple(map(tuple, _ordered(laned, chains))),
        wave_of=tuple(wave_of),
        chains=chains,
    )


def reduced(links: Iterable[Link], kept: Iterable[Link], *, ranks: Sequence[int]) -> list[Link]:
    """Return the links that no others imply, and those to be kept; every link leads to a node of higher rank."""
    after: dict[int, set[int]] = defaultdict(set)
    for one, other in links:
        after[one].add(other)
    reach = dict.fromkeys(range(len(ranks)), 0)
    needed = set(kept)
    for node in sorted(after, key=lambda node: ranks[node], reverse=True):
        covered = 0
        for other in sorted(after[node], key=lambda other: ranks[other]):
            if not covered >> other & 1:
                needed.add((node, other))
                covered |= reach[other] | 1 << other
        reach[node] = covered
    return sorted(needed)


def _trunks(links: Sequence[Link], alone: Collection[Link]) -> dict[Link, tuple[int, ...]]:
    """Return for each link what it shares lanes with: links of the same key, which is one of its ends or both."""
    shared = [link for link in links if link not in alone]
    leaving = Counter(before for before, _ in shared)
    reaching = Counter(after for _, after in shared)
    return {
        link: link if link in alone else ((link[0], -1) if leaving[link[0]] >= reaching[link[1]] else (-1, link[1]))
        for link in links
    }


def _with_lanes(
    rows: Sequence[Sequence[int]], trunks: Mapping[Link, tuple[int, ...]]
) -> tuple[list[list[int]], dict[Link, tuple[int, ...]]]:
    """Return the rows with a lane for each trunk in each row that it passes."""
    row_of = {node: number for number, row in enumerate(rows) for node in row}
    laned = [list(row) for row in rows]
    lanes: dict[tuple[tuple[int, ...], int], int] = {}
    chains: dict[Link, tuple[int, ...]] = {}
    for (before, after), trunk in trunks.items():
        passed = []
        for number in range(row_of[before] + 1, row_of[after]):
            if (trunk, number) not in lanes:
                lanes[trunk, number] = len(row_of) + len(lanes)
                laned[number].append(lanes[trunk, number])
            passed.append(lanes[trunk, number])
        chains[before, after] = (before, *passed, after)
    return laned, chains


def _segments(chains: Mapping[Link, Sequence[int]]) -> dict[Link, None]:
    return dict.fromkeys(pair for chain in chains.values() for pair in pairwise(chain))


def _ordered(rows: list[list[int]], chains: Mapping[Link, Sequence[int]]) -> list[list[int]]:
    """Return each row in an order with few crossings."""
    if len(rows) == 1 or not chains:
        return rows
    from fast_sugiyama import from_edges

    segments = list(_segments(chains))
    layouts = from_edges(
        [*segments, *_holding(rows, segments)],
        ranking_type="up",
        crossing_minimization="barycenter",
        transpose=len(segments) <= _TRANSPOSED_MAX,
        dummy_vertices=False,
        check_layout=False,
    )
    # What is not connected is laid out by itself, each from the left; it stands side by side here.
    across = {node: (part, place[0]) for part, (places, *_) in enumerate(layouts) for node, place in places}
    return [sorted(row, key=lambda node: (across[node], node)) for row in rows]


def _holding(rows: list[list[int]], segments: Iterable[Link]) -> Iterator[Link]:
    """Yield links that nobody sees, which hold nodes without others in their rows, about where they are.

    Each node below the first row gets one from above, and each of the first row one to below.
    """
    targets = {target for _, target in segments}
    sources = {source for source, _ in segments}
    for above, below in pairwise(rows):
        for position, node in enumerate(below):
            if node not in targets:
                yield above[position * len(above) // len(below)], node
    above, below = rows[0], rows[1]
    for position, node in enumerate(above):
        if node not in sources:
            yield node, below[position * len(below) // len(above)]


def _nodes_only(rows: list[list[int]], node_count: int) -> list[list[int]]:
    return [[node for node in row if node < node_count] for row in rows]


def neighbours(segments: Iterable[Link]) -> tuple[Mapping[int, list[int]], Mapping[int, list[int]]]:
    """Return for each node what it is joined with in the row above, and in the row below."""
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for before, after in segments:
        below[before].append(after)
        above[after].append(before)
    return above, below
