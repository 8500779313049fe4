"""How good is a trained model? A bound on log p(x) that many samples tighten, and the latents that are in use."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from vae_lab.elbo import importance_weighted_bound

AT_ONCE = 300  # latents decoded together on a processor: 784 logits each make 0.9 MB, which malloc keeps at hand


class LatentVariableModel(Protocol):
    """A model with q(z|x) and p(x|z): VAE and LinearVAE are."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x [B, ...] to mu and logvar of q(z|x), each [B, D]."""

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) for z [S, B, D]: [S, B], nats."""


@torch.no_grad()
def log_marginal_bound(
    model: LatentVariableModel,
    x: Tensor,
    samples: int,
    *,
    chunk: int = 100,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Estimate L_K <= log p(x) with K samples of each image; x is encoded once.

    Args:
        model: has `encode` and `log_likelihood`.
        x: [B, ...]; binary pixels for a Bernoulli decoder, or the result is no log-probability.
        samples: K.
        chunk: the most samples of an image held at once. Images are taken a few at a time, so that what is decoded
            at once stays in a processor's cache; the memory does not grow with B or K.
        generator: source of the noise; torch's default generator if None.

    Returns:
        [B], nats per image.

    Raises:
        ValueError: if samples or chunk is not positive.

    Example:
        >>> from vae_lab.models import LinearVAE
        >>> log_marginal_bound(LinearVAE(data_dim=4, latent_dim=2), torch.zeros(3, 4), 10).shape
        torch.Size([3])

    Source: Burda et al. 2016, equation 8.
    """
    mu, logvar = model.encode(x)
    images = max(1, (AT_ONCE if x.device.type == "cpu" else 100 * AT_ONCE) // min(max(1, chunk), max(1, samples)))
    bounds = [
        importance_weighted_bound(
            partial(model.log_likelihood, x_part), mu_part, logvar_part, samples, chunk=chunk, generator=generator
        )
        for x_part, mu_part, logvar_part in zip(x.split(images), mu.split(images), logvar.split(images), strict=True)
    ]
    return torch.cat(bounds)


@torch.no_grad()
def active_units(model: LatentVariableModel, x: Tensor, *, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions say something about x: those whose mean moves from image to image.

    A_d = Var_x(E_q(z|x)[z_d]) > threshold. A dimension that is not active has collapsed onto the prior.

    Args:
        model: has `encode`.
        x: at least two of [B, ...].
        threshold: on the variance of the means, in units of z squared.

    Returns:
        bool [D].

    Raises:
        ValueError: for fewer than two x.

    Example:
        >>> from vae_lab.models import VAE
        >>> active_units(VAE(latent_dim=3), torch.rand(10, 1, 28, 28)).shape
        torch.Size([3])

    Source: Burda et al. 2016, section 5.2.
    """
    if len(x) < 2:
        raise ValueError(f"active_units: x holds {len(x)} images; a variance over images needs at least 2.")
    return model.encode(x)[0].var(0) > threshold
