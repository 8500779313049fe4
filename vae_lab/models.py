"""Three models with one interface: Autoencoder, VAE, and LinearVAE, whose best ELBO is known in closed form.

Each has `encode`, `decode` and `loss_terms`; `vae_lab.training.fit` needs nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vae_lab.elbo import Elbo, bernoulli_log_likelihood, gaussian_kl, gaussian_log_likelihood
from vae_lab.logits_loss import bernoulli_error
from vae_lab.sampling import reparameterize


class LossTerms(NamedTuple):
    """What is minimised, as two terms, each [B], nats per image: -log p(x|z), and KL(q(z|x) || p(z))."""

    reconstruction: Tensor
    kl: Tensor


class VAEOutput(NamedTuple):
    """All that one pass through a VAE computes: logits in the shape of x; mu, logvar and z, each [B, D]."""

    logits: Tensor
    mu: Tensor
    logvar: Tensor
    z: Tensor


def _mlp(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(len(sizes) - 1):
        layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])  # no ReLU after the last layer


class Autoencoder(nn.Module):
    """An encoder and a decoder with nothing random between them: the VAE without its line of code.

    Args:
        latent_dim: D, the width of the bottleneck.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        data_shape: shape of one image.

    Example:
        >>> model = Autoencoder(latent_dim=2)
        >>> model.encode(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 2])

    Source: lecture 0:55 and 13:15.
    """

    likelihood = "bernoulli"

    def __init__(
        self, latent_dim: int = 2, hidden: Sequence[int] = (400, 200), data_shape: Sequence[int] = (1, 28, 28)
    ) -> None:
        super().__init__()
        self.latent_dim, self.data_shape = latent_dim, tuple(data_shape)
        pixels = math.prod(data_shape)
        self.encoder = _mlp([pixels, *hidden, latent_dim])
        self.decoder = _mlp([latent_dim, *reversed(hidden), pixels])

    def encode(self, x: Tensor) -> Tensor:
        """Map images [B, *data_shape] to codes z [B, D]."""
        return self.encoder(x.flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Map codes [..., D] to logits [..., *data_shape]."""
        return self.decoder(z).unflatten(-1, self.data_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct: logits in the shape of x."""
        return self.decode(self.encode(x)).reshape(x.shape)

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """Reconstruction error in nats per image; the KL term is 0, and there is no noise to draw."""
        reconstruction = bernoulli_error(self(x), x)
        return LossTerms(reconstruction, torch.zeros_like(reconstruction))


class VAE(nn.Module):
    """A variational autoencoder with a Bernoulli decoder (Kingma & Welling 2014).

    x -> (mu, logvar) -> z = mu + exp(logvar / 2) * eps -> logits of the pixels.

    Args:
        latent_dim: D, the number of latent dimensions.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        data_shape: shape of one image.

    Example:
        >>> model = VAE(latent_dim=2)
        >>> out = model(torch.zeros(5, 1, 28, 28))
        >>> out.logits.shape, out.z.shape
        (torch.Size([5, 1, 28, 28]), torch.Size([5, 2]))

    Source: Kingma & Welling 2014, section 3; lecture 0:39-8:00.
    """

    likelihood = "bernoulli"

    def __init__(
        self, latent_dim: int = 2, hidden: Sequence[int] = (400, 200), data_shape: Sequence[int] = (1, 28, 28)
    ) -> None:
        super().__init__()
        self.latent_dim, self.data_shape = latent_dim, tuple(data_shape)
        pixels = math.prod(data_shape)
        self.encoder = _mlp([pixels, *hidden, 2 * latent_dim])
        self.decoder = _mlp([latent_dim, *reversed(hidden), pixels])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images [B, *data_shape] to mu and logvar of q(z|x), each [B, D]."""
        mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Map latents [..., D] to logits [..., *data_shape]."""
        return self.decoder(z).unflatten(-1, self.data_shape)

    def forward(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, sample z, decode.

        x is [B, *data_shape] or flat, [B, N]; the noise is `eps` [B, D] if given, else drawn from `generator`.
        """
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps=eps, generator=generator)
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar, z)

    def elbo(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> Elbo:
        """One-sample estimate of the ELBO, [B], nats per image; the KL term is exact."""
        out = self(x, eps=eps, generator=generator)
        return Elbo.from_terms(bernoulli_log_likelihood(out.logits, x), gaussian_kl(out.mu, out.logvar))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) of images [B, *data_shape] for latents [S, B, D]: [S, B], nats."""
        return -bernoulli_error(self.decoder(z), x.flatten(1).expand(len(z), -1, -1), dims=1)

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The two terms of the negative ELBO."""
        out = self(x, eps=eps, generator=generator)
        return LossTerms(bernoulli_error(out.logits, x), gaussian_kl(out.mu, out.logvar))


class LinearVAE(nn.Module):
    """A VAE whose encoder and decoder are linear: probabilistic PCA, so the best ELBO is known exactly.

    p(z) = N(0, I), p(x|z) = N(W z + b, s2 I), q(z|x) = N(V (x - b), diag(exp(logvar))), the same logvar for all x.

    Args:
        data_dim: number of entries of one x.
        latent_dim: D.
        noise_variance: s2 at the start.
        learn_noise: is s2 learned, or held where it is?

    Example:
        >>> model = LinearVAE(data_dim=4, latent_dim=2)
        >>> model.exact_elbo(torch.zeros(3, 4)).elbo.shape
        torch.Size([3])

    Source: Tipping & Bishop 1999; Lucas et al. 2019.
    """

    likelihood = "gaussian"

    def __init__(
        self, data_dim: int, latent_dim: int, *, noise_variance: float = 1.0, learn_noise: bool = True
    ) -> None:
        super().__init__()
        self.latent_dim, self.data_shape = latent_dim, (data_dim,)
        self.W = nn.Parameter(torch.randn(data_dim, latent_dim) / math.sqrt(data_dim))
        self.V = nn.Parameter(torch.randn(latent_dim, data_dim) / math.sqrt(data_dim))
        self.b = nn.Parameter(torch.zeros(data_dim))
        self.logvar = nn.Parameter(torch.zeros(latent_dim))
        self.log_noise = nn.Parameter(torch.tensor(math.log(noise_variance)), requires_grad=learn_noise)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x [B, N] to mu and logvar of q(z|x), each [B, D]."""
        mu = (x - self.b) @ self.V.T
        return mu, self.logvar.expand_as(mu)

    def decode(self, z: Tensor) -> Tensor:
        """Map latents [..., D] to the mean of p(x|z), [..., N]."""
        return z @ self.W.T + self.b

    def elbo(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> Elbo:
        """One-sample estimate of the ELBO, [B], nats."""
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps=eps, generator=generator)
        return Elbo.from_terms(gaussian_log_likelihood(self.decode(z), x, self.log_noise), gaussian_kl(mu, logvar))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) of x [B, N] for latents [S, B, D]: [S, B], nats."""
        mean = self.decode(z).flatten(0, 1)
        return gaussian_log_likelihood(mean, x.expand(len(z), *x.shape).flatten(0, 1), self.log_noise).view(
            z.shape[:-1]
        )

    def exact_elbo(self, x: Tensor) -> Elbo:
        """The ELBO itself, [B], nats: E|x - Wz - b|^2 = |x - W mu - b|^2 + sum_d sigma_d^2 |W_d|^2."""
        mu, logvar = self.encode(x)
        spread = (self.W.square().sum(0) * self.logvar.exp()).sum() / self.log_noise.exp()
        at_mean = gaussian_log_likelihood(self.decode(mu), x, self.log_noise)
        return Elbo.from_terms(at_mean - 0.5 * spread, gaussian_kl(mu, logvar))

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The two terms of the negative ELBO."""
        bound = self.elbo(x, eps=eps, generator=generator)
        return LossTerms(-bound.log_likelihood, bound.kl)
