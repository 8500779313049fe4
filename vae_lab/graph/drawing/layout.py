"""Where the nodes of a small directed graph go: layers from top to bottom, few crossings, straight long edges.

The method of Sugiyama, Tagawa and Toda (1981) in four steps: (1) a node's layer is its longest way from a root, and
roots are pulled down to their first use; (2) an edge over several layers is broken into short ones by invisible nodes;
(3) the order within a layer follows the mean place of the neighbours, swept down and up, with swaps of neighbours where
that removes a crossing; (4) positions are relaxed towards the neighbours' mean while distances are kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from vae_lab.graph.drawing.ordering import fewest_crossings


class Layout(NamedTuple):
    """Positions of the nodes, the points of each edge, and the size of the whole."""

    position: dict[str, tuple[float, float]]
    route: dict[tuple[str, str], list[tuple[float, float]]]
    width: float
    height: float
    crossings: int


def lay_out(
    sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str]], *, gap: float = 18, rise: float = 46
) -> Layout:
    """Place nodes of the given widths and heights so that every edge points down."""
    layer = _layers(list(sizes), edges)
    rows: list[list[Hashable]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in sizes:
        rows[layer[node]].append(node)
    chains: dict[tuple[str, str], list[Hashable]] = {}
    links: list[tuple[Hashable, Hashable]] = []
    for a, b in edges:
        dummies: list[Hashable] = [(a, b, i) for i in range(layer[a] + 1, layer[b])]
        for dummy, i in zip(dummies, range(layer[a] + 1, layer[b]), strict=True):
            rows[i].append(dummy)
        chain = [a, *dummies, b]
        chains[a, b] = chain
        links.extend(pairwise(chain))
    rows, crossings = fewest_crossings(rows, links)
    widths = {n: sizes[n][0] if isinstance(n, str) else 10.0 for row in rows for n in row}
    x = _positions(rows, links, widths, gap)
    y: dict[Hashable, float] = {}
    top = 0.0
    for row in rows:
        height = max((sizes[n][1] for n in row if isinstance(n, str)), default=0.0)
        for n in row:
            y[n] = top + height / 2
        top += height + rise
    left = min((x[n] - widths[n] / 2 for n in x), default=0.0)
    right = max((x[n] + widths[n] / 2 for n in x), default=0.0)
    at = {n: (x[n] - left, y[n]) for n in x}
    routes = {edge: [at[n] for n in chain] for edge, chain in chains.items()}
    return Layout({n: at[n] for n in sizes}, routes, right - left, max(top - rise, 0.0), crossings)


def _layers(nodes: list[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    before: dict[str, list[str]] = {n: [] for n in nodes}
    after: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    layer: dict[str, int] = {}
    waiting = {n: len(before[n]) for n in nodes}
    ready = [n for n in nodes if not waiting[n]]
    order: list[str] = []
    while ready:
        n = ready.pop(0)
        order.append(n)
        layer[n] = max((layer[p] + 1 for p in before[n]), default=0)
        for m in after[n]:
            waiting[m] -= 1
            if not waiting[m]:
                ready.append(m)
    if len(order) < len(nodes):
        raise ValueError("lay_out: the edges form a cycle; a computation graph has none.")
    for n in reversed(order):
        if after[n] and not before[n]:
            layer[n] = min(layer[m] for m in after[n]) - 1
    lowest = min(layer.values(), default=0)
    return {n: i - lowest for n, i in layer.items()}


def _positions(
    rows: list[list[Hashable]], links: list[tuple[Hashable, Hashable]], widths: dict[Hashable, float], gap: float
) -> dict[Hashable, float]:
    near: dict[Hashable, list[tuple[Hashable, float]]] = {}
    for a, b in links:
        bends = isinstance(a, tuple) + isinstance(b, tuple)  # a long edge should be straight in itself, ...
        weight = (1.0, 0.2, 4.0)[bends]  # ... and should not pull its end nodes out of line
        near.setdefault(a, []).append((b, weight))
        near.setdefault(b, []).append((a, weight))
    x: dict[Hashable, float] = {}
    for row in rows:
        left = -sum(widths[n] + gap for n in row) / 2
        for n in row:
            x[n] = left + widths[n] / 2
            left += widths[n] + gap
    for sweep in range(60):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = {}
            for n in row:
                pull = near.get(n, [])
                mass = sum(w for _, w in pull)
                wish[n] = sum(w * x[m] for m, w in pull) / mass if mass else x[n]
            _spread(row, wish, widths, gap, x)
    return x


def _spread(
    row: list[Hashable],
    wish: dict[Hashable, float],
    widths: dict[Hashable, float],
    gap: float,
    x: dict[Hashable, float],
) -> None:
    """Come as near to the wishes as order and distances allow (pool adjacent violators)."""
    offset, offsets = 0.0, []
    for k, n in enumerate(row):
        if k:
            offset += (widths[row[k - 1]] + widths[n]) / 2 + gap
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for k, n in enumerate(row):
        mean, count = wish[n] - offsets[k], 1
        while blocks and blocks[-1][0] > mean:
            other, size = blocks.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        blocks.append((mean, count))
    k = 0
    for mean, count in blocks:
        for _ in range(count):
            x[row[k]] = mean + offsets[k]
            k += 1
