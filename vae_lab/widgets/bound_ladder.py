"""The ladder ELBO <= L_5 <= L_50 <= log p(x), on a model whose log p(x) is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import traitlets

from vae_lab.widgets.interaction import Interaction, module

# p(z) = N(0, I), p(x|z) = N(W z, s2 I): Gaussian, so log p(x) and the posterior are known exactly.
WEIGHTS = ((1.0, 0.5), (0.0, 1.0), (-0.7, 0.3))
NOISE_VARIANCE = 0.25
X = (1.2, -0.4, 0.3)


def linear_gaussian() -> dict[str, Any]:
    """The model and its exact answers: W, s2, x, log p(x), and mean and covariance of the posterior p(z|x).

    Example:
        >>> round(linear_gaussian()["log_p"], 6)
        -4.790221
    """
    w, x, s2 = np.array(WEIGHTS), np.array(X), NOISE_VARIANCE
    covariance = w @ w.T + s2 * np.eye(3)
    log_p = -0.5 * (x @ np.linalg.solve(covariance, x) + np.linalg.slogdet(covariance)[1] + 3 * math.log(2 * math.pi))
    posterior = np.linalg.inv(np.eye(2) + w.T @ w / s2)
    return {
        "W": w.tolist(),
        "s2": s2,
        "x": list(X),
        "log_p": float(log_p),
        "mean": (posterior @ w.T @ x / s2).tolist(),
        "covariance": posterior.tolist(),
    }


class BoundLadder(Interaction):
    """Move q from the prior towards the posterior, and watch the rungs close on log p(x).

    q(z|x) = N(t m, diag(exp((1 - t) 0 + t log v))), with m the exact posterior mean and v the variances of the best
    q with independent entries: t = 0 is the prior, t = 1 the best such q. The ELBO is exact; each L_K is the mean of
    many independent estimates, shown with its standard error and with single estimates beside it.

    Traits (each is live in a kernel):
        fit: t in [0, 1].
        samples: K in 1 to 500, the samples of the single estimates.

    Example:
        >>> BoundLadder(fit=0.5).samples
        5

    Source: Burda et al. 2016, theorem 1.
    """

    _esm = module("bound_ladder.js", "words", "elements", "plane", "normal")
    fit = traitlets.Float(0.0).tag(sync=True)
    samples = traitlets.Int(5).tag(sync=True)
    problem = traitlets.Dict(read_only=True).tag(sync=True)

    @traitlets.default("problem")
    def _problem(self) -> dict[str, Any]:
        return linear_gaussian()

    @traitlets.validate("fit", "samples")
    def _in_range(self, proposal: traitlets.Bunch) -> float:
        low, high = {"fit": (0, 1), "samples": (1, 500)}[proposal.trait.name]
        if not low <= proposal.value <= high:
            raise traitlets.TraitError(
                f"BoundLadder: {proposal.trait.name} is {proposal.value}; wanted {low} to {high}."
            )
        return proposal.value
