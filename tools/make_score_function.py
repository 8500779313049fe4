"""Make vae_lab/assets/score_function.npz: a VAE trained with the score function beside the one with the trick.

Run once, some minutes on one core; the result is kept.

    python -m tools.make_score_function

Four ways to train the same VAE, with ten latent dimensions and with two, on MNIST-5k, three seeds each: pathwise with
one draw of z for an image and with four, score function with four draws with and without the mean of the other draws as
baseline. It keeps the loss of every epoch.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from tools.ship_arrays import ship
from vae_lab.data import load_images
from vae_lab.elbo import gaussian_kl
from vae_lab.models import VAE, LossTerms
from vae_lab.sampling import reparameterize
from vae_lab.score_function import ScoreFunctionVAE
from vae_lab.shipped import ASSETS
from vae_lab.training import fit

TARGET = ASSETS / "score_function.npz"
EPOCHS, SEEDS, LATENTS = 12, 3, (10, 2)


class FourDraws(VAE):
    """Pathwise, with the mean of four draws: as much decoding as the score function gets."""

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The two terms of the negative ELBO, the first from four draws."""
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, samples=4, eps=eps, generator=generator)
        return LossTerms(-self.log_likelihood(x, z).mean(0), gaussian_kl(mu, logvar))


WAYS = {
    "pathwise": VAE,
    "pathwise_four": FourDraws,
    "score": ScoreFunctionVAE,
    "score_without_baseline": partial(ScoreFunctionVAE, baseline=False),
}


def main() -> None:
    """Train all, write the file, and print its checksum."""
    torch.set_num_threads(1)
    images = load_images().images
    loss = np.zeros((len(LATENTS), len(WAYS), SEEDS, EPOCHS), dtype=np.float32)
    for place, latents in enumerate(LATENTS):
        for seed in range(SEEDS):
            for row, (name, make) in enumerate(WAYS.items()):
                torch.manual_seed(seed)
                history = fit(make(latents), images, epochs=EPOCHS, seed=seed, progress=False)
                loss[place, row, seed] = np.round(history.loss, 1)  # further digits differ between machines
                print(f"{latents} {name} seed {seed}: {history.loss[-1]:.2f} nats, {history.seconds:.0f} s", flush=True)
    arrays = {"loss": loss, "latents": np.array(LATENTS), "ways": np.array(list(WAYS))}
    ship(TARGET, arrays)


if __name__ == "__main__":
    main()
