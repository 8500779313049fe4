"""The ELBO in its parts over one latent dimension: q is dragged over an exact posterior, and the bars always add up."""

from __future__ import annotations

import traitlets

from vae_lab.widgets.interaction import Interaction, module, within

RANGES = {"mu": (-3.0, 3.0), "sigma": (0.25, 2.0)}
PROBLEM = {"x": 1.5, "s": 0.5}  # the x of the book's table, and the standard deviation of p(x|z)


class BoundInOneDimension(Interaction):
    """Log p(x) = -distortion - rate + gap for p(z) = N(0, 1), p(x|z) = N(f(z), s^2), q(z|x) = N(mu, sigma^2).

    With f(z) = z the posterior is N(x / (1 + s^2), s^2 / (1 + s^2)) and q can be it; with f(z) = z^2 it has two humps,
    and no q can. Distortion and rate are closed forms, gap and log p(x) integrals: nothing is made to add up.

    Traits (each is live in a kernel):
        mu: float in [-3, 3].
        sigma: float in [0.25, 2], a standard deviation.
        posterior: "one" hump or "two".

    Example:
        >>> BoundInOneDimension(posterior="two").problem
        {'x': 1.5, 's': 0.5}

    Source: Kingma & Welling 2014, equations 1-3.
    """

    _esm = module("bound_in_one_dimension.js", "words", "elements", "plane", "normal")
    mu = traitlets.Float(-0.5).tag(sync=True)
    sigma = traitlets.Float(0.8).tag(sync=True)
    posterior = traitlets.Enum(["one", "two"], default_value="one").tag(sync=True)
    problem = traitlets.Dict(PROBLEM, read_only=True).tag(sync=True)

    _in_range = within(RANGES)
