"""The reparameterized graph with a number on every edge, computed forwards and backwards as the reader turns it."""

from __future__ import annotations

import math

import traitlets

from vae_lab.widgets.interaction import Interaction, module, within

RANGES = {"mu": (-3.0, 3.0), "logvar": (-3.0, 3.0), "eps": (-3.0, 3.0), "target": (-3.0, 5.0)}
NODES = ("mu", "logvar", "sigma", "eps", "z")


class GradientPaths(Interaction):
    """Follow the gradient of loss = (z - target)^2 back through z = mu + exp(logvar / 2) * eps, edge by edge.

    Traits (each is live in a kernel):
        mu, logvar, eps: floats in [-3, 3].
        target: float in [-3, 5].
        z_is: "computed", mu + sigma * eps, or "drawn", which lets no gradient through.
        follow: the node whose gradient is explained: "mu", "logvar", "sigma", "eps" or "z".

    Example:
        >>> widget = GradientPaths(mu=1.0, logvar=0.0, eps=-0.5)
        >>> widget.z_is, widget.follow
        ('computed', 'mu')

    Source: lecture 6:37-8:00.
    """

    _esm = module("gradient_paths.js", "words", "elements")
    mu = traitlets.Float(1.0).tag(sync=True)
    logvar = traitlets.Float(math.log(4)).tag(sync=True)
    eps = traitlets.Float(-0.5).tag(sync=True)
    target = traitlets.Float(3.0).tag(sync=True)
    z_is = traitlets.Enum(["computed", "drawn"], default_value="computed").tag(sync=True)
    follow = traitlets.Enum(NODES, default_value="mu").tag(sync=True)

    _in_range = within(RANGES)
