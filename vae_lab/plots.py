"""Every figure of the course: (data, *, ax=None) -> Axes, in one style.

The ink is dark on a transparent ground, so that a page can turn it over for a dark theme; the colours are Okabe and
Ito's, which people with any colour vision tell apart. Figures are SVG with words as text, the same on every build.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patheffects import withStroke
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
    # 52 greys: more than an eye tells apart, half the bytes of 256; and the last bits of a float, which differ from
    # machine to machine, do not reach the picture
    greys = (mosaic * 51).round().mul(5).to(torch.uint8).numpy()
    ax.imshow(greys, cmap=INK_MAP, vmin=0, vmax=255, interpolation="none")
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
    n = torch.logspace(1, math.log10(len(samples)), 200).long().unique()
    means = samples.double().cumsum(0)[n - 1] / n
    error = 2 * samples.double().std() / n.double().sqrt()
    ax.fill_between(n, exact - error, exact + error, color=BLUE, alpha=0.15, linewidth=0)
    ax.plot(n, means, color=BLUE)
    ax.axhline(exact, color=INK, linewidth=1.2, linestyle="--")
    ax.set(xscale="log", xlabel="samples", ylabel="mean of the gradients")
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
        >>> x = torch.linspace(-1, 1, 5)
        >>> bowl(x, x, x[:, None] ** 2 + x**2, points=torch.zeros(1, 2), xlabel="a", ylabel="b").get_xlabel()
        'a'
    """
    ax = ax or plt.subplots(figsize=(WIDTH, 3.6))[1]
    levels = [0.1, 0.5, 1, 2, 3, 4, 6, 8, 10]
    lines = ax.contour(x.numpy(), y.numpy(), values.numpy(), levels=levels, colors=BLUE, linewidths=1.2)
    ax.clabel(lines, fmt="%g", fontsize="small", colors=INK)
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
        ax.annotate(f"β = {beta:g}", (rate, distortion), (7, 5), textcoords="offset points", size="small")
    best = min(r + d for r, d in zip(rates, distortions, strict=True))
    ends = [0.0, max(rates)]
    ax.plot(ends, [best - rate for rate in ends], color=QUIET, linestyle="--", linewidth=1.2)
    ax.set(xlabel="rate: KL, nats per image", ylabel="distortion, nats per image")
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


def latent_scatter(codes: Tensor, labels: Tensor, *, ax: Axes | None = None) -> Axes:
    """Where images lie in a two-dimensional latent space: each digit written at its median, a circle of radius two.

    Digits whose medians would lie on each other are pushed apart.

    Args:
        codes: [N, 2].
        labels: [N], which digit an image shows.
        ax: where to draw; a new figure if None.

    Example:
        >>> ax = latent_scatter(torch.randn(50, 2), torch.arange(50) % 10)
        >>> sorted(text.get_text() for text in ax.texts)[:3]
        ['0', '1', '2']
    """
    ax = ax or plt.subplots(figsize=(3.6, 3.6))[1]
    digits = labels.unique().tolist()
    for digit in digits:
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
    medians = [codes[labels == digit].median(0).values.tolist() for digit in digits]
    span = (codes.max(0).values - codes.min(0).values).max().item()
    halo = [withStroke(linewidth=2.5, foreground="white")]  # a digit is read on a crowd of dots, too
    for digit, (across, up) in zip(digits, _apart(medians, 0.075 * span), strict=True):
        ax.text(across, up, str(digit), ha="center", va="center", weight="bold", size="large", path_effects=halo)
    ax.add_patch(plt.Circle((0, 0), 2, fill=False, linestyle="--", color=INK, linewidth=1.2))
    ax.set(xlabel="z₁", ylabel="z₂", aspect="equal", adjustable="datalim")
    return ax


def ladder(estimates: Mapping[int, Tensor], truth: float, *, ax: Axes | None = None) -> Axes:
    """Single estimates of the bound L_K as violins, their means as dots, and the log p(x) that no mean passes.

    Args:
        estimates: K -> independent estimates, [S], nats.
        truth: log p(x), nats.
        ax: where to draw; a new figure if None.

    Example:
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
