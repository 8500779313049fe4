"""The picture as SVG: squares for what is computed, circles for what is drawn at random, and the gradient's way back.

Text and lines take the colour of the text around them, so the picture is right on light and dark pages and on paper.
The three accents are readable on both, and none of them is the only sign: a gradient that passes is an arrow upwards, a
cut ends in a cross, a zero in a 0. Nothing in the text carries an id, so any number of pictures may stand on one page.
"""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise

from vae_lab.graph.gradient import CUT, PASSES, ZERO
from vae_lab.graph.layout import Layout, lay_out
from vae_lab.graph.symbols import Symbol, symbol
from vae_lab.graph.view import Edge, Node, Picture
from vae_lab.graph.words import describe, title

STYLE = (
    ".vae-graph{max-width:100%;height:auto;font:13px system-ui,sans-serif;overflow:visible}"
    ".vae-graph text{fill:currentColor;text-anchor:middle}"
    ".vae-graph .sym{font:italic 19px 'STIX Two Text','Latin Modern Roman',Cambria,Georgia,serif}"
    ".vae-graph .word{font-size:14px;font-weight:600}"
    ".vae-graph .sub{font-size:12px}"
    ".vae-graph .code{font:10px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;opacity:.75}"
    ".vae-graph .box{fill:currentColor;fill-opacity:.05;stroke:currentColor;stroke-width:1.5}"
    ".vae-graph .draw{fill:var(--vae-graph-zero,#c77700);fill-opacity:.13;stroke:currentColor;stroke-width:1.5}"
    ".vae-graph .fwd{fill:none;stroke:currentColor;stroke-width:1.2;opacity:.55}"
    ".vae-graph .tip{fill:currentColor;opacity:.6}"
    ".vae-graph .pass{fill:none;stroke:var(--vae-graph-pass,#2f7de1);stroke-width:2.4}"
    ".vae-graph .passtip{fill:var(--vae-graph-pass,#2f7de1)}"
    ".vae-graph .none{fill:none;stroke:currentColor;stroke-width:1.6;"
    "stroke-dasharray:1.5 4.5;stroke-linecap:round;opacity:.5}"
    ".vae-graph .cut{fill:none;stroke:var(--vae-graph-cut,#e0434a);stroke-width:2.4}"
    ".vae-graph .zero{fill:none;stroke:var(--vae-graph-zero,#c77700);stroke-width:2.4;stroke-dasharray:5 3}"
    ".vae-graph text.cutlabel{fill:var(--vae-graph-cut,#e0434a);font-size:11px;font-weight:600;text-anchor:start}"
    ".vae-graph text.zerolabel{fill:var(--vae-graph-zero,#c77700);font-size:11px;font-weight:600;text-anchor:start}"
    ".vae-graph text.num{font-size:10.5px;fill:var(--vae-graph-pass,#2f7de1);text-anchor:start}"
    ".vae-graph text.key{font-size:11px;text-anchor:start}"
    "svg.vae-graph:root{color:#1f2328}"
    "@media (prefers-color-scheme:dark){svg.vae-graph:root{color:#e6edf3;background:#14181e}}"
    "@media print{svg.vae-graph:root{color:#000;background:none}}"
)
MARGIN = 10.0
BESIDE = 7.0  # between the way forward and the gradient's way back
Point = tuple[float, float]
Curve = list[tuple[Point, Point, Point, Point]]


def to_svg(picture: Picture, *, numbers: bool = False, shapes: bool = False, legend: bool = True) -> str:
    """Draw a picture; `numbers` puts gradient sizes on edges, `shapes` the tensors' shapes under the nodes."""
    ports = _count_ports(picture)
    sizes = {n.id: _size(n, ports[n.id], shapes) for n in picture.nodes.values()}
    pairs = [(e.source, e.target) for e in picture.edges]
    layout = lay_out(sizes, pairs, gap=30 if numbers else 16, rise=58 if numbers else 44)
    ends = _ports(picture, layout, sizes)
    body = [_edge(e, picture, layout, ends, numbers) for e in picture.edges]
    body += [_node(n, layout.position[n.id], sizes[n.id], shapes) for n in picture.nodes.values()]
    width, height = layout.width, layout.height
    if legend:
        rows, wide = _legend(picture, height + 26)
        body += rows
        width, height = max(width, wide), height + 26 + 18 * math.ceil(len(rows) / 2)
    w, h = width + 2 * MARGIN, height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="vae-graph" role="img" width="{w:.0f}" height="{h:.0f}" '
        f'viewBox="{-MARGIN:g} {-MARGIN:g} {w:.0f} {h:.0f}"><title>{escape(title(picture))}</title>'
        f"<desc>{escape(' '.join(describe(picture)))}</desc><style>{STYLE}</style>{''.join(body)}</svg>"
    )


# -- nodes -----------------------------------------------------------------------------------------------------------


def _text_width(text: str, per: float) -> float:
    return len(text) * per


def _caption(node: Node) -> str:
    if node.role == "parameter":
        return "parameters" if len(node.values) > 1 else "parameter"
    text = node.caption
    return text if len(text) <= 22 else text[:21] + "…"


def _size(node: Node, ports: int, shapes: bool) -> tuple[float, float]:
    mark = symbol(node.id)
    name = _text_width(mark.plain, 11 if mark.math else 8.2)
    lines = _text_width(_caption(node), 6.1)
    if shapes and node.shape is not None:
        lines = max(lines, _text_width(_shape(node), 6.1))
    height = 30.0 + (13 if _caption(node) else 0) + (12 if shapes and node.shape is not None else 0)
    width = max(name + 20, lines + 14, 22.0 * ports + 8, 40)
    if node.stochastic:
        return max(width + 8, 52), height + 10
    return width, height


def _shape(node: Node) -> str:
    assert node.shape is not None
    return "×".join(map(str, node.shape)) or "scalar"


def _node(node: Node, at: Point, size: tuple[float, float], shapes: bool) -> str:
    x, y = at
    w, h = size
    parts = [f"<g><title>{escape(_hover(node))}</title>"]
    if node.stochastic:
        parts.append(f'<ellipse class="draw" cx="{x:.1f}" cy="{y:.1f}" rx="{w / 2:.1f}" ry="{h / 2:.1f}"/>')
    elif node.role == "result":
        parts.append(
            f'<rect class="box" x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2"/>'
        )
    caption = _caption(node)
    lines = (1 if caption else 0) + (1 if shapes and node.shape is not None else 0)
    base = y + 6 - 6 * lines
    parts.append(_name(symbol(node.id), x, base))
    if caption:
        parts.append(f'<text class="code" x="{x:.1f}" y="{base + 15:.1f}">{escape(caption)}</text>')
    if shapes and node.shape is not None:
        parts.append(
            f'<text class="code" x="{x:.1f}" y="{base + 15 * lines - 2 * (lines - 1):.1f}">{_shape(node)}</text>'
        )
    return "".join(parts) + "</g>"


def _name(mark: Symbol, x: float, y: float) -> str:
    kind = "sym" if mark.math else "word"
    sub = f'<tspan class="sub" dy="4">{escape(mark.sub)}</tspan>' if mark.sub else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(mark.base)}{sub}</text>'


def _hover(node: Node) -> str:
    kind = "drawn at random" if node.stochastic else {"result": "computed"}.get(node.role, node.role)
    where = f" ({node.source})" if node.source else ""
    return f"{node.id}: {kind}{where}"


# -- edges -----------------------------------------------------------------------------------------------------------


def _count_ports(picture: Picture) -> dict[str, int]:
    into = dict.fromkeys(picture.nodes, 0)
    out = dict.fromkeys(picture.nodes, 0)
    for e in picture.edges:
        into[e.target] += 1
        out[e.source] += 1
    return {n: max(into[n], out[n]) for n in picture.nodes}


def _ports(
    picture: Picture, layout: Layout, sizes: dict[str, tuple[float, float]]
) -> dict[tuple[str, str], tuple[Point, Point]]:
    """Where each edge leaves its source and enters its target, spread so that neighbours do not touch."""
    leave: dict[str, list[tuple[float, str]]] = {}
    enter: dict[str, list[tuple[float, str]]] = {}
    for e in picture.edges:
        route = layout.route[e.source, e.target]
        leave.setdefault(e.source, []).append((route[1][0], e.target))
        enter.setdefault(e.target, []).append((route[-2][0], e.source))

    def spot(node: str, others: list[tuple[float, str]], other: str, side: int) -> Point:
        x, y = layout.position[node]
        w, h = sizes[node]
        ordered = [name for _, name in sorted(others)]
        step = min(24.0, (w - 16) / max(len(ordered), 1))
        dx = (ordered.index(other) - (len(ordered) - 1) / 2) * step - BESIDE / 2
        if picture.nodes[node].stochastic:
            return x + dx, y + side * h / 2 * math.sqrt(max(0.0, 1 - (2 * dx / w) ** 2))
        return x + dx, y + side * h / 2

    return {
        (e.source, e.target): (
            spot(e.source, leave[e.source], e.target, 1),
            spot(e.target, enter[e.target], e.source, -1),
        )
        for e in picture.edges
    }


def _curve(points: list[Point], aside: float = 0.0) -> Curve:
    """Smooth pieces through the points, each beginning and ending upright; `aside` shifts it all to its right."""
    pieces = []
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) * 0.5
        # a shift along the normal: all to the right at the upright ends, and lifted in the middle where the piece leans
        lift = -aside * (x1 - x0) / math.hypot(x1 - x0, y1 - y0) * 1.1
        a, d = (x0 + aside, y0), (x1 + aside, y1)
        pieces.append((a, (x0 + aside, y0 + bend + lift), (x1 + aside, y1 - bend + lift), d))
    return pieces


def _half(piece: tuple[Point, Point, Point, Point]) -> tuple[Point, Point, Point, Point]:
    """The second half of a cubic curve (de Casteljau)."""

    def mid(p: Point, q: Point) -> Point:
        return (p[0] + q[0]) / 2, (p[1] + q[1]) / 2

    a, b, c, d = piece
    ab, bc, cd = mid(a, b), mid(b, c), mid(c, d)
    abc, bcd = mid(ab, bc), mid(bc, cd)
    return mid(abc, bcd), bcd, cd, d


def _path(curve: Curve) -> str:
    text = [f"M{curve[0][0][0]:.1f} {curve[0][0][1]:.1f}"]
    text += [f"C{b[0]:.1f} {b[1]:.1f} {c[0]:.1f} {c[1]:.1f} {d[0]:.1f} {d[1]:.1f}" for _, b, c, d in curve]
    return "".join(text)


def _tip(at: Point, down: bool, kind: str, size: float) -> str:
    x, y = at
    back = -size if down else size
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}l{-size * 0.5:.1f} {back:.1f}h{size:.1f}z"/>'


def _edge(
    edge: Edge, picture: Picture, layout: Layout, ends: dict[tuple[str, str], tuple[Point, Point]], numbers: bool
) -> str:
    key = edge.source, edge.target
    first, last = ends[key]
    points = [first, *layout.route[key][1:-1], last]
    shortened = [*points[:-1], (last[0], last[1] - 5)]
    parts = [f"<g><title>{escape(f'{edge.source} → {edge.target}: {edge.verdict}')}</title>" if edge.verdict else "<g>"]
    parts += [f'<path class="fwd" d="{_path(_curve(shortened))}"/>', _tip(last, True, "tip", 6)]
    if edge.verdict in {PASSES, ZERO, CUT}:
        start = points[0][0] + BESIDE, points[0][1]
        curve = _curve([(points[0][0], points[0][1] + 7), *points[1:]], BESIDE)
        if edge.verdict == PASSES:
            parts += [
                f'<path class="pass" d="{_path(curve)}"/>',
                _tip(start, False, "passtip", 8),
            ]
            if numbers and edge.number is not None:
                x, y = _half(curve[len(curve) // 2])[0]
                parts.append(f'<text class="num" x="{x + 5:.1f}" y="{y + 3:.1f}">{_number(edge.number)}</text>')
        elif edge.stops:
            end = _half(curve[-1])
            x, y = end[0]
            parts.append(f'<path class="{edge.verdict}" d="{_path([end])}"/>')
            parts.append(_cross(x, y) if edge.verdict == CUT else _nought(x, y))
            if edge.operation and edge.operation != picture.nodes[edge.target].operation:
                parts.append(
                    f'<text class="{edge.verdict}label" x="{x + 9:.1f}" y="{y + 4:.1f}">{escape(edge.operation)}</text>'
                )
        else:
            parts.append(f'<path class="none" d="{_path(curve)}"/>')
    return "".join(parts) + "</g>"


def _cross(x: float, y: float) -> str:
    return f'<path class="cut" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"/>'


def _nought(x: float, y: float) -> str:
    return f'<ellipse class="zero" style="stroke-dasharray:none" cx="{x:.1f}" cy="{y - 6:.1f}" rx="3.8" ry="5.5"/>'


def _number(number: float) -> str:
    return f"{number:.3g}".replace("-", "−")


# -- legend ----------------------------------------------------------------------------------------------------------


def _legend(picture: Picture, top: float) -> tuple[list[str], float]:
    """Two columns that explain the signs which this picture uses."""
    items: list[tuple[str, str]] = []
    nodes = picture.nodes.values()
    if any(n.role == "result" and not n.stochastic for n in nodes):
        items.append(('<rect class="box" x="4" y="-6" width="16" height="12" rx="2"/>', "computed"))
    if any(n.stochastic for n in nodes):
        items.append(('<ellipse class="draw" cx="12" cy="0" rx="8" ry="7"/>', "drawn at random"))
    if any(e.verdict == PASSES for e in picture.edges):
        arrow = '<path class="pass" d="M9 0H22"/><path class="passtip" d="M2 0l8-4v8z"/>'
        items.append((arrow, "gradient passes"))
    if any(e.stops and e.verdict == CUT for e in picture.edges):
        items.append((f'<path class="cut" d="M10 0H24"/>{_cross(8, 0)}', "gradient is cut"))
    if any(e.stops and e.verdict == ZERO for e in picture.edges):
        items.append((f'<path class="zero" d="M12 0H24"/>{_nought(7, 6)}', "gradient is zero"))
    if any(e.verdict in {CUT, ZERO} and not e.stops for e in picture.edges):
        items.append(('<path class="none" d="M2 0H24"/>', "no gradient arrives"))
    rows = []
    for i, (mark, text) in enumerate(items):
        x, y = (i % 2) * 146, top + 18 * (i // 2)
        rows.append(f'<g transform="translate({x} {y:.1f})">{mark}<text class="key" x="30" y="4">{text}</text></g>')
    return rows, 276.0 if len(items) > 1 else 140.0
