"""How good is a trained model? A bound on log p(x) that many samples tighten, and the latents that are in use."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from vae_lab.arguments import (
    kind,
    require_generator,
    require_model,
    require_number,
    require_returned,
    require_same_place,
    require_tensor,
    require_whole,
    values_known,
)
from vae_lab.elbo import importance_weighted_bound
from vae_lab.pixels import images_for

AT_ONCE = 300  # latents decoded together on a processor: 784 logits each make 0.9 MB, which malloc keeps at hand


class LatentVariableModel(Protocol):
    """A model with q(z|x) and p(x|z): VAE and LinearVAE are. An attribute `likelihood` may say "gaussian"."""

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
        x: [B, ...]; binary pixels for a Bernoulli decoder, or the result is no log-probability. uint8 is scaled from
            0..255; all is taken in the model's floating type.
        samples: K.
        chunk: the most samples of an image held at once. Images are taken a few at a time, so that what is decoded
            at once stays in a processor's cache; the memory does not grow with B or K.
        generator: source of the noise; torch's default generator if None.

    Returns:
        [B], nats per image.

    Raises:
        ValueError: if samples or chunk is not positive, x is not what the model's likelihood is for, or the model's
            own methods return other shapes.
        TypeError: if the model has no q(z|x) or no p(x|z), as an autoencoder.

    Example:
        >>> from vae_lab.models import LinearVAE
        >>> log_marginal_bound(LinearVAE(data_dim=4, latent_dim=2), torch.zeros(3, 4), 10).shape
        torch.Size([3])

    Source: Burda et al. 2016, equation 8.
    """
    caller = "log_marginal_bound"
    require_model(caller, model, "encode", "log_likelihood")
    samples, chunk = require_whole(caller, "samples", samples, 1), require_whole(caller, "chunk", chunk, 1)
    x = _images(caller, model, x)
    require_generator(caller, generator, x.device)
    with values_known():
        mu, logvar = _posterior(caller, model, x)
        images = max(1, (AT_ONCE if x.device.type == "cpu" else 100 * AT_ONCE) // min(chunk, samples))
        bounds = [
            importance_weighted_bound(
                partial(_explained, model, x_part), mu_part, logvar_part, samples, chunk=chunk, generator=generator
            )
            for x_part, mu_part, logvar_part in zip(
                x.split(images), mu.split(images), logvar.split(images), strict=True
            )
        ]
    return torch.cat(bounds)


@torch.no_grad()
def active_units(model: LatentVariableModel, x: Tensor, *, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions say something about x: those whose mean moves from image to image.

    A_d = Var_x(E_q(z|x)[z_d]) > threshold, with N - 1 below the sum of squares. A dimension that is not active has
    collapsed onto the prior.

    Args:
        model: has `encode`, which returns mu and logvar.
        x: at least two of [B, ...]; uint8 is scaled from 0..255.
        threshold: on the variance of the means, in units of z squared.

    Returns:
        bool [D].

    Raises:
        ValueError: for fewer than two x, x that the model's likelihood is not for, or a threshold below 0.
        TypeError: if the model has no q(z|x), as an autoencoder.

    Example:
        >>> from vae_lab.models import VAE
        >>> active_units(VAE(latent_dim=3), torch.rand(10, 1, 28, 28)).shape
        torch.Size([3])

    Source: Burda et al. 2016, section 5.2.
    """
    require_model("active_units", model, "encode")
    threshold = require_number("active_units", "threshold", threshold, zero=True)
    x = _images("active_units", model, x)
    if len(x) < 2:
        raise ValueError(f"active_units: x holds {len(x)} images; a variance over images needs at least 2.")
    with values_known():
        return _posterior("active_units", model, x)[0].var(0) > threshold


def _images(caller: str, model: LatentVariableModel, x: Tensor) -> Tensor:
    x = images_for(caller, model, x)
    if not len(x):
        raise ValueError(f"{caller}: x has shape {tuple(x.shape)}; wanted at least one image.")
    return x


def _posterior(caller: str, model: LatentVariableModel, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mu and logvar of q(z|x), each [B, D]: nothing else that `encode` may return will do."""
    encoded = model.encode(x)
    name = type(model).__name__
    if not isinstance(encoded, tuple | list) or len(encoded) != 2:
        what = f"{len(encoded)} things" if isinstance(encoded, tuple | list) else kind(encoded)
        raise TypeError(f"{caller}: {name}.encode returned {what}; wanted (mu, logvar) of q(z|x), each [B, D].")
    mu, logvar = encoded
    for part, value in (("mu", mu), ("logvar", logvar)):
        require_tensor(caller, f"{part}, from encode,", value)
        if value.shape != mu.shape or value.ndim != 2 or len(value) != len(x):
            raise ValueError(
                f"{caller}: {name}.encode returned shapes {tuple(mu.shape)} and {tuple(logvar.shape)} for {len(x)} "
                "images; wanted (mu, logvar), each [B, D]."
            )
    require_same_place(caller, "logvar", logvar, "mu", mu)
    return mu, logvar


def _explained(model: LatentVariableModel, x: Tensor, z: Tensor) -> Tensor:
    value = model.log_likelihood(x, z)
    name = f"{type(model).__name__}.log_likelihood"
    require_returned("log_marginal_bound", name, value, tuple(z.shape[:2]), "[S, B], for z [S, B, D]")
    return value
