"""Drag a point in a two-dimensional latent plane: an autoencoder and a VAE decode it side by side."""

from __future__ import annotations

import math
from typing import Any

import traitlets

from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import decoders
from vae_lab.widgets.interaction import Interaction, module

LIMIT = 3.5


class LatentExplorer(Interaction):
    """Both decoders run in the browser, on weights that travel in the page, and answer within a frame.

    The planes show where 1,000 training images of MNIST-5k were encoded. The autoencoder's codes are moved, turned
    and scaled to mean 0 and covariance I, which changes nothing of what it can do, so that both are asked about the
    same z.

    Traits (each is live in a kernel):
        z: [z_1, z_2], each within [-3.5, 3.5].
        behind: what is drawn behind the point: "codes", or "map", what each place decodes to.

    Example:
        >>> widget = LatentExplorer(z=[0.5, -1.0])
        >>> widget.z, widget.behind
        ([0.5, -1.0], 'codes')

    Source: lecture 11:43-13:15; Kingma & Welling 2014, figure 4.
    """

    _esm = module("latent_explorer.js", "words", "elements", "plane", "normal", "network", "codes")
    z = traitlets.List(traitlets.Float(), minlen=2, maxlen=2, default_value=[1.8, -1.5]).tag(sync=True)
    behind = traitlets.Enum(["codes", "map"], default_value="codes").tag(sync=True)
    autoencoder = traitlets.Dict(read_only=True).tag(sync=True)
    vae = traitlets.Dict(read_only=True).tag(sync=True)
    classifier = traitlets.Dict(read_only=True).tag(sync=True)
    labels = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("autoencoder")
    def _autoencoder(self) -> dict[str, Any]:
        return decoders.packed("autoencoder") | {"codes": decoders.packed_codes("autoencoder")}

    @traitlets.default("vae")
    def _vae(self) -> dict[str, Any]:
        return decoders.packed("vae") | {"codes": decoders.packed_codes("vae")}

    @traitlets.default("classifier")
    def _classifier(self) -> dict[str, Any]:
        return decoders.packed("classifier")

    @traitlets.default("labels")
    def _labels(self) -> str:
        return "".join(map(str, shipped_arrays(decoders.FILE)["labels"]))

    @traitlets.validate("z")
    def _inside(self, proposal: traitlets.Bunch) -> list[float]:
        if not all(math.isfinite(value) and abs(value) <= LIMIT for value in proposal.value):
            raise traitlets.TraitError(f"LatentExplorer: z is {proposal.value}; wanted two numbers within ±{LIMIT}.")
        return proposal.value
