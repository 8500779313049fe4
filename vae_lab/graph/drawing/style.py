"""The look of the picture, and the legend that explains it.

Text and lines take the colour of the text around them, so the picture is right on light and dark pages and on paper.
The accents are readable on all three and can be set with CSS variables.
"""

from __future__ import annotations

from vae_lab.graph.drawing.picture import Picture
from vae_lab.graph.gradient.measure import CUT, PASSES, ZERO
from vae_lab.language import said

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


def cross(x: float, y: float) -> str:
    """The sign of a cut."""
    return f'<path class="cut" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"/>'


def nought(x: float, y: float) -> str:
    """The sign of a gradient that is exactly zero."""
    return f'<ellipse class="zero" style="stroke-dasharray:none" cx="{x:.1f}" cy="{y - 6:.1f}" rx="3.8" ry="5.5"/>'


def legend_rows(picture: Picture, top: float) -> tuple[list[str], float]:
    """The signs that this picture uses, in two columns, and how wide they are."""
    nodes, edges = picture.nodes.values(), picture.edges
    signs = [
        ('<rect class="box" x="4" y="-6" width="16" height="12" rx="2"/>', "computed",
         any(n.role == "result" and not n.stochastic for n in nodes)),
        ('<ellipse class="draw" cx="12" cy="0" rx="8" ry="7"/>', "drawn at random", any(n.stochastic for n in nodes)),
        ('<path class="pass" d="M9 0H22"/><path class="passtip" d="M2 0l8-4v8z"/>', "gradient passes",
         any(e.verdict == PASSES for e in edges)),
        (f'<path class="cut" d="M10 0H24"/>{cross(8, 0)}', "gradient is cut",
         any(e.stops and e.verdict == CUT for e in edges)),
        (f'<path class="zero" d="M12 0H24"/>{nought(7, 6)}', "gradient is zero",
         any(e.stops and e.verdict == ZERO for e in edges)),
        ('<path class="none" d="M2 0H24"/>', "no gradient arrives",
         any(e.verdict in {CUT, ZERO} and not e.stops for e in edges)),
    ]  # fmt: skip
    shown = [(mark, text) for mark, text, used in signs if used]
    rows = [
        f'<g transform="translate({i % 2 * 146} {top + 18 * (i // 2):.1f})">{mark}'
        f'<text class="key" x="30" y="4">{said(text)}</text></g>'
        for i, (mark, text) in enumerate(shown)
    ]
    return rows, 276.0 if len(shown) > 1 else 140.0
