"""Draw a digit: an autoencoder and a VAE encode it in the page, and decode what lies around it."""

from __future__ import annotations

import base64
from typing import Any

import traitlets

from vae_lab.data import load_images
from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import decoders
from vae_lab.widgets.interaction import Interaction, module


def one_of_each() -> str:
    """The first test image of each digit, 0 to 9: base64 of 7,840 bytes.

    Example:
        >>> len(base64.b64decode(one_of_each()))
        7840
    """
    images, labels = load_images(train=False)
    found = [images[(labels == digit).nonzero()[0, 0]] for digit in range(10)]
    return base64.b64encode(b"".join(image.numpy().tobytes() for image in found)).decode()


def both_ways(name: str) -> dict[str, Any]:
    """Encoder, decoder and codes of a model, for the page.

    Example:
        >>> both_ways("vae")["encoder"]["sizes"]
        [784, 64, 64, 4]
    """
    return {
        "encoder": decoders.packed(f"{name}_encoder"),
        "decoder": decoders.packed(name),
        "codes": decoders.packed_codes(name),
    }


class YourDigit(Interaction):
    """Two digits, drawn or taken from the test images, in the latent planes of an autoencoder and of a VAE.

    Traits (each is live in a kernel):
        strokes: for digit A and digit B, the strokes drawn, each a list of [x, y] within [0, 1], y downwards.
        chosen: for A and B, the digit of the test image that stands there while nothing is drawn.
        active: which one is being drawn, 0 or 1.
        mix: how far on the way from A to B, 0 to 1.

    Example:
        >>> YourDigit(chosen=[3, 8]).mix
        0.5

    Source: lecture 11:43-13:15.
    """

    _esm = module("your_digit.js", "words", "elements", "plane", "normal", "network", "codes", "pictures", "digit/pad")
    strokes = traitlets.List(traitlets.List(), [[], []], minlen=2, maxlen=2).tag(sync=True)
    chosen = traitlets.List(traitlets.Int(min=0, max=9), [3, 9], minlen=2, maxlen=2).tag(sync=True)
    active = traitlets.Int(0, min=0, max=1).tag(sync=True)
    mix = traitlets.Float(0.5, min=0, max=1).tag(sync=True)
    autoencoder = traitlets.Dict(read_only=True).tag(sync=True)
    vae = traitlets.Dict(read_only=True).tag(sync=True)
    labels = traitlets.Unicode(read_only=True).tag(sync=True)
    digits = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("autoencoder")
    def _autoencoder(self) -> dict[str, Any]:
        return both_ways("autoencoder")

    @traitlets.default("vae")
    def _vae(self) -> dict[str, Any]:
        return both_ways("vae")

    @traitlets.default("labels")
    def _labels(self) -> str:
        return "".join(map(str, shipped_arrays(decoders.FILE)["labels"]))

    @traitlets.default("digits")
    def _digits(self) -> str:
        return one_of_each()
