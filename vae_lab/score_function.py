"""A VAE that learns without the reparameterization trick: its encoder gets the score-function gradient.

The sample z is drawn without a derivative. What the encoder learns from is how good each draw was, compared with the
other draws for the same image, times the direction in which that draw becomes likelier.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vae_lab.arguments import require_switch, require_whole
from vae_lab.elbo import diagonal_log_density, gaussian_kl
from vae_lab.models import VAE, LossTerms
from vae_lab.sampling import reparameterize


class ScoreFunctionVAE(VAE):
    """A VAE trained by score function: several draws for each image, the mean of the others as each draw's baseline.

    gradient for phi: 1/S sum_s (error_s - mean of the other errors) * grad log q(z_s|x), plus that of the exact KL.

    Args:
        latent_dim: D, the number of latent dimensions.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        data_shape: shape of one image.
        draws: S, draws of z for each image.
        baseline: subtract the mean of the other draws' errors; without it the gradient has the same mean and spreads
            much more widely.

    Raises:
        ValueError: for fewer than two draws with a baseline, or no draw at all.

    Example:
        >>> terms = ScoreFunctionVAE(latent_dim=2).loss_terms(torch.zeros(5, 1, 28, 28))
        >>> terms.reconstruction.shape, terms.reconstruction.requires_grad
        (torch.Size([5]), True)

    Source: Williams 1992; Mohamed et al. 2020, section 4; leave-one-out baseline: Kool et al. 2019.
    """

    def __init__(
        self,
        latent_dim: int = 2,
        hidden: Sequence[int] = (400, 200),
        data_shape: Sequence[int] = (1, 28, 28),
        *,
        draws: int = 4,
        baseline: bool = True,
    ) -> None:
        require_switch("ScoreFunctionVAE", "baseline", baseline)
        draws = require_whole("ScoreFunctionVAE", "draws", draws, None)
        if draws < 1 + baseline:
            raise ValueError(f"ScoreFunctionVAE: draws is {draws}; wanted at least {1 + baseline}.")
        super().__init__(latent_dim, hidden, data_shape)
        self.draws, self.baseline = draws, baseline

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The two terms of the negative ELBO; autograd's gradient of their sum is the score-function gradient.

        x is [B, *data_shape]; the noise is `eps` [S, B, D] if given, else drawn from `generator`.
        """
        if eps is not None and self.baseline and isinstance(eps, Tensor) and len(eps) < 2:
            raise ValueError(
                f"ScoreFunctionVAE.loss_terms: eps has shape {tuple(eps.shape)}; a baseline needs two draws, [S, B, D]."
            )
        mu, logvar = self.encode(x)
        with torch.no_grad():
            draws = self.draws if eps is None else len(eps)
            z = reparameterize(mu, logvar, samples=draws, eps=eps, generator=generator)
        error = -self.log_likelihood(x, z)  # [S, B]; its gradient reaches theta only
        weight = error.detach()
        if self.baseline:  # error_s - mean of the others = (error_s - mean of all) * S / (S - 1)
            weight = (weight - weight.mean(0)) * len(z) / (len(z) - 1)
        pull = (weight * diagonal_log_density(z, mu, logvar)).mean(0)
        return LossTerms(error.mean(0) + pull - pull.detach(), gaussian_kl(mu, logvar))
