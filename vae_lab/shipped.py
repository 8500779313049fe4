"""Arrays that are kept with the package: trained weights, and what pages show of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).parent / "assets"


@cache
def shipped_arrays(file: str) -> Mapping[str, np.ndarray]:
    """All arrays of a file in `vae_lab/assets`, by name; read once. `vae_lab/assets/README.md` says what is in them.

    Args:
        file: the file's name, e.g. "latent_2d.npz".

    Raises:
        FileNotFoundError: if the file is missing from the installation.

    Example:
        >>> shipped_arrays("latent_2d.npz")["vae.codes"].shape
        (1000, 2)
    """
    path = ASSETS / file
    if not path.is_file():
        raise FileNotFoundError(f"shipped_arrays: {file} is missing beside the package; install vae-lab again.")
    with np.load(path) as kept:
        return {name: kept[name] for name in kept.files}
