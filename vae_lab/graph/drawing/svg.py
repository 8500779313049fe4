"""The picture as SVG: squares for what is computed, circles for what is drawn at random, and the gradient's way back.

Colour is never the only sign: a gradient that passes is an arrow upwards, a cut ends in a cross, a zero in a 0. Nothing
in the text carries an id, so any number of pictures may stand on one page; the same graph always gives the same text.
"""

from __future__ import annotations

import math
from html import escape

from vae_lab.graph.drawing.boxes import box, box_size
from vae_lab.graph.drawing.curves import BESIDE, Point, count_ports, curve, half, path, ports
from vae_lab.graph.drawing.layout import lay_out
from vae_lab.graph.drawing.picture import Edge, Node, Picture
from vae_lab.graph.drawing.sentences import describe, title
from vae_lab.graph.drawing.style import STYLE, cross, legend_rows, nought
from vae_lab.graph.gradient.measure import CUT, PASSES, ZERO
from vae_lab.language import said

MARGIN = 10.0


def to_svg(
    picture: Picture, *, numbers: bool = False, shapes: bool = False, values: bool = False, legend: bool = True
) -> str:
    """Draw a picture; `numbers` go on edges (gradients), `shapes` and `values` under the names of nodes."""
    lines = count_ports(picture)
    apart = 54.0 if numbers else 26.0
    sizes = {n.id: box_size(n, apart * (lines[n.id] - 1) + 30, shapes, values) for n in picture.nodes.values()}
    pairs = [(e.source, e.target) for e in picture.edges]
    layout = lay_out(sizes, pairs, gap=24 if numbers else 16, rise=56 if numbers else 44)
    ends = ports(picture, layout, sizes, apart)
    body = []
    left, right = 0.0, layout.width
    for edge in picture.edges:
        first, last = ends[edge.source, edge.target]
        points = [first, *layout.route[edge.source, edge.target][1:-1], last]
        rightmost = all(last[0] >= ends[e.source, e.target][1][0] for e in picture.edges if e.target == edge.target)
        drawn, reach = _edge(edge, picture.nodes[edge.target], points, numbers, rightmost)
        body.append(drawn)
        left, right = min(left, *reach), max(right, *reach)
    body += [box(n, layout.position[n.id], sizes[n.id], shapes, values) for n in picture.nodes.values()]
    height = layout.height
    if legend:
        rows, wide = legend_rows(picture, height + 28)
        body += rows
        right, height = max(right, wide), height + 28 + 18 * math.ceil(len(rows) / 2)
    w, h = right - left + 2 * MARGIN, height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="vae-graph" role="img" width="{w:.0f}" height="{h:.0f}" '
        f'viewBox="{left - MARGIN:g} {-MARGIN:g} {w:.0f} {h:.0f}"><title>{escape(said(title(picture)))}</title>'
        f"<desc>{escape(' '.join(map(said, describe(picture))))}</desc><style>{STYLE}</style>{''.join(body)}</svg>"
    )


def _edge(edge: Edge, target: Node, points: list[Point], numbers: bool, rightmost: bool) -> tuple[str, list[float]]:
    """The way forward in grey, and beside it what comes back; and how far to the left and right that goes."""
    first, last = points[0], points[-1]
    reach = [x for x, _ in points]
    verdict = said(f"gradient {edge.verdict}") if edge.verdict else ""
    hover = escape(f"{edge.source} → {edge.target}" + (f": {verdict}" if verdict else ""))
    forward = path(curve([*points[:-1], (last[0], last[1] - 5)]))
    parts = [f'<g><title>{hover}</title><path class="fwd" d="{forward}"/>', _tip(last, -6, "tip")]
    back = curve([(first[0], first[1] + 7), *points[1:]], BESIDE)
    if edge.verdict == PASSES:
        parts += [f'<path class="pass" d="{path(back)}"/>', _tip((first[0] + BESIDE, first[1]), 8, "passtip")]
        if numbers and edge.number is not None:
            number = f"{edge.number:.3g}".replace("-", "−")
            # at the lower end, but at the upper one where the line leaves the lower one towards the number
            x, y = (first[0], first[1] + 17) if points[-2][0] > last[0] + 6 else (last[0], last[1] - 7)
            parts.append(f'<text class="num" x="{x + BESIDE + 6:.1f}" y="{y:.1f}">{number}</text>')
            reach.append(x + BESIDE + 6 + 6.2 * len(number))
    elif edge.stops:
        end = half(back[-1])
        x, y = end[0]
        parts += [
            f'<path class="{edge.verdict}" d="{path([end])}"/>',
            cross(x, y) if edge.verdict == CUT else nought(x, y),
        ]
        operation = edge.stops[0].operation
        if operation != target.operation:
            spot, anchor = (x + 9, "start") if rightmost else (x - 9 - BESIDE, "end")  # away from other lines
            look = f'class="{edge.verdict}label" style="text-anchor:{anchor}"'
            parts.append(f'<text {look} x="{spot:.1f}" y="{y + 4:.1f}">{escape(operation)}</text>')
            reach.append(spot + (6.6 if rightmost else -6.6) * len(operation))
    elif edge.verdict in {CUT, ZERO}:
        parts.append(f'<path class="none" d="{path(back)}"/>')
    return "".join(parts) + "</g>", reach


def _tip(at: Point, size: float, kind: str) -> str:
    return f'<path class="{kind}" d="M{at[0]:.1f} {at[1]:.1f}l{-abs(size) / 2:.1f} {size:.1f}h{abs(size):.1f}z"/>'
