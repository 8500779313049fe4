"""Where logvar is far from 0, up to 60 on either side: a clamp, or a small number added to sigma, shows there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from vae_lab.checks.instruments.sampler import device, gradients, ordinary
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
    wide = torch.linspace(-REACH, REACH, 44, dtype=dtype, device=device()).reshape(11, 4).requires_grad_()
    sigma = require_tensor(task, ask(task, std_from_logvar, wide, names=("logvar",)), wide, tuple(wide.shape), "sigma")
    seen, exact = sigma.detach().double().flatten(), torch.exp(wide.detach().double() / 2).flatten()
    wrong = ~torch.isclose(seen, exact, rtol=1e-4, atol=0)
    if bool(wrong.any()):
        place = int(wrong.nonzero()[0]) if bool(wrong[0]) else int(wrong.nonzero()[-1])
        asked = f"for logvar = {float(wide.detach().flatten()[place]):.3g} you give {float(seen[place]):.4g}"
        held = _held(seen, wrong, wide.detach().flatten())
        wanted = f"Wanted exp(logvar / 2), {float(exact[place]):.4g}."
        fail(task, f"{asked}; 2 log(sigma) is not logvar there.", wanted, CHANGED if held else None)
    (slope,) = gradients(task, sigma.log().sum(), (wide,)) if sigma.requires_grad else (None,)
    if slope is None or not torch.allclose(slope, torch.full_like(wide, 0.5), rtol=1e-4):
        case = "" if slope is None else _where(slope, wide)
        fail(
            task,
            f"the values are right, but d log(sigma) / d logvar is not 1/2 everywhere. {case}".strip(),
            "Wanted 1/2.",
        )


def _where(slope: torch.Tensor, logvar: torch.Tensor) -> str:
    """The end at which a derivative is not 1/2: the far one if it is wrong there, else the other."""
    place = -1 if not abs(float(slope.flatten()[-1]) - 0.5) < 1e-4 else 0
    return f"For logvar = {float(logvar.detach().flatten()[place]):.3g} it is {float(slope.flatten()[place]):.4g}."


def _held(lengths: torch.Tensor, wrong: torch.Tensor, logvar: torch.Tensor) -> bool:
    """Whether what is wrong on one side no longer follows logvar, which would move its logarithm by more than 5.

    The median deviation: the logarithm of a normal eps seldom lies far below its others, but then it lies very far.
    """
    for side in (-1, 1):
        there = torch.log(lengths.abs().double())[wrong & (logvar.sign() == side)]
        if len(there) > 2 and bool(torch.isfinite(there).all()) and float((there - there.median()).abs().median()) < 2:
            return True
    return False


def check_far_draws(task: str, sampler: Callable[..., Any], dtype: torch.dtype = torch.float32) -> None:
    """Require that z - mu is of the order of sigma, with its derivative (z - mu) / 2, for logvar from -60 to 60.

    What is wrong at ordinary numbers already has cost its points, and is not held against an answer here again.
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
    known = ordinary(sampler, dtype=dtype)
    mu = torch.zeros(4, 6, dtype=dtype, device=device()).requires_grad_()
    logvar = torch.linspace(-REACH, REACH, 24, dtype=dtype, device=device()).reshape(4, 6).requires_grad_()
    given = logvar.detach().clone()
    z = ask(task, sampler, mu, logvar, names=("mu", "logvar"))
    if known.other_form:
        return
    require_tensor(task, z, mu, tuple(mu.shape), "z")
    if known.spread and not known.floor:
        if not bool(torch.isfinite(z).all()):
            fail(task, "z is not finite for every logvar between -60 and 60.", "Wanted finite numbers.")
        size = torch.log(z.detach().abs().double()) - given.double() / 2
        wrong = (size > 3) | (size < -20)
        if bool(wrong.any()):
            at, off = float(given[wrong][0]), float(size[wrong][0])
            seen = f"for logvar = {at:.0f}, z - mu is e^({off:.0f}) times sigma; between -3 and 3 it is right."
            held = _held(z.detach().flatten(), wrong.flatten(), given.flatten())
            fail(task, seen, "Wanted sigma * eps for every logvar.", CHANGED if held else None)
    if known.gradient:
        (slope,) = gradients(task, z.sum(), (logvar,)) if z.requires_grad else (None,)
        if slope is None or not torch.allclose(slope.double(), z.detach().double() / 2, rtol=1e-3, atol=0):
            seen = "with logvar between -60 and 60, dz/dlogvar is not (z - mu) / 2; between -3 and 3 it is."
            fail(task, seen, "Wanted that for every logvar.")
