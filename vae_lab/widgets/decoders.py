"""The small decoders that travel in a page: read from the package, as torch networks or packed for JavaScript."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

ASSET = Path(__file__).parents[1] / "assets" / "latent_2d.npz"
NAMES = ("autoencoder", "vae", "classifier")


@cache
def arrays() -> Mapping[str, np.ndarray]:
    """All that `tools/make_latent_2d.py` kept: weights by network and layer, codes [1000, 2] float16, labels [1000].

    Example:
        >>> arrays()["vae.codes"].shape
        (1000, 2)
    """
    with np.load(ASSET) as kept:
        return {name: kept[name] for name in kept.files}


def _layers(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight [m, n] and bias [m] of each linear layer, in order."""
    if name not in NAMES:
        raise ValueError(f"decoders: no network is called {name!r}; there are {', '.join(map(repr, NAMES))}.")
    kept = arrays()
    indices = sorted(int(key.split(".")[1]) for key in kept if key.startswith(f"{name}.") and key.endswith(".weight"))
    return [(kept[f"{name}.{i}.weight"], kept[f"{name}.{i}.bias"]) for i in indices]


def as_network(name: str) -> nn.Sequential:
    """A kept network in torch, float32: the reference for what the page computes.

    Args:
        name: "autoencoder" or "vae" (z [B, 2] -> logits [B, 784]), or "classifier" (pixels [B, 784] -> logits [B, 10]).

    Raises:
        ValueError: if there is no network of that name.

    Example:
        >>> as_network("vae")(torch.zeros(1, 2)).shape
        torch.Size([1, 784])
    """
    modules: list[nn.Module] = []
    for weight, bias in _layers(name):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": torch.tensor(weight).float(), "bias": torch.tensor(bias).float()})
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1]).requires_grad_(False)


def packed(name: str) -> dict[str, Any]:
    """A kept network for `shared/network.js`: {"sizes": [2, ..., 784], "weights": base64 of float16}.

    Raises:
        ValueError: if there is no network of that name.

    Example:
        >>> packed("vae")["sizes"]
        [2, 64, 128, 784]
    """
    layers = _layers(name)
    flat = np.concatenate([part.ravel() for layer in layers for part in layer]).astype("<f2")
    sizes = [layers[0][0].shape[1], *(weight.shape[0] for weight, _ in layers)]
    return {"sizes": sizes, "weights": base64.b64encode(flat.tobytes()).decode()}


def packed_codes(name: str) -> str:
    """Where a model puts the kept training images: base64 of float16 [1000, 2].

    Example:
        >>> len(base64.b64decode(packed_codes("autoencoder")))
        4000
    """
    return base64.b64encode(arrays()[f"{name}.codes"].astype("<f2").tobytes()).decode()
