"""Make vae_lab/assets/small_digits.npz: the 1,797 digits of 8 x 8 pixels that scikit-learn carries, 0 to 16.

Run once, with scikit-learn installed; the result is kept, so that the pages that use it need no scikit-learn.

    python -m tools.make_small_digits
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from tools.ship_arrays import ship

TARGET = Path(__file__).parents[1] / "vae_lab" / "assets" / "small_digits.npz"


def arrays() -> dict[str, np.ndarray]:
    """The images [1797, 8, 8] and labels [1797], uint8."""
    digits = load_digits()
    if not (digits.images == digits.images.astype(np.uint8)).all() or digits.images.max() != 16:
        raise ValueError("load_digits gives other values than the whole numbers 0 to 16.")
    return {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}


if __name__ == "__main__":
    ship(TARGET, arrays())
