"""The lines of the picture: where an edge leaves and enters its nodes, and the smooth way between."""

from __future__ import annotations

import math
from itertools import pairwise

from vae_lab.graph.drawing.layout import Layout
from vae_lab.graph.drawing.picture import Picture

BESIDE = 7.0  # pixels between the way forward and the gradient's way back
Point = tuple[float, float]
Piece = tuple[Point, Point, Point, Point]  # a cubic Bezier curve


def count_ports(picture: Picture) -> dict[str, int]:
    """How many edges a node needs room for, above or below."""
    into, out = dict.fromkeys(picture.nodes, 0), dict.fromkeys(picture.nodes, 0)
    for edge in picture.edges:
        into[edge.target] += 1
        out[edge.source] += 1
    return {n: max(into[n], out[n]) for n in picture.nodes}


def ports(
    picture: Picture, layout: Layout, sizes: dict[str, tuple[float, float]], apart: float
) -> dict[tuple[str, str], tuple[Point, Point]]:
    """Where each edge leaves its source and enters its target, at most `apart` pixels from the next, in order."""
    leave: dict[str, list[tuple[float, str]]] = {}
    enter: dict[str, list[tuple[float, str]]] = {}
    for edge in picture.edges:
        route = layout.route[edge.source, edge.target]
        leave.setdefault(edge.source, []).append((route[1][0], edge.target))
        enter.setdefault(edge.target, []).append((route[-2][0], edge.source))

    def spot(node: str, others: list[tuple[float, str]], other: str, side: int) -> Point:
        (x, y), (w, h) = layout.position[node], sizes[node]
        ordered = [name for _, name in sorted(others)]
        step = min(apart, (w - 18) / max(len(ordered) - 1, 1))
        dx = (ordered.index(other) - (len(ordered) - 1) / 2) * step - BESIDE / 2
        round_off = math.sqrt(max(0.0, 1 - (2 * dx / w) ** 2)) if picture.nodes[node].stochastic else 1.0
        return x + dx, y + side * h / 2 * round_off

    return {
        (e.source, e.target): (
            spot(e.source, leave[e.source], e.target, 1),
            spot(e.target, enter[e.target], e.source, -1),
        )
        for e in picture.edges
    }


def curve(points: list[Point], aside: float = 0.0) -> list[Piece]:
    """Smooth pieces through the points, upright where they meet; `aside` shifts them all to their right."""
    pieces = []
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) * 0.5
        # along the normal: to the side where the piece stands upright, upwards or downwards where it leans
        lift = -aside * (x1 - x0) / math.hypot(x1 - x0, y1 - y0) * 1.1
        start, end = (x0 + aside, y0), (x1 + aside, y1)
        pieces.append((start, (start[0], y0 + bend + lift), (end[0], y1 - bend + lift), end))
    return pieces


def half(piece: Piece) -> Piece:
    """The second half of a piece (de Casteljau's construction)."""

    def mid(p: Point, q: Point) -> Point:
        return (p[0] + q[0]) / 2, (p[1] + q[1]) / 2

    a, b, c, d = piece
    ab, bc, cd = mid(a, b), mid(b, c), mid(c, d)
    abc, bcd = mid(ab, bc), mid(bc, cd)
    return mid(abc, bcd), bcd, cd, d


def path(pieces: list[Piece]) -> str:
    """The pieces as the text of an SVG path."""
    (x, y), *_ = pieces[0]
    steps = [f"C{b[0]:.1f} {b[1]:.1f} {c[0]:.1f} {c[1]:.1f} {d[0]:.1f} {d[1]:.1f}" for _, b, c, d in pieces]
    return f"M{x:.1f} {y:.1f}" + "".join(steps)
