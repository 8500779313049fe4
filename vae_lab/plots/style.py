"""How every figure looks: colours, sizes, letters; and a row of axes as wide as a page.

The ink is dark on a transparent ground, so that a page can turn it over for a dark theme; the colours are Okabe and
Ito's, which people with any colour vision tell apart. Figures are SVG with words as text, the same on every build.
"""

from __future__ import annotations

import sys
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

BLUE, ORANGE, GREEN, PURPLE, INK, QUIET = "#0072B2", "#D55E00", "#009E73", "#B3598B", "#222222", "#6b6b6b"
WIDTH = 6.0  # inches: as wide as the text of a page, so that words in a figure are as large as those around it
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, QUIET)
INK_MAP = ListedColormap([(0.08, 0.08, 0.10, a / 255) for a in range(256)], name="ink")  # 0 is nothing, 1 is ink

STYLE: dict[str, Any] = {
    "figure.figsize": (WIDTH, 3.0),
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 11.0,
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
