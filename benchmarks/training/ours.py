"""vae_lab.fit, eager, and captured where there is a GPU."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.training.work import BATCH, HIDDEN, LATENT, RATE, Weights, Work, copy_into
from vae_lab import VAE, fit


def prepare(weights: Weights, work: Work, *, capture: bool) -> tuple[Callable[[], object], Callable[[], Weights]]:
    """A function that trains, which is timed, and one that gives the weights."""
    model = VAE(LATENT, (HIDDEN,))
    copy_into(list(model.parameters()), weights)
    settings = {"epochs": work.epochs, "batch_size": BATCH, "learning_rate": RATE, "progress": False}
    settings["seed"] = torch.initial_seed()  # the round's, which the others take from torch's own generator

    def train() -> None:
        history = fit(model, work.images, device=work.device, capture=capture, **settings)
        if capture and history.how != "captured":
            raise RuntimeError(f"The captured contender ran {history.how}.")

    return train, lambda: [parameter.detach() for parameter in model.parameters()]
