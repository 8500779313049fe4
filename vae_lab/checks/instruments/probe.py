"""A stand-in for a trained VAE that writes down how it is used, and answers as a VAE would."""

from __future__ import annotations

import torch
from torch import Tensor

from vae_lab.checks.instruments.bookkeeper import Bookkeeper
from vae_lab.checks.instruments.sampler import device

PIXELS = 784


class Probe(Bookkeeper):
    """A model with a bent encoder and a linear decoder that keeps what it was asked to encode and to decode.

    The code of a mixture of two images is not the mixture of their codes.

    Args:
        latent_dim: D.

    Example:
        >>> probe = Probe(3)
        >>> logits = probe.decode(torch.zeros(2, 3))
        >>> probe.encodings, [tuple(z.shape) for z in probe.decoded]
        (0, [(2, 3)])
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encodings = 0
        self.decoded: list[Tensor] = []
        self.up = torch.nn.Parameter(torch.randn(latent_dim, PIXELS, device=device()))
        self.down = torch.nn.Parameter(torch.randn(PIXELS, latent_dim, device=device()) / 10)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images [B, 784] to mu and logvar, [B, D]; logvar is far from 0, so that a draw is far from mu."""
        self.encodings += 1
        mu = self.code(x)
        return mu, 3 + 0.1 * mu

    def code(self, x: Tensor) -> Tensor:
        """Encode without writing it down: mu, [..., D]."""
        return 3 * torch.sin(x.to(self.down) @ self.down)

    def logits(self, z: Tensor) -> Tensor:
        """Decode without writing it down."""
        return z.to(self.up) @ self.up / self.latent_dim**0.5 - 1

    def decode(self, z: Tensor) -> Tensor:
        """Map latents [..., D] to logits [..., 784]."""
        self.decoded.append(z.detach().clone())
        return self.logits(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (logits, mu, logvar) for one draw of z."""
        mu, logvar = self.encode(x)
        return self.logits(mu + torch.exp(logvar / 2) * torch.randn_like(mu)), mu, logvar
