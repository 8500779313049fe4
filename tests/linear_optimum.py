"""A LinearVAE that stands where probabilistic PCA says the optimum is: there log p(x) is known for every x."""

import math

import torch
from oracles import ProbabilisticPCA, gaussian_log_density, probabilistic_pca
from sklearn.datasets import load_digits

from vae_lab import LinearVAE

DIGITS = torch.tensor(load_digits().data / 16)  # 1797 images of 8x8 pixels in [0, 1]


def linear_vae_at_optimum(q: int, variance_factor: float = 1.0) -> tuple[LinearVAE, ProbabilisticPCA]:
    """The model with q latents fitted to DIGITS, its posterior variances off by a factor, and the optimum itself."""
    best = probabilistic_pca(DIGITS, q)
    model = LinearVAE(64, q).double()
    with torch.no_grad():
        model.W.copy_(best.W)
        model.V.copy_(best.V)
        model.b.copy_(best.mean)
        model.logvar.copy_((variance_factor * best.posterior_variance).log())
        model.log_noise.fill_(math.log(best.noise_variance))
    return model, best


def log_p(best: ProbabilisticPCA, x: torch.Tensor) -> torch.Tensor:
    """Log p(x) under probabilistic PCA, [B], nats."""
    covariance = best.W @ best.W.T + best.noise_variance * torch.eye(len(best.mean), dtype=torch.float64)
    return gaussian_log_density(x, best.mean, covariance)
