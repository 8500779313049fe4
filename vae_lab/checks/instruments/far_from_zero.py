"""Where logvar is far from 0, up to 60 on either side: a clamp, or a small number added to sigma, shows there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from vae_lab.checks.instruments.sampler import device, gradients, require_unchanged
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor

REACH = 60.0
CHANGED = Misconception(
    "clamping logvar, or adding a small number to sigma, changes the answer far from 0.", "reparameterization"
)


def check_far_spread(std_from_logvar: Callable[..., Any], dtype: torch.dtype = torch.float32) -> None:
    """Require 2 log(sigma) = logvar, and d log(sigma) / d logvar = 1/2, for logvar from -60 to 60.

    No statistics: a right answer always passes.

    Args:
        std_from_logvar: the student's function.
        dtype: of logvar.

    Raises:
        CheckFailed: if not.

    Example:
        >>> check_far_spread(lambda logvar: torch.exp(logvar / 2))
    """
    task = "std_from_logvar"
    wide = torch.linspace(-REACH, REACH, 44, dtype=dtype, device=device()).reshape(4, 11).T.requires_grad_()
    sigma = require_tensor(task, ask(task, std_from_logvar, wide), wide, tuple(wide.shape), "sigma")
    back = 2 * torch.log(sigma.detach().double())
    if not torch.allclose(back, wide.detach().double(), rtol=1e-4, atol=1e-4):
        worst = (back - wide.detach().double()).abs().nan_to_num(torch.inf).argmax()
        seen, asked = back.flatten()[worst], wide.detach().flatten()[worst]
        fail(task, f"for logvar = {asked:.1f}, 2 log(sigma) is {seen:.1f}.", "Wanted logvar again.", CHANGED)
    (slope,) = gradients(task, sigma.log().sum(), (wide,)) if sigma.requires_grad else (None,)
    if slope is None or not torch.allclose(slope, torch.full_like(wide, 0.5), rtol=1e-4):
        fail(task, "d log(sigma) / d logvar is not 1/2 when logvar is far from 0.", "Wanted 1/2 everywhere.", CHANGED)


def check_far_draws(task: str, sampler: Callable[..., Any], dtype: torch.dtype = torch.float32) -> None:
    """Require that z - mu is of the order of sigma, with its derivative (z - mu) / 2, for logvar from -60 to 60.

    A right answer fails with a probability of at most 1e-8: |eps| would have to lie above e^3 or below e^-20.

    Args:
        task: the name of the student's function.
        sampler: called with mu and logvar [B, D]; returns z [B, D].
        dtype: of mu and logvar.

    Raises:
        CheckFailed: if not.

    Example:
        >>> check_far_draws("draw", lambda mu, logvar: mu + torch.exp(logvar / 2) * torch.randn_like(mu))
    """
    mu = torch.zeros(6, 4, dtype=dtype, device=device()).T.requires_grad_()
    logvar = torch.linspace(-REACH, REACH, 24, dtype=dtype, device=device()).reshape(6, 4).T.requires_grad_()
    given = logvar.detach().clone()
    z = require_tensor(task, ask(task, sampler, mu, logvar), mu, tuple(mu.shape), "z")
    require_unchanged(task, "mu", mu, torch.zeros_like(mu))
    require_unchanged(task, "logvar", logvar, given)
    if not bool(torch.isfinite(z).all()):
        fail(task, "z is not finite when logvar is 60.", "Wanted finite numbers.", CHANGED)
    size = torch.log(z.detach().abs().double()) - logvar.detach().double() / 2
    if not bool(((size < 3) & (size > -20)).all()):
        seen = "z - mu is not of the order of sigma when logvar is between -60 and 60."
        fail(task, seen, "Wanted sigma * eps.", CHANGED)
    (slope,) = gradients(task, z.sum(), (logvar,)) if z.requires_grad else (None,)
    if slope is None or not torch.allclose(slope.double(), z.detach().double() / 2, rtol=1e-3, atol=0):
        seen = "dz/dlogvar is not (z - mu) / 2 when logvar is between -60 and 60."
        fail(task, seen, "Wanted that for every logvar.", CHANGED)
