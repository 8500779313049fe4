"""Write arrays that the package ships, and print the checksum by which `vae_lab/assets/README.md` knows them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def ship(target: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a file of `vae_lab/assets` and print its size and their checksum."""
    np.savez_compressed(target, **arrays)
    content = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()
    print(
        f"{target.name}: {target.stat().st_size:,} bytes; sha256 of the arrays in the order of their names: {content}"
    )
