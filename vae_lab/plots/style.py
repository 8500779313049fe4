"""How every figure looks: colours, sizes, letters; and a row of axes as wide as a page.

The ink is dark on a transparent ground, so that a page can turn it over for a dark theme; the colours are Okabe and
Ito's, which people with any colour vision tell apart. Figures are SVG with words as text, the same on every build.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import ListedColormap
from matplotlib.ticker import LogFormatter

BLUE, ORANGE, GREEN, PURPLE, INK, QUIET = "#0072B2", "#D55E00", "#009E73", "#B3598B", "#222222", "#6b6b6b"
# Inches. A phone shows a figure some 350 pixels wide: at this width, and with these letters, its words are then still
# more than 11 pixels high. A page on a desk shows it a little larger than it is.
WIDTH = 4.8
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, QUIET)
INK_MAP = ListedColormap([(0.08, 0.08, 0.10, a / 255) for a in range(256)], name="ink")  # 0 is nothing, 1 is ink

STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 2.9),
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",  # and no size below: "small" would be too small on a phone
    "axes.titlelocation": "left",
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 11.7,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "vae-lab",
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}


def use_course_style() -> None:
    """Draw in the course's style from here on; in a notebook, show figures as SVG without a date in them.

    Example:
        >>> use_course_style()
        >>> plt.rcParams["svg.hashsalt"]
        'vae-lab'
    """
    plt.rcParams.update(STYLE)  # type: ignore[arg-type]
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and hasattr(shell, "kernel"):
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None, "Creator": None})


def panels(*widths: float, height: float = 3.0, sharey: bool = False) -> tuple[Axes, ...]:
    """Open a figure of the page's width with one row of axes of the given relative widths.

    Example:
        >>> len(panels(1, 2))
        2
    """
    _figure, axes = plt.subplots(
        1, len(widths), figsize=(WIDTH, height), width_ratios=widths, sharey=sharey, squeeze=False
    )
    return tuple(axes[0])


class _Powers(LogFormatter):
    """Powers of ten with their exponents as letters, as large as the other words: 10⁻³."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return what stands at a tick, or nothing where matplotlib leaves one out."""
        exponent = math.log10(x) if x > 0 else math.nan
        if not super().__call__(x, pos):
            return ""
        if abs(exponent - round(exponent)) > 1e-9:
            return f"{x:g}"
        return "10" + str(round(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def powers_of_ten(*axes: Axis) -> None:
    """Write the ticks of logarithmic axes as 10⁻³, in letters of one size; to be called when their scale is set.

    Example:
        >>> ax = panels(1)[0]
        >>> ax.set_xscale("log")
        >>> powers_of_ten(ax.xaxis)
        >>> ax.xaxis.get_major_formatter().format_ticks([0.001, 100.0])
        ['10⁻³', '10²']
        >>> plt.close(ax.figure)
    """
    for axis in axes:
        axis.set_major_formatter(_Powers())
        axis.set_minor_formatter(_Powers())
