"""Three models with one interface: Autoencoder, VAE, and LinearVAE, whose best ELBO is known in closed form.

Each has `encode`, `decode`, `forward` and `loss_terms`; `vae_lab.training.fit` asks for the last alone. There is one
way to each number, so that a subclass changes a method in one place and all others follow it:

    loss_terms -> elbo -> forward -> encode, decode
                       -> log_likelihood -> decode      (where a subclass has its own, and in the bound)

Images may be uint8 in 0..255, floats, or `Images`, square or flat; they are taken in the model's floating type.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vae_lab.arguments import (
    known,
    place,
    require_number,
    require_same_place,
    require_sizes,
    require_switch,
    require_tensor,
    require_whole,
)
from vae_lab.elbo import Elbo, gaussian_kl, gaussian_log_likelihood
from vae_lab.logits_loss import bernoulli_error
from vae_lab.pixels import images_for, require_logits
from vae_lab.sampling import reparameterize


class LossTerms(NamedTuple):
    """What is minimised, as two terms, each [B], nats per image: -log p(x|z), and KL(q(z|x) || p(z))."""

    reconstruction: Tensor
    kl: Tensor


class VAEOutput(NamedTuple):
    """All that one pass through a VAE computes: logits in the shape of x; mu, logvar and z, each [B, D].

    For a Gaussian decoder the mean of p(x|z) stands where the logits are.
    """

    logits: Tensor
    mu: Tensor
    logvar: Tensor
    z: Tensor


def _mlp(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(len(sizes) - 1):
        layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])  # no ReLU after the last layer


def _images(model: nn.Module, method: str, x: Tensor) -> Tensor:
    return images_for(f"{type(model).__name__}.{method}", model, x)


def _latents(model: Autoencoder | VAE | LinearVAE, z: Tensor) -> Tensor:
    """Latents as this model's decoder is to see them."""
    caller = f"{type(model).__name__}.decode"
    require_tensor(caller, "z", z)
    if z.shape[-1:] != (model.latent_dim,):
        raise ValueError(
            f"{caller}: z has shape {tuple(z.shape)}; wanted [..., D] with the model's {model.latent_dim} latent "
            "dimensions."
        )
    dtype = None if known() else place(model)[1]
    if dtype is None:
        return z
    require_same_place(caller, "z", z, "the model", next(model.parameters()))
    return z if z.dtype == dtype else z.to(dtype)


def _require_draws(model: VAE | LinearVAE, x: Tensor, z: Tensor) -> None:
    """Refuse latents that are not some draws for each image, [S, B, D]."""
    caller = f"{type(model).__name__}.log_likelihood"
    require_tensor(caller, "z", z)
    if z.ndim != 3 or z.shape[1:] != (len(x), model.latent_dim):
        raise ValueError(
            f"{caller}: z has shape {tuple(z.shape)}; wanted [S, B, D] for {len(x)} images and {model.latent_dim} "
            "latent dimensions."
        )


def _own(model: nn.Module, method: str, base: type) -> bool:
    """Tell whether a subclass, or one model, has a method of its own."""
    return getattr(getattr(model, method), "__func__", None) is not getattr(base, method)


def _looked_at(model: VAE, logits: Tensor) -> Tensor:
    """The logits of a `decode` or `forward` that a subclass has made, which may be probabilities."""
    if _own(model, "decode", VAE) or _own(model, "forward", VAE):
        require_logits(type(model).__name__, "decode", logits)
    return logits


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
        self.latent_dim = latent_dim = require_whole("Autoencoder", "latent_dim", latent_dim, 1)
        self.data_shape = require_sizes("Autoencoder", "data_shape", data_shape, some=True)
        hidden, pixels = require_sizes("Autoencoder", "hidden", hidden, some=False), math.prod(self.data_shape)
        self.encoder = _mlp([pixels, *hidden, latent_dim])
        self.decoder = _mlp([latent_dim, *reversed(hidden), pixels])

    def encode(self, x: Tensor) -> Tensor:
        """Map images [B, *data_shape] to codes z [B, D]."""
        return self.encoder(_images(self, "encode", x).flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Map codes [..., D] to logits [..., *data_shape]."""
        return self.decoder(_latents(self, z)).unflatten(-1, self.data_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct: logits in the shape of x."""
        x = _images(self, "forward", x)
        return self.decode(self.encode(x)).reshape(x.shape)

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """Reconstruction error in nats per image; the KL term is 0, and there is no noise to draw."""
        x = _images(self, "loss_terms", x)
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
        self.latent_dim = latent_dim = require_whole("VAE", "latent_dim", latent_dim, 1)
        self.data_shape = require_sizes("VAE", "data_shape", data_shape, some=True)
        hidden, pixels = require_sizes("VAE", "hidden", hidden, some=False), math.prod(self.data_shape)
        self.encoder = _mlp([pixels, *hidden, 2 * latent_dim])
        self.decoder = _mlp([latent_dim, *reversed(hidden), pixels])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images [B, *data_shape] to mu and logvar of q(z|x), each [B, D]."""
        mu, logvar = self.encoder(_images(self, "encode", x).flatten(1)).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Map latents [..., D] to logits [..., *data_shape]."""
        return self.decoder(_latents(self, z)).unflatten(-1, self.data_shape)

    def forward(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, sample z, decode.

        x is [B, *data_shape] or flat, [B, N]; the noise is `eps` [B, D] if given, else drawn from `generator`.
        """
        x = _images(self, "forward", x)
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps=eps, generator=generator)
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar, z)

    def elbo(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> Elbo:
        """One-sample estimate of the ELBO, [B], nats per image; the KL term is exact."""
        x = _images(self, "elbo", x)
        out = self(x, eps=eps, generator=generator)
        return Elbo.from_terms(-self._error(out, x), gaussian_kl(out.mu, out.logvar))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) of images [B, *data_shape] for latents [S, B, D]: [S, B], nats."""
        x = _images(self, "log_likelihood", x)
        _require_draws(self, x, z)
        logits = _looked_at(self, self.decode(z.flatten(0, 1))).reshape(*z.shape[:2], math.prod(self.data_shape))
        return -bernoulli_error(logits, x.flatten(1).expand(len(z), -1, -1), dims=1)

    def _error(self, out: VAEOutput, x: Tensor) -> Tensor:
        """-log p(x|z) of one pass: from its logits, or by `log_likelihood` where a subclass has its own."""
        if _own(self, "log_likelihood", VAE):
            return -self.log_likelihood(x, out.z[None])[0]
        logits = _looked_at(self, out.logits)
        return bernoulli_error(logits if logits.shape == x.shape else logits.reshape(x.shape), x)

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The two terms of the negative ELBO."""
        x = _images(self, "loss_terms", x)
        if _own(self, "elbo", VAE):
            bound = self.elbo(x, eps=eps, generator=generator)
            return LossTerms(-bound.log_likelihood, bound.kl)
        out = self(x, eps=eps, generator=generator)
        return LossTerms(self._error(out, x), gaussian_kl(out.mu, out.logvar))


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
        self.latent_dim = latent_dim = require_whole("LinearVAE", "latent_dim", latent_dim, 1)
        data_dim = require_whole("LinearVAE", "data_dim", data_dim, 1)
        noise_variance = require_number("LinearVAE", "noise_variance", noise_variance, zero=False)
        require_switch("LinearVAE", "learn_noise", learn_noise)
        self.data_shape = (data_dim,)
        self.W = nn.Parameter(torch.randn(data_dim, latent_dim) / math.sqrt(data_dim))
        self.V = nn.Parameter(torch.randn(latent_dim, data_dim) / math.sqrt(data_dim))
        self.b = nn.Parameter(torch.zeros(data_dim))
        self.logvar = nn.Parameter(torch.zeros(latent_dim))
        self.log_noise = nn.Parameter(torch.tensor(math.log(noise_variance)), requires_grad=learn_noise)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map x [B, N] to mu and logvar of q(z|x), each [B, D]."""
        mu = (_images(self, "encode", x).flatten(1) - self.b) @ self.V.T
        return mu, self.logvar.expand_as(mu)

    def decode(self, z: Tensor) -> Tensor:
        """Map latents [..., D] to the mean of p(x|z), [..., N]."""
        return _latents(self, z) @ self.W.T + self.b

    def forward(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, sample z, decode; the mean of p(x|z) stands where a VAE's logits are."""
        x = _images(self, "forward", x)
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps=eps, generator=generator)
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar, z)

    def elbo(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> Elbo:
        """One-sample estimate of the ELBO, [B], nats."""
        x = _images(self, "elbo", x)
        out = self(x, eps=eps, generator=generator)
        if _own(self, "log_likelihood", LinearVAE):
            log_likelihood = self.log_likelihood(x, out.z[None])[0]
        else:
            log_likelihood = gaussian_log_likelihood(out.logits, x, self.log_noise)
        return Elbo.from_terms(log_likelihood, gaussian_kl(out.mu, out.logvar))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x|z) of x [B, N] for latents [S, B, D]: [S, B], nats."""
        x = _images(self, "log_likelihood", x)
        _require_draws(self, x, z)
        mean, x = self.decode(z.flatten(0, 1)), x.flatten(1)
        found = gaussian_log_likelihood(mean, x.expand(len(z), *x.shape).flatten(0, 1), self.log_noise)
        return found.view(z.shape[:-1])

    def exact_elbo(self, x: Tensor) -> Elbo:
        """The ELBO itself, [B], nats: E|x - Wz - b|^2 = |x - W mu - b|^2 + sum_d sigma_d^2 |W_d|^2.

        Raises:
            ValueError: if a subclass decodes in another way, for which this is not the ELBO.
        """
        for method in ("decode", "log_likelihood"):
            if _own(self, method, LinearVAE):
                name = type(self).__name__
                raise ValueError(f"{name}.exact_elbo: {name} has its own {method}; this closed form is LinearVAE's.")
        x = _images(self, "exact_elbo", x).flatten(1)
        mu, logvar = self.encode(x)
        spread = (self.W.square().sum(0) * logvar.exp()).sum(-1) / self.log_noise.exp()
        at_mean = gaussian_log_likelihood(self.decode(mu), x, self.log_noise)
        return Elbo.from_terms(at_mean - 0.5 * spread, gaussian_kl(mu, logvar))

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The two terms of the negative ELBO."""
        x = _images(self, "loss_terms", x)
        bound = self.elbo(x, eps=eps, generator=generator)
        return LossTerms(-bound.log_likelihood, bound.kl)
