"""Turn theta in a small graph: a derivative on each edge, a product along each path, and the gradient as their sum."""

from __future__ import annotations

import traitlets

from vae_lab.widgets.interaction import Interaction, module, within

RANGES = {"theta": (-3.0, 3.0), "x": (-3.0, 3.0), "y": (-6.0, 6.0)}


class SumOverPaths(Interaction):
    """The graph of loss = (theta x - y)^2 + theta^2; d loss / d theta = x 2(theta x - y) + 2 theta sums over two paths.

    Traits (each is live in a kernel):
        theta, x: floats in [-3, 3].
        y: float in [-6, 6].
        path: which path is lit: "both", "error" or "penalty".

    Example:
        >>> widget = SumOverPaths(theta=2.0)
        >>> widget.x, widget.y
        (3.0, 5.0)

    Source: lecture 0:39-1:27.
    """

    _esm = module("sum_over_paths.js", "words", "elements", "plane")
    theta = traitlets.Float(2.0).tag(sync=True)
    x = traitlets.Float(3.0).tag(sync=True)
    y = traitlets.Float(5.0).tag(sync=True)
    path = traitlets.Enum(["both", "error", "penalty"], default_value="both").tag(sync=True)

    _in_range = within(RANGES)
