"""The shipped data set as it lies in its file: read and verified with NumPy alone, so that looking is cheap."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "assets" / "mnist5k.npz"
SHA256 = "50396bf9220b6d2a5285ba2cc2ab1be31dadc216ea504b0b63293f6830fc5426"  # of the images, then the labels
TRAIN = 4_000


def read() -> tuple[np.ndarray, np.ndarray]:
    """Read all of MNIST-5k.

    Returns:
        images uint8 [5000, 28, 28], 0 to 255, and labels uint8 [5000]; the first `TRAIN` are to train on.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if it cannot be read, or does not hold what it should.

    Example:
        >>> images, labels = read()
        >>> images.shape, labels[:10].tolist() != sorted(labels[:10].tolist())
        ((5000, 28, 28), True)
    """
    if not FILE.is_file():
        raise FileNotFoundError(f"load_images: {FILE} is missing; it is part of the package: install vae-lab again.")
    try:
        with FILE.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"]
    except Exception as error:  # a damaged zip fails in many ways, all of which mean the same to the reader
        raise ValueError(f"load_images: {FILE} cannot be read ({error}); install vae-lab again.") from error
    if hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() != SHA256:
        raise ValueError(f"load_images: {FILE} does not hold the 5,000 images it should; install vae-lab again.")
    return images, labels
