"""Pictures and numbers of trained VAEs, kept with the package, packed for a page."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vae_lab.shipped import shipped_arrays

FILE = "trained_gallery.npz"  # made by `tools/make_trained_gallery.py`


def packed_images(name: str) -> str:
    """Images as base64 of bytes, 28 x 28 each, 255 being ink.

    Example:
        >>> len(base64.b64decode(packed_images("originals"))) == 6 * 784
        True
    """
    return base64.b64encode(shipped_arrays(FILE)[name].tobytes()).decode()


def by_beta() -> list[dict[str, Any]]:
    """One entry for each weight beta of the KL term: rate and distortion on the test part, nats, and pictures.

    Example:
        >>> [entry["beta"] for entry in by_beta()]
        [0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    """
    return [
        {
            "beta": beta,
            "rate": round(float(shipped_arrays(FILE)[f"beta{index}.rate"]), 3),
            "distortion": round(float(shipped_arrays(FILE)[f"beta{index}.distortion"]), 3),
            "reconstructions": packed_images(f"beta{index}.reconstructions"),
            "draws": packed_images(f"beta{index}.draws"),
        }
        for index, beta in enumerate(shipped_arrays(FILE)["betas"].tolist())
    ]


def by_model(name: str) -> dict[str, Any]:
    """One model of `vae_lab.broken`: curves of its loss and KL, what it measures on the test part, and pictures.

    Args:
        name: the class's name, "VAE" for the one without a mistake.

    Raises:
        ValueError: if no such model was kept.

    Example:
        >>> len(by_model("VAE")["loss"])
        12
    """
    kept = shipped_arrays(FILE)
    if f"{name}.loss" not in kept:
        raise ValueError(f"by_model: no model {name!r} was kept; see vae_lab.broken.GALLERY.")
    return {
        "loss": [round(float(value), 3) for value in kept[f"{name}.loss"]],
        "kl": [round(float(value), 3) for value in kept[f"{name}.kl"]],
        **{key: round(float(kept[f"{name}.{key}"]), 3) for key in ("true_kl", "sigma", "drawn_sigma")},
        "reconstructions": packed_images(f"{name}.reconstructions"),
        "draws": packed_images(f"{name}.draws"),
    }


def ends(name: str) -> dict[str, list[float]]:
    """Where three seeds of one model of `vae_lab.broken` end: what by_model says last, for each seed; the first is it.

    Args:
        name: the class's name, "VAE" for the one without a mistake.

    Example:
        >>> len(ends("VAE")["true_kl"])
        3
    """
    kept = shipped_arrays(FILE)[f"{name}.ends"]
    return dict(zip(("loss", "kl", "true_kl", "sigma", "drawn_sigma"), kept.T.tolist(), strict=True))


def pictures(name: str) -> Tensor:
    """Six reconstructions and six draws from the prior of one model of `vae_lab.broken`, uint8 [12, 1, 28, 28].

    Args:
        name: the class's name, "VAE" for the one without a mistake.

    Example:
        >>> pictures("VAE").shape
        torch.Size([12, 1, 28, 28])
    """
    kept = shipped_arrays(FILE)
    both = np.concatenate([kept[f"{name}.reconstructions"], kept[f"{name}.draws"]])
    return torch.from_numpy(both.reshape(-1, 1, 28, 28))
