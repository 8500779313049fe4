"""Is this noise N(0, 1), and independent? The fair test of a sampler, whatever generator its draws come from.

Sums of independent normal draws are normal, so their squares add up to a chi-square variable with exact bounds. Noise
that is shared along an axis makes the sums along it too large; noise that cancels (eps beside -eps), too small. A long
axis is looked at as a whole, and cut into blocks, whose many sums show sharing between a few entries. So are the sizes
|eps|, turned into normal numbers: entries that share a radius have no correlation, and are far from independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vae_lab.checks.instruments.statistics import (
    ALPHA,
    binomial_interval,
    chi_square_interval,
    kolmogorov_distance,
    kolmogorov_limit,
    normal_cdf,
)

BLOCK = 64
"""Length above which an axis is also looked at in blocks, of at most this length."""
EDGES = (2.01, 3.01)
"""Beyond them lie the tails. No round numbers: noise that is held at 3 lies above 3 or below, as rounding has it."""


class Finding(NamedTuple):
    """What is wrong with the noise.

    Args:
        kind: "not finite", "spread", "mean", "shape", "tails", "shared", "cancelling" or "sizes".
        axis: name of the axis, for "shared", "cancelling" and "sizes" (which go together).
        seen: the statistic.
        wanted: its bounds.
    """

    kind: str
    axis: str
    seen: float
    wanted: tuple[float, float]


def examine(eps: Tensor, axes: Sequence[str], alpha: float = ALPHA) -> Finding | None:
    """Look for a sign that `eps` is not independent N(0, 1) noise.

    Args:
        eps: the noise, one axis for each name in `axes`; a few thousand draws or more.
        axes: names of the axes, e.g. ("call", "row", "dimension").
        alpha: false-alarm probability of each statistic: five, two for each axis, and four more for each axis that is
            longer than BLOCK.

    Returns:
        The first finding, or None. Independent N(0, 1) noise has a finding with probability at most
        (6 * len(axes) + 5) * alpha: 2.3e-7 for three axes and the default alpha.

    Example:
        >>> noise = torch.randn(20, 30, 8, generator=torch.Generator().manual_seed(0))
        >>> examine(noise, ("call", "row", "dimension")) is None
        True
        >>> examine(noise[:, :1].expand(20, 30, 8), ("call", "row", "dimension")).axis
        'row'
    """
    eps = eps.detach().double()
    finite = torch.isfinite(eps)
    # Inverting a distribution function at a uniform draw of exactly 0, which comes once in 2^24 draws of float32, gives
    # one infinity in an answer that is right otherwise. Two of them are no accident (probability below 1e-6).
    if int((~finite).sum()) > 1:
        return Finding("not finite", "", float((~finite).double().mean()), (0.0, 0.0))
    eps = torch.where(finite, eps, torch.zeros_like(eps))

    n = eps.numel()
    spread = float(eps.square().mean())
    # the squared mean of n draws, times n, is chi-square with 1 degree
    limit, mean = (chi_square_interval(1, alpha)[1] / n) ** 0.5, float(eps.mean())
    shared = _along_axes(eps, axes, alpha) if spread > 0 else None
    if shared is not None:
        moved = shared.kind == "shared" and not -limit <= mean <= limit
        if moved and float((eps - mean).square().mean()) > 0:  # such a mean makes sums along any axis too large
            still = _along_axes(eps - mean, axes, alpha)
            if still is None or still.kind != "shared":
                return Finding("mean", "", mean, (-limit, limit))
        return shared
    bounds = chi_square_interval(n, alpha)
    if not bounds[0] <= spread <= bounds[1]:
        return Finding("spread", "", spread**0.5, (bounds[0] ** 0.5, bounds[1] ** 0.5))
    if not -limit <= mean <= limit:
        return Finding("mean", "", mean, (-limit, limit))
    distance, furthest = kolmogorov_distance(eps, normal_cdf), kolmogorov_limit(n, alpha)
    if not distance <= furthest:
        return Finding("shape", "", distance, (0.0, furthest))
    for edge in EDGES:
        far = 2 * float(normal_cdf(torch.tensor(-edge, dtype=torch.float64)))
        share, bounds = float((eps.abs() > edge).double().mean()), binomial_interval(n, far, alpha)
        if not bounds[0] <= share <= bounds[1]:
            return Finding("tails", "", share, bounds)
    sizes = _along_axes(_sizes(eps), axes, alpha)
    return sizes._replace(kind="sizes") if sizes is not None and sizes.kind == "shared" else None


def _sizes(eps: Tensor) -> Tensor:
    """Standard normal numbers in the order of |eps|, if eps is standard normal."""
    return torch.special.ndtri(torch.special.erf(eps.abs() / 2**0.5).clamp(1e-12, 1 - 1e-12))


def _along_axes(eps: Tensor, axes: Sequence[str], alpha: float) -> Finding | None:
    """Look for noise that is shared or cancels along an axis: the axis where it is worst, the last of equals.

    Noise shared along one axis leaves fewer independent draws, which moves the sums along the others a little, too.
    So an axis along which at least half is shared is to blame before one with less, and of those with less the one
    that is furthest from its bounds, in standard errors.
    """
    worst, blame = (False, False, 0.0), None
    spread, (least, most) = float(eps.square().mean()), chi_square_interval(eps.numel(), alpha)
    for number in reversed(range(len(axes))):
        for along, length in _sums_along(eps, number):
            sums = along / length**0.5
            ratio, (low, high) = float(sums.square().mean()), chi_square_interval(sums.numel(), alpha)
            if low <= ratio / spread <= high or (low <= ratio <= high and least <= spread <= most):
                continue  # a wrong spread alone is another finding
            ratio /= spread
            shared, share, errors = ratio > 1, (ratio - 1) / (length - 1), (ratio - 1) / (2 / sums.numel()) ** 0.5
            badness = (shared, share > 0.5, (share if share > 0.5 else errors) if shared else 1 - ratio)
            if badness > (*worst[:2], worst[2] + 1e-6):
                kind = "shared" if shared else "cancelling"
                worst, blame = badness, Finding(kind, axes[number], ratio, (low, high))
    return blame


def _sums_along(eps: Tensor, number: int) -> Iterator[tuple[Tensor, int]]:
    """Sums along an axis, with how many terms they have: of all of it, and of and over its blocks if it is long."""
    length = eps.shape[number]
    if length > 1:
        yield eps.sum(number), length
    size = max(divisor for divisor in range(1, min(length, BLOCK) + 1) if length % divisor == 0)
    if length > BLOCK and size > 1:
        blocks = eps.unflatten(number, (length // size, size))
        yield blocks.sum(number + 1), size
        yield blocks.sum(number), length // size
