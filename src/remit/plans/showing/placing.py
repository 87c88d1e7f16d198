"""Where in its row each box of a graph stands.

Owns: sweeps down and up in which each row moves as close as it can to what it is joined with, without changing its
order or its gaps. A row's best places are an isotonic regression, which pooling finds in linear time.
Does not know: why the order is as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.plans.showing.layering import Layering, neighbours

_SWEEPS: Final = 6
"""Down and up; after so many nothing moves that anybody would see."""

_LANE_WEIGHT: Final = 6.0
"""A lane follows its neighbours more than a box does: lines bend where they begin or end."""

_FREE_WEIGHT: Final = 0.01
"""What is joined with nothing makes way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The width of a box, the space beside it, and that between two lanes; lanes have no width."""

    box: float
    gap: float
    lane_gap: float

    def offsets(self, row: Sequence[int], node_count: int) -> tuple[list[float], float]:
        """Return the centres of a row that begins at 0 and is as narrow as it can be, and its width."""
        at = 0.0
        centres: list[float] = []
        was_lane = True
        for node in row:
            is_lane = node >= node_count
            half = 0.0 if is_lane else self.box / 2
            if centres:
                at += self.lane_gap if is_lane and was_lane else self.gap
            centres.append(at + half)
            at += 2 * half
            was_lane = is_lane
        return centres, at


def place(layering: Layering, sizes: Sizes, *, width: float) -> dict[int, float]:
    """Return the centre of each node and lane, from 0 to ``width``, which no row may exceed."""
    above, below = neighbours(layering.segments)
    centres: dict[int, float] = {}
    rows = [_Row(row, layering.node_count, sizes, width) for row in layering.rows]
    for row in rows:
        row.settle(dict.fromkeys(row.nodes, width / 2), centres, {})
    for _ in range(_SWEEPS):
        for row in rows:
            row.follow(above, centres)
        for row in reversed(rows):
            row.follow(below, centres)
    for row in rows:
        row.follow(above, centres, below)
    return centres


class _Row:
    """One row: its nodes, and how far each stands from the first at least."""

    __slots__ = ("_is_lane", "_offsets", "_room", "nodes")

    def __init__(self, nodes: Sequence[int], node_count: int, sizes: Sizes, width: float) -> None:
        self.nodes = nodes
        self._is_lane = [node >= node_count for node in nodes]
        self._offsets, least = sizes.offsets(nodes, node_count)
        self._room = max(0.0, width - least)

    def follow(
        self, joined: Mapping[int, list[int]], centres: dict[int, float], also: Mapping[int, list[int]] | None = None
    ) -> None:
        """Move towards what the nodes are joined with on one side, or on both."""
        wanted: dict[int, float] = {}
        weights: dict[int, float] = {}
        for node, is_lane in zip(self.nodes, self._is_lane, strict=True):
            others = [*joined.get(node, ()), *(also.get(node, ()) if also is not None else ())]
            wanted[node] = sum(centres[other] for other in others) / len(others) if others else centres[node]
            weights[node] = (_LANE_WEIGHT if is_lane else 1.0) if others else _FREE_WEIGHT
        self.settle(wanted, centres, weights)

    def settle(self, wanted: Mapping[int, float], centres: dict[int, float], weights: Mapping[int, float]) -> None:
        """Place the nodes as close to where they are wanted as order, gaps and width allow."""
        shifted = [wanted[node] - offset for node, offset in zip(self.nodes, self._offsets, strict=True)]
        found = isotonic(shifted, [weights.get(node, 1.0) for node in self.nodes])
        for node, offset, value in zip(self.nodes, self._offsets, found, strict=True):
            centres[node] = offset + min(max(value, 0.0), self._room)


def isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the ascending values that are closest to the given ones, by weighted squares."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        mean, total, count = value, weight, 1
        while pools and pools[-1][0] > mean:
            other, other_total, other_count = pools.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total += other_total
            count += other_count
        pools.append((mean, total, count))
    return [mean for mean, _, count in pools for _ in range(count)]
