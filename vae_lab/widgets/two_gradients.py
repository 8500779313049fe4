"""Pathwise and score-function gradients of the same quadratic: their histograms, and their variances in closed form."""

from __future__ import annotations

import traitlets

from vae_lab.widgets.interaction import Interaction, module, within

RANGES = {"mu": (-3.0, 3.0), "sigma": (0.3, 3.0), "baseline": (0.0, 20.0)}


class TwoGradients(Interaction):
    """Single-sample gradients of E (x - k)^2 for x ~ N(mu, sigma^2), drawn in the browser from the same noise.

    Traits (each is live in a kernel):
        mu: float in [-3, 3]; k is 0, so mu is also the distance a from the optimum.
        sigma: float in [0.3, 3], a standard deviation.
        baseline: float in [0, 20], subtracted from f in the score-function estimator; at first 5, the mean of f.
        parameter: the gradient for "mu" or for "sigma".

    Example:
        >>> TwoGradients(mu=2.0).parameter
        'mu'

    Source: Mohamed, Rosca, Figurnov and Mnih 2020, section 3.
    """

    _esm = module("two_gradients.js", "words", "elements", "plane", "normal")
    mu = traitlets.Float(2.0).tag(sync=True)
    sigma = traitlets.Float(1.0).tag(sync=True)
    baseline = traitlets.Float(5.0).tag(sync=True)
    parameter = traitlets.Enum(["mu", "sigma"], default_value="mu").tag(sync=True)

    _in_range = within(RANGES)
