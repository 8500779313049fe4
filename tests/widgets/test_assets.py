"""The files that travel in pages: those that the README describes, and small enough."""

import base64
import hashlib

import numpy as np
import pytest

from vae_lab.shipped import ASSETS, shipped_arrays
from vae_lab.widgets import decoders, trained, training_film

FILES = (decoders.FILE, decoders.ENCODERS, trained.FILE, training_film.FILE, "score_function.npz", "small_digits.npz")


@pytest.mark.parametrize("file", FILES)
def test_the_contents_are_those_of_the_readme(file):
    arrays = shipped_arrays(file)
    content = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()
    assert content in (ASSETS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", decoders.NAMES)
def test_packed_weights_are_small_and_finite(name):
    kept = decoders.packed(name)
    assert len(kept["weights"]) + len(kept["scales"]) <= 200_000
    assert np.isfinite(np.frombuffer(base64.b64decode(kept["scales"]), "<f2")).all()


def test_the_autoencoders_codes_are_centred_and_of_spread_one():
    # of 1,000 of the 4,000 images that set the scale
    codes = shipped_arrays(decoders.FILE)["autoencoder.codes"].astype(float)
    assert abs(codes.mean(0)).max() < 0.15
    assert abs(np.cov(codes.T) - np.eye(2)).max() < 0.2


def test_a_network_or_model_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="decoders: no network is called 'gan'"):
        decoders.as_network("gan")
    with pytest.raises(ValueError, match="by_model: no model 'GAN' was kept"):
        trained.by_model("GAN")
