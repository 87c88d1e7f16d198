"""Rows for tasks that wait for one another, so that as few lines as possible lead up.

Owns: an order of what has none, by the greedy rule of Eades, Lin and Smyth: from both ends inwards, and where nothing
is an end, first what more waits for than it waits for itself.
Does not know: tasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from remit.plans.showing.layering import Link


def in_layers(nodes: Sequence[int], links: Iterable[Link]) -> tuple[tuple[int, ...], ...]:
    """Return nodes in layers, one below the other: no link has both its ends in one layer.

    Args:
        nodes: In the order that counts where nothing else does; there may be none.
        links: From what comes first to what waits for it; those of other nodes, or of one with itself, do not count.
    """
    inside = set(nodes)
    known = {(one, other) for one, other in links if one != other and inside.issuperset((one, other))}
    position = {node: number for number, node in enumerate(_order(nodes, known))}
    # A link that leads back in this order holds its ends apart like one that leads on.
    below: dict[int, set[int]] = defaultdict(set)
    for one, other in known:
        upper, lower = sorted((one, other), key=position.__getitem__)
        below[upper].add(lower)
    depth = dict.fromkeys(nodes, 0)
    for node in position:
        for other in below[node]:
            depth[other] = max(depth[other], depth[node] + 1)
    layers: dict[int, list[int]] = defaultdict(list)
    for node in nodes:
        layers[depth[node]].append(node)
    return tuple(tuple(layers[number]) for number in sorted(layers))


def _order(nodes: Sequence[int], links: set[Link]) -> list[int]:
    """Return the nodes in an order in which few links lead back."""
    after: dict[int, set[int]] = defaultdict(set)
    before: dict[int, set[int]] = defaultdict(set)
    for one, other in links:
        after[one].add(other)
        before[other].add(one)
    left = dict.fromkeys(nodes)
    head: list[int] = []
    tail: list[int] = []
    while left:
        last = next((node for node in reversed(left) if not after[node]), None)
        first = next((node for node in left if not before[node]), None)
        if first is None and last is None:
            first = max(left, key=lambda node: len(after[node]) - len(before[node]))
        taken = last if first is None else first
        assert taken is not None
        (tail if first is None else head).append(taken)
        del left[taken]
        for other in after.pop(taken, ()):
            before[other].discard(taken)
        for other in before.pop(taken, ()):
            after[other].discard(taken)
    return [*head, *reversed(tail)]
