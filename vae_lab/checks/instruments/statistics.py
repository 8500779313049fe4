"""How far chance may carry a statistic: exact or one-sided-safe limits, so that a right answer is not failed by luck.

Every limit takes `alpha`, the probability that a right answer falls outside of it, and holds for any sample size: no
central limit theorem is leaned on. With ALPHA for one statistic, a check of twenty statistics gives a false verdict
less often than 2e-7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch

ALPHA = 1e-8
"""False-alarm probability of one statistic."""


@cache
def chi_square_interval(dof: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Bounds of a chi-square variable divided by its degrees of freedom, so that 1 is its mean.

    Args:
        dof: degrees of freedom.
        alpha: probability of falling outside, half of it on each side.

    Returns:
        (low, high).

    Example:
        >>> low, high = chi_square_interval(1000)
        >>> round(low, 2), round(high, 2)
        (0.76, 1.28)

    Source: the sum of n squared N(0, 1) draws is chi-square with n degrees of freedom.
    """
    half_dof = torch.tensor(dof / 2, dtype=torch.float64, device="cpu")

    def below(ratio: float) -> float:
        return float(torch.special.gammainc(half_dof, half_dof * ratio))

    def above(ratio: float) -> float:
        return float(torch.special.gammaincc(half_dof, half_dof * ratio))

    low = _bisect(lambda ratio: below(ratio) < alpha / 2, 0.0, 1.0)
    high = _bisect(lambda ratio: above(ratio) > alpha / 2, 1.0, 1e6)
    return low, high


def kolmogorov_limit(n: int, alpha: float = ALPHA) -> float:
    """Largest distance between an empirical distribution function of n draws and the true one.

    P(distance > t) <= 2 exp(-2 n t^2), for every n.

    Args:
        n: number of independent draws.
        alpha: probability of a larger distance.

    Returns:
        t.

    Example:
        >>> round(kolmogorov_limit(10_000), 4)
        0.0309

    Source: Massart 1990 (the Dvoretzky-Kiefer-Wolfowitz inequality with its sharp constant).
    """
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def kolmogorov_distance(draws: torch.Tensor, cdf: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """Largest distance between the draws' empirical distribution function and `cdf`.

    Args:
        draws: any shape.
        cdf: the distribution function to compare with, elementwise.

    Returns:
        The distance, in [0, 1]; nan where a draw is nan, which no comparison passes.

    Example:
        >>> kolmogorov_distance(torch.tensor([0.25, 0.75]), lambda u: u)
        0.25
    """
    ordered = draws.detach().double().flatten().sort().values
    n = len(ordered)
    steps = torch.arange(n + 1, dtype=torch.float64, device=ordered.device) / n
    wanted = cdf(ordered)
    return float(torch.maximum(steps[1:] - wanted, wanted - steps[:-1]).max())


@cache
def binomial_interval(n: int, p: float, alpha: float = ALPHA) -> tuple[float, float]:
    """Bounds of the share of successes among n independent trials.

    P(share >= q) <= exp(-n KL(q || p)) for q > p, and the same on the other side.

    Args:
        n: number of trials.
        p: probability of a success.
        alpha: probability of falling outside, half of it on each side.

    Returns:
        (low, high), within [0, 1].

    Example:
        >>> low, high = binomial_interval(10_000, 0.01)
        >>> round(low, 4), round(high, 4)
        (0.0045, 0.0167)

    Source: Chernoff's bound for the binomial distribution.
    """
    limit = math.log(2 / alpha) / n

    def divergence(q: float) -> float:
        first = q * math.log(q / p) if q > 0 else 0.0
        second = (1 - q) * math.log((1 - q) / (1 - p)) if q < 1 else 0.0
        return first + second

    low = 0.0 if divergence(0.0) < limit else _bisect(lambda q: divergence(q) > limit, 0.0, p)
    high = 1.0 if divergence(1.0) < limit else _bisect(lambda q: divergence(q) < limit, p, 1.0)
    return low, high


def normal_cdf(x: torch.Tensor) -> torch.Tensor:
    """Distribution function of N(0, 1), elementwise."""
    return torch.special.ndtr(x)


def _bisect(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where `holds` turns from True, at `low`, to False, at `high`."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high
