"""A latent space of two dimensions: where the images of each digit lie, and how wide their clouds are."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from matplotlib.patheffects import withStroke
from torch import Tensor

from vae_lab.plots.style import COLOURS, INK


def _apart(places: list[list[float]], gap: float) -> list[list[float]]:
    """Push points apart, in place, until no two are closer than `gap`, or for sixty rounds."""
    for _ in range(60):
        for i, a in enumerate(places):
            for b in places[i + 1 :]:
                across, up = b[0] - a[0], b[1] - a[1]
                distance = math.hypot(across, up)
                if distance < gap:
                    push = (gap - distance) / 2 / (distance or 1.0)
                    a[0], a[1] = a[0] - push * across, a[1] - push * up
                    b[0], b[1] = b[0] + push * across, b[1] + push * up
    return places


def _name_digits(places: Tensor, labels: Tensor, span: float, ax: Axes) -> None:
    """Write each digit at the median of its places [N, 2]; `span` is how far the picture reaches."""
    digits = labels.unique().tolist()
    medians = [places[labels == digit].median(0).values.tolist() for digit in digits]
    halo = [withStroke(linewidth=2.5, foreground="white")]  # a digit is read on a crowd of dots, too
    for digit, (across, up) in zip(digits, _apart(medians, 0.075 * span), strict=True):
        ax.text(across, up, str(digit), ha="center", va="center", weight="bold", size="large", path_effects=halo)


def latent_scatter(codes: Tensor, labels: Tensor, *, ax: Axes | None = None) -> Axes:
    """Where images lie in a two-dimensional latent space: each digit written at its median, a circle of radius two.

    Digits whose medians would lie on each other are pushed apart.

    Args:
        codes: [N, 2].
        labels: [N], which digit an image shows.
        ax: where to draw; a new figure if None.

    Example:
        >>> import torch
        >>> ax = latent_scatter(torch.randn(50, 2), torch.arange(50) % 10)
        >>> sorted(text.get_text() for text in ax.texts)[:3]
        ['0', '1', '2']
    """
    ax = ax or plt.subplots(figsize=(3.6, 3.6))[1]
    for digit in labels.unique().tolist():
        of_digit = codes[labels == digit]
        colour = COLOURS[digit % len(COLOURS)]
        # a raster of dots: thousands of them as vector shapes would weigh more than the rest of the page
        ax.scatter(
            of_digit[:, 0].tolist(),
            of_digit[:, 1].tolist(),
            s=2.0,
            color=colour,
            alpha=0.5,
            linewidths=0,
            rasterized=True,
        )
    _name_digits(codes, labels, (codes.max(0).values - codes.min(0).values).max().item(), ax)
    ax.add_patch(plt.Circle((0, 0), 2, fill=False, linestyle="--", color=INK, linewidth=1.2))
    ax.set(xlabel="z₁", ylabel="z₂", aspect="equal", adjustable="datalim")
    return ax


def posterior_clouds(mu: Tensor, sigma: Tensor, labels: Tensor, *, names: bool = True, ax: Axes | None = None) -> Axes:
    """The distributions that an encoder answers with: an ellipse of one standard deviation each, a digit at its median.

    Args:
        mu: centres, [N, 2].
        sigma: standard deviations, [N, 2]; half the axes of the ellipses.
        labels: [N], which digit an image shows: the colour.
        names: whether to write the digits; they cover small ellipses.
        ax: where to draw; a new figure if None.

    Example:
        >>> import torch
        >>> ax = posterior_clouds(torch.zeros(3, 2), torch.ones(3, 2), torch.arange(3))
        >>> len(ax.patches)  # three clouds, and the circle
        4
    """
    ax = ax or plt.subplots(figsize=(4.2, 4.2))[1]
    for (across, up), (width, height), digit in zip(mu.tolist(), (2 * sigma).tolist(), labels.tolist(), strict=True):
        colour = COLOURS[digit % len(COLOURS)]
        ax.add_patch(Ellipse((across, up), width, height, facecolor=colour, edgecolor=colour, alpha=0.3, linewidth=0.9))
    if names:
        _name_digits(mu, labels, ((mu + sigma).amax(0) - (mu - sigma).amin(0)).max().item(), ax)
    ax.add_patch(plt.Circle((0, 0), 2, fill=False, linestyle="--", color=INK, linewidth=1.2))
    ax.set(xlabel="z₁", ylabel="z₂", aspect="equal", adjustable="datalim")
    ax.autoscale_view()
    return ax
