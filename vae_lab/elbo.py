"""The objective: how well z explains x, what z costs, and the bound on log p(x) that the two make. All in nats.

    ELBO = E_q[log p(x|z)] - KL(q(z|x) || p(z))  <=  log p(x)

Every function here returns one number per image, [B], and never averages over the batch: that is the caller's choice,
and pixels are summed, never averaged, or the two terms would not be in the same unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lab.arguments import (
    require_function,
    require_generator,
    require_pair,
    require_returned,
    require_same_place,
    require_tensor,
    require_whole,
)
from vae_lab.pixels import pixels_for
from vae_lab.sampling import reparameterize

LOG_2PI = math.log(2 * math.pi)


class Elbo(NamedTuple):
    """The evidence lower bound and its two terms, each [B], in nats per image: elbo = log_likelihood - kl."""

    elbo: Tensor
    log_likelihood: Tensor
    kl: Tensor

    @classmethod
    def from_terms(cls, log_likelihood: Tensor, kl: Tensor) -> Elbo:
        """Put the two terms together.

        Args:
            log_likelihood: log p(x|z) for z ~ q(z|x), or its mean over several z, [B], nats.
            kl: KL(q(z|x) || p(z)), [B], nats.

        Returns:
            `Elbo(elbo, log_likelihood, kl)`, each [B], nats per image.

        Raises:
            ValueError: if the shapes or devices differ.
            TypeError: if one is no tensor.

        Example:
            >>> Elbo.from_terms(torch.tensor([-90.0]), torch.tensor([10.0])).elbo
            tensor([-100.])

        Source: Kingma & Welling 2014, equation 3.
        """
        require_tensor("Elbo.from_terms", "log_likelihood", log_likelihood)
        require_tensor("Elbo.from_terms", "kl", kl)
        require_same_place("Elbo.from_terms", "kl", kl, "log_likelihood", log_likelihood)
        if log_likelihood.shape != kl.shape:
            raise ValueError(
                f"Elbo.from_terms: log_likelihood has shape {tuple(log_likelihood.shape)} but kl has shape "
                f"{tuple(kl.shape)}; both must be [B], one number per image."
            )
        return cls(log_likelihood - kl, log_likelihood, kl)


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL divergence of N(mu, sigma^2) from the standard normal, summed over the latent dimensions.

    KL = 1/2 sum_d (mu_d^2 + sigma_d^2 - 1 - log sigma_d^2), with sigma^2 - 1 computed as expm1(logvar), because
    exp(logvar) - 1 - logvar loses all its digits for logvar near 0.

    Args:
        mu: means, [..., D].
        logvar: log sigma^2, [..., D].

    Returns:
        KL, [...], nats, of the wider type of the two; never negative but for rounding, 0 only for mu = 0 and
            logvar = 0; NaN where one of them is.

    Raises:
        ValueError: if the shapes or devices differ, or the type is not a floating one.
        TypeError: if mu or logvar is no tensor.

    Example:
        >>> gaussian_kl(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, -2.0]]))
        tensor([1.0677])

    Source: Kingma & Welling 2014, appendix B.
    """
    require_pair("gaussian_kl", mu, logvar, "[..., D]")
    if not mu.ndim:
        raise ValueError("gaussian_kl: mu and logvar have shape (); wanted [..., D], e.g. mu[None].")
    return 0.5 * (mu.square() + (torch.expm1(logvar) - logvar)).sum(-1)


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Log p(x|z) of pixels that are independent coin flips with p = sigmoid(logits), summed over the pixels.

    log p = sum_i x_i log p_i + (1 - x_i) log(1 - p_i), computed from the logits so that nothing overflows. It is a
    likelihood only for x in {0, 1}. For grey pixels the same sum is a customary training loss and no log-probability:
    binarise where numbers are to be compared.

    Args:
        logits: log(p / (1 - p)), [B, ...].
        x: pixels in [0, 1], the same shape; uint8 is scaled from 0..255. An image has at least one axis: for one pixel
            an image, [B, 1].

    Returns:
        [B], nats per image; at most 0. NaN for an infinite logit.

    Raises:
        ValueError: if the shapes or devices differ, or x holds NaN or pixels outside [0, 1].
        TypeError: if one is no tensor.

    Example:
        >>> bernoulli_log_likelihood(torch.zeros(1, 3), torch.tensor([[0.0, 1.0, 1.0]]))
        tensor([-2.0794])

    Source: Kingma & Welling 2014, appendix C.1.
    """
    x = pixels_for("bernoulli_log_likelihood", "logits", logits, x, coins=True)
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def gaussian_log_likelihood(mean: Tensor, x: Tensor, logvar: Tensor | float = 0.0) -> Tensor:
    """Log p(x|z) of pixels that are independent normals around `mean`, summed over the pixels.

    log p = -1/2 sum_i ((x_i - mean_i)^2 / sigma_i^2 + log sigma_i^2 + log 2 pi).

    Args:
        mean: [B, ...].
        x: the same shape, any real numbers; uint8 is scaled from 0..255 to [0, 1].
        logvar: log sigma^2 of a pixel, a number or a tensor that broadcasts to x.

    Returns:
        [B], nats per image; a log-density, so it may be positive. In float32, 1 / sigma^2 overflows for a logvar below
            -88: NaN where x = mean, -inf elsewhere.

    Raises:
        ValueError: if the shapes or devices differ, or x holds NaN.
        TypeError: if mean or x is no tensor, or logvar neither a tensor nor a number.

    Example:
        >>> gaussian_log_likelihood(torch.zeros(1, 2), torch.tensor([[0.0, 2.0]]))
        tensor([-3.8379])

    Source: Kingma & Welling 2014, appendix C.2.
    """
    x = pixels_for("gaussian_log_likelihood", "mean", mean, x, coins=False)
    logvar = _log_variance(logvar, x)
    return -0.5 * ((x - mean).square() * torch.exp(-logvar) + logvar + LOG_2PI).flatten(1).sum(1)


def diagonal_log_density(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Log-density of N(mu, diag(exp(logvar))) at z, summed over the last axis; shapes broadcast.

    Args:
        z: where to evaluate, [..., D].
        mu: means, [..., D].
        logvar: log sigma^2, [..., D].

    Returns:
        [...], nats.

    Raises:
        ValueError: if mu and logvar do not fit each other, or do not broadcast to z nor z to them.
        TypeError: if one is no tensor.

    Example:
        >>> diagonal_log_density(torch.zeros(2), torch.zeros(2), torch.zeros(2))
        tensor(-1.8379)
    """
    require_pair("diagonal_log_density", mu, logvar, "[..., D]")
    require_tensor("diagonal_log_density", "z", z)
    if z.shape[-1:] != mu.shape[-1:] or not (_broadcasts(mu, z) or _broadcasts(z, mu)):
        raise ValueError(
            f"diagonal_log_density: mu has shape {tuple(mu.shape)} but z has shape {tuple(z.shape)}; "
            "both end in D, and one must broadcast to the other."
        )
    return -0.5 * ((z - mu).square() * torch.exp(-logvar) + logvar + LOG_2PI).sum(-1)


def log_weight(log_likelihood: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Log importance weight of one z: log p(x|z) + log p(z) - log q(z|x).

    Its mean over z ~ q(z|x) is the ELBO, and the log of the mean of its exponential is log p(x).

    Args:
        log_likelihood: log p(x|z), [S, B] or [B], nats.
        z: draws from q(z|x), [S, B, D] or [B, D].
        mu: means of q(z|x), [B, D].
        logvar: log sigma^2 of q(z|x), [B, D].

    Returns:
        The shape of log_likelihood, nats.

    Raises:
        ValueError: if log_likelihood is not one number for each z.
        TypeError: if one is no tensor.

    Example:
        >>> z, mu, logvar = torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2)
        >>> log_weight(torch.tensor([-5.0]), z, mu, logvar)  # q is the prior: only the likelihood is left
        tensor([-5.])

    Source: Burda et al. 2016, section 3.
    """
    require_tensor("log_weight", "log_likelihood", log_likelihood)
    require_tensor("log_weight", "z", z)
    if log_likelihood.shape != z.shape[:-1]:
        raise ValueError(
            f"log_weight: log_likelihood has shape {tuple(log_likelihood.shape)}; wanted one number for each z, "
            f"{tuple(z.shape[:-1])}."
        )
    require_pair("log_weight", mu, logvar, "[B, D]")
    if not _broadcasts(mu, z):
        raise ValueError(
            f"log_weight: mu has shape {tuple(mu.shape)} but z has shape {tuple(z.shape)}; each z has one row of mu."
        )
    log_prior = diagonal_log_density(z, torch.zeros_like(mu), torch.zeros_like(logvar))
    return log_likelihood + log_prior - diagonal_log_density(z, mu, logvar)


def importance_weighted_bound(
    log_likelihood: Callable[[Tensor], Tensor],
    mu: Tensor,
    logvar: Tensor,
    samples: int,
    *,
    chunk: int = 100,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Estimate the bound L_K = E log (1/K sum_k w_k) of log p(x), streaming over the K samples.

    ELBO = L_1 <= L_K <= L_K+1 <= log p(x) in expectation. One estimate of it can exceed log p(x).
    At most `chunk` samples per image exist at a time; a running log-sum-exp joins them.

    Args:
        log_likelihood: z [S, B, D] -> log p(x|z) [S, B], nats; encode x once, outside.
        mu: means of q(z|x), [B, D].
        logvar: log sigma^2 of q(z|x), [B, D].
        samples: K.
        chunk: the most samples held at once.
        generator: source of the noise; torch's default generator if None.

    Returns:
        [B], nats per image; -inf, with a gradient of 0, for an image that no draw can explain.

    Raises:
        ValueError: if samples or chunk is not positive, or log_likelihood returns another shape.
        TypeError: if mu or logvar is no tensor, or log_likelihood no function.

    Example:
        >>> mu = logvar = torch.zeros(2, 3)
        >>> bound = importance_weighted_bound(lambda z: torch.full(z.shape[:2], -9.0), mu, logvar, 7, chunk=2)
        >>> bound.round(decimals=4)  # q is the prior and z explains nothing: all weights are alike
        tensor([-9., -9.])

    Source: Burda et al. 2016, equation 8.
    """
    caller = "importance_weighted_bound"
    require_function(caller, "log_likelihood", log_likelihood)
    require_pair(caller, mu, logvar, "[B, D]")
    if mu.ndim != 2:
        raise ValueError(f"{caller}: mu and logvar have shape {tuple(mu.shape)}; wanted [B, D].")
    samples, chunk = require_whole(caller, "samples", samples, 1), require_whole(caller, "chunk", chunk, 1)
    require_generator(caller, generator, mu.device)
    total = torch.full(mu.shape[:1], -math.inf, dtype=mu.dtype, device=mu.device)
    for start in range(0, samples, chunk):
        z = reparameterize(mu, logvar, samples=min(chunk, samples - start), generator=generator)
        weights = log_weight(_explained(log_likelihood, z), z, mu, logvar)
        total = _log_sum(torch.stack([total, _log_sum(weights)]))
    return total - math.log(samples)


def _explained(log_likelihood: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """What the caller's function says of all draws, [S, B]; a square is asked in two parts, or [B, S] would pass."""
    parts = (z[:1], z[1:]) if len(z) == z.shape[1] > 1 else (z,)
    found = []
    for part in parts:
        value = log_likelihood(part)
        require_returned(
            "importance_weighted_bound", "log_likelihood", value, tuple(part.shape[:2]), "[S, B], for z [S, B, D]"
        )
        require_tensor("importance_weighted_bound", "the result of log_likelihood", value)
        found.append(value)
    return found[0] if len(found) == 1 else torch.cat(found)


def _log_sum(weights: Tensor) -> Tensor:
    """Log-sum-exp over the first axis; where all are -inf, the gradient is 0 and not NaN."""
    if not weights.requires_grad:
        return torch.logsumexp(weights, 0)
    nothing = (weights == -math.inf).all(0)
    return torch.logsumexp(weights.masked_fill(nothing, 0.0), 0).masked_fill(nothing, -math.inf)


def _log_variance(logvar: Tensor | float, x: Tensor) -> Tensor:
    if not isinstance(logvar, Tensor):
        try:
            if isinstance(logvar, str | bool):
                raise TypeError
            return torch.as_tensor(float(logvar), dtype=x.dtype, device=x.device)
        except (TypeError, ValueError):
            raise TypeError(f"gaussian_log_likelihood: logvar is {logvar!r}; wanted a number or a tensor.") from None
    require_tensor("gaussian_log_likelihood", "logvar", logvar, floating=False)
    if logvar.ndim or logvar.device.type != "cpu":  # one number from the processor goes anywhere
        require_same_place("gaussian_log_likelihood", "logvar", logvar, "x", x)
    if not _broadcasts(logvar, x):
        raise ValueError(
            f"gaussian_log_likelihood: logvar has shape {tuple(logvar.shape)}, which does not broadcast to x, "
            f"{tuple(x.shape)}."
        )
    return logvar.to(x.dtype)


def _broadcasts(small: Tensor, large: Tensor) -> bool:
    """Tell whether `small` takes the shape of `large` by broadcasting, adding no axis to it."""
    sizes = small.shape[::-1]
    return small.ndim <= large.ndim and all(
        one in (1, other) for one, other in zip(sizes, large.shape[::-1], strict=False)
    )
