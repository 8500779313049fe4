"""Gumbel-softmax: samples in the simplex as the temperature turns, and bias and spread of the gradient that it buys."""

from __future__ import annotations

import traitlets

from vae_lab.widgets.interaction import Interaction, module

REWARD = (1.0, 4.0, 0.0)


class GumbelSimplex(Interaction):
    """y = softmax((log p + g) / tau) with frozen Gumbel noise g, and d E[reward . y] / d logit_B from one sample.

    Beside it the score function on the hard samples argmax(log p + g), with the expected reward as its baseline. The
    exact gradient is p_B (reward_B - p . reward).

    Traits (each is live in a kernel):
        temperature: tau, 0.05 to 5.
        p: the probabilities of the three faces, each at least 0.01.

    Example:
        >>> GumbelSimplex(temperature=0.5).reward
        [1.0, 4.0, 0.0]

    Source: Jang, Gu and Poole 2017; Maddison, Mnih and Teh 2017.
    """

    _esm = module("gumbel_simplex.js", "words", "elements", "plane", "normal")
    temperature = traitlets.Float(0.5).tag(sync=True)
    p = traitlets.List(traitlets.Float(), [0.6652, 0.2447, 0.09], minlen=3, maxlen=3).tag(sync=True)
    reward = traitlets.List(traitlets.Float(), list(REWARD), read_only=True).tag(sync=True)

    @traitlets.validate("temperature")
    def _in_range(self, proposal: traitlets.Bunch) -> float:
        if not 0.05 <= proposal.value <= 5:
            raise traitlets.TraitError(f"GumbelSimplex: temperature is {proposal.value}; wanted 0.05 to 5.")
        return proposal.value

    @traitlets.validate("p")
    def _probabilities(self, proposal: traitlets.Bunch) -> list[float]:
        if min(proposal.value) < 0.01 or abs(sum(proposal.value) - 1) > 0.01:
            raise traitlets.TraitError(
                f"GumbelSimplex: p is {proposal.value}; wanted three probabilities of at least 0.01 that add up to 1."
            )
        return proposal.value
