"""Order and places of boxes, against what a library or plain search finds."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plans.showing.cyclic import in_layers
from remit.plans.showing.layering import layer, reduced
from remit.plans.showing.placing import Sizes, isotonic, place

LINKS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda link: link[0] < link[1]), max_size=60)
VALUES = st.lists(st.floats(-100, 100), max_size=12)


@given(LINKS)
def test_reduction_is_the_transitive_one(links: list[tuple[int, int]]) -> None:
    """
    What is left out is what a path implies, no more and no less.
    """
    graph = nx.DiGraph(links)

    assert sorted(nx.transitive_reduction(graph).edges) == reduced(links, (), ranks=range(15))


@given(LINKS, st.integers(1, 4))
def test_rows_keep_waves_apart_and_hold_everything(links: list[tuple[int, int]], row_length_max: int) -> None:
    """
    Every node stands in one row of its wave, rows are short enough, and chains go down one row at a time.
    """
    waves = [range(start, start + 5) for start in (0, 5, 10)]
    forward = [link for link in links if link[0] // 5 < link[1] // 5]
    layering = layer(waves, forward, row_length_max=row_length_max)
    row_of = {node: number for number, row in enumerate(layering.rows) for node in row}

    assert sum(map(len, layering.rows)) == len(row_of)
    assert [node // 5 for node in range(15)] == [layering.wave_of[row_of[node]] for node in range(15)]
    assert all(sum(node < 15 for node in row) <= row_length_max for row in layering.rows)
    assert set(forward) == set(layering.chains)
    for before, after in layering.segments:
        assert row_of[before] + 1 == row_of[after]


@given(LINKS, st.integers(0, 3))
def test_links_share_lanes_with_those_of_one_end(links: list[tuple[int, int]], kept: int) -> None:
    """
    What passes one lane all leaves one node or all reaches one node, and a link that is to be alone is alone.
    """
    forward = links_forward(links)
    alone = forward[:kept]
    layering = layer([range(start, start + 5) for start in (0, 5, 10)], forward, row_length_max=2, alone=alone)
    passing: dict[int, set[tuple[int, int]]] = {}
    for link, chain in layering.chains.items():
        for lane in chain[1:-1]:
            passing.setdefault(lane, set()).add(link)

    for found in passing.values():
        assert 1 in {len({before for before, _ in found}), len({after for _, after in found})}
        assert len(found) == 1 or not found.intersection(alone)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_layers_hold_apart_what_is_linked(links: list[tuple[int, int]]) -> None:
    """
    Every node is in one layer, no link has both ends in one, and where there is no cycle all lead down.
    """
    layers = in_layers(range(10), links)
    layer_of = {node: number for number, nodes in enumerate(layers) for node in nodes}
    others = [link for link in links if link[0] != link[1]]

    assert list(range(10)) == sorted(node for nodes in layers for node in nodes)
    assert all(layer_of[one] != layer_of[other] for one, other in others)
    if nx.is_directed_acyclic_graph(nx.DiGraph(others)):
        assert all(layer_of[one] < layer_of[other] for one, other in others)


@given(LINKS)
def test_places_keep_order_and_distance(links: list[tuple[int, int]]) -> None:
    """
    Nothing overlaps and nothing leaves the width, whatever pulls where.
    """
    layering = layer([range(start, start + 5) for start in (0, 5, 10)], links_forward(links), row_length_max=5)
    sizes = Sizes(box=10.0, gap=2.0, lane_gap=1.0)
    width = max(sizes.offsets(row, 15)[1] for row in layering.rows)
    centres = place(layering, sizes, width=width)

    for row in layering.rows:
        offsets, _ = sizes.offsets(row, 15)
        for (left, right), (low, high) in zip(pairwise(row), pairwise(offsets), strict=True):
            assert centres[right] - centres[left] >= high - low - 1e-6
        assert all(-1e-6 <= centres[node] <= width + 1e-6 for node in row)


def links_forward(links: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [link for link in links if link[0] // 5 < link[1] // 5]


@given(VALUES)
def test_isotonic_values_ascend_and_keep_their_sum(values: list[float]) -> None:
    """
    The result ascends, values that ascend already stay, and the mean is that of the values.
    """
    found = isotonic(values, [1.0] * len(values))

    assert sorted(found) == found
    assert sorted(values) == isotonic(sorted(values), [1.0] * len(values))
    assert pytest.approx(sum(values), abs=1e-6) == sum(found)


def test_crossings_are_few_where_none_are_needed() -> None:
    """
    Two chains whose tasks alternate in the document are drawn side by side, without a crossing.
    """
    waves = [[0, 1], [3, 2], [4, 5], [7, 6]]
    layering = layer(waves, [(0, 2), (2, 4), (4, 6), (1, 3), (3, 5), (5, 7)], row_length_max=5)
    is_left = [
        row.index(first) < row.index(second)
        for row, first, second in zip(layering.rows, (0, 2, 4, 6), (1, 3, 5, 7), strict=True)
    ]

    assert 1 == len(set(is_left))
