"""Closed forms that the package is judged by. Imports nothing from vae_lab; float64 throughout.

Sources: Tipping & Bishop 1999 (probabilistic PCA), Mohamed et al. 2020 (gradient variances), and calculus.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class ProbabilisticPCA(NamedTuple):
    """Maximum-likelihood probabilistic PCA with q latents; also the optimum of the linear VAE."""

    mean: Tensor  # [N]
    W: Tensor  # [N, q], with W^T W diagonal
    V: Tensor  # [q, N]: the posterior mean of z is V (x - mean)
    posterior_variance: Tensor  # [q]
    noise_variance: float
    log_likelihood: float  # mean over the data of log p(x), nats


def probabilistic_pca(data: Tensor, q: int) -> ProbabilisticPCA:
    """s2 = mean of the discarded eigenvalues of the 1/N covariance; W = U_q (L_q - s2 I)^(1/2)."""
    data = data.double()
    count, dim = data.shape
    mean = data.mean(0)
    covariance = (data - mean).T @ (data - mean) / count
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    eigenvalues, vectors = eigenvalues.flip(0), vectors.flip(1)
    kept, noise = eigenvalues[:q], eigenvalues[q:].mean()
    W = vectors[:, :q] * (kept - noise).sqrt()
    V = (W / kept).T  # (W^T W + s2 I)^-1 W^T, and W^T W + s2 I = diag(kept)
    log_det = kept.log().sum() + (dim - q) * noise.log()
    log_likelihood = -0.5 * (dim * math.log(2 * math.pi) + log_det + dim)  # trace(C^-1 S) = dim at the optimum
    return ProbabilisticPCA(mean, W, V, noise / kept, noise.item(), log_likelihood.item())


def gaussian_log_density(x: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Log-density of N(mean, covariance), [B], nats."""
    return torch.distributions.MultivariateNormal(mean, covariance).log_prob(x)


def scaled_posterior_gap(q: int, c: float) -> float:
    """How far the ELBO falls below log p(x) when q's variance is c times the true posterior's."""
    return q * (c - 1 - math.log(c)) / 2


def kl_by_quadrature(mu: float, logvar: float) -> float:
    """KL(N(mu, e^logvar) || N(0, 1)) as an integral, trapezoid over +-12 sigma."""
    sigma = math.exp(logvar / 2)
    x = np.linspace(mu - 12 * sigma, mu + 12 * sigma, 200_001)
    log_q = -0.5 * ((x - mu) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2 * math.pi)
    log_p = -0.5 * x**2 - 0.5 * math.log(2 * math.pi)
    return float(np.trapezoid(np.exp(log_q) * (log_q - log_p), x))


class GradientMoments(NamedTuple):
    """Mean and variance of a one-sample gradient with respect to mu and to sigma."""

    mean_mu: float
    mean_sigma: float
    variance_mu: float
    variance_sigma: float


def pathwise_quadratic(a: float, s: float) -> GradientMoments:
    """For f(x) = (x - k)^2, x ~ N(mu, s^2), a = mu - k."""
    return GradientMoments(2 * a, 2 * s, 4 * s**2, 4 * a**2 + 8 * s**2)


def score_function_quadratic(a: float, s: float) -> GradientMoments:
    """The same f, by the score function, without a baseline."""
    variance_mu = a**4 / s**2 + 14 * a**2 + 15 * s**2
    return GradientMoments(2 * a, 2 * s, variance_mu, 2 * a**4 / s**2 + 60 * a**2 + 74 * s**2)


def score_function_quadratic_with_baseline(a: float, s: float) -> float:
    """Variance of the score function's d/dmu when E f is subtracted."""
    return 8 * a**2 + 10 * s**2


def score_function_quadratic_in_dimensions(dim: int) -> float:
    """Variance of one coordinate's d/dmu for f = |x|^2, a = 0, s = 1, x of `dim` entries."""
    return 15 + (dim - 1) ** 2 + 8 * (dim - 1)


def textbook_derivative(phi: float) -> float:
    """Exact dE/dphi for x ~ N(phi^3, exp(2 phi)), f = x^2 + sin x."""
    m, v = phi**3, math.exp(2 * phi)
    return 6 * m * phi**2 + 2 * v + math.exp(-v / 2) * (3 * phi**2 * math.cos(m) - v * math.sin(m))
