"""MNIST-5k as shipped; full MNIST and Fashion-MNIST through torchvision's own reader on small files made here."""

import gzip
import struct

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torchvision import datasets

from vae_lab import data, load_images, mnist5k

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 28, 28), dtype=np.uint8)
LABELS = np.arange(7, dtype=np.uint8)


def write_idx(folder, *, compressed):
    """The four files of MNIST in the IDX format: magic number, sizes (big-endian), bytes."""
    folder.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        for name, array in ((f"{prefix}-images-idx3-ubyte", PIXELS), (f"{prefix}-labels-idx1-ubyte", LABELS)):
            raw = struct.pack(f">I{array.ndim}I", 0x800 | array.ndim, *array.shape) + array.tobytes()
            (folder / name).write_bytes(raw)
            if compressed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(raw))


def test_mnist5k_is_split_evenly_and_in_the_promised_form():
    parts = {train: load_images(train=train) for train in (True, False)}
    for train, count in ((True, 4000), (False, 1000)):
        images, labels = parts[train]
        assert images.shape == (count, 1, 28, 28)
        assert images.dtype == torch.uint8
        assert labels.dtype == torch.int64
        assert torch.equal(labels.bincount(), torch.full((10,), count // 10))
        assert torch.equal(labels[:10].sort().values, torch.arange(10))
    both = torch.cat([parts[True].images, parts[False].images]).flatten(1)
    assert len(both.unique(dim=0)) == 5000  # no image is in both parts
    assert 30 < parts[True].images.float().mean() < 37  # ink on an empty ground, not the other way round


def test_a_class_looks_like_itself():
    """The nearest class mean names most test digits: images and labels belong together."""
    images, labels = load_images()
    means = torch.stack([images[labels == digit].float().mean(0).flatten() for digit in range(10)])
    test_images, test_labels = load_images(train=False)
    guess = torch.cdist(test_images.float().flatten(1), means).argmin(1)
    assert (guess == test_labels).float().mean() > 0.75


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
@pytest.mark.parametrize("train", [True, False])
def test_torchvision_reads_the_files(tmp_path, name, folder, train):
    write_idx(tmp_path / folder / "raw", compressed=False)
    images, labels = load_images(name, train=train, root=tmp_path, download=False)
    assert torch.equal(images, torch.from_numpy(PIXELS)[:, None])
    assert torch.equal(labels, torch.from_numpy(LABELS).long())


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_no_files_and_no_download_is_said_in_one_line(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=rf"{name} is not under .* download is False") as error:
        load_images(name, root=tmp_path, download=False)
    assert "'mnist5k', which needs no download" in str(error.value)
    assert not list(tmp_path.iterdir())


def test_an_impossible_download_is_said_in_one_line(tmp_path, monkeypatch):

    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nothing listens there
    with pytest.raises(FileNotFoundError, match=r"mnist is not under .* could not be downloaded"):
        load_images("mnist", root=tmp_path)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="'cifar'; there are 'mnist5k', 'mnist', 'fashion_mnist'"):
        load_images("cifar")


def test_a_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(mnist5k, "FILE", tmp_path / "mnist5k.npz")
    with pytest.raises(FileNotFoundError, match=r"mnist5k\.npz is missing"):
        load_images()


@pytest.mark.parametrize("damage", ["truncated", "other contents", "no zip"])
def test_a_damaged_file_is_named(monkeypatch, tmp_path, damage):
    path = tmp_path / "mnist5k.npz"
    raw = mnist5k.FILE.read_bytes()
    if damage == "other contents":
        np.savez(path, images=PIXELS, labels=LABELS)
    else:
        path.write_bytes(raw[: len(raw) // 2] if damage == "truncated" else b"not a zip")
    monkeypatch.setattr(mnist5k, "FILE", path)
    with pytest.raises(ValueError, match="install vae-lab again"):
        load_images()


def test_small_digits_are_scikit_learns():
    digits = data.small_digits()
    assert digits.dtype == torch.float64
    assert torch.equal(digits, torch.tensor(load_digits().data) / 16)
