"""Checks of the lab `elbo`: the KL term, the likelihood, the loss made of both, and an estimate of the KL by draws.

All but the last are exact: the answer is compared with the closed form on inputs where no two formulas agree by luck
(no logvar is 0, images are grey, and no axis is as long as another).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments import losses
from vae_lab.checks.instruments.closed_form import name_formula, require_closed_form, smallest_case
from vae_lab.checks.instruments.estimates import check_kl_monte_carlo
from vae_lab.checks.instruments.narrow import check_narrow_values
from vae_lab.checks.instruments.sampler import device, gradients, is_close
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor
from vae_lab.checks.substitution import Functions, may_use

__all__ = [
    "RESERVES",
    "check_bernoulli_log_likelihood",
    "check_far_logits",
    "check_far_logvar",
    "check_kl_monte_carlo",
    "check_kl_to_standard_normal",
    "check_narrow",
    "check_narrow_loss",
    "check_negative_elbo",
]

RESERVES = (
    "vae_lab.bernoulli_log_likelihood",
    "vae_lab.elbo.bernoulli_log_likelihood",
    "vae_lab.elbo.gaussian_kl",
    "vae_lab.gaussian_kl",
    "vae_lab.models.gaussian_kl",
)
"""Names that raise while this lab is solved or graded."""

LOG_OF_ZERO = Misconception(
    "sigmoid(logits) rounds to 0 or 1, and its logarithm to -inf; a clamp or a small number added only hides it. Work "
    "with the logits: log sigmoid has a stable form of its own.",
    "elbo",
)
CLAMPED = Misconception("Clamping logvar changes the KL far from 0.", "elbo")


KL_POINTS = (
    *({"mu": 1.0, "logvar": 0.0}, {"mu": 0.0, "logvar": 2.0}, {"mu": 0.0, "logvar": -2.0}, {"mu": -1.0, "logvar": 0.0}),
    *({"mu": 0.2, "logvar": 0.0}, {"mu": 0.0, "logvar": 0.2}, {"mu": 0.0, "logvar": 0.0}, {"mu": 3.0, "logvar": 1.0}),
)
FAR_KL_POINTS = tuple({"mu": 0.0, "logvar": far} for far in (40.0, -40.0, -60.0, 60.0))
CLAMPS = (2.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
PIXEL_POINTS = (
    *({"logits": 0.0, "x": 1.0}, {"logits": 2.0, "x": 1.0}, {"logits": 2.0, "x": 0.0}, {"logits": -2.0, "x": 0.0}),
    *({"logits": -2.0, "x": 1.0}, {"logits": 1.0, "x": 0.25}, {"logits": 6.0, "x": 0.5}, {"logits": 4.0, "x": 1.0}),
)
FAR_POINTS = ({"logits": 1000.0, "x": 0.0}, {"logits": -1000.0, "x": 1.0}, {"logits": 1000.0, "x": 0.5})
LOSS_POINTS = (
    {"logits": 0.0, "x": 1.0, "mu": 0.0, "logvar": 0.0},
    {"logits": 0.0, "x": 1.0, "mu": 1.0, "logvar": 0.0},
    {"logits": 2.0, "x": 0.5, "mu": 0.0, "logvar": 2.0},
    {"logits": 2.0, "x": 0.0, "mu": 0.2, "logvar": 0.0},
    {"logits": 0.0, "x": 1.0, "mu": 50.0, "logvar": 0.0},
    {"logits": 0.0, "x": 1.0, "mu": 0.0, "logvar": -20.0},
    {"logits": 0.0, "x": 1.0, "mu": 0.0, "logvar": 9.0},
)
"""One pixel and one dimension, simple numbers: what a student can work out by hand."""

OFFSET = 4.0
"""Nats that a wrong formula may add to each pixel, however far the logits are (a normalising constant does)."""

OWN_PARTS: Functions = {"kl_to_standard_normal": losses.gaussian_kl, "bernoulli_log_likelihood": losses.log_likelihood}
"""What a loss may be made of."""


def check_kl_to_standard_normal(
    kl_to_standard_normal: Callable[..., Any], batch: int = 6, dim: int = 3, dtype: torch.dtype = torch.float32
) -> None:
    """Require KL(N(mu, e^logvar) || N(0, 1)), added up over D, [B], with its gradient.

    No statistics: a right answer always passes.

    Args:
        kl_to_standard_normal: the student's function.
        batch: B.
        dim: D.
        dtype: of mu and logvar.

    Raises:
        CheckFailed: if not.
    """
    task, closed = "kl_to_standard_normal", losses.gaussian_kl
    far, near = _latents(batch, dim, dtype), _near(batch, dim, dtype)
    for inputs, wrong in ((far, losses.WRONG_KL), (near, [])):  # near 0 many formulas have nearly the same values
        require_closed_form(
            task, kl_to_standard_normal, closed, inputs, wrong,
            by_hand=KL_POINTS, measure=losses.measure_kl, terms=losses.ways_of_kl,
        )  # fmt: skip


def check_far_logvar(
    kl_to_standard_normal: Callable[..., Any], dtype: torch.dtype = torch.float32, dim: int = 3
) -> None:
    """Require the right KL for logvar from -60 to 60.

    No statistics: a right answer always passes.

    Args:
        kl_to_standard_normal: the student's function.
        dtype: of mu and logvar.
        dim: D; in the first seven images small and large logvar stand side by side, in the others like beside like.

    Raises:
        CheckFailed: if not.
    """
    task = "kl_to_standard_normal"
    line = torch.linspace(-60, 60, 7 * dim, dtype=dtype, device=device())
    logvar = torch.cat(
        [line.reshape(dim, 7).T, line.reshape(7, dim), line[:1].expand(1, dim), line[-1:].expand(1, dim)]
    )
    mu = torch.randn(16, dim, dtype=dtype, device=device())
    seen = (
        require_tensor(task, ask(task, kl_to_standard_normal, mu, logvar, names=("mu", "logvar")), mu, (16,))
        .detach()
        .double()
    )
    wanted = losses.gaussian_kl(mu.double(), logvar.double())
    if not torch.allclose(seen, wanted, rtol=1e-3 if dtype == torch.float32 else 1e-8):
        limits = [losses.gaussian_kl(mu.double(), logvar.double().clamp(-c, c)) for c in CLAMPS]
        held = any(torch.allclose(seen, limit, rtol=1e-3) for limit in limits)
        case = smallest_case(kl_to_standard_normal, losses.gaussian_kl, {"mu": mu, "logvar": logvar}, FAR_KL_POINTS)
        found = f"for a large or tiny logvar, up to 60 and down to -60, it is wrong. {case}".strip()
        fail(task, found, "Wanted it right.", CLAMPED if held else None)


def check_bernoulli_log_likelihood(
    bernoulli_log_likelihood: Callable[..., Any],
    shape: tuple[int, ...] = (4, 1, 5, 3),
    dtype: torch.dtype = torch.float32,
) -> None:
    """Require log p(x | logits), added up over the pixels of each image, [B], with its gradient.

    No statistics: a right answer always passes.

    Args:
        bernoulli_log_likelihood: the student's function.
        shape: of the images, [B, ...].
        dtype: of logits and x.

    Raises:
        CheckFailed: if not.
    """
    task, inputs = "bernoulli_log_likelihood", _pixels(shape, dtype)
    require_closed_form(
        task,
        bernoulli_log_likelihood,
        losses.log_likelihood,
        inputs,
        losses.WRONG_LIKELIHOOD,
        by_hand=PIXEL_POINTS,
        measure=losses.measure_likelihood,
        terms=losses.ways_of_likelihood,
    )


def check_far_logits(
    bernoulli_log_likelihood: Callable[..., Any],
    sizes: Sequence[float] = (1000.0,),
    dtype: torch.dtype = torch.float32,
) -> None:
    """Require the right values and gradients where the decoder is very sure, rightly or wrongly.

    No statistics: a right answer always passes.

    Args:
        bernoulli_log_likelihood: the student's function.
        sizes: how far from 0 the logits are, four images for each.
        dtype: of logits and x.

    Raises:
        CheckFailed: if not.
    """
    task = "bernoulli_log_likelihood"
    signs = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], dtype=dtype, device=device())
    black_and_white = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.75, 0.25], [0.0, 1.0]], dtype=dtype, device=device())
    x = black_and_white.repeat(len(sizes), 1)
    logits = torch.cat([signs * size for size in sizes]).requires_grad_()
    seen = ask(task, bernoulli_log_likelihood, logits, x, names=("logits", "x"))
    coarse = dtype
    if isinstance(seen, Tensor) and seen.is_floating_point() and seen.dtype != dtype:  # has cost its points already
        coarse = max(dtype, seen.dtype, key=lambda each: torch.finfo(each).eps)
        seen = seen.to(dtype)
    require_tensor(task, seen, x, (len(x),))
    wanted = losses.log_likelihood(logits.detach().double(), x.double())
    if not torch.allclose(seen.detach().double(), wanted, rtol=max(1e-4, 4 * torch.finfo(coarse).eps), atol=1e-4):
        if _wrong_and_stable(bernoulli_log_likelihood, logits.detach(), x, seen.detach()):
            return
        what = "values are wrong" if bool(torch.isfinite(seen).all()) else "result is nan or infinite"
        case = smallest_case(bernoulli_log_likelihood, losses.log_likelihood, {"logits": logits, "x": x}, FAR_POINTS)
        mistake = _name_far(seen.detach().double(), logits.detach().double(), x.double())
        fail(task, f"far from 0, the {what}. {case}".strip(), "Wanted minus the logit for a sure mistake.", mistake)
    (slope,) = gradients(task, seen.sum(), (logits,)) if seen.requires_grad else (None,)
    if slope is None or not is_close(slope.to(coarse), x.double() - torch.sigmoid(logits.detach().double())):
        fail(task, "the values are right far from 0, but the gradient is not.", "Wanted x - sigmoid(logits).")


def _wrong_and_stable(function: Callable[..., Any], logits: Tensor, x: Tensor, seen: Tensor) -> bool:
    """Whether a formula that is wrong at ordinary numbers, which has cost its points, is computed well far from 0.

    It is if the values are finite and those of the same known wrong formula, or grow as fast as the logits do, or if
    they are drawn at random at ordinary numbers too.
    """
    near = _pixels((4, 1, 5, 3), logits.dtype)
    inputs = [near["logits"].detach(), near["x"]]
    right = losses.log_likelihood(*(tensor.double() for tensor in inputs))
    try:
        with torch.no_grad():
            ordinary, again = (function(*(tensor.clone() for tensor in inputs)) for _ in range(2))
            twice = function(2 * logits, x.clone())
    except Exception:
        return False
    usable = all(isinstance(t, Tensor) and bool(torch.isfinite(t).all()) for t in (seen, ordinary, twice))
    if not usable or ordinary.shape != right.shape or torch.allclose(ordinary.double(), right, rtol=1e-4, atol=1e-4):
        return False
    if not torch.equal(ordinary, again):
        return True
    named = name_formula(ordinary.double(), losses.WRONG_LIKELIHOOD, inputs)
    if named is not None and named is name_formula(seen.double(), losses.WRONG_LIKELIHOOD, [logits, x]):
        return True
    wanted = losses.log_likelihood(logits.double(), x.double())
    far = wanted.abs() > 0.1 * logits.abs().max()  # where a sure decoder is wrong
    return (
        bool(far.any())
        and torch.allclose(twice.double()[far], 2 * seen.double()[far], rtol=0.02, atol=OFFSET * logits[0].numel())
        and bool(((twice - seen)[far].abs() > 1).all())
    )


def _name_far(seen: Tensor, logits: Tensor, x: Tensor) -> Misconception | None:
    """What far logits show: a wrong formula, a logarithm that was saved from 0 by a floor, or one that was not."""
    named = name_formula(seen, losses.WRONG_LIKELIHOOD, [logits, x])
    if named is not None:
        return named
    p = torch.sigmoid(logits.float())
    bare = (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1).double()
    if not bool(torch.isfinite(seen).all()):
        return LOG_OF_ZERO if torch.equal(torch.isfinite(bare), torch.isfinite(seen)) else None
    floor = -float(
        seen[0]
    )  # what a pixel costs that is surely wrong: 18.4 with a small number of 1e-8, 30 with a clamp
    if floor > 0.9 * float(logits.abs().max()):  # not held at all: something else is wrong
        return None
    held = losses.log_likelihood(logits.clamp(-floor, floor), x)
    return LOG_OF_ZERO if floor > 0 and torch.allclose(seen, held, rtol=0.02, atol=0.02) else None


@may_use(OWN_PARTS)
def check_negative_elbo(
    negative_elbo: Callable[..., Any],
    shape: tuple[int, ...] = (6, 1, 5, 3),
    dim: int = 4,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Require -log p(x|z) + KL, averaged over the batch, a scalar, with the gradients of both terms.

    No statistics: a right answer always passes. It may call the student's own two functions; where these are wrong,
    right ones stand in their place, for they have cost their points already.

    Args:
        negative_elbo: the student's function.
        shape: of the images, [B, ...].
        dim: D.
        dtype: of all four arguments.

    Raises:
        CheckFailed: if not.
    """
    latents = [_latents(shape[0], dim, dtype), _near(shape[0], dim, dtype), _costly(shape[0], dim, dtype)]
    for each, wrong in zip(latents, (losses.WRONG_LOSS, [], []), strict=True):
        require_closed_form(
            "negative_elbo",
            negative_elbo,
            losses.loss,
            _pixels(shape, dtype) | each,
            wrong,
            by_hand=LOSS_POINTS,
            measure=losses.measure_loss,
            terms=losses.ways_of_loss,
        )


@may_use(OWN_PARTS)
def check_narrow_loss(negative_elbo: Callable[..., Any], dtype: torch.dtype) -> None:
    """Require that the loss answers in sixteen bits roughly as it should, or refuses.

    No statistics: a right answer always passes.

    Args:
        negative_elbo: the student's function.
        dtype: torch.bfloat16 or torch.float16.

    Raises:
        CheckFailed: if not.
    """
    check_narrow(negative_elbo, "negative_elbo", dtype)


def check_narrow(function: Callable[..., Any], task: str, dtype: torch.dtype) -> None:
    """Require that a function of this lab answers in sixteen bits roughly as it should, or refuses.

    No statistics: a right answer always passes.

    Args:
        function: the student's function.
        task: its name.
        dtype: torch.bfloat16 or torch.float16.

    Raises:
        CheckFailed: if not.
    """
    latents, pixels = _latents(6, 3, torch.float32), _pixels((6, 1, 5, 3), torch.float32)
    pixels["logits"] = pixels["logits"].detach().clamp(-2.5, 2.5)  # further out, sixteen bits hold no 1 - sigmoid
    known: dict[str, tuple[Callable[..., Tensor], dict[str, Tensor]]] = {
        "kl_to_standard_normal": (losses.gaussian_kl, latents),
        "bernoulli_log_likelihood": (losses.log_likelihood, pixels),
        "negative_elbo": (losses.loss, pixels | latents),
    }
    closed, inputs = known[task]
    check_narrow_values(task, function, closed, {name: t.detach().to(dtype) for name, t in inputs.items()})


def _near(batch: int, dim: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Mu and logvar near 0, where a floor under the KL shows, and one row of each at 0, where a root has no slope."""
    mu, logvar = losses.near_the_prior(batch, dim, dtype, device())
    if batch > 1:
        mu[0], logvar[-1] = 0.0, 0.0
    return {"mu": mu.requires_grad_(), "logvar": logvar.requires_grad_()}


def _costly(batch: int, dim: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Mu and logvar far from 0, where the loss of an image is thousands of nats, and a ceiling shows."""
    mu = torch.linspace(-60, 50, batch * dim, dtype=dtype, device=device()).reshape(batch, dim)
    logvar = torch.linspace(9, -25, batch * dim, dtype=dtype, device=device()).reshape(batch, dim)
    return {"mu": mu.requires_grad_(), "logvar": logvar.requires_grad_()}


def _latents(batch: int, dim: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Mu and logvar, [B, D], none of them 0."""
    mu = torch.rand(batch, dim, dtype=dtype, device=device()) + 0.3
    logvar = torch.rand(batch, dim, dtype=dtype, device=device()) * 1.5 - 2.0
    mu[::2] *= -1.7
    logvar[:, ::2] *= -0.6
    return {"mu": mu.requires_grad_(), "logvar": logvar.requires_grad_()}


def _pixels(shape: tuple[int, ...], dtype: torch.dtype) -> dict[str, Tensor]:
    """Logits, some of them far from 0, and grey images in [0, 1] that hold black and white too."""
    logits = 2 * torch.randn(shape, dtype=dtype, device=device())
    far = torch.tensor([4.0, -4.0, 6.0, -6.0], dtype=dtype, device=device())[: logits.numel()]
    logits.view(-1)[: len(far)] = far  # a formula that goes wrong there does so in every run
    x = torch.rand(shape, dtype=dtype, device=device()) * 1.6 - 0.3
    return {"logits": logits.requires_grad_(), "x": x.clamp(0, 1)}
