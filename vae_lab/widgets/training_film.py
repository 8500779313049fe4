"""Training, scrubbed: the book's VAE after each of 25 epochs, and beside it one with a line wrong."""

from __future__ import annotations

import base64
from typing import Any

import traitlets

from vae_lab.shipped import shipped_arrays
from vae_lab.widgets.interaction import Interaction, module

FILE = "training_film.npz"  # made by `tools/make_training_film.py`
EPOCHS = 25
PATIENTS = ("CutSample", "VarianceAsSpread", "NoNoise", "PixelMean", "NoKL", "KLSignFlipped")


def reel(name: str) -> dict[str, Any]:
    """One model of `vae_lab.broken.GALLERY` on its way, for the page.

    Returns:
        {"codes": base64 of float16 [26, 100, 4], mu and sigma of 100 test images; "map": base64 of bytes [26, 25, 98],
        two pixels in each; "reconstruction" and "kl": 25 means, nats per image as the model reports them}.

    Example:
        >>> len(reel("VAE")["kl"])
        25
    """
    kept = shipped_arrays(FILE)
    return {
        "codes": base64.b64encode(kept[f"{name}.codes"].astype("<f2").tobytes()).decode(),
        "map": base64.b64encode(kept[f"{name}.map"].tobytes()).decode(),
        **{key: [round(float(value), 3) for value in kept[f"{name}.{key}"]] for key in ("reconstruction", "kl")},
    }


class TrainingFilm(Interaction):
    """Move through 25 epochs: codes, clouds, decoded map and the two terms of the loss.

    Traits (each is live in a kernel):
        epoch: 0 (before training) to 25.
        patient: which model stands beside the sound one, a name of `PATIENTS`.

    Example:
        >>> TrainingFilm(epoch=25, patient="NoKL").epoch
        25

    Source: the classes of `vae_lab.broken`; lecture 9:32-10:28.
    """

    _esm = module("training_film.js", "words", "elements", "plane", "canvas", "network", "chart")
    epoch = traitlets.Int(3, min=0, max=EPOCHS).tag(sync=True)
    patient = traitlets.Enum(PATIENTS, default_value="CutSample").tag(sync=True)
    epochs = traitlets.Int(EPOCHS, read_only=True).tag(sync=True)
    labels = traitlets.Unicode(read_only=True).tag(sync=True)
    reels = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("labels")
    def _labels(self) -> str:
        return "".join(map(str, shipped_arrays(FILE)["labels"]))

    @traitlets.default("reels")
    def _reels(self) -> dict[str, Any]:
        return {name: reel(name) for name in ("VAE", *PATIENTS)}
