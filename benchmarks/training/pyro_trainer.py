"""Pyro's SVI, after its own VAE example (github.com/pyro-ppl/pyro, examples/vae), with the KL in closed form."""

from __future__ import annotations

from collections.abc import Callable

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import SVI, TraceMeanField_ELBO
from pyro.optim import Adam
from torch import Tensor, nn

from benchmarks.training.usual_loop import loader
from benchmarks.training.work import HIDDEN, LATENT, PIXELS, RATE, Weights, Work, copy_into


class PyroVAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS), nn.Sigmoid())

    def model(self, x: Tensor) -> None:
        pyro.module("decoder", self.decoder)
        with pyro.plate("data", x.shape[0]):
            z = pyro.sample("latent", dist.Normal(x.new_zeros(len(x), LATENT), x.new_ones(len(x), LATENT)).to_event(1))
            probability = self.decoder(z)
            pyro.sample("obs", dist.Bernoulli(probability, validate_args=False).to_event(1), obs=x.reshape(-1, PIXELS))

    def guide(self, x: Tensor) -> None:
        pyro.module("encoder", self.encoder)
        with pyro.plate("data", x.shape[0]):
            mu, logvar = self.encoder(x.reshape(-1, PIXELS)).chunk(2, 1)
            pyro.sample("latent", dist.Normal(mu, torch.exp(0.5 * logvar)).to_event(1))


def prepare(weights: Weights, work: Work) -> tuple[Callable[[], object], Callable[[], Weights]]:
    """A function that trains, which is timed, and one that gives the weights."""
    pyro.clear_param_store()
    pyro.enable_validation(False)
    vae, batches = PyroVAE(), loader(work)
    copy_into(list(vae.parameters()), weights)
    vae.to(work.device)
    svi = SVI(vae.model, vae.guide, Adam({"lr": RATE}), loss=TraceMeanField_ELBO())

    def train() -> None:
        for _ in range(work.epochs):
            epoch_loss = 0.0
            for x, _ in batches:
                epoch_loss += svi.step(x.to(work.device))

    return train, lambda: [parameter.detach() for parameter in vae.parameters()]
