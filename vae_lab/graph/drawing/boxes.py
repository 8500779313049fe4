"""The nodes of the picture: how large each must be, and how it is drawn."""

from __future__ import annotations

from html import escape

from vae_lab.graph.drawing.curves import Point
from vae_lab.graph.drawing.picture import LONGEST, Node
from vae_lab.graph.drawing.symbols import Symbol, symbol
from vae_lab.language import said


def box_size(node: Node, room: float, shapes: bool, values: bool) -> tuple[float, float]:
    """Width and height in pixels, with `room` for the lines above or below."""
    mark = symbol(node.id)
    lines = _lines(node, shapes, values)
    name = len(mark.plain) * (11 if mark.math else 8.4) + 20
    width = max([name, room, 42.0, *(len(line) * 6.1 + 14 for line in lines)])
    height = 30.0 + 13 * len(lines)
    return (max(width * 1.12, 56), height + 10) if node.stochastic else (width, height)


def box(node: Node, at: Point, size: tuple[float, float], shapes: bool, values: bool) -> str:
    """A circle for what is drawn at random, a square for what is computed, bare letters for what is given."""
    (x, y), (w, h) = at, size
    parts = [f"<g><title>{escape(_hover(node))}</title>"]
    if node.stochastic:
        parts.append(f'<ellipse class="draw" cx="{x:.1f}" cy="{y:.1f}" rx="{w / 2:.1f}" ry="{h / 2:.1f}"/>')
    elif node.role == "result":
        corner = f'x="{x - w / 2:.1f}" y="{y - h / 2:.1f}"'
        parts.append(f'<rect class="box" {corner} width="{w:.1f}" height="{h:.1f}" rx="2"/>')
    lines = _lines(node, shapes, values)
    base = y + 6 - 6.5 * len(lines)
    parts.append(_name(symbol(node.id), x, base))
    for i, line in enumerate(lines, 1):
        parts.append(f'<text class="code" x="{x:.1f}" y="{base + 2 + 13 * i:.1f}">{escape(line)}</text>')
    return "".join(parts) + "</g>"


def _lines(node: Node, shapes: bool, values: bool) -> list[str]:
    text = node.caption
    if node.role == "parameter":
        text = said("parameters" if len(node.values) > 1 else "parameter")
    lines = [text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"] if text else []
    if shapes and node.shape is not None:
        lines.append("×".join(map(str, node.shape)) or said("scalar"))
    if values and node.value:
        lines.append(node.value)
    return lines


def _name(mark: Symbol, x: float, y: float) -> str:
    kind = "sym" if mark.math else "word"
    sub = f'<tspan class="sub" dy="4">{escape(mark.sub)}</tspan>' if mark.sub else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(mark.base)}{sub}</text>'


def _hover(node: Node) -> str:
    kind = "drawn at random" if node.stochastic else "computed" if node.role == "result" else node.role
    kind = said(f"{kind} by {node.caption}" if node.caption else kind)
    return f"{node.id}: {kind}" + (f" ({node.source})" if node.source else "")
