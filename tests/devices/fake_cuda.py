"""Call the package under FakeTensorMode with everything on "cuda"; print where each result lies, or what went wrong.

Run by a test in a process of its own: the mode takes the place of the CUDA driver for as long as the process lives.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._pytree import tree_leaves

from vae_lab import broken, elbo, estimators, evaluation, generation, models, sampling
from vae_lab.logits_loss import bernoulli_error
from vae_lab.pretrained import Classifier
from vae_lab.training_step import Step

SITUATIONS = [("cuda", None), ("cuda", "cuda"), ("cpu", "cuda")]
"""Where everything lies, and what `torch.set_default_device` was told before."""


def calls(place: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """What is called; `place` says where tensors are made."""
    mu, logvar, eps = (torch.randn(4, 3, **place) for _ in range(3))
    x = torch.rand(5, 1, 28, 28, **place)
    flat, pixels = x.flatten(1), torch.zeros(5, 1, 28, 28, dtype=torch.uint8, **place)
    with torch.device(place["device"]):
        made = {kind.__name__: kind(2, (8,)) for kind in (models.VAE, models.Autoencoder, *broken.GALLERY[1:])}
        linear, classifier = models.LinearVAE(784, 3), Classifier()
    vae, auto = made["VAE"], made["Autoencoder"]
    codes, numbers = torch.randn(2, 5, 2, **place), torch.zeros(3, dtype=torch.int64, **place)
    return {
        "reparameterize": lambda: sampling.reparameterize(mu, logvar),
        "reparameterize samples": lambda: sampling.reparameterize(mu, logvar, samples=3),
        "reparameterize eps": lambda: sampling.reparameterize(mu, logvar, eps=eps),
        "sample_and_cut": lambda: sampling.sample_and_cut(mu, logvar),
        "sample_prior": lambda: sampling.sample_prior(4, 2, device=place["device"]),
        "gaussian_kl": lambda: elbo.gaussian_kl(mu, logvar),
        "bernoulli_log_likelihood": lambda: elbo.bernoulli_log_likelihood(flat, flat),
        "bernoulli_log_likelihood uint8": lambda: elbo.bernoulli_log_likelihood(x, pixels),
        "bernoulli_error": lambda: bernoulli_error(flat, flat),
        "gaussian_log_likelihood": lambda: elbo.gaussian_log_likelihood(flat, flat, -1.0),
        "gaussian_log_likelihood logvar": lambda: elbo.gaussian_log_likelihood(mu, mu, logvar),
        "diagonal_log_density": lambda: elbo.diagonal_log_density(eps, mu, logvar),
        "log_weight": lambda: elbo.log_weight(mu[:, 0], eps, mu, logvar),
        "importance_weighted_bound": lambda: elbo.importance_weighted_bound(
            lambda z: z.square().sum(-1), mu, logvar, 7, chunk=4
        ),
        "score_function_gradients": lambda: estimators.score_function_gradients(
            lambda z: z.square().sum(1), mu[0], mu[0].exp(), eps
        ),
        **{f"{name} forward": (lambda m=m: m(x)) for name, m in made.items()},
        **{f"{name} loss_terms": (lambda m=m: m.loss_terms(pixels)) for name, m in made.items()},
        "VAE elbo": lambda: vae.elbo(x),
        "VAE log_likelihood": lambda: vae.log_likelihood(x, codes),
        "LinearVAE forward": lambda: linear(flat),
        "LinearVAE elbo": lambda: linear.elbo(flat),
        "LinearVAE exact_elbo": lambda: linear.exact_elbo(pixels),
        "Classifier": lambda: classifier(pixels),
        "log_marginal_bound": lambda: evaluation.log_marginal_bound(vae, x, 7, chunk=3),
        "log_marginal_bound linear": lambda: evaluation.log_marginal_bound(linear, flat, 7),
        "active_units": lambda: evaluation.active_units(vae, pixels),
        "from_prior": lambda: generation.from_prior(vae, 3),
        "from_prior linear": lambda: generation.from_prior(linear, 3),
        "code": lambda: generation.code(auto, x),
        "reconstruct": lambda: generation.reconstruct(vae, pixels),
        "interpolate": lambda: generation.interpolate(vae, x[0], x[1]),
        "latent_grid": lambda: generation.latent_grid(vae, 3),
        "latent_grid extent": lambda: generation.latent_grid(auto, 3, extent=2.0),
        "recognisability": lambda: generation.recognisability(x, classifier),
        "a batch of a step": lambda: Step(vae, pixels).batch(numbers),
        "a drawn batch of a step": lambda: Step(vae, pixels, binarize=True).batch(numbers),
        "planted: noise left behind": lambda: mu + torch.randn(mu.shape),
        "planted: a constant left behind": lambda: x @ torch.ones(28, 28),
    }


def tried(call: Callable[[], Any]) -> str:
    """The devices of a result, or the kind of error."""
    try:
        return " ".join(sorted({leaf.device.type for leaf in tree_leaves(call()) if isinstance(leaf, Tensor)}))
    except Exception as error:
        return f"{type(error).__name__}: {error}".split("\n")[0][:300]


def told(kind: str, default: str | None) -> dict[str, str]:
    """What each call comes to with everything on one kind of device, and another, or the same, as torch's default."""
    torch.set_default_device(default)
    return {name: tried(call) for name, call in calls({"device": kind}).items()}


if __name__ == "__main__":
    with FakeTensorMode():
        print(json.dumps({f"{kind} {default}": told(kind, default) for kind, default in SITUATIONS}))
