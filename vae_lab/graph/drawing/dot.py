"""The picture in the DOT language, for those who draw with Graphviz."""

from __future__ import annotations

from vae_lab.graph.drawing.picture import Picture
from vae_lab.graph.drawing.symbols import symbol
from vae_lab.graph.gradient.measure import CUT, PASSES, ZERO

_LINES = {
    PASSES: "color=blue penwidth=2",
    ZERO: 'style=dashed color=orange label="0"',
    CUT: 'style=dotted color=red label="cut"',
}


def to_dot(picture: Picture) -> str:
    """DOT text: boxes are computed, ellipses drawn at random, plain text given."""
    lines = ["digraph computation {", "  rankdir=TB;"]
    for node in picture.nodes.values():
        shape = "ellipse" if node.stochastic else "box" if node.role == "result" else "plaintext"
        label = symbol(node.id).plain + (f"\\n{node.caption}" if node.caption else "")
        lines.append(f"  {_quoted(node.id)} [shape={shape} label={_quoted(label)}];")
    for edge in picture.edges:
        look = _LINES.get(edge.verdict or "", "")
        if edge.verdict in {CUT, ZERO} and not edge.stops:
            look = "style=dotted color=gray"
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{f' [{look}]' if look else ''};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
