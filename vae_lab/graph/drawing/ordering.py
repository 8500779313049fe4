"""The order of nodes within layers that lets as few edges as possible cross.

A node wants to stand at the mean place of its neighbours in the next layer. Layers are ordered by that wish, downwards
and upwards in turn; then neighbours change places as long as that removes a crossing. Several starts are tried: the
problem is NP-hard, and the start decides which local optimum is found.
"""

from __future__ import annotations

import random
from bisect import bisect_right, insort
from collections.abc import Hashable, Iterator
from itertools import pairwise

Rows = list[list[Hashable]]
Near = dict[Hashable, list[Hashable]]
STARTS, SWEEPS = 8, 8


def fewest_crossings(rows: Rows, links: list[tuple[Hashable, Hashable]]) -> tuple[Rows, int]:
    """The best order found, and how many crossings it has; every link joins two neighbouring rows.

    >>> fewest_crossings([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")])
    ([['a', 'b'], ['d', 'c']], 0)
    """
    up: Near = {}
    down: Near = {}
    for a, b in links:
        down.setdefault(a, []).append(b)
        up.setdefault(b, []).append(a)
    best, fewest = [list(r) for r in rows], count_crossings(rows, down)
    for start in _starts(rows):
        for sweep in range(SWEEPS):
            if not fewest:
                return best, 0
            _sweep(start, up if sweep % 2 == 0 else down, sweep % 2 == 0)
            _exchange(start, up, down)
            count = count_crossings(start, down)
            if count < fewest:
                best, fewest = [list(r) for r in start], count
    return best, fewest


def count_crossings(rows: Rows, down: Near) -> int:
    """How many pairs of links cross."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {n: i for i, n in enumerate(lower)}
        passed: list[int] = []  # the lower ends of all links further to the left
        for n in upper:
            ends = [place[m] for m in down.get(n, [])]
            total += sum(len(passed) - bisect_right(passed, e) for e in ends)
            for e in ends:
                insort(passed, e)
    return total


def _starts(rows: Rows) -> Iterator[Rows]:
    yield [list(r) for r in rows]
    yield [list(reversed(r)) for r in rows]
    rng = random.Random(0)  # always the same shuffles: a graph is always drawn the same way
    for _ in range(STARTS - 2 if sum(map(len, rows)) < 60 else 0):
        yield [rng.sample(r, len(r)) for r in rows]


def _sweep(rows: Rows, near: Near, downward: bool) -> None:
    """Sort each layer by the mean place of its neighbours in the layer before."""
    indices = range(1, len(rows)) if downward else range(len(rows) - 2, -1, -1)
    for i in indices:
        place = {n: k for k, n in enumerate(rows[i - 1 if downward else i + 1])}
        wish = {}
        for k, n in enumerate(rows[i]):
            spots = [place[m] for m in near.get(n, [])]
            wish[n] = sum(spots) / len(spots) if spots else float(k)
        rows[i].sort(key=wish.__getitem__)


def _exchange(rows: Rows, up: Near, down: Near) -> None:
    """Let neighbours change places as long as that removes a crossing."""
    better = True
    while better:
        better = False
        place = {n: k for row in rows for k, n in enumerate(row)}
        for row in rows:
            for k in range(len(row) - 1):
                a, b = row[k], row[k + 1]
                gain = sum(_between(near.get(a, []), near.get(b, []), place) for near in (up, down))
                if gain > 0:
                    row[k], row[k + 1] = b, a
                    place[a], place[b] = k + 1, k
                    better = True


def _between(left: list[Hashable], right: list[Hashable], place: dict[Hashable, int]) -> int:
    """Crossings of the links of two neighbours as they stand, minus those if they changed places."""
    return sum((place[m] > place[n]) - (place[m] < place[n]) for m in left for n in right)
