"""Draw a digit: an autoencoder and a VAE encode it in the page, and decode what lies around it."""

from __future__ import annotations

import base64
from typing import Any

import traitlets

from vae_lab.data import load_images
from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import decoders
from vae_lab.widgets.interaction import Interaction, module

# Which test image stands for each digit. With two latent dimensions many a digit comes back as another (of ten nines,
# three as a 4); these come back as what they are, and of all test images of their digit they do so most clearly:
# the classifier's probability of the digit, the smallest of the image and of what both models make of it, is largest.
CLEAREST = (781, 975, 650, 817, 629, 622, 571, 878, 724, 796)


def one_of_each() -> str:
    """A test image of each digit, 0 to 9, that both models give back as that digit: base64 of 7,840 bytes.

    Example:
        >>> len(base64.b64decode(one_of_each()))
        7840
    """
    return base64.b64encode(load_images(train=False).images[list(CLEAREST)].numpy().tobytes()).decode()


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

    _esm = module(
        "your_digit.js",
        *("words", "elements", "redraw", "plane", "normal", "network", "codes", "pictures", "digit/pad"),
    )
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
