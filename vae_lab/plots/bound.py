"""The ELBO and its parts: the KL as a bowl, rate against distortion, and the ladder up to log p(x)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from vae_lab.plots.style import BLUE, INK, ORANGE, QUIET, WIDTH


def bowl(
    x: Tensor, y: Tensor, values: Tensor, *, points: Tensor, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Contour lines of a function of two variables, closer together near its minimum than far from it.

    Args:
        x: [N].
        y: [M].
        values: [M, N], never negative.
        points: places to mark, [P, 2].
        xlabel: of x.
        ylabel: of y.
        ax: where to draw; a new figure if None.

    Example:
        >>> import torch
        >>> x = torch.linspace(-1, 1, 5)
        >>> bowl(x, x, x[:, None] ** 2 + x**2, points=torch.zeros(1, 2), xlabel="a", ylabel="b").get_xlabel()
        'a'
    """
    ax = ax or plt.subplots(figsize=(WIDTH, 3.6))[1]
    levels = [0.1, 0.5, 1, 2, 3, 4, 6, 8, 10]
    lines = ax.contour(x.numpy(), y.numpy(), values.numpy(), levels=levels, colors=BLUE, linewidths=1.2)
    ax.clabel(lines, fmt="%g", colors=INK)
    ax.scatter(points[:, 0].tolist(), points[:, 1].tolist(), color=ORANGE, s=36, zorder=3)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def rate_distortion(
    betas: Sequence[float], rates: Sequence[float], distortions: Sequence[float], *, ax: Axes | None = None
) -> Axes:
    """One dot for each model, labelled with its beta, and the line of the best sum of rate and distortion.

    Args:
        betas: weights of the KL term.
        rates: KL, nats per image.
        distortions: reconstruction errors, nats per image.
        ax: where to draw; a new figure if None.

    Example:
        >>> len(rate_distortion([1, 2], [10.0, 5.0], [150.0, 160.0]).texts)
        2
    """
    ax = ax or plt.subplots()[1]
    ax.plot(rates, distortions, color=BLUE, marker="o")
    for beta, rate, distortion in zip(betas, rates, distortions, strict=True):
        ax.annotate(f"β = {beta:g}", (rate, distortion), (7, 5), textcoords="offset points")
    best = min(r + d for r, d in zip(rates, distortions, strict=True))
    ends = [0.0, max(rates)]
    ax.plot(ends, [best - rate for rate in ends], color=QUIET, linestyle="--", linewidth=1.2)
    ax.set(xlabel="rate: KL, nats per image", ylabel="distortion, nats per image")
    return ax


def ladder(estimates: Mapping[int, Tensor], truth: float, *, ax: Axes | None = None) -> Axes:
    """Single estimates of the bound L_K as violins, their means as dots, and the log p(x) that no mean passes.

    Args:
        estimates: K -> independent estimates, [S], nats.
        truth: log p(x), nats.
        ax: where to draw; a new figure if None.

    Example:
        >>> import torch
        >>> generator = torch.Generator().manual_seed(0)
        >>> ax = ladder({1: torch.randn(50, generator=generator), 5: torch.randn(50, generator=generator)}, 1.0)
        >>> [label.get_text() for label in ax.get_xticklabels()]
        ['1', '5']
    """
    ax = ax or plt.subplots(figsize=(WIDTH, 3.4))[1]
    low = min(values.quantile(0.01).item() for values in estimates.values())
    shown = [values[values >= low].tolist() for values in estimates.values()]
    places = range(len(estimates))
    for body in ax.violinplot(shown, places, widths=0.8, showextrema=False)["bodies"]:  # type: ignore[attr-defined]
        body.set(facecolor=BLUE, alpha=0.35)
    ax.scatter(places, [values.mean().item() for values in estimates.values()], color=ORANGE, s=36, zorder=3)
    ax.axhline(truth, color=INK, linewidth=1.2, linestyle="--")
    ax.set_xticks(list(places), [str(k) for k in estimates])
    ax.set(xlabel="samples K", ylabel="nats")
    return ax
