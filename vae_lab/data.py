"""Images to learn from: MNIST-5k, which is shipped, and full MNIST and Fashion-MNIST, which torchvision downloads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vae_lab import mnist5k
from vae_lab.arguments import require_switch
from vae_lab.shipped import shipped_arrays

NAMES = ("mnist5k", "mnist", "fashion_mnist")


class Images(NamedTuple):
    """Images uint8 [N, 1, 28, 28], 0 to 255, and labels int64 [N], 0 to 9."""

    images: Tensor
    labels: Tensor


def load_images(
    name: str = "mnist5k", *, train: bool = True, root: str | Path = "data", download: bool = True
) -> Images:
    """Load a data set as two tensors.

    MNIST-5k comes with the package: 4,000 images to train on and 1,000 to test on, each digit equally often in any
    prefix whose length is a multiple of ten. The others are read by torchvision, 60,000 and 10,000 images.

    Args:
        name: "mnist5k", "mnist" or "fashion_mnist".
        train: the train part, or else the test part.
        root: folder for what is downloaded; MNIST-5k does not use it.
        download: may torchvision download what is not under `root`?

    Returns:
        `Images(images, labels)`: uint8 [N, 1, 28, 28] in 0..255, and int64 [N].

    Raises:
        ValueError: if there is no data set of that name, or the shipped file's contents are damaged.
        TypeError: if train or download is not True or False, e.g. "test".
        FileNotFoundError: if the shipped file is missing, or the data is not under `root` and cannot be downloaded.

    Example:
        >>> images, labels = load_images(train=False)
        >>> images.shape, images.dtype, labels[:10].sort().values.tolist()
        (torch.Size([1000, 1, 28, 28]), torch.uint8, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    for word, value in (("train", train), ("download", download)):
        require_switch("load_images", word, value)
    if not isinstance(root, str | Path):
        raise TypeError(f"load_images: root is {root!r}; wanted a folder.")
    if name == "mnist5k":
        return _load_mnist5k(train)
    if name not in NAMES:
        raise ValueError(f"load_images: no data set is called {name!r}; there are {', '.join(map(repr, NAMES))}.")
    return _load_torchvision(name, train, Path(root), download)


def small_digits() -> Tensor:
    """The 1,797 digits of 8 x 8 pixels that scikit-learn carries: small enough that linear algebra is exact on them.

    Returns:
        float64 [1797, 64], in [0, 1].

    Raises:
        FileNotFoundError: if the shipped file is missing.

    Example:
        >>> small_digits().shape
        torch.Size([1797, 64])

    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI.
    """
    return torch.from_numpy(shipped_arrays("small_digits.npz")["images"]).double().flatten(1) / 16


def _load_mnist5k(train: bool) -> Images:
    images, labels = mnist5k.read()
    part = slice(None, mnist5k.TRAIN) if train else slice(mnist5k.TRAIN, None)
    return Images(torch.from_numpy(images[part]).unsqueeze(1), torch.from_numpy(labels[part].astype(np.int64)))


def _load_torchvision(name: str, train: bool, root: Path, download: bool) -> Images:
    from torchvision import datasets  # imported here: it takes longer than everything else in this package

    reader = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST}[name]
    try:
        try:
            data = reader(root, train=train, download=False)
        except RuntimeError:  # torchvision's word for "not there"
            if not download:
                raise
            data = reader(root, train=train, download=True)
    except (RuntimeError, OSError) as error:
        raise FileNotFoundError(
            f"load_images: {name} is not under {root / reader.__name__ / 'raw'} and "
            f"{'could not be downloaded' if download else 'download is False'} ({error}). Put its four IDX files "
            "there, or use 'mnist5k', which needs no download."
        ) from error
    return Images(data.data.unsqueeze(1), data.targets.long())
