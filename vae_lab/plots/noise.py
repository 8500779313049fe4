"""Samples: what they become as sigma changes, and whether they follow their density."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_lab.plots.style import BLUE, INK, ORANGE, QUIET


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
    grid = torch.linspace(values.min().item(), values.max().item(), 200, device="cpu")
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
