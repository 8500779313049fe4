"""One row of table 1 of Burda, Grosse, Salakhutdinov (ICLR 2016): a VAE or IWAE with one stochastic layer, on MNIST.

    python -m benchmarks.burda2016 --model iwae --k 5 --device cuda

As theirs: 784-200-200-2x50 and its mirror with tanh, Glorot's initial weights, the mean image in the last bias,
pixels drawn anew at each use, batches of 20, Adam with 3^i epochs at 0.001 * 10^(-i/7) for i = 0..7, and the negative
log-likelihood of the test images by 5,000 samples. Not as theirs: Adam's epsilon (1e-8, theirs 1e-4), and its
moments begin anew with each stage. `--stages 4` is a shortened schedule of 40 epochs in place of 3,280.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from vae_lab import VAE, LossTerms, fit, load_images, log_marginal_bound
from vae_lab.elbo import gaussian_kl, log_weight
from vae_lab.sampling import reparameterize

PUBLISHED = {  # test negative log-likelihood, nats per image
    ("vae", 1): 86.76,
    ("vae", 5): 86.47,
    ("vae", 50): 86.35,
    ("iwae", 1): 86.76,
    ("iwae", 5): 85.54,
    ("iwae", 50): 84.78,
}
STAGES = 8


class OneLayer(VAE):
    """Their model. objective "vae": the ELBO, averaged over k draws; "iwae": the bound L_k."""

    def __init__(self, objective: str, k: int, mean_image: Tensor) -> None:
        super().__init__(latent_dim=50, hidden=(200, 200))
        self.objective, self.k = objective, k
        self.encoder, self.decoder = (
            nn.Sequential(*(nn.Tanh() if isinstance(layer, nn.ReLU) else layer for layer in part))
            for part in (self.encoder, self.decoder)
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.decoder[-1].bias.copy_(torch.logit(mean_image.flatten(), eps=1e-3))

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The negative bound; IWAE's has no two parts, so all of it stands in the first."""
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, samples=self.k, eps=eps, generator=generator)
        log_likelihood = self.log_likelihood(x, z)
        if self.objective == "vae":
            return LossTerms(-log_likelihood.mean(0), gaussian_kl(mu, logvar))
        weights = log_weight(log_likelihood, z, mu, logvar)
        return LossTerms(math.log(self.k) - torch.logsumexp(weights, 0), torch.zeros_like(mu[:, 0]))


def schedule(stages: int) -> list[tuple[int, float]]:
    """Epochs and learning rate of each stage."""
    return [(3**i, 0.001 * 10 ** (-i / 7)) for i in range(stages)]


def negative_log_likelihood(model: VAE, images: Tensor, samples: int, seed: int = 0) -> Tensor:
    """Estimate -log p(x) of binarised images, [N], nats."""
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    x = torch.bernoulli(images.to(device).float() / 255, generator=generator)
    return -log_marginal_bound(model, x, samples, generator=generator)


def main(arguments: list[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--model", choices=["vae", "iwae"], default="vae")
    options.add_argument("--k", type=int, default=1, help="samples in training; published are 1, 5 and 50")
    options.add_argument("--stages", type=int, default=STAGES, help="the first few of the 8 stages")
    options.add_argument("--data", default="mnist", help="mnist as published, or mnist5k to try it")
    options.add_argument("--root", type=Path, default=Path("data"), help="where torchvision keeps MNIST")
    options.add_argument("--train-images", type=int, default=60_000)
    options.add_argument("--test-images", type=int, default=10_000)
    options.add_argument("--samples", type=int, default=5_000, help="for each test image")
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args(arguments)
    if chosen.k < 1 or not 0 <= chosen.stages <= STAGES:
        options.error(f"--k is {chosen.k} and --stages is {chosen.stages}; wanted k >= 1 and 0 to {STAGES} stages")
    train, test = (load_images(chosen.data, train=part, root=chosen.root).images for part in (True, False))
    train, test = train[: chosen.train_images], test[: chosen.test_images]
    torch.manual_seed(chosen.seed)
    model = OneLayer(chosen.model, chosen.k, train.float().mean(0) / 255)
    for number, (epochs, rate) in enumerate(schedule(chosen.stages)):
        settings = {"epochs": epochs, "learning_rate": rate, "seed": chosen.seed + number, "device": chosen.device}
        history = fit(model, train, batch_size=20, binarize=True, **settings)
        print(f"stage {number + 1}: {epochs} epochs at {rate:.2g}, {history.how}: {history.loss[-1]:.2f} nats")
    nll = negative_log_likelihood(model.to(chosen.device), test, chosen.samples)
    error = nll.std().item() / math.sqrt(len(nll))
    published = PUBLISHED.get((chosen.model, chosen.k))
    print(f"{'model':<6}{'k':>4}{'test NLL':>18}{'published':>11}   what was run")
    print(
        f"{chosen.model:<6}{chosen.k:>4}{nll.mean().item():>10.2f} +- {error:4.2f}{published or '-':>11}   "
        f"{len(train)} images of {chosen.data}, {chosen.stages} of {STAGES} stages, "
        f"{chosen.samples} samples of {len(test)} test images"
    )


if __name__ == "__main__":
    main()
