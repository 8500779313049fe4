"""A training run: its loss, and how long it takes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from vae_lab.plots.style import BLUE, ORANGE, WIDTH


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


def durations(seconds: Mapping[str, Sequence[float]], *, xlabel: str, ax: Axes | None = None) -> Axes:
    """How long several take: a bar to the median of each, and a dot for each single measurement.

    Args:
        seconds: name -> measurements; the first stands on top.
        xlabel: what was timed, with its unit.
        ax: where to draw; a new figure if None.

    Example:
        >>> ax = durations({"slow": [3.0, 4.0, 9.0], "quick": [1.0, 1.1, 1.2]}, xlabel="seconds")
        >>> [float(bar.get_width()) for bar in ax.patches]
        [4.0, 1.1]
    """
    ax = ax or plt.subplots(figsize=(WIDTH, 0.5 + 0.45 * len(seconds)))[1]
    medians = [statistics.median(times) for times in seconds.values()]
    ax.barh(range(len(seconds)), medians, color=BLUE, alpha=0.35, height=0.6)
    for place, times in enumerate(seconds.values()):
        ax.scatter(times, [place] * len(times), color=ORANGE, s=16, zorder=3)
    ax.set_yticks(range(len(seconds)), list(seconds))
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(0, None))
    return ax
