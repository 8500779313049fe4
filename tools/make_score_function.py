"""Make vae_lab/assets/score_function.npz: a VAE trained with the score function beside the one with the trick.

Run once, some minutes on one core; the result is kept.

    python tools/make_score_function.py

Four ways to train the same VAE, ten latent dimensions, on MNIST-5k, three seeds each: pathwise with one draw of z for
an image and with four, score function with four draws with and without the mean of the other draws as baseline. It
keeps the loss of every epoch; and, for the pathwise model after its first and its last epoch, how many times as large
the variance of the score-function gradient for mu is, with a baseline, draw for draw.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor

from vae_lab.data import load_images
from vae_lab.elbo import gaussian_kl
from vae_lab.models import VAE, LossTerms
from vae_lab.sampling import reparameterize
from vae_lab.score_function import ScoreFunctionVAE
from vae_lab.shipped import ASSETS
from vae_lab.training import fit

TARGET = ASSETS / "score_function.npz"
EPOCHS, SEEDS, LATENTS = 12, 3, 10


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
    "pathwise": lambda: VAE(LATENTS),
    "pathwise_four": lambda: FourDraws(LATENTS),
    "score": lambda: ScoreFunctionVAE(LATENTS),
    "score_without_baseline": lambda: ScoreFunctionVAE(LATENTS, baseline=False),
}


def times_the_variance(model: VAE, x: Tensor, draws: int = 200) -> float:
    """Variance of the score-function gradient for mu over that of the pathwise one, the means over images and entries.

    The baseline is the mean error of an image over all draws.
    """
    mu, logvar = (t.detach() for t in model.encode(x))
    eps = torch.randn(draws, *mu.shape, generator=torch.Generator().manual_seed(0))
    z = reparameterize(mu, logvar, samples=draws, eps=eps).requires_grad_()
    error = -model.log_likelihood(x, z)
    (pathwise,) = torch.autograd.grad(error.sum(), z)
    weight = (error - error.mean(0)).detach()
    score = weight[..., None] * eps / torch.exp(logvar / 2)
    return (score.var(0).mean() / pathwise.var(0).mean()).item()


def main() -> None:
    """Train all, write the file, and print its checksum."""
    torch.set_num_threads(1)
    images = load_images().images
    loss, ratio = np.zeros((len(WAYS), SEEDS, EPOCHS), dtype=np.float32), np.zeros((2, SEEDS), dtype=np.float32)
    for seed in range(SEEDS):
        for row, (name, make) in enumerate(WAYS.items()):
            torch.manual_seed(seed)
            model = make()
            history = fit(model, images, epochs=EPOCHS, seed=seed, progress=False)
            loss[row, seed] = history.loss
            print(f"{name} seed {seed}: {history.loss[-1]:.2f} nats, {history.seconds:.0f} s", flush=True)
            if name == "pathwise":
                ratio[1, seed] = times_the_variance(model, images[:200] / 255)
                torch.manual_seed(seed)
                model = make()
                fit(model, images, epochs=1, seed=seed, progress=False)
                ratio[0, seed] = times_the_variance(model, images[:200] / 255)
                print(f"  times the variance: {ratio[:, seed]}", flush=True)
    arrays = {"loss": loss, "times_the_variance": ratio, "ways": np.array(list(WAYS))}
    np.savez_compressed(TARGET, **arrays)
    content = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()
    print(
        f"{TARGET.name}: {TARGET.stat().st_size:,} bytes; sha256 of the arrays in the order of their names: {content}"
    )


if __name__ == "__main__":
    main()
