"""Make vae_lab/assets/latent_2d.npz: what the latent explorer shows, small enough to travel in a page.

Run once, about a minute on one core; the result is kept.

    python -m tools.make_latent_2d

It holds the decoders of an autoencoder and of a VAE with two latent dimensions, where both put the first 1,000 training
images of MNIST-5k, and a small classifier that names what a decoder draws. All weights are rounded to eight bits
here, once, so that the page, torch and this file mean the same numbers.

An autoencoder may put its codes anywhere and on any scale. They are moved and turned here to mean 0 and covariance I,
and the decoder's first layer is changed to match, which changes no reconstruction: both planes can then be asked about
the same z.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tools.ship_arrays import ship
from vae_lab.data import load_images
from vae_lab.generation import code, reconstruct
from vae_lab.models import VAE, Autoencoder
from vae_lab.shipped import ASSETS
from vae_lab.training import fit

TARGET = ASSETS / "latent_2d.npz"
HIDDEN = (128, 64)
SCHEDULE = ((60, 2e-3), (40, 1e-3), (30, 3e-4))  # epochs, learning rate
SHOWN = 1_000


def train(model: nn.Module, images: Tensor) -> nn.Module:
    """Fit in three stages of falling learning rate."""
    for stage, (epochs, learning_rate) in enumerate(SCHEDULE):
        history = fit(model, images, epochs=epochs, learning_rate=learning_rate, seed=stage, progress=False)
    print(f"{type(model).__name__}: loss {history.loss[-1]:.2f}, KL {history.kl[-1]:.2f} nats per image")
    return model.eval()


@torch.no_grad()
def standardise(model: Autoencoder, x: Tensor) -> None:
    """Move and turn the codes of x to mean 0 and covariance I; encoder and decoder together stay the same function."""
    before = reconstruct(model, x[:100])
    codes = code(model, x).double()
    mean = codes.mean(0)
    turn = torch.linalg.cholesky(torch.cov(codes.T))  # code = turn @ new + mean
    last, first = model.encoder[-1], model.decoder[0]
    last.bias.copy_(torch.linalg.solve(turn, last.bias.double() - mean))
    last.weight.copy_(torch.linalg.solve(turn, last.weight.double()))
    first.bias.add_(first.weight @ mean.float())
    first.weight.copy_(first.weight.double() @ turn)
    moved = (reconstruct(model, x[:100]) - before).abs().max().item()
    if moved > 1e-3:
        raise ValueError(f"Standardising the codes changed a pixel by {moved:.4f}.")


def train_classifier(images: Tensor, labels: Tensor) -> nn.Sequential:
    """784-32-10 on images that are shifted by up to two pixels, and blurred half of the time, as decoders blur."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60)
    for _ in range(60):
        for index in torch.randperm(len(images)).split(100):
            x = torch.roll(images[index], tuple(torch.randint(-2, 3, (2,)).tolist()), (2, 3))
            if torch.rand(()) < 0.5:
                x = nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
            optimizer.zero_grad()
            cross_entropy(network(x.flatten(1)), labels[index]).backward()
            optimizer.step()
        schedule.step()
    return network


@torch.no_grad()
def eight_bits(name: str, network: nn.Sequential) -> dict[str, np.ndarray]:
    """Round a network, in place too, to what is kept: int8 weights with one float16 scale a row, float16 biases."""
    kept = {}
    for index, layer in enumerate(network):
        if isinstance(layer, nn.Linear):
            scale = (layer.weight.abs().amax(1) / 127).half()
            rounded = (layer.weight / scale.float()[:, None]).round().clamp(-127, 127)
            layer.weight.copy_(rounded * scale.float()[:, None])
            layer.bias.copy_(layer.bias.half())
            kept[f"{name}.{index}.weight"] = rounded.to(torch.int8).numpy()
            kept[f"{name}.{index}.scale"] = scale.numpy()
            kept[f"{name}.{index}.bias"] = layer.bias.half().numpy()
    return kept


def main() -> None:
    """Train, write the file, and print what to put beside it."""
    torch.set_num_threads(1)
    train_part, test_part = load_images(train=True), load_images(train=False)
    x, test = train_part.images / 255, test_part.images / 255
    arrays: dict[str, np.ndarray] = {"labels": train_part.labels[:SHOWN].numpy().astype(np.uint8)}
    for name, cls in (("autoencoder", Autoencoder), ("vae", VAE)):
        torch.manual_seed(0)
        model = train(cls(latent_dim=2, hidden=HIDDEN), train_part.images)
        if cls is Autoencoder:
            standardise(model, x)
        exact = reconstruct(model, test)
        arrays |= eight_bits(name, model.decoder)
        arrays[f"{name}.codes"] = code(model, x[:SHOWN]).numpy().astype(np.float16)
        with torch.no_grad():
            rounded = torch.sigmoid(model.decode(code(model, test)))
            terms = model.loss_terms(test, generator=torch.Generator().manual_seed(0))
        print(f"  test loss {(terms.reconstruction + terms.kl).mean():.2f} nats per image")
        print(
            f"  eight bits changed a pixel of a test reconstruction by {(rounded - exact).abs().mean():.4f} on average"
        )
    classifier = train_classifier(x, train_part.labels)
    arrays |= eight_bits("classifier", classifier)
    right = (classifier(test.flatten(1)).argmax(1) == test_part.labels).float().mean()
    print(f"classifier: {right:.1%} of the test part right")
    ship(TARGET, arrays)


if __name__ == "__main__":
    main()
