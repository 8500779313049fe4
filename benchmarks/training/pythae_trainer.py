"""Pythae's VAE and its BaseTrainer; the images are floats in memory from the start, as its pipeline makes them."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable

import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from torch import Tensor, nn

from benchmarks.training.work import BATCH, HIDDEN, LATENT, PIXELS, RATE, Weights, Work, copy_into


class Encoder(BaseEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENT))

    def forward(self, x: Tensor) -> ModelOutput:
        mu, logvar = self.layers(x.flatten(1)).chunk(2, 1)
        return ModelOutput(embedding=mu, log_covariance=logvar)


class Decoder(BaseDecoder):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS), nn.Sigmoid())

    def forward(self, z: Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z).view(-1, 1, 28, 28))


def model_with(weights: Weights) -> VAE:
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    model = VAE(config, encoder=Encoder(), decoder=Decoder())
    copy_into([*model.encoder.parameters(), *model.decoder.parameters()], weights)
    return model


def prepare(weights: Weights, work: Work) -> tuple[Callable[[], object], Callable[[], Weights]]:
    """A function that trains, which is timed, and one that gives the weights."""
    for name in logging.root.manager.loggerDict:
        if name.startswith("pythae"):
            logging.getLogger(name).setLevel(logging.ERROR)
    folder = tempfile.TemporaryDirectory()
    data = BaseDataset(work.images.float() / 255, torch.zeros(len(work.images)))
    config = BaseTrainerConfig(
        output_dir=folder.name,
        num_epochs=work.epochs,
        learning_rate=RATE,
        per_device_train_batch_size=BATCH,
        optimizer_cls="Adam",
        no_cuda=work.device.type != "cuda",
    )
    trainer = BaseTrainer(model_with(weights), data, training_config=config)

    def train() -> None:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # its progress bars
            trainer.train()
        folder.cleanup()

    def trained() -> Weights:
        model = trainer.model
        return [p.detach() for p in (*model.encoder.parameters(), *model.decoder.parameters())]

    return train, trained
