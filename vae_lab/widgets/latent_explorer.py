"""Drag a point in a latent plane: an autoencoder and a VAE decode it side by side, or the reader's own model does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import traitlets
from torch import Tensor

from vae_lab.generation import EncoderDecoder
from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import decoders
from vae_lab.widgets.interaction import Interaction, module
from vae_lab.widgets.own_model import OwnModel

LIMIT = 3.5


class LatentExplorer(Interaction):
    """Without a model, both decoders run in the browser, on weights that travel in the page, and answer within a frame.

    The planes show where 1,000 training images of MNIST-5k were encoded. The autoencoder's codes are moved, turned
    and scaled to mean 0 and covariance I, which changes nothing of what it can do, so that both are asked about the
    same z.

    With a model of the reader's own, there is one plane, along two of its latents, and the model decodes in the kernel,
    whatever its architecture.

    Args:
        model: has `encode`, images [B, 784] -> (mu, logvar) or z, and `decode`, z [B, D] -> logits of 784 pixels.
        images: what to encode with it, in [0, 1] or uint8, or `Images`; by default 1,000 images of MNIST-5k.
        labels: what each image is, 0 to 9, for its colour.

    Traits (each is live in a kernel):
        z: D numbers, each within [-3.5, 3.5].
        axes: which two entries of z the plane shows; at first those along which the codes spread most.
        behind: what is drawn behind the point: "codes", or "map", what each place decodes to.

    Raises:
        TypeError: if the model lacks `encode` or `decode`.
        ValueError: for a model with one latent, codes that are not finite, or other pictures than 28 x 28.

    Example:
        >>> widget = LatentExplorer(z=[0.5, -1.0])
        >>> widget.z, widget.behind
        ([0.5, -1.0], 'codes')
        >>> from vae_lab.models import VAE
        >>> len(LatentExplorer(VAE(latent_dim=8)).z)
        8

    Source: lecture 11:43-13:15; Kingma & Welling 2014, figure 4.
    """

    _esm = module("latent_explorer.js", "words", "elements", "plane", "normal", "network", "codes", "explorer/steering")
    z = traitlets.List(traitlets.Float(), default_value=[1.8, -1.5]).tag(sync=True)
    axes = traitlets.List(traitlets.Int(), default_value=[0, 1]).tag(sync=True)
    behind = traitlets.Enum(["codes", "map"], default_value="codes").tag(sync=True)
    autoencoder = traitlets.Dict(read_only=True).tag(sync=True)
    vae = traitlets.Dict(read_only=True).tag(sync=True)
    own = traitlets.Dict(read_only=True).tag(sync=True)  # the codes of the reader's model; empty without one
    decoded = traitlets.Dict(read_only=True).tag(sync=True)  # its picture, and the z that it is of
    map = traitlets.Dict(read_only=True).tag(sync=True)  # its map, and the plane that it is of
    classifier = traitlets.Dict(read_only=True).tag(sync=True)
    labels = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(
        self,
        model: EncoderDecoder | None = None,
        images: Any = None,
        labels: Sequence[int] | Tensor | None = None,
        **traits: Any,
    ) -> None:
        self._reader = None if model is None else OwnModel(model, images, labels)
        if self._reader is not None:
            start = self._reader.codes[0].clamp(-LIMIT, LIMIT)
            traits = {"z": [round(value, 2) for value in start.tolist()], "axes": self._reader.widest(), **traits}
        super().__init__(**traits)
        if self._reader is not None:
            self._ask()
            self.observe(lambda change: self._ask(), names=["z", "axes", "behind"])

    def _ask(self) -> None:
        """Have the reader's model decode what is looked at."""
        assert self._reader is not None
        self.set_trait("decoded", {"z": self.z, "pixels": self._reader.decode([self.z])})
        rest = [value for k, value in enumerate(self.z) if k not in self.axes]
        plane = {"axes": self.axes, "rest": rest}
        if self.behind == "map" and {**self.map, **plane} != self.map:
            self.set_trait("map", {**plane, "pixels": self._reader.map(self.z, self.axes, LIMIT)})

    @traitlets.default("autoencoder")
    def _autoencoder(self) -> dict[str, Any]:
        return {} if self._reader else decoders.packed("autoencoder") | {"codes": decoders.packed_codes("autoencoder")}

    @traitlets.default("vae")
    def _vae(self) -> dict[str, Any]:
        return {} if self._reader else decoders.packed("vae") | {"codes": decoders.packed_codes("vae")}

    @traitlets.default("own")
    def _own(self) -> dict[str, Any]:
        return self._reader.packed() if self._reader else {}

    @traitlets.default("classifier")
    def _classifier(self) -> dict[str, Any]:
        return decoders.packed("classifier")

    @traitlets.default("labels")
    def _labels(self) -> str:
        known = self._reader.labels if self._reader else shipped_arrays(decoders.FILE)["labels"]
        return "".join(map(str, known))

    @traitlets.validate("z")
    def _inside(self, proposal: traitlets.Bunch) -> list[float]:
        count = self._reader.latents if self._reader else 2
        given = proposal.value
        if len(given) != count or not all(math.isfinite(value) and abs(value) <= LIMIT for value in given):
            wanted = "two" if count == 2 else count
            raise traitlets.TraitError(f"LatentExplorer: z is {given}; wanted {wanted} numbers within ±{LIMIT}.")
        return given

    @traitlets.validate("axes")
    def _two(self, proposal: traitlets.Bunch) -> list[int]:
        count = self._reader.latents if self._reader else 2
        if len(set(proposal.value)) != 2 or len(proposal.value) != 2 or not set(proposal.value) <= set(range(count)):
            raise traitlets.TraitError(
                f"LatentExplorer: axes is {proposal.value}; wanted two different latents, each from 0 to {count - 1}."
            )
        return proposal.value
