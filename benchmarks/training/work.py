"""The work that every contender does: the same images, the same first weights, and one judge of the last ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vae_lab import VAE, load_images

PIXELS, HIDDEN, LATENT = 784, 400, 20
BATCH, RATE = 128, 1e-3
IMAGES = 60_000

# Weights and biases of the four layers 784-400, 400-2x20, 20-400, 400-784, in this order; mu before logvar.
Weights = list[Tensor]


@dataclass(frozen=True)
class Work:
    """Images uint8 [N, 1, 28, 28], also under `root` as the IDX files that torchvision reads; passes to make; where."""

    images: Tensor
    root: Path
    epochs: int
    device: torch.device

    @property
    def batches(self) -> int:
        return -(-len(self.images) // BATCH)


def make_work(root: Path, epochs: int, device: torch.device, images: int = IMAGES) -> Work:
    """MNIST-5k, both parts, repeated until there are as many as in MNIST."""
    five_thousand = torch.cat([load_images(train=part).images for part in (True, False)])
    repeated = five_thousand.repeat(-(-images // len(five_thousand)), 1, 1, 1)[:images].contiguous()
    write_idx(root / "MNIST" / "raw", repeated)
    return Work(repeated, root, epochs, device)


def write_idx(folder: Path, images: Tensor) -> None:
    """Write the files that torchvision's MNIST looks for; the labels are zeros, for nobody reads them."""
    folder.mkdir(parents=True)
    header = struct.pack(">HBB", 0, 8, 3) + struct.pack(">III", len(images), 28, 28)
    labels = struct.pack(">HBBI", 0, 8, 1, len(images)) + bytes(len(images))
    for part in "train", "t10k":
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + images.numpy().tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def first_weights(seed: int) -> Weights:
    """What PyTorch's Linear starts with."""
    torch.manual_seed(seed)
    return [p.detach().clone() for p in VAE(LATENT, (HIDDEN,)).parameters()]


def copy_into(parameters: list[Tensor], weights: Weights) -> None:
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(weight)


def judge(weights: Weights, work: Work) -> float:
    """Negative ELBO, nats per image: the mean over 5,000 images and four draws, the same for everybody."""
    model = VAE(LATENT, (HIDDEN,))
    copy_into(list(model.parameters()), [weight.cpu() for weight in weights])
    generator, x = torch.Generator().manual_seed(1), work.images[:5_000].float() / 255
    with torch.no_grad():
        return -torch.stack([model.elbo(x, generator=generator).elbo.mean() for _ in range(4)]).mean().item()
