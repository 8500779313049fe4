"""Sliders for mu and sigma with the noise held fast: each dot slides on a line of its own, and its slope is its eps."""

from __future__ import annotations

import torch
import traitlets

from vae_lab.widgets.interaction import Interaction, module


class Reparameterization(Interaction):
    """z = mu + sigma * eps with frozen eps, beside the histogram of all z and the density of N(mu, sigma^2).

    Traits (each is live in a kernel):
        mu: float in [-2, 2].
        sigma: float in [0, 2.5], a standard deviation.
        chosen: which of the sixteen dots is followed, 0 to 15, in the order of their eps.
        eps: the frozen noise, 2,000 draws; the first sixteen are the dots, in rising order.

    Example:
        >>> widget = Reparameterization(mu=1.0, sigma=1.5)
        >>> widget.mu, widget.sigma, len(widget.eps)
        (1.0, 1.5, 2000)

    Source: lecture 2:53-5:48; Kingma & Welling 2014, section 2.4.
    """

    _esm = module("reparameterization.js", "words", "elements", "plane", "normal")
    mu = traitlets.Float(1.0).tag(sync=True)
    sigma = traitlets.Float(1.5).tag(sync=True)
    chosen = traitlets.Int(2).tag(sync=True)
    eps = traitlets.List(traitlets.Float()).tag(sync=True)

    @traitlets.default("eps")
    def _first_eps(self) -> list[float]:
        eps = torch.randn(2_000, generator=torch.Generator().manual_seed(4), dtype=torch.float64, device="cpu")
        eps[:16] = eps[:16].sort().values
        return [round(value, 3) for value in eps.tolist()]

    @traitlets.validate("mu", "sigma", "chosen")
    def _in_range(self, proposal: traitlets.Bunch) -> float:
        low, high = {"mu": (-2, 2), "sigma": (0, 2.5), "chosen": (0, 15)}[proposal.trait.name]
        if not low <= proposal.value <= high:
            raise traitlets.TraitError(
                f"Reparameterization: {proposal.trait.name} is {proposal.value}; wanted {low} to {high}."
            )
        return proposal.value
