"""Two small models that come trained with the package: a classifier of digits, and an autoencoder to compare with.

Their weights are in `assets/pretrained.npz`, made by `tools/make_pretrained.py`; loading needs no network.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from vae_lab.arguments import require_device
from vae_lab.models import Autoencoder
from vae_lab.pixels import images_for
from vae_lab.shipped import shipped_arrays

Model = TypeVar("Model", bound=nn.Module)


class Classifier(nn.Module):
    """Which digit is it, and how sure? Two convolutions and two linear layers, trained on moved and softened digits.

    Example:
        >>> Classifier()(torch.zeros(5, 784)).shape
        torch.Size([5, 10])
    """

    data_shape = (1, 28, 28)

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(24 * 7 * 7, 48), nn.ReLU(), nn.Linear(48, 10),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], or uint8, [n, 784] or [n, 1, 28, 28], to logits of the ten digits, [n, 10]."""
        images = images_for(f"{type(self).__name__}.forward", self, images, "images")
        return self.net(images.reshape(-1, 1, 28, 28))


def load_classifier(device: torch.device | str | None = None) -> Classifier:
    """Load the frozen digit classifier.

    Args:
        device: where to put it; the CPU if None.

    Returns:
        A `Classifier` in evaluation mode, its weights not trainable.

    Raises:
        FileNotFoundError: if the weights are missing from the installation.
        ValueError: if torch knows no such device.
        RuntimeError: if it is a GPU and there is none.

    Example:
        >>> from vae_lab.data import load_images
        >>> images, labels = load_images(train=False)
        >>> guesses = load_classifier()(images / 255).argmax(1)
        >>> (guesses == labels).float().mean().item() > 0.96
        True
    """
    return _load(Classifier(), "classifier", require_device("load_classifier", device))


def load_autoencoder(device: torch.device | str | None = None) -> Autoencoder:
    """Load the frozen plain autoencoder: 784-128-8-128-784, no noise and no KL term.

    Args:
        device: where to put it; the CPU if None.

    Returns:
        An `Autoencoder` in evaluation mode, its weights not trainable; images are [n, 784].

    Raises:
        FileNotFoundError: if the weights are missing from the installation.
        ValueError: if torch knows no such device.
        RuntimeError: if it is a GPU and there is none.

    Example:
        >>> load_autoencoder().decode(torch.zeros(3, 8)).shape
        torch.Size([3, 784])

    Source: lecture 0:55 and 13:15.
    """
    where = require_device("load_autoencoder", device)
    return _load(Autoencoder(latent_dim=8, hidden=(128,), data_shape=(784,)), "autoencoder", where)


def _load(model: Model, name: str, device: torch.device | None) -> Model:
    weights = {
        key.removeprefix(f"{name}/"): torch.from_numpy(array.astype(np.float32))
        for key, array in shipped_arrays("pretrained.npz").items()
        if key.startswith(f"{name}/")
    }
    model.load_state_dict(weights)
    return model.to(device).eval().requires_grad_(False)
