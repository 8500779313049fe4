"""Checks of the lab `sampling`: z is a draw from N(mu, sigma^2), and the gradient reaches mu and logvar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.closed_form import smallest_case
from vae_lab.checks.instruments.far_from_zero import check_far_draws, check_far_spread
from vae_lab.checks.instruments.graph_answers import check_gradient_reaches, check_node_kinds
from vae_lab.checks.instruments.narrow import check_narrow_draws, check_narrow_values
from vae_lab.checks.instruments.projection import multiple
from vae_lab.checks.instruments.sampler import (
    check_draws,
    check_manners,
    device,
    gradients,
    is_close,
    make_inputs,
)
from vae_lab.checks.instruments.spread import name_spread
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor, type_name
from vae_lab.checks.substitution import Functions, may_use

__all__ = [
    "RESERVES",
    "check_far_draws",
    "check_far_spread",
    "check_gradient_of_one_draw",
    "check_gradient_of_square",
    "check_gradient_reaches",
    "check_hand_gradients",
    "check_narrow_draws",
    "check_narrow_values",
    "check_node_kinds",
    "check_reparameterize",
    "check_reparameterize_far",
    "check_reparameterize_manners",
    "check_reparameterize_many",
    "check_reparameterize_many_narrow",
    "check_reparameterize_narrow",
    "check_std_from_logvar",
]

RESERVES = (
    "vae_lab.reparameterize",
    "vae_lab.sampling.reparameterize",
    "vae_lab.models.reparameterize",
    "vae_lab.sample_and_cut",
    "vae_lab.sampling.sample_and_cut",
)
"""Names that raise while this lab is solved or graded."""


def _spread(logvar: Tensor) -> Tensor:
    return torch.exp(logvar / 2)


def _draw(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + _spread(logvar) * torch.randn_like(mu)


OWN_SPREAD: Functions = {"std_from_logvar": _spread}
"""What a draw may be made of."""
OWN_DRAW: Functions = {"std_from_logvar": _spread, "reparameterize": _draw}
"""What many draws may be made of."""


def check_std_from_logvar(std_from_logvar: Callable[..., Any], logvar: Tensor | None = None) -> None:
    """Require exp(logvar / 2), with its gradient sigma / 2.

    No statistics: a right answer always passes.

    Args:
        std_from_logvar: the student's function.
        logvar: [..., D]; by default some values between -6 and 6.

    Raises:
        CheckFailed: if not.
    """
    task = "std_from_logvar"
    logvar = torch.linspace(-6, 6, 12, device=device()).reshape(4, 3) if logvar is None else logvar
    given = logvar.detach().clone().requires_grad_()
    sigma = ask(task, std_from_logvar, given, names=("logvar",))
    require_tensor(task, sigma, logvar, tuple(logvar.shape))
    wanted = torch.exp(logvar.detach().double() / 2)
    if not is_close(sigma, wanted):
        mistake = name_spread(sigma, logvar)
        seen = f"sigma looks like {mistake.formula}." if mistake else "sigma has other values."
        case = smallest_case(std_from_logvar, _spread, {"logvar": logvar}, SPREAD_POINTS) or _how_far(sigma, wanted)
        fail(task, f"{seen} {case}", "Wanted exp(logvar / 2).", mistake and mistake.misconception)
    if not sigma.requires_grad:
        fail(
            task,
            "sigma does not require a gradient although logvar does.",
            "Wanted sigma / 2 as derivative.",
            SIGMA_CUT,
        )
    (slope,) = gradients(task, sigma.sum(), (given,))
    if slope is None or not is_close(slope, wanted / 2):
        cut = slope is None or not bool(slope.any())
        ratio = "" if slope is None or cut else f" It is {multiple(slope, wanted / 2):.3g} times that on average."
        seen = f"the derivative of sigma with respect to logvar is not sigma / 2.{ratio}"
        fail(task, seen, "Wanted sigma / 2.", SIGMA_CUT if cut else None)


def _how_far(seen: Tensor, wanted: Tensor) -> str:
    """How far a result is off where no simple number shows it."""
    furthest = float(((seen.detach().double() - wanted).abs() / wanted.abs()).max())
    return f"They are off by up to {furthest:.1g} (relative)."


@may_use(OWN_SPREAD)
def check_reparameterize(
    reparameterize: Callable[..., Any],
    *,
    batch: int = 900,
    dim: int = 6,
    dtype: torch.dtype = torch.float32,
    calls: int = 4,
) -> None:
    """Require a draw from N(mu, sigma^2), anew for each entry and call, with its gradient.

    Args:
        reparameterize: the student's function.
        batch: B.
        dim: D.
        dtype: of mu and logvar.
        calls: how often it is called.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 2.3e-7 (at most 23 statistics, each with
            false-alarm probability 1e-8; the identities of the gradient are exact).
    """
    task = "reparameterize"
    check_draws(task, reparameterize, draws=(), batch=batch, dim=dim, dtype=dtype, calls=calls)


@may_use(OWN_DRAW)
def check_reparameterize_many(
    reparameterize_many: Callable[..., Any],
    *,
    n: int = 61,
    batch: int = 40,
    dim: int = 5,
    dtype: torch.dtype = torch.float32,
    calls: int = 2,
) -> None:
    """Require that z[0], ..., z[n - 1] are independent draws from N(mu, sigma^2), with the gradient of each.

    Args:
        reparameterize_many: the student's function.
        n: number of draws for each row.
        batch: B.
        dim: D.
        dtype: of mu and logvar.
        calls: how often it is called.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 2.9e-7 (at most 29 statistics, each with
            false-alarm probability 1e-8).
    """
    check_draws("reparameterize_many", reparameterize_many, draws=(n,), batch=batch, dim=dim, dtype=dtype, calls=calls)


@may_use(OWN_SPREAD)
def check_reparameterize_manners(reparameterize: Callable[..., Any], dtype: torch.dtype = torch.float32) -> None:
    """Require that the function leaves its inputs and the global generator as a caller expects.

    No statistics: a right answer always passes.

    Args:
        reparameterize: the student's function.
        dtype: of mu and logvar.

    Raises:
        CheckFailed: if not.
    """
    check_manners("reparameterize", reparameterize, dtype)


@may_use(OWN_SPREAD)
def check_reparameterize_far(reparameterize: Callable[..., Any], dtype: torch.dtype = torch.float32) -> None:
    """Require the spread sigma, and the gradient (z - mu) / 2, for logvar from -60 to 60.

    Args:
        reparameterize: the student's function.
        dtype: of mu and logvar.

    Raises:
        CheckFailed: if not; a right answer with a probability of at most 1e-8.
    """
    check_far_draws("reparameterize", reparameterize, dtype)


@may_use(OWN_SPREAD)
def check_reparameterize_narrow(reparameterize: Callable[..., Any], dtype: torch.dtype) -> None:
    """Require a draw in sixteen bits with its gradient, or a refusal.

    No statistics: a right answer always passes.

    Args:
        reparameterize: the student's function.
        dtype: torch.bfloat16 or torch.float16.

    Raises:
        CheckFailed: if not.
    """
    check_narrow_draws("reparameterize", reparameterize, dtype)


@may_use(OWN_DRAW)
def check_reparameterize_many_narrow(reparameterize_many: Callable[..., Any], dtype: torch.dtype) -> None:
    """Require two draws in sixteen bits with their gradient, or a refusal.

    No statistics: a right answer always passes.

    Args:
        reparameterize_many: the student's function.
        dtype: torch.bfloat16 or torch.float16.

    Raises:
        CheckFailed: if not.
    """
    check_narrow_draws("reparameterize_many", lambda mu, logvar: reparameterize_many(mu, logvar, 2), dtype, draws=(2,))


@may_use(OWN_SPREAD)
def check_gradient_of_square(reparameterize: Callable[..., Any]) -> None:
    """Require the gradient of sum(z^2): 2 z with respect to mu, z (z - mu) with respect to logvar.

    No statistics: a right answer always passes.

    Args:
        reparameterize: the student's function.

    Raises:
        CheckFailed: if not.
    """
    task = "reparameterize"
    mu, logvar = (torch.randn(4, 4, dtype=torch.float64, device=device(), requires_grad=True) for _ in range(2))
    z = require_tensor(task, ask(task, reparameterize, mu, logvar, names=("mu", "logvar")), mu, (4, 4), "z")
    slopes = gradients(task, z.square().sum(), (mu, logvar)) if z.requires_grad else (None, None)
    z, mean = z.detach(), mu.detach()
    wanted = {"mu": ("2 z", 2 * z), "logvar": ("z (z - mu)", z * (z - mean))}
    for (name, (formula, right)), slope in zip(wanted.items(), slopes, strict=True):
        if slope is None or not torch.allclose(slope, right, atol=1e-4):
            fail(task, f"the gradient of sum(z^2) with respect to {name} is not {formula}.", f"Wanted {formula}.")


@may_use(OWN_DRAW)
def check_gradient_of_one_draw(reparameterize_many: Callable[..., Any]) -> None:
    """Require the gradient of sum(z[3]^2), one draw of five, with respect to mu: 2 z[3].

    No statistics: a right answer always passes.

    Args:
        reparameterize_many: the student's function.

    Raises:
        CheckFailed: if not.
    """
    task = "reparameterize_many"
    mu, logvar = (torch.randn(2, 3, dtype=torch.float64, device=device(), requires_grad=True) for _ in range(2))
    z = require_tensor(task, ask(task, reparameterize_many, mu, logvar, 5, names=("mu", "logvar")), mu, (5, 2, 3), "z")
    (slope,) = gradients(task, z[3].square().sum(), (mu,)) if z.requires_grad else (None,)
    if slope is None or not torch.allclose(slope, 2 * z[3].detach(), atol=1e-4):
        fail(task, "the gradient of sum(z[3]^2) with respect to mu is not 2 z[3].", "Wanted 2 z[3].")


@may_use(OWN_SPREAD)
def check_hand_gradients(
    hand_gradients: Callable[..., Any], dtype: torch.dtype = torch.float32, shape: tuple[int, int] = (5, 4)
) -> None:
    """Require the two derivatives of z, 1 and exp(logvar / 2) * eps / 2, both [B, D].

    No statistics: a right answer always passes.

    Args:
        hand_gradients: the student's function.
        dtype: of logvar and eps.
        shape: of logvar and eps, [B, D].

    Raises:
        CheckFailed: if not.
    """
    task = "hand_gradients"
    _, logvar = make_inputs(*shape, dtype)
    eps = torch.randn_like(logvar)
    eps[0, 0] = 0.0  # a derivative is asked for there, too
    pair = ask(task, hand_gradients, logvar, eps, names=("logvar", "eps"))
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        fail(task, f"the result is of type {type_name(pair)}.", "Wanted two tensors, (dz_dmu, dz_dlogvar).")
    to_mu = require_tensor(task, pair[0], eps, shape, "dz_dmu").detach()
    to_logvar = require_tensor(task, pair[1], eps, shape, "dz_dlogvar").detach()
    half = torch.exp(logvar / 2) * eps / 2
    if is_close(to_logvar, torch.ones_like(eps)) and is_close(to_mu, half):
        fail(task, "the two derivatives have changed places.", "Wanted (dz_dmu, dz_dlogvar).")
    if not is_close(to_mu, torch.ones_like(eps)):
        case = _by_hand(hand_gradients, 0, eps)
        fail(task, f"dz_dmu is not what the rule for a sum gives. {case}".strip(), "Wanted dz/dmu.", DERIVATIVE_OF_SUM)
    if not is_close(to_logvar, half):
        says = next((why for wrong, why in HAND_MISTAKES if is_close(to_logvar, wrong(logvar, eps))), None)
        mistake = Misconception(says, "gradient_paths") if says else None
        seen = f"dz_dlogvar is not what the chain rule gives. {_by_hand(hand_gradients, 1, eps)}".strip()
        fail(task, seen, "Wanted dz/dsigma times dsigma/dlogvar.", mistake)


def _by_hand(hand_gradients: Callable[..., Any], place: int, like: Tensor) -> str:
    """The first simple numbers at which one of the two derivatives is wrong."""
    right = (lambda logvar, eps: torch.ones_like(eps), lambda logvar, eps: torch.exp(logvar / 2) * eps / 2)[place]
    return smallest_case(
        lambda logvar, eps: hand_gradients(logvar, eps)[place], right, {"logvar": like, "eps": like}, HAND_POINTS
    )


SPREAD_POINTS = tuple({"logvar": number} for number in (2.0, -4.0, 0.0, 1.0, -1.0, 5.0))
HAND_POINTS = (
    *({"logvar": 0.0, "eps": 1.0}, {"logvar": 0.0, "eps": 2.0}, {"logvar": 0.0, "eps": -1.0}),
    *({"logvar": 2.0, "eps": 1.0}, {"logvar": -2.0, "eps": 1.0}, {"logvar": 0.0, "eps": 0.0}),
)
"""Simple numbers, for a formula that one can work out by hand."""
SIGMA_CUT = Misconception(
    "sigma has no way back to logvar: detach(), no_grad(), .data and a trip through NumPy cut the graph silently.",
    "stochastic_nodes",
)
DERIVATIVE_OF_SUM = Misconception(
    "mu enters z by a sum; the derivative of a sum with respect to one of its terms does not depend on anything.",
    "gradient_paths",
)
HAND_MISTAKES: list[tuple[Callable[[Tensor, Tensor], Tensor], str]] = [
    (lambda logvar, eps: torch.exp(logvar / 2) * eps, "the half of logvar / 2 is missing: it is an inner derivative."),
    (lambda logvar, eps: eps, "eps is dz/dsigma; sigma depends on logvar, so the chain rule has one more factor."),
    (lambda logvar, eps: eps / 2, "the derivative of exp(logvar / 2) keeps exp(logvar / 2) as a factor."),
    (lambda logvar, eps: torch.exp(logvar / 2), "this is sigma: eps multiplies it, and the exponent has a factor 1/2."),
    (lambda logvar, eps: torch.exp(logvar / 2) / 2, "this is dsigma/dlogvar; dz/dsigma, which is eps, is missing."),
    (lambda logvar, eps: torch.exp(logvar) * eps / 2, "exp(logvar) is the variance; sigma is exp(logvar / 2)."),
    (lambda logvar, eps: torch.exp(logvar) * eps, "exp(logvar) is the variance; sigma is exp(logvar / 2)."),
    (lambda logvar, eps: -torch.exp(logvar / 2) * eps / 2, "the sign is turned: z grows with logvar where eps > 0."),
]
"""Wrong derivatives with respect to logvar, and what to say about them."""
