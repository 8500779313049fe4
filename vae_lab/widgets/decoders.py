"""The small networks that travel in a page, read from the package as torch networks, or packed for JavaScript."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from vae_lab.shipped import shipped_arrays

FILE = "latent_2d.npz"  # made by `tools/make_latent_2d.py`
ENCODERS = "encoders_2d.npz"  # made by `tools/make_encoders.py`
NAMES = ("autoencoder", "vae", "classifier", "autoencoder_encoder", "vae_encoder")


class Layer(NamedTuple):
    """A linear layer as it is kept: y = scale * (weight @ x) + bias, weight int8 [m, n], the others float16 [m]."""

    weight: np.ndarray
    scale: np.ndarray
    bias: np.ndarray


def _layers(name: str) -> list[Layer]:
    """The linear layers of a kept network, in order."""
    if name not in NAMES:
        raise ValueError(f"decoders: no network is called {name!r}; there are {', '.join(map(repr, NAMES))}.")
    kept = shipped_arrays(ENCODERS if name.endswith("_encoder") else FILE)
    indices = sorted(int(key.split(".")[1]) for key in kept if key.startswith(f"{name}.") and key.endswith(".weight"))
    return [Layer(*(kept[f"{name}.{i}.{part}"] for part in Layer._fields)) for i in indices]


def as_network(name: str) -> nn.Sequential:
    """A kept network in torch, float32: the reference for what the page computes.

    Args:
        name: "autoencoder" or "vae" (z [B, 2] -> logits [B, 784]), "autoencoder_encoder" (pixels [B, 784] -> z [B, 2]),
            "vae_encoder" (pixels -> mu and logvar, [B, 4]), or "classifier" (pixels -> logits [B, 10]).

    Raises:
        ValueError: if there is no network of that name.

    Example:
        >>> as_network("vae")(torch.zeros(1, 2)).shape
        torch.Size([1, 784])
    """
    modules: list[nn.Module] = []
    for layer in _layers(name):
        weight, scale, bias = (torch.tensor(part).float() for part in layer)
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": scale[:, None] * weight, "bias": bias})
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1]).requires_grad_(False)


def packed(name: str) -> dict[str, Any]:
    """A kept network for `shared/network.js`.

    Returns:
        {"sizes": [2, ..., 784], "weights": base64 of all int8, layer by layer, "scales": base64 of float16, each
        layer's scales and then its biases}.

    Raises:
        ValueError: if there is no network of that name.

    Example:
        >>> packed("vae")["sizes"]
        [2, 64, 128, 784]
    """
    layers = _layers(name)
    weights = b"".join(layer.weight.tobytes() for layer in layers)
    scales = b"".join(part.astype("<f2").tobytes() for layer in layers for part in (layer.scale, layer.bias))
    return {
        "sizes": [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)],
        "weights": base64.b64encode(weights).decode(),
        "scales": base64.b64encode(scales).decode(),
    }


def packed_codes(name: str) -> str:
    """Where a model puts the kept training images: base64 of float16 [1000, 2].

    Example:
        >>> len(base64.b64decode(packed_codes("autoencoder")))
        4000
    """
    return base64.b64encode(shipped_arrays(FILE)[f"{name}.codes"].astype("<f2").tobytes()).decode()
