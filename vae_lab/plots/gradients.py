"""Gradients that are estimated from samples: how they spread, and how their mean settles."""

from __future__ import annotations

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_lab.plots.style import BLUE, COLOURS, INK, powers_of_ten


def gradient_histograms(
    gradients: Mapping[str, Tensor], *, exact: float, bins: int = 120, ax: Axes | None = None
) -> Axes:
    """Histograms of single-sample gradients on one axis, and their common mean.

    Args:
        gradients: name -> [S] or [S, 1].
        exact: the true gradient.
        bins: over the range that holds all but the outermost hundredth of each.
        ax: where to draw; a new figure if None.

    Example:
        >>> gradient_histograms({"a": torch.randn(50)}, exact=0.0).get_ylabel()
        'density'
    """
    ax = ax or plt.subplots()[1]
    all_values = [values.detach().flatten() for values in gradients.values()]
    low = min(values.quantile(0.005).item() for values in all_values)
    high = max(values.quantile(0.995).item() for values in all_values)
    for name, values, colour in zip(gradients, all_values, COLOURS, strict=False):
        ax.hist(values.numpy(), bins=bins, range=(low, high), density=True, color=colour, alpha=0.5, label=name)
    ax.axvline(exact, color=INK, linewidth=1.2, linestyle="--", label="exact")
    ax.set(xlabel="gradient from one sample", ylabel="density")
    ax.legend()
    return ax


def running_mean(samples: Tensor, exact: float, *, ax: Axes | None = None) -> Axes:
    """The mean of the first n samples against n, in a funnel of two standard errors around the exact value.

    Args:
        samples: [N].
        exact: what the mean tends to.
        ax: where to draw; a new figure if None.

    Example:
        >>> running_mean(torch.randn(1000), 0.0).get_xscale()
        'log'
    """
    ax = ax or plt.subplots()[1]
    n = torch.logspace(1, math.log10(len(samples)), 200, device="cpu").long().unique()
    means = samples.double().cumsum(0)[n - 1] / n
    error = 2 * samples.double().std() / n.double().sqrt()
    ax.fill_between(n, exact - error, exact + error, color=BLUE, alpha=0.15, linewidth=0)
    ax.plot(n, means, color=BLUE)
    ax.axhline(exact, color=INK, linewidth=1.2, linestyle="--")
    ax.set(xscale="log", xlabel="samples", ylabel="mean of the gradients")
    powers_of_ten(ax.xaxis)
    return ax
