"""The line of code that the course is about: z = mu + sigma * eps.

Three samplers: `reparameterize`, which lets the gradient through; `sample_and_cut`, the obvious way, which does not;
and `sample_prior`, which is all that generation needs. This file draws noise and nothing else.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vae_lab.arguments import (
    require_device,
    require_generator,
    require_pair,
    require_same_place,
    require_tensor,
    require_whole,
)


def reparameterize(
    mu: Tensor,
    logvar: Tensor,
    *,
    samples: int | None = None,
    eps: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw z ~ N(mu, sigma^2), elementwise, such that the gradient reaches mu and logvar.

    z = mu + sigma * eps with sigma = exp(logvar / 2) and eps ~ N(0, 1), one eps for each entry of z. Only eps is
    random, and nothing is learned behind it: z is a deterministic function of mu, logvar and eps, with
    dz/dmu = 1 and dz/dlogvar = (z - mu) / 2.

    Args:
        mu: means, [B, D]; any other shape does as well.
        logvar: log sigma^2, the same shape as mu.
        samples: how many independent z to draw for each row; None draws one and adds no axis.
        eps: noise to use instead of drawing it, in the shape of the result; it is taken in mu's floating type.
        generator: source of the noise; torch's default generator if None.

    Returns:
        z, [B, D], or [S, B, D] when `samples` is S; in the units of mu.

    Raises:
        ValueError: if logvar's or eps's shape or device does not fit, mu or logvar is not of a floating type (they may
            be of two), samples is below 1, or both eps and a generator are given.
        TypeError: if mu, logvar or eps is no tensor, samples no whole number, or generator no generator.

    Example:
        >>> mu, logvar = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, 2.0]])
        >>> reparameterize(mu, logvar, eps=torch.tensor([[1.0, -1.0]]))
        tensor([[ 1.0000, -1.7183]])

    Source: Kingma & Welling 2014, section 2.4; Rezende et al. 2014, section 3; lecture 2:53-5:48.
    """
    require_pair("reparameterize", mu, logvar, "[B, D]")
    shape = mu.shape if samples is None else (require_whole("reparameterize", "samples", samples, 1), *mu.shape)
    if eps is None:
        require_generator("reparameterize", generator, mu.device)
        eps = torch.randn(shape, dtype=mu.dtype, device=mu.device, generator=generator)
    elif generator is not None:
        raise ValueError("reparameterize: both eps and generator were given; the noise comes from one of them.")
    else:
        eps = _noise(eps, mu, torch.Size(shape))
    return mu + torch.exp(0.5 * logvar) * eps


def sample_and_cut(mu: Tensor, logvar: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
    """Draw z ~ N(mu, sigma^2) the obvious way, which cuts the gradient: the problem that the course solves.

    The draw is from the very same distribution as `reparameterize`'s. But z comes out of the random number generator
    as a stochastic node, with no derivative with respect to mu or logvar: z.requires_grad is False, training goes on
    without an error, and the encoder never learns.

    Args:
        mu: means, [B, D].
        logvar: log sigma^2, [B, D].
        generator: source of the noise; torch's default generator if None.

    Returns:
        z, [B, D], detached from mu and logvar.

    Raises:
        ValueError: if logvar's shape is not mu's, or it holds NaN.
        TypeError: if mu or logvar is no tensor, or generator no generator.

    Example:
        >>> mu = torch.zeros(1, 2, requires_grad=True)
        >>> sample_and_cut(mu, torch.zeros(1, 2)).requires_grad
        False

    Source: lecture 1:27-1:51 and 6:37.
    """
    require_pair("sample_and_cut", mu, logvar, "[B, D]")
    require_generator("sample_and_cut", generator, mu.device)
    with torch.no_grad():
        try:
            return torch.normal(mu, torch.exp(0.5 * logvar), generator=generator)
        except RuntimeError as error:  # torch looks for a spread below 0, and NaN counts as one
            if "std" not in str(error):
                raise
            raise ValueError("sample_and_cut: logvar holds values that are not finite.") from error


def sample_prior(
    n: int,
    latent_dim: int,
    *,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Draw z ~ N(0, I), the prior: where new images come from once the encoder is no longer needed.

    Args:
        n: number of draws.
        latent_dim: D.
        generator: source of the noise; torch's default generator if None.
        device: where to draw; torch's default if None.
        dtype: a floating type; torch's default if None.

    Returns:
        z, [n, D].

    Raises:
        ValueError: if n is negative or latent_dim is not positive, or there is no such device or floating type.
        TypeError: if n or latent_dim is no whole number, or generator no generator.
        RuntimeError: if the device is a GPU and there is none.

    Example:
        >>> sample_prior(3, 2, generator=torch.Generator().manual_seed(0)).shape
        torch.Size([3, 2])

    Source: Kingma & Welling 2014, section 2.1; lecture 12:41.
    """
    n, latent_dim = (
        require_whole("sample_prior", "n", n, 0),
        require_whole("sample_prior", "latent_dim", latent_dim, 1),
    )
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point and dtype.itemsize > 1):
        raise ValueError(f"sample_prior: dtype is {dtype!r}; wanted a floating type, e.g. torch.float32.")
    where = require_device("sample_prior", device)
    require_generator("sample_prior", generator, where or torch.get_default_device())
    return torch.randn(n, latent_dim, generator=generator, device=where, dtype=dtype)


def _noise(eps: Tensor, mu: Tensor, shape: torch.Size) -> Tensor:
    """The caller's own noise, as wide as mu's numbers are."""
    require_tensor("reparameterize", "eps", eps, floating=False)
    if eps.shape != shape:
        raise ValueError(f"reparameterize: eps has shape {tuple(eps.shape)}; z has shape {tuple(shape)}, eps must too.")
    require_same_place("reparameterize", "eps", eps, "mu", mu)
    return eps if eps.dtype == mu.dtype else eps.to(mu.dtype)
