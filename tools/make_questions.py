"""Make vae_lab/assets/questions.json: what was measured for the answers of the book's page `questions`.

Run once, some minutes on one core; the result is kept.

    python tools/make_questions.py

Small changes to the book's VAE, three seeds each, on MNIST-5k: its latent dimensions, the mean squared error for
the likelihood, a KL term that is warmed up or has free bits, and labels as a condition. All numbers are of
the test images: reconstruction error, rate and their sum in nats, and how many dimensions are active.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vae_lab.data import load_images
from vae_lab.elbo import gaussian_kl
from vae_lab.evaluation import active_units
from vae_lab.logits_loss import bernoulli_error
from vae_lab.models import VAE, LossTerms
from vae_lab.pretrained import load_classifier
from vae_lab.sampling import reparameterize
from vae_lab.shipped import ASSETS
from vae_lab.training import fit
from vae_lab.training_step import Step

TARGET = ASSETS / "questions.json"
SEEDS, EPOCHS, WARM, FREE, LABELLED = 3, 8, 4, 0.5, 20


class MeanSquaredError(VAE):
    """The reconstruction error is `F.mse_loss` as it comes: squared, and averaged over the pixels."""

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """Mean squared error, and the KL in nats."""
        out = self(x, eps=eps, generator=generator)
        error = (torch.sigmoid(out.logits) - x).square().flatten(1).mean(1)
        return LossTerms(error, gaussian_kl(out.mu, out.logvar))


class FreeBits(VAE):
    """Each latent dimension may say FREE nats, on average over the batch, at no price."""

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """The second term is max(KL, FREE) for each dimension."""
        out = self(x, eps=eps, generator=generator)
        each = 0.5 * (out.mu.square() + torch.expm1(out.logvar) - out.logvar)
        return LossTerms(bernoulli_error(out.logits, x), each.mean(0).clamp_min(FREE).sum().expand(len(x)))


def warmed_up(seed: int, images: Tensor) -> VAE:
    """The weight of the KL rises from 0 to 1 over the first WARM epochs."""
    torch.manual_seed(seed)
    model, generator = VAE(10), torch.Generator().manual_seed(seed)
    step = Step(model, images, generator=generator)
    for epoch in range(EPOCHS):
        step.beta = min(1.0, epoch / WARM)
        for index in torch.randperm(len(images), generator=generator).split(128):
            step(index)
    return model


def fitted(make: Callable[[], VAE], seed: int, images: Tensor) -> VAE:
    """Train for EPOCHS."""
    torch.manual_seed(seed)
    model = make()
    fit(model, images, epochs=EPOCHS, seed=seed, progress=False)
    return model


def asked_digit(seed: int, images: Tensor, labels: Tensor) -> float:
    """Train a VAE whose two networks see the label; the share of new images that show the digit asked for."""
    torch.manual_seed(seed)
    x, y = images.flatten(1) / 255, F.one_hot(labels.long(), 10).float()
    encoder = nn.Sequential(nn.Linear(794, 400), nn.ReLU(), nn.Linear(400, 16))
    decoder = nn.Sequential(nn.Linear(18, 400), nn.ReLU(), nn.Linear(400, 784))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()])
    for _ in range(LABELLED):
        for index in torch.randperm(len(x)).split(128):
            mu, logvar = encoder(torch.cat([x[index], y[index]], 1)).chunk(2, 1)
            logits = decoder(torch.cat([reparameterize(mu, logvar), y[index]], 1))
            optimizer.zero_grad()
            (bernoulli_error(logits, x[index]) + gaussian_kl(mu, logvar)).mean().backward()
            optimizer.step()
    asked = torch.arange(10).repeat(100)
    with torch.no_grad():
        made = torch.sigmoid(decoder(torch.cat([torch.randn(1000, 8), F.one_hot(asked, 10).float()], 1)))
    return (load_classifier()(made).argmax(1) == asked).float().mean().item()


@torch.no_grad()
def measured(model: VAE, x: Tensor) -> dict[str, float]:
    """What it costs on test images, with a draw of z and with its mean, and how many dimensions are active."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar, generator=torch.Generator().manual_seed(0))
    error, at_mean = (bernoulli_error(model.decode(at), x).mean().item() for at in (z, mu))
    rate = gaussian_kl(mu, logvar).mean().item()
    numbers = {"distortion": error, "at_mean": at_mean, "rate": rate, "sum": error + rate}
    return {**numbers, "active": int(active_units(model, x).sum())}


def main() -> None:
    """Train all and write the file."""
    torch.set_num_threads(1)
    (images, labels), test = load_images(), load_images(train=False).images / 255
    makers: dict[str, Callable[[], VAE]] = {
        "2 dimensions": lambda: VAE(2), "10 dimensions": lambda: VAE(10), "50 dimensions": lambda: VAE(50),
        "free bits": lambda: FreeBits(10), "squared error, averaged": lambda: MeanSquaredError(10),
    }  # fmt: skip
    found: dict[str, list[object]] = defaultdict(list)
    for seed in range(SEEDS):
        for name, make in makers.items():
            found[name].append(measured(fitted(make, seed, images), test))
            print(seed, name, found[name][-1], flush=True)
        found["warmed up"].append(measured(warmed_up(seed, images), test))
        found["asked digit"].append(asked_digit(seed, images, labels))
        print(seed, found["warmed up"][-1], found["asked digit"][-1], flush=True)
    rounded = json.loads(json.dumps(found), parse_float=lambda number: round(float(number), 3))
    TARGET.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
