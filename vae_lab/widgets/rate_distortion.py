"""Turn the weight beta of the KL term: the trained VAE moves along the curve of rate against distortion."""

from __future__ import annotations

from typing import Any

import traitlets

from vae_lab.widgets import trained
from vae_lab.widgets.interaction import Interaction, module


class RateDistortion(Interaction):
    """Nine VAEs, trained with nine betas: what each pays for its code, how badly it explains, and what it draws.

    Traits (each is live in a kernel):
        chosen: which of the betas, 0 to 8; 3 is beta = 1.

    Example:
        >>> widget = RateDistortion(chosen=3)
        >>> widget.models[widget.chosen]["beta"]
        1.0

    Source: Alemi et al. 2018; Higgins et al. 2017.
    """

    _esm = module("rate_distortion.js", "words", "elements", "plane", "pictures")
    chosen = traitlets.Int(3).tag(sync=True)
    models = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    originals = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("models")
    def _models(self) -> list[dict[str, Any]]:
        return trained.by_beta()

    @traitlets.default("originals")
    def _originals(self) -> str:
        return trained.packed_images("originals")

    @traitlets.validate("chosen")
    def _in_range(self, proposal: traitlets.Bunch) -> int:
        if not 0 <= proposal.value < len(self.models):
            raise traitlets.TraitError(
                f"RateDistortion: chosen is {proposal.value}; wanted 0 to {len(self.models) - 1}."
            )
        return proposal.value
