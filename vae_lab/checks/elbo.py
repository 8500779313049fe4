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
from vae_lab.checks.instruments.closed_form import require_closed_form
from vae_lab.checks.instruments.estimates import check_kl_monte_carlo
from vae_lab.checks.instruments.narrow import check_narrow_values
from vae_lab.checks.instruments.sampler import device, gradients, is_close
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor

__all__ = [
    "RESERVES",
    "check_bernoulli_log_likelihood",
    "check_far_logits",
    "check_kl_monte_carlo",
    "check_kl_to_standard_normal",
    "check_narrow",
    "check_negative_elbo",
]

RESERVES = (
    "vae_lab.bernoulli_log_likelihood",
    "vae_lab.elbo.bernoulli_log_likelihood",
    "vae_lab.elbo.gaussian_kl",
    "vae_lab.gaussian_kl",
    "vae_lab.models.bernoulli_log_likelihood",
    "vae_lab.models.gaussian_kl",
)
"""Names that raise while this lab is solved or graded."""

LOG_OF_ZERO = Misconception(
    "sigmoid(logits) rounds to 0 or 1, and its logarithm to -inf; a clamp or a small number added only hides it. Work "
    "with the logits: log sigmoid has a stable form of its own.",
    "elbo",
)


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
    inputs = _latents(batch, dim, dtype)
    require_closed_form("kl_to_standard_normal", kl_to_standard_normal, losses.gaussian_kl, inputs, losses.WRONG_KL)


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
    require_closed_form(task, bernoulli_log_likelihood, losses.log_likelihood, inputs, losses.WRONG_LIKELIHOOD)


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
    black_and_white = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.25], [0.0, 1.0]], dtype=dtype, device=device())
    x = black_and_white.repeat(len(sizes), 1)
    logits = torch.cat([signs * size for size in sizes]).requires_grad_()
    seen = require_tensor(task, ask(task, bernoulli_log_likelihood, logits, x), x, (len(x),))
    wanted = losses.log_likelihood(logits.detach().double(), x.double())
    if not bool(torch.isfinite(seen).all()):
        fail(task, "far from 0, the result is nan or infinite.", "Wanted finite numbers.", LOG_OF_ZERO)
    if not torch.allclose(seen.detach().double(), wanted, rtol=1e-4, atol=1e-4):
        fail(task, "far from 0, the values are wrong.", "Wanted minus the logit for a sure mistake.", LOG_OF_ZERO)
    (slope,) = gradients(task, seen.sum(), (logits,)) if seen.requires_grad else (None,)
    if slope is None or not is_close(slope, x.double() - torch.sigmoid(logits.detach().double())):
        fail(task, "far from 0, the gradient is wrong.", "Wanted x - sigmoid(logits).", LOG_OF_ZERO)


def check_negative_elbo(
    negative_elbo: Callable[..., Any],
    shape: tuple[int, ...] = (6, 1, 5, 3),
    dim: int = 4,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Require -log p(x|z) + KL, averaged over the batch, a scalar, with the gradients of both terms.

    No statistics: a right answer always passes.

    Args:
        negative_elbo: the student's function.
        shape: of the images, [B, ...].
        dim: D.
        dtype: of all four arguments.

    Raises:
        CheckFailed: if not.
    """
    inputs = _pixels(shape, dtype) | _latents(shape[0], dim, dtype)
    require_closed_form("negative_elbo", negative_elbo, losses.loss, inputs, losses.WRONG_LOSS)


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


def _latents(batch: int, dim: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Mu and logvar, [B, D], none of them 0."""
    mu = torch.rand(batch, dim, dtype=dtype, device=device()) + 0.3
    logvar = torch.rand(batch, dim, dtype=dtype, device=device()) * 1.5 - 2.0
    mu[::2] *= -1.7
    logvar[:, ::2] *= -0.6
    return {"mu": mu.requires_grad_(), "logvar": logvar.requires_grad_()}


def _pixels(shape: tuple[int, ...], dtype: torch.dtype) -> dict[str, Tensor]:
    """Logits, and grey images in [0, 1] that hold black and white too."""
    logits = 2 * torch.randn(shape, dtype=dtype, device=device())
    x = torch.rand(shape, dtype=dtype, device=device()) * 1.6 - 0.3
    return {"logits": logits.requires_grad_(), "x": x.clamp(0, 1)}
