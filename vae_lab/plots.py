"""Every figure of the course: (data, *, ax=None) -> Axes, in one style.

The ink is dark on a transparent ground, so that a page can turn it over for a dark theme; the colours are Okabe and
Ito's, which people with any colour vision tell apart. Figures are SVG with words as text, the same on every build.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from torch import Tensor

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


def image_sheet(images: Tensor, *, columns: int | None = None, ax: Axes | None = None) -> Axes:
    """Images side by side as ink on nothing, row by row.

    Args:
        images: [N, 1, H, W] or [N, H, W], uint8 in 0..255 or floats in [0, 1].
        columns: images in a row; the square root of N, rounded up, if None.
        ax: where to draw; a new figure if None.

    Example:
        >>> image_sheet(torch.zeros(6, 1, 28, 28), columns=3).images[0].get_array().shape
        (56, 84)
    """
    sheet = images.detach().reshape(len(images), *images.shape[-2:]).double().cpu()
    if images.dtype == torch.uint8:
        sheet = sheet / 255
    columns = columns or math.ceil(math.sqrt(len(sheet)))
    rows, (height, width) = math.ceil(len(sheet) / columns), sheet.shape[1:]
    full = torch.zeros(rows * columns, height, width, dtype=torch.double)
    full[: len(sheet)] = sheet
    mosaic = full.reshape(rows, columns, height, width).transpose(1, 2).reshape(rows * height, columns * width)
    if ax is None:
        ax = plt.figure(figsize=(WIDTH, WIDTH * rows * height / (columns * width)), layout="none").add_axes(
            (0, 0, 1, 1)
        )
    # whole numbers of 255: the last bits of a float do not reach the picture, so each build draws the same bytes
    ax.imshow((mosaic * 255).round().to(torch.uint8).numpy(), cmap=INK_MAP, vmin=0, vmax=255, interpolation="none")
    ax.set_axis_off()
    return ax


def samples_against_density(
    samples: Tensor,
    density: Callable[[Tensor], Tensor],
    *,
    bins: int = 60,
    sideways: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """A histogram of samples with the density that they should follow drawn over it.

    Args:
        samples: [N].
        density: x [M] -> p(x) [M], per unit of x.
        bins: of the histogram.
        sideways: put z on the vertical axis.
        ax: where to draw; a new figure if None.

    Example:
        >>> normal = torch.distributions.Normal(0.0, 1.0)
        >>> len(samples_against_density(torch.linspace(-2, 2, 50), lambda x: normal.log_prob(x).exp()).lines)
        1
    """
    ax = ax or plt.subplots()[1]
    values = samples.detach().cpu()
    turn: Literal["horizontal", "vertical"] = "horizontal" if sideways else "vertical"
    ax.hist(values.numpy(), bins=bins, density=True, color=BLUE, alpha=0.35, label="samples", orientation=turn)
    grid = torch.linspace(values.min().item(), values.max().item(), 200)
    ax.plot(*((density(grid), grid) if sideways else (grid, density(grid))), color=INK, label="density")
    ax.set(xlabel="density" if sideways else "z", ylabel="z" if sideways else "density")
    ax.legend()
    return ax


def frozen_noise(eps: Tensor, mu: float, sigma: float, *, largest: float = 3.0, ax: Axes | None = None) -> Axes:
    """Draw z = mu + sigma * eps against sigma for noise that stays what it is: one straight line for each eps.

    Args:
        eps: [N].
        mu: where all lines start, at sigma = 0.
        sigma: where the dots stand.
        largest: right end of the sigma axis.
        ax: where to draw; a new figure if None.

    Example:
        >>> len(frozen_noise(torch.tensor([-1.0, 2.0]), mu=0.0, sigma=1.0).lines)
        2
    """
    ax = ax or plt.subplots()[1]
    for e in eps.tolist():
        ax.plot([0, largest], [mu, mu + largest * e], color=BLUE, alpha=0.45, linewidth=1)
    ax.vlines(sigma, *ax.get_ylim(), color=QUIET, linewidth=1, linestyle=":")
    ax.scatter([sigma] * len(eps), (mu + sigma * eps).tolist(), color=ORANGE, zorder=3, s=28)
    ax.set(xlabel="σ", ylabel="z = μ + σ ε", xlim=(0, largest))
    return ax


def training_curves(curves: Mapping[str, Sequence[float]], *, ax: Axes | None = None) -> Axes:
    """Loss against epoch, one labelled line for each run.

    Args:
        curves: name -> loss after each epoch, nats per image.
        ax: where to draw; a new figure if None.

    Example:
        >>> training_curves({"VAE": [200.0, 170.0]}).get_xlabel()
        'epoch'
    """
    ax = ax or plt.subplots()[1]
    for name, losses in curves.items():
        ax.plot(range(1, len(losses) + 1), losses, label=name)
    ax.set(xlabel="epoch", ylabel="negative ELBO, nats per image")
    ax.legend()
    return ax


def reference_line(value: float, label: str, *, ax: Axes | None = None) -> Axes:
    """Draw a horizontal dashed line with its name on it, to compare a curve with.

    Args:
        value: height, in the units of the axis.
        label: written just below the line, at its right end.
        ax: where to draw; a new figure if None.

    Example:
        >>> reference_line(206.56, "floor").texts[0].get_text()
        'floor'
    """
    ax = ax or plt.subplots()[1]
    ax.axhline(value, color=QUIET, linewidth=1.2, linestyle="--")
    place: dict[str, Any] = {"xytext": (0, -4), "textcoords": "offset points", "ha": "right", "va": "top"}
    ax.annotate(label, (1, value), xycoords=("axes fraction", "data"), color=QUIET, size="small", **place)
    return ax
