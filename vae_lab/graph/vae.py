"""The course's two pictures, drawn from code that runs: one VAE step as written, and the same step reparameterized.

As written, z is drawn from N(mu, sigma^2): a stochastic node, behind which no gradient gets. Reparameterized, eps is
drawn from N(0, 1) and z = mu + sigma * eps is computed: the noise has become a leaf, and the gradient passes beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from vae_lab.graph.graph import Graph
from vae_lab.graph.record import record


class TwoViews(NamedTuple):
    """One VAE step, recorded twice."""

    as_written: Graph
    reparameterized: Graph

    def _repr_html_(self) -> str:
        sides = "".join(f'<div style="flex: 1 1 18em">{graph._repr_html_()}</div>' for graph in self)
        return f'<div style="display: flex; flex-wrap: wrap; gap: 1em">{sides}</div>'


class Encoder(nn.Module):
    """x [B, D] -> mu, sigma [B, K]: a hidden layer and two heads."""

    def __init__(self, data: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(data, hidden)
        self.mu = nn.Linear(hidden, latent)
        self.logvar = nn.Linear(hidden, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of q(z | x)."""
        h = torch.tanh(self.hidden(x))
        return self.mu(h), torch.exp(self.logvar(h) / 2)


def vae_views(*, latent: int = 2, kl: bool = False, seed: int = 0) -> TwoViews:
    """Record one step of a small VAE on made-up data, before and after the reparameterization trick.

    The loss is the squared error of the reconstruction, in both. With `kl=True` it is the negative ELBO's two terms:
    the KL term is computed from mu and sigma without a draw, so its gradient reaches phi in both pictures.

    Args:
        latent: entries of z.
        kl: whether to add KL(N(mu, sigma^2) || N(0, 1)), in nats.
        seed: for weights, data and draws; the caller's random stream stays where it is.

    Returns:
        The two graphs; their names are x, phi, mu, sigma, eps (reparameterized only), z, theta, x_hat, loss.

    Example:
        >>> before, after = vae_views()
        >>> before.kinds()["z"], after.kinds()["z"], after.kinds()["eps"]
        ('stochastic', 'deterministic', 'stochastic')
        >>> "phi" in before.reaches("loss"), "phi" in after.reaches("loss")
        (False, True)

    Source:
        Kingma and Welling (2014), Auto-encoding variational Bayes, section 2.4; the lecture's figures at 6:37 and 7:41.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        encoder = Encoder(6, 8, latent)
        decoder = nn.Sequential(nn.Linear(latent, 8), nn.Tanh(), nn.Linear(8, 6), nn.Sigmoid())
        x = torch.rand(4, 6)
        with record(x=x, phi=encoder, theta=decoder) as before:
            mu, sigma = encoder(x)
            z = Normal(mu, sigma).sample()
            x_hat = decoder(z)
            loss = _loss(x_hat, x, mu, sigma, kl)
            before.mark(mu=mu, sigma=sigma, z=z, x_hat=x_hat, loss=loss)
        with record(x=x, phi=encoder, theta=decoder) as after:
            mu, sigma = encoder(x)
            eps = torch.randn(4, latent)
            z = mu + sigma * eps
            x_hat = decoder(z)
            loss = _loss(x_hat, x, mu, sigma, kl)
            after.mark(mu=mu, sigma=sigma, eps=eps, z=z, x_hat=x_hat, loss=loss)
    return TwoViews(before, after)


def _loss(x_hat: Tensor, x: Tensor, mu: Tensor, sigma: Tensor, kl: bool) -> Tensor:
    loss = ((x_hat - x) ** 2).sum(-1)
    if kl:
        loss = loss + 0.5 * (mu**2 + sigma**2 - 1 - 2 * torch.log(sigma)).sum(-1)
    return loss.mean()
