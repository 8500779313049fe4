"""Make vae_lab/assets/encoders_2d.npz: encoders for the two decoders that travel in pages, so that a page can encode.

Run once, a minute on one core; the result is kept.

    python -m tools.make_encoders

The decoders of latent_2d.npz stay as they are, rounded to eight bits. For each a small encoder (784-64-64) is trained
against it on the train part of MNIST-5k: the VAE's for the ELBO, the autoencoder's for the reconstruction error. Both
see images moved by up to a pixel, since a reader's digit is never placed exactly as MNIST's are.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from tools.make_latent_2d import eight_bits
from tools.ship_arrays import ship
from vae_lab.data import load_images
from vae_lab.elbo import bernoulli_log_likelihood, gaussian_kl
from vae_lab.sampling import reparameterize
from vae_lab.shipped import ASSETS
from vae_lab.widgets import decoders

TARGET = ASSETS / "encoders_2d.npz"
HIDDEN, EPOCHS, BATCH = 64, 60, 100


def terms(encoder: nn.Module, decoder: nn.Module, x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Reconstruction error and KL of flat images x, nats each; an encoder with two outputs has no noise and no KL."""
    out = encoder(x)
    if out.shape[1] == 2:
        return -bernoulli_log_likelihood(decoder(out), x), torch.zeros(len(x))
    mu, logvar = out.chunk(2, 1)
    z = reparameterize(mu, logvar, generator=generator)
    return -bernoulli_log_likelihood(decoder(z), x), gaussian_kl(mu, logvar)


def train(decoder: nn.Module, outputs: int, images: Tensor) -> nn.Sequential:
    """An encoder for a decoder that stays as it is; images [N, 1, 28, 28] in [0, 1]."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    encoder = nn.Sequential(
        nn.Linear(784, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, outputs)
    )
    optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(images), generator=generator).split(BATCH):
            shift = torch.randint(-1, 2, (2,), generator=generator).tolist()
            x = torch.roll(images[index], shift, (2, 3)).flatten(1)
            optimizer.zero_grad()
            sum(terms(encoder, decoder, x, generator)).mean().backward()
            optimizer.step()
        schedule.step()
    return encoder


def main() -> None:
    """Train both, round them, write the file, and print what to put beside it."""
    torch.set_num_threads(1)
    images, test = load_images().images / 255, load_images(train=False).images.flatten(1) / 255
    arrays: dict[str, np.ndarray] = {}
    for name, outputs in (("autoencoder", 2), ("vae", 4)):
        decoder = decoders.as_network(name)
        encoder = train(decoder, outputs, images)
        arrays |= eight_bits(f"{name}_encoder", encoder)
        with torch.no_grad():
            cost = sum(terms(encoder, decoder, test, torch.Generator().manual_seed(0))).mean()
        print(f"{name}: test loss {cost:.2f} nats per image", flush=True)
    ship(TARGET, arrays)


if __name__ == "__main__":
    main()
