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
            ValueError: if the shapes differ.

        Example:
            >>> Elbo.from_terms(torch.tensor([-90.0]), torch.tensor([10.0])).elbo
            tensor([-100.])

        Source: Kingma & Welling 2014, equation 3.
        """
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
        KL, [...], nats; never negative, 0 only for mu = 0 and logvar = 0.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> gaussian_kl(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, -2.0]]))
        tensor([1.0677])

    Source: Kingma & Welling 2014, appendix B.
    """
    if mu.shape != logvar.shape:
        raise ValueError(
            f"gaussian_kl: logvar has shape {tuple(logvar.shape)} but mu has shape {tuple(mu.shape)}; "
            "both must be [..., D]."
        )
    return 0.5 * (mu.square() + (torch.expm1(logvar) - logvar)).sum(-1)


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Log p(x|z) of pixels that are independent coin flips with p = sigmoid(logits), summed over the pixels.

    log p = sum_i x_i log p_i + (1 - x_i) log(1 - p_i), computed from the logits so that nothing overflows. It is a
    likelihood only for x in {0, 1}. For grey pixels the same sum is a customary training loss and no log-probability:
    binarise where numbers are to be compared.

    Args:
        logits: log(p / (1 - p)), [B, ...].
        x: pixels in [0, 1], the same shape.

    Returns:
        [B], nats per image; at most 0.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> bernoulli_log_likelihood(torch.zeros(1, 3), torch.tensor([[0.0, 1.0, 1.0]]))
        tensor([-2.0794])

    Source: Kingma & Welling 2014, appendix C.1.
    """
    _require_pixels_match("bernoulli_log_likelihood", "logits", logits, x)
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def gaussian_log_likelihood(mean: Tensor, x: Tensor, logvar: Tensor | float = 0.0) -> Tensor:
    """Log p(x|z) of pixels that are independent normals around `mean`, summed over the pixels.

    log p = -1/2 sum_i ((x_i - mean_i)^2 / sigma_i^2 + log sigma_i^2 + log 2 pi).

    Args:
        mean: [B, ...].
        x: the same shape.
        logvar: log sigma^2 of a pixel, a number or a tensor that broadcasts against x.

    Returns:
        [B], nats per image; a log-density, so it may be positive.

    Raises:
        ValueError: if the shapes of mean and x differ.

    Example:
        >>> gaussian_log_likelihood(torch.zeros(1, 2), torch.tensor([[0.0, 2.0]]))
        tensor([-3.8379])

    Source: Kingma & Welling 2014, appendix C.2.
    """
    _require_pixels_match("gaussian_log_likelihood", "mean", mean, x)
    logvar = torch.as_tensor(logvar, dtype=x.dtype, device=x.device)
    return -0.5 * ((x - mean).square() * torch.exp(-logvar) + logvar + LOG_2PI).flatten(1).sum(1)


def diagonal_log_density(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Log-density of N(mu, diag(exp(logvar))) at z, summed over the last axis; shapes broadcast.

    Args:
        z: where to evaluate, [..., D].
        mu: means, [..., D].
        logvar: log sigma^2, [..., D].

    Returns:
        [...], nats.

    Example:
        >>> diagonal_log_density(torch.zeros(2), torch.zeros(2), torch.zeros(2))
        tensor(-1.8379)
    """
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

    Example:
        >>> z, mu, logvar = torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2)
        >>> log_weight(torch.tensor([-5.0]), z, mu, logvar)  # q is the prior: only the likelihood is left
        tensor([-5.])

    Source: Burda et al. 2016, section 3.
    """
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
        [B], nats per image.

    Raises:
        ValueError: if samples or chunk is not positive.

    Example:
        >>> mu = logvar = torch.zeros(2, 3)
        >>> bound = importance_weighted_bound(lambda z: torch.full(z.shape[:2], -9.0), mu, logvar, 7, chunk=2)
        >>> bound.round(decimals=4)  # q is the prior and z explains nothing: all weights are alike
        tensor([-9., -9.])

    Source: Burda et al. 2016, equation 8.
    """
    if samples < 1 or chunk < 1:
        raise ValueError(f"importance_weighted_bound: samples is {samples} and chunk is {chunk}; both must be >= 1.")
    total = torch.full(mu.shape[:1], -math.inf, dtype=mu.dtype, device=mu.device)
    for start in range(0, samples, chunk):
        z = reparameterize(mu, logvar, samples=min(chunk, samples - start), generator=generator)
        weights = log_weight(log_likelihood(z), z, mu, logvar)
        total = torch.logaddexp(total, torch.logsumexp(weights, 0))
    return total - math.log(samples)


def _require_pixels_match(caller: str, name: str, prediction: Tensor, x: Tensor) -> None:
    if prediction.shape != x.shape:
        raise ValueError(
            f"{caller}: {name} has shape {tuple(prediction.shape)} but x has shape {tuple(x.shape)}; "
            "both must be [B, ...]."
        )
