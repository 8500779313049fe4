"""The dtypes of sixteen bits, bfloat16 and float16: an answer keeps the dtype and is roughly right, or it refuses.

Torch lacks some operations in these dtypes, and noise made in them is coarse (a uniform draw of bfloat16 is 0 once in
256 draws), so that nothing finer is asked. An error is an honest answer; another dtype, or wrong numbers, is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.sampler import device, ordinary
from vae_lab.checks.messages import fail, require_tensor


def answer_or_refusal(function: Callable[..., Any], *args: Any) -> Any:
    """What the student's function returns; None if it raises.

    Example:
        >>> answer_or_refusal(torch.sqrt, torch.tensor(4.0)), answer_or_refusal(torch.sqrt, "four")
        (tensor(2.), None)
    """
    try:
        return function(*args)
    except Exception:
        return None


def check_narrow_values(
    task: str,
    function: Callable[..., Any],
    closed: Callable[..., Tensor],
    inputs: Mapping[str, Tensor],
    *,
    same: bool = False,
) -> None:
    """Require roughly what the function answers in float32, in the dtype of the inputs or in float32, or a refusal.

    No statistics: a right answer always passes.

    Args:
        task: the name of the student's function.
        function: the student's function.
        closed: the closed form; called in double precision, for the shape, and for the values if there are none.
        inputs: the arguments by name, in a dtype of sixteen bits.
        same: whether float32 is not good enough.

    Raises:
        CheckFailed: if not.

    Example:
        >>> x = {"x": torch.tensor([3.0], dtype=torch.bfloat16)}
        >>> check_narrow_values("square", torch.square, torch.square, x)
    """
    seen = answer_or_refusal(function, *inputs.values())
    if seen is None:
        return
    like = next(iter(inputs.values()))
    wanted = closed(*(tensor.detach().double() for tensor in inputs.values()))
    own = answer_or_refusal(function, *(tensor.detach().float() for tensor in inputs.values()))
    if isinstance(own, Tensor) and own.shape == wanted.shape and bool(torch.isfinite(own).all()):
        wanted = own.detach().double()  # what is wrong with the formula in itself is judged elsewhere
    if not same and isinstance(seen, Tensor) and seen.dtype == torch.float32:
        like = like.float()
    require_tensor(task, seen, like, tuple(wanted.shape))
    if not torch.allclose(seen.detach().double(), wanted, rtol=0.1, atol=0.3):
        fail(task, "in a dtype of sixteen bits, the values are wrong.", "Wanted them roughly right.")


def check_narrow_draws(
    task: str, sampler: Callable[[Tensor, Tensor], Any], dtype: torch.dtype, draws: tuple[int, ...] = ()
) -> None:
    """Require draws in the dtype of mu, with their gradient, or a refusal; their distribution is judged elsewhere.

    No statistics: a right answer always passes.

    Args:
        task: the name of the student's function.
        sampler: called with mu and logvar [B, D]; returns z [*draws, B, D].
        dtype: of mu and logvar.
        draws: leading axes of z.

    Raises:
        CheckFailed: if not.
    """
    if not ordinary(sampler, draws).gradient or ordinary(sampler, draws, torch.float64).other_form:
        return  # what is wrong in float32 or float64 already is judged elsewhere, and has cost its points
    mu = torch.zeros(20, 5, dtype=dtype, device=device(), requires_grad=True)
    logvar = (torch.rand(20, 5, device=device()) * 4 - 2).to(dtype).requires_grad_()
    z = answer_or_refusal(sampler, mu, logvar)
    if z is None:
        return
    require_tensor(task, z, mu, (*draws, 20, 5), "z")
    if not z.requires_grad:
        return  # judged elsewhere as well
    try:
        (slope,) = torch.autograd.grad(z.sum(), (logvar,), allow_unused=True)
    except RuntimeError:  # backward may lack an operation too
        return
    through = z.detach().double()
    through = (through.sum(0) if draws else through) / 2
    apart = torch.zeros(1, device="cpu") if slope is None else (slope.double() - through).abs() / (through.abs() + 0.05)
    if slope is not None and float(apart[torch.isfinite(apart)].median()) > 0.2:
        fail(task, "in a dtype of sixteen bits, dz/dlogvar is not (z - mu) / 2.", "Wanted that.")
