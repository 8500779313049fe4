"""Two ways to estimate d/dmu and d/dsigma of E[f(x)] for x ~ N(mu, sigma^2): pathwise and score function.

Both are unbiased. Both return one gradient per sample, so that their spread can be looked at, not only their mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vae_lab.arguments import (
    extent,
    kind,
    require_function,
    require_returned,
    require_same_place,
    require_tensor,
)


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
        ValueError: if f does not return one number for each row, or a number without a gradient; if a shape does not
            fit, or sigma is not positive.
        TypeError: if f is no function, or mu, sigma or eps no tensor.

    Example:
        >>> eps = torch.tensor([[1.0], [-1.0]])
        >>> pathwise_gradients(lambda x: x.square().sum(1), torch.tensor([3.0]), torch.tensor([2.0]), eps).mu
        tensor([[10.],
                [ 2.]])

    Source: Kingma & Welling 2014, section 2.4; Mohamed et al. 2020, section 5.
    """
    _require("pathwise_gradients", f, mu, sigma, eps)
    with torch.enable_grad():
        x = (mu + sigma * eps).detach().requires_grad_()
        value = _one_per_row("pathwise_gradients", f(x), x)
        if not value.requires_grad:
            raise ValueError(
                "pathwise_gradients: f returned numbers with no gradient to x; it has steps, or detaches. "
                "score_function_gradients asks for none."
            )
        (slope,) = torch.autograd.grad(value.sum(), x)
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
        baseline: subtracted from f, in its units; a number, or one for each sample, [S].

    Returns:
        `Gradients(mu, sigma)`, each [S, D], in the units of f per unit of x.

    Raises:
        ValueError: if f does not return one number for each row; if a shape does not fit, or sigma is not positive.
        TypeError: if f is no function, or mu, sigma or eps no tensor.

    Example:
        >>> eps = torch.tensor([[1.0], [-1.0]])
        >>> score_function_gradients(lambda x: x.square().sum(1), torch.tensor([3.0]), torch.tensor([2.0]), eps).mu
        tensor([[12.5000],
                [-0.5000]])

    Source: Williams 1992; Mohamed et al. 2020, section 4.
    """
    _require("score_function_gradients", f, mu, sigma, eps)
    _require_baseline(baseline, eps)
    x = (mu + sigma * eps).detach()
    value = (_one_per_row("score_function_gradients", f(x), x) - baseline).detach()[:, None]
    return Gradients(value * eps / sigma, value * (eps.square() - 1) / sigma)


def _require(caller: str, f: object, mu: Tensor, sigma: Tensor, eps: Tensor) -> None:
    require_function(caller, "f", f)
    for name, value in (("mu", mu), ("sigma", sigma), ("eps", eps)):
        require_tensor(caller, name, value)
        require_same_place(caller, name, value, "mu", mu)
    for name, value, shape, wanted in (
        ("mu", mu, mu.shape[-1:] if mu.ndim else (1,), "[D]"),
        ("sigma", sigma, mu.shape, "mu's, [D]"),
        ("eps", eps, (*eps.shape[:1], *mu.shape), "[S, D]"),
    ):
        if tuple(value.shape) != tuple(shape):
            raise ValueError(f"{caller}: {name} has shape {tuple(value.shape)}; wanted {wanted}.")
    found = extent(sigma)
    if found is not None and not found[0] > 0:
        raise ValueError(f"{caller}: sigma holds {found[0]:g}; a standard deviation is positive.")


def _require_baseline(baseline: float | Tensor, eps: Tensor) -> None:
    if isinstance(baseline, Tensor):
        if tuple(baseline.shape) not in ((), tuple(eps.shape[:1])):
            raise ValueError(
                f"score_function_gradients: baseline has shape {tuple(baseline.shape)}; wanted a number or [S]."
            )
    elif not isinstance(baseline, int | float):
        said = repr(baseline) if isinstance(baseline, str) else kind(baseline)
        raise TypeError(f"score_function_gradients: baseline is {said}; wanted a number or a tensor [S].")


def _one_per_row(caller: str, value: Tensor, x: Tensor) -> Tensor:
    require_returned(caller, "f", value, tuple(x.shape[:1]), "[S], one number for each row")
    return value.to(x.dtype) if value.dtype == torch.bool else value  # an event: 1 where it happened
