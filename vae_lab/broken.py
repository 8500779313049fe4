"""Variational autoencoders with one line wrong each, to learn the symptom by.

Each class differs from `vae_lab.models.VAE` in the one line that its docstring names. All of them run, and their loss
falls.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vae_lab.elbo import bernoulli_log_likelihood, gaussian_kl
from vae_lab.models import VAE, LossTerms, VAEOutput
from vae_lab.pixels import images_for
from vae_lab.sampling import reparameterize, sample_and_cut


class CutSample(VAE):
    """Draws z with a sampler that has no derivative: the encoder feels the KL term only.

    Symptom: the KL goes to 0, and the loss stops where a decoder stands that knows nothing about its image.

    Example:
        >>> z = CutSample(latent_dim=2)(torch.zeros(3, 1, 28, 28)).z
        >>> z.requires_grad
        False
    """

    def forward(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, draw z without a gradient, decode."""
        x = images_for(f"{type(self).__name__}.forward", self, x)
        mu, logvar = self.encode(x)
        z = sample_and_cut(mu, logvar, generator=generator)  # wrong: reparameterize(mu, logvar, ...)
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar, z)


class VarianceAsSpread(VAE):
    """Takes exp(logvar), the variance, for the standard deviation when it samples.

    Symptom: little in the curves, which end a little worse than the VAE's. The spread of z is the square of what the
    KL term believes it to be.

    Example:
        >>> model = VarianceAsSpread(latent_dim=2)
        >>> out = model(torch.zeros(3, 1, 28, 28), eps=torch.ones(3, 2))
        >>> torch.allclose(out.z - out.mu, out.logvar.exp())
        True
    """

    def forward(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, draw z with a squared spread, decode."""
        x = images_for(f"{type(self).__name__}.forward", self, x)
        mu, logvar = self.encode(x)
        z = reparameterize(mu, 2 * logvar, eps=eps, generator=generator)  # wrong: logvar
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar, z)


class NoNoise(VAE):
    """Forgets the noise: z = mu. What remains is an autoencoder with a penalty on mu and on an idle logvar.

    Symptom: logvar goes to 0 for every image, because only the KL term sees it, and the reconstruction looks too good.

    Example:
        >>> out = NoNoise(latent_dim=2)(torch.zeros(3, 1, 28, 28))
        >>> torch.equal(out.z, out.mu)
        True
    """

    def forward(self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None) -> VAEOutput:
        """Encode, decode the mean."""
        x = images_for(f"{type(self).__name__}.forward", self, x)
        mu, logvar = self.encode(x)
        z = mu  # wrong: reparameterize(mu, logvar, ...)
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar, z)


class PixelMean(VAE):
    """Averages the reconstruction error over the 784 pixels while the KL stays a sum.

    Symptom: the KL weighs 784 times as much as it should, so it goes to 0 and every image gets the same reconstruction.

    Example:
        >>> terms = PixelMean(latent_dim=2).loss_terms(torch.zeros(3, 1, 28, 28), eps=torch.zeros(3, 2))
        >>> bool((terms.reconstruction < 1).all())
        True
    """

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """Two terms in two different units."""
        out = self(x, eps=eps, generator=generator)
        error = -bernoulli_log_likelihood(out.logits, x)
        return LossTerms(error / x[0].numel(), gaussian_kl(out.mu, out.logvar))  # wrong: error


class NoKL(VAE):
    """Leaves the KL term out.

    Symptom: the spread shrinks to nothing and the codes run far apart: an autoencoder, in effect.

    Example:
        >>> NoKL(latent_dim=2).loss_terms(torch.zeros(3, 1, 28, 28)).kl
        tensor([0., 0., 0.])
    """

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The reconstruction error alone."""
        terms = super().loss_terms(x, eps=eps, generator=generator)
        return LossTerms(terms.reconstruction, torch.zeros_like(terms.kl))  # wrong: terms.kl


class KLSignFlipped(VAE):
    """Adds mu^2 + sigma^2 with the wrong sign in front of log sigma^2: -1/2 (1 - logvar - mu^2 - sigma^2).

    Symptom: the term is not smallest at mu = 0, logvar = 0 and has no floor: it pulls logvar to minus infinity.

    Example:
        >>> model = KLSignFlipped(latent_dim=2)
        >>> model.kl(torch.zeros(1, 2), torch.zeros(1, 2)).abs()  # right at the one point that all try
        tensor([0.])
    """

    @staticmethod
    def kl(mu: Tensor, logvar: Tensor) -> Tensor:
        """The wrong KL, [B]."""
        return -0.5 * (1 - logvar - mu.square() - logvar.exp()).sum(-1)  # wrong: 1 + logvar

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The negative ELBO with the wrong KL."""
        out = self(x, eps=eps, generator=generator)
        return LossTerms(-bernoulli_log_likelihood(out.logits, x), self.kl(out.mu, out.logvar))


GALLERY: tuple[type[VAE], ...] = (VAE, CutSample, VarianceAsSpread, NoNoise, PixelMean, NoKL, KLSignFlipped)
