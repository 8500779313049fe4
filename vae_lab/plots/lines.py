"""Quantities against an axis: lines, dots on them, a band, bars, and a line to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_lab.plots.style import BLUE, COLOURS, INK, QUIET, WIDTH, powers_of_ten


def curves(
    x: Tensor, lines: Mapping[str, Sequence[float] | Tensor], *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Draw several quantities against one axis, one labelled line each.

    Args:
        x: [N].
        lines: name -> N values.
        xlabel: of the common axis.
        ylabel: of the values, with their unit.
        ax: where to draw; a new figure if None.

    Example:
        >>> len(curves(torch.arange(3), {"a": [1, 2, 3], "b": [3, 2, 1]}, xlabel="x", ylabel="y").lines)
        2
    """
    ax = ax or plt.subplots()[1]
    for name, values in lines.items():
        ax.plot(x.tolist(), torch.as_tensor(values).tolist(), label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(lines) > 1:
        ax.legend()
    return ax


def log_curves(
    x: Tensor, lines: Mapping[str, Sequence[float] | Tensor], *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Draw `curves` with both axes logarithmic.

    Args:
        x: [N], positive.
        lines: name -> N positive values.
        xlabel: of the common axis.
        ylabel: of the values, with their unit.
        ax: where to draw; a new figure if None.

    Example:
        >>> log_curves(torch.arange(1, 4), {"a": [1, 2, 3]}, xlabel="x", ylabel="y").get_xscale()
        'log'
    """
    ax = curves(x, lines, xlabel=xlabel, ylabel=ylabel, ax=ax)
    ax.set(xscale="log", yscale="log")
    powers_of_ten(ax.xaxis, ax.yaxis)
    return ax


def dots(x: Tensor, points: Mapping[str, Sequence[float] | Tensor], *, ax: Axes | None = None) -> Axes:
    """Measured values over the lines that predict them: dots in the colours of the lines, in the same order.

    Args:
        x: [N].
        points: name -> N values.
        ax: where to draw; a new figure if None.

    Example:
        >>> len(dots(torch.arange(3), {"a": [1, 2, 3]}).collections)
        1
    """
    ax = ax or plt.subplots()[1]
    for colour, values in zip(COLOURS, points.values(), strict=False):
        ax.scatter(x.tolist(), torch.as_tensor(values).tolist(), color=colour, s=26, zorder=3)
    return ax


def band(
    x: Tensor, mean: Tensor, spread: Tensor, exact: float, *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """A mean with plus and minus one standard deviation around it, against a logarithmic axis and an exact value.

    Args:
        x: [N], positive.
        mean: [N].
        spread: [N], standard deviations.
        exact: what the mean ought to be.
        xlabel: of x.
        ylabel: of the values.
        ax: where to draw; a new figure if None.

    Example:
        >>> band(torch.ones(2), torch.zeros(2), torch.ones(2), 0.0, xlabel="a", ylabel="b").get_xscale()
        'log'
    """
    ax = ax or plt.subplots()[1]
    ax.fill_between(x.tolist(), (mean - spread).tolist(), (mean + spread).tolist(), color=BLUE, alpha=0.2, linewidth=0)
    ax.plot(x.tolist(), mean.tolist(), color=BLUE)
    ax.axhline(exact, color=INK, linewidth=1.2, linestyle="--")
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    powers_of_ten(ax.xaxis)
    return ax


def bars(values: Tensor, *, xlabel: str, ylabel: str, ax: Axes | None = None) -> Axes:
    """One bar for each value.

    Args:
        values: [N].
        xlabel: what is counted along the axis.
        ylabel: the values, with their unit.
        ax: where to draw; a new figure if None.

    Example:
        >>> len(bars(torch.tensor([1.0, 2.0]), xlabel="i", ylabel="v").patches)
        2
    """
    ax = ax or plt.subplots(figsize=(WIDTH, 2.6))[1]
    ax.bar(range(1, len(values) + 1), values.tolist(), color=BLUE, width=0.7)
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    ax.set(xlabel=xlabel, ylabel=ylabel)
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
    ax.annotate(label, (1, value), xycoords=("axes fraction", "data"), color=QUIET, **place)
    return ax
