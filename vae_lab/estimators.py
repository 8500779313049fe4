"""Two ways to estimate d/dmu and d/dsigma of E[f(x)] for x ~ N(mu, sigma^2): pathwise and score function.

Both are unbiased. Both return one gradient per sample, so that their spread can be looked at, not only their mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Gradients(NamedTuple):
    """Per-sample gradients with respect to mu and sigma, each [S, D]."""

    mu: Tensor
    sigma: Tensor


def pathwise_gradients(f: Callable[[Tensor], Tensor], mu: Tensor, sigma: Tensor, eps: Tensor) -> Gradients:
    """Differentiate through the sample: x = mu + sigma * eps, so df/dmu = f'(x) and df/dsigma = f'(x) * eps.

    Args:
        f: [S, D] -> [S], differentiable; row s of the result depends on row s of the argument only.
        mu: means, [D].
        sigma: standard deviations, [D], positive.
        eps: standard normal noise, [S, D].

    Returns:
        `Gradients(mu, sigma)`, each [S, D], in the units of f per unit of x.

    Raises:
        ValueError: if f does not return one number for each row.

    Example:
        >>> eps = torch.tensor([[1.0], [-1.0]])
        >>> pathwise_gradients(lambda x: x.square().sum(1), torch.tensor([3.0]), torch.tensor([2.0]), eps).mu
        tensor([[10.],
                [ 2.]])

    Source: Kingma & Welling 2014, section 2.4; Mohamed et al. 2020, section 5.
    """
    x = (mu + sigma * eps).detach().requires_grad_()
    (slope,) = torch.autograd.grad(_one_per_row("pathwise_gradients", f(x), x).sum(), x)
    return Gradients(slope, slope * eps)


def score_function_gradients(
    f: Callable[[Tensor], Tensor], mu: Tensor, sigma: Tensor, eps: Tensor, *, baseline: float | Tensor = 0.0
) -> Gradients:
    """Weigh each sample by how its probability changes: (f(x) - baseline) * d log p(x) / d(mu, sigma).

    d log p/dmu = eps / sigma and d log p/dsigma = (eps^2 - 1) / sigma for x = mu + sigma * eps. The derivative of f
    is never taken, so f may be a black box with steps. A baseline that does not depend on x changes the spread and
    not the mean.

    Args:
        f: [S, D] -> [S].
        mu: means, [D].
        sigma: standard deviations, [D], positive.
        eps: standard normal noise, [S, D].
        baseline: subtracted from f, in its units.

    Returns:
        `Gradients(mu, sigma)`, each [S, D], in the units of f per unit of x.

    Raises:
        ValueError: if f does not return one number for each row.

    Example:
        >>> eps = torch.tensor([[1.0], [-1.0]])
        >>> score_function_gradients(lambda x: x.square().sum(1), torch.tensor([3.0]), torch.tensor([2.0]), eps).mu
        tensor([[12.5000],
                [-0.5000]])

    Source: Williams 1992; Mohamed et al. 2020, section 4.
    """
    x = (mu + sigma * eps).detach()
    value = (_one_per_row("score_function_gradients", f(x), x) - baseline).detach()[:, None]
    return Gradients(value * eps / sigma, value * (eps.square() - 1) / sigma)


def _one_per_row(caller: str, value: Tensor, x: Tensor) -> Tensor:
    if value.shape != x.shape[:1]:
        raise ValueError(f"{caller}: f returned shape {tuple(value.shape)} for x {tuple(x.shape)}; wanted [S].")
    return value
