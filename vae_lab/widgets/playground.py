"""A small VAE that trains in the page: the reader turns its settings, and sees the gradient stop and start."""

from __future__ import annotations

import base64
from typing import Any

import torch
import traitlets
from torch.nn.functional import avg_pool2d

from vae_lab.data import load_images
from vae_lab.widgets.interaction import Interaction, module, within

DATA = ("ring", "moons", "clouds", "line", "drawn", "digits")
DIGITS = 500  # images that travel in the page, of 8 x 8 pixels and 16 greys
RANGES = {
    "beta": (0.01, 100),
    "decoder_sigma": (0.03, 3),
    "learning_rate": (0.0003, 0.1),
    "latent_dim": (1, 6),
    "seed": (0, 9999),
    "follow": (0, DIGITS - 1),
}
ENGINE = ("random", "layers", "losses", "estimators", "optimizer", "vae", "trainer", "inspection")
VIEW = ("datasets", "link", "pace", "graph", "latent_plane", "data_plane", "charts")


def small_digits() -> dict[str, str]:
    """The first training images of MNIST-5k, their middle 24 x 24 pixels averaged by threes: 8 x 8, 16 greys.

    Returns:
        {"pixels": base64 of bytes, two pixels in each, the first in its upper half; "labels": one digit an image}.

    Example:
        >>> len(base64.b64decode(small_digits()["pixels"]))
        16000
    """
    images, labels = load_images()
    pooled = avg_pool2d(images[:DIGITS, :, 2:26, 2:26].float() / 255, 3)
    bright = (pooled / pooled.amax((2, 3), keepdim=True) * 15).round().to(torch.uint8).flatten(1)
    pairs = bright[:, 0::2] * 16 + bright[:, 1::2]
    return {
        "pixels": base64.b64encode(pairs.numpy().tobytes()).decode(),
        "labels": "".join(map(str, labels[:DIGITS].tolist())),
    }


class Playground(Interaction):
    """Step, run or slow down the training of a VAE with a Gaussian decoder, N(x_hat, decoder_sigma^2 I).

    Its arithmetic is JavaScript with derivatives by hand, in `engine/`; a test holds each step against torch.

    Traits (each is live in a kernel):
        data: "ring", "moons", "clouds", "line", "drawn" (the reader's points) or "digits".
        estimator: how the encoder gets its gradient: "pathwise", "cut" or "score".
        beta: weight of the rate, 0.01 to 100.
        decoder_sigma: the decoder's standard deviation, 0.03 to 3.
        learning_rate: Adam's, 0.0003 to 0.1.
        latent_dim: D, 1 to 6; another one starts over.
        seed: of the first weights, the batches and the noise.
        follow: the example whose graph is shown.
        points: the reader's points, [[x, y], ...], each within ±2.5.
        link: a state to begin with, as the page's button writes it: the run is made again from its seed.

    Example:
        >>> widget = Playground(data="moons", beta=4)
        >>> widget.estimator, widget.latent_dim
        ('pathwise', 2)

    Source: lecture 6:37-8:00; Kingma & Welling 2014, algorithm 1.
    """

    _esm = module(
        "playground.js",
        *("words", "elements", "redraw", "plane", "normal", "canvas"),
        *(f"engine/{name}" for name in ENGINE),
        *(f"playground/{name}" for name in VIEW),
    )
    data = traitlets.Enum(DATA, default_value="ring").tag(sync=True)
    estimator = traitlets.Enum(["pathwise", "cut", "score"], default_value="pathwise").tag(sync=True)
    beta = traitlets.Float(1.0).tag(sync=True)
    decoder_sigma = traitlets.Float(0.2).tag(sync=True)
    learning_rate = traitlets.Float(0.01).tag(sync=True)
    latent_dim = traitlets.Int(2).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    follow = traitlets.Int(0).tag(sync=True)
    points = traitlets.List(traitlets.List(traitlets.Float(), minlen=2, maxlen=2)).tag(sync=True)
    link = traitlets.Unicode("").tag(sync=True)
    names = traitlets.List(traitlets.Unicode(), list(DATA), read_only=True).tag(sync=True)
    digits = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("digits")
    def _digits(self) -> dict[str, Any]:
        return small_digits()

    _in_range = within(RANGES)
