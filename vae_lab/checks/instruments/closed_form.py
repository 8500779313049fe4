"""Compare a function with its closed form: shape, values, gradients; name the wrong formula if it is a known one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.sampler import gradients, is_close, require_unchanged
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor

Wrong = list[tuple[Callable[..., Tensor], Misconception]]
"""Formulas that people write instead, in the order in which they are tried."""

NO_GRADIENT = Misconception(
    "detach(), no_grad(), .item() and a trip through NumPy cut the graph silently: nothing would be learned.",
    "stochastic_nodes",
)


def require_closed_form(
    task: str,
    function: Callable[..., Any],
    closed: Callable[..., Tensor],
    inputs: Mapping[str, Tensor],
    wrong: Wrong,
) -> None:
    """Require that a function has the shape, the values and the gradients of its closed form.

    No statistics: a right answer always passes.

    Args:
        task: the name of the student's function.
        function: the student's function.
        closed: the closed form; called in double precision.
        inputs: the arguments by name, in order; those that require grad are leaves.
        wrong: wrong formulas and what to say about them.

    Raises:
        CheckFailed: if not.

    Example:
        >>> x = {"x": torch.tensor([3.0], requires_grad=True)}
        >>> require_closed_form("square", lambda x: x * x, torch.square, x, [])
    """
    before = [tensor.detach().clone() for tensor in inputs.values()]
    seen = ask(task, function, *inputs.values(), names=tuple(inputs))
    for name, old in zip(inputs, before, strict=True):
        require_unchanged(task, name, inputs[name], old)
    exact = {name: t.detach().double().requires_grad_(t.requires_grad) for name, t in inputs.items()}
    wanted = closed(*exact.values())
    if isinstance(seen, Tensor) and seen.shape != wanted.shape:
        shapes = f"the result has shape {list(seen.shape)}.", f"Wanted {list(wanted.shape)}."
        fail(task, *shapes, name_formula(seen, wrong, before))
    require_tensor(task, seen, next(iter(inputs.values())), tuple(wanted.shape))
    if not bool(torch.isfinite(seen).all()):
        fail(task, "the result holds nan or infinite numbers.", "Wanted finite ones.")
    if not is_close(seen, wanted):
        right = wanted.detach()
        if torch.allclose(seen.detach().double(), right, rtol=1e-4, atol=1e-4):
            fail(task, "the result is of float64, but no more exact than float32.", "Wanted float64 all the way.")
        ratio = float((seen.detach().double() * right).sum() / right.square().sum())
        found = f"the values are wrong (by a least-squares fit {ratio:.3g} times what they should be)."
        fail(task, found, "Wanted the formula of the text.", name_formula(seen, wrong, before))
    if not seen.requires_grad:
        fail(task, "the result does not require a gradient although the inputs do.", "Wanted one.", NO_GRADIENT)
    names = [name for name, tensor in inputs.items() if tensor.requires_grad]
    weights = torch.rand_like(wanted).detach() + 0.5
    ours = torch.autograd.grad((wanted * weights).sum(), [exact[name] for name in names])
    leaves = [inputs[name] for name in names]
    theirs = gradients(task, (seen * weights.to(seen.dtype)).sum(), leaves)
    for name, have, want in zip(names, theirs, ours, strict=True):
        if have is None or not bool(have.any()):
            fail(task, f"the value is right, but no gradient reaches {name}.", "Wanted one.", NO_GRADIENT)
        if not is_close(have, want):
            fail(
                task, f"the value is right, but the gradient for {name} is not.", "Wanted its derivative.", NO_GRADIENT
            )


def name_formula(seen: Tensor, wrong: Wrong, inputs: list[Tensor]) -> Misconception | None:
    """Recognise the first wrong formula that has this shape and these values, or None.

    Example:
        >>> double = (lambda x: 2 * x, Misconception("2 * x doubles x.", "intro"))
        >>> name_formula(torch.tensor([6.0]), [double], [torch.tensor([3.0])]).says
        '2 * x doubles x.'
    """
    doubles = [tensor.double() for tensor in inputs]
    for formula, misconception in wrong:
        value = formula(*doubles)
        if value.shape == seen.shape and torch.allclose(seen.detach().double(), value, rtol=5e-5, atol=5e-5):
            return misconception
    return None
