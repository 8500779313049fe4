"""A value as one line of text: short enough to read, complete enough to compute it again by hand."""

from __future__ import annotations

import reprlib

import torch

MOST_NUMBERS = 24
BRIEF = reprlib.Repr()
BRIEF.maxstring = BRIEF.maxother = BRIEF.maxlong = 120


def show(value: object, depth: int = 0) -> str:
    """Describe a value.

    Args:
        value: anything; a tensor is shown with dtype, shape, whether it asks for a gradient, and its first numbers.
        depth: how deep it lies in others.

    Example:
        >>> print(show((torch.tensor([1.0, 2.5]), {"n": 3})))
        (float32 [2] = 1, 2.5; {'n': 3})
    """
    if isinstance(value, torch.Tensor):
        return show_tensor(value)
    if isinstance(value, list | tuple | set | frozenset) and depth < 4:
        inside = [show(item, depth + 1) for item in list(value)[:8]] + (["..."] if len(value) > 8 else [])
        brackets = {list: "[]", tuple: "()"}.get(type(value), "{}")
        return f"{brackets[0]}{'; '.join(inside)}{brackets[1]}"
    if isinstance(value, dict) and depth < 4:
        items = [f"{show(key, depth + 1)}: {show(item, depth + 1)}" for key, item in list(value.items())[:12]]
        return "{" + "; ".join(items + ["..."] * (len(value) > 12)) + "}"
    return BRIEF.repr(value)


def show_tensor(tensor: torch.Tensor) -> str:
    """Dtype, shape, gradient and the first numbers of a tensor."""
    data = tensor.detach().cpu().flatten()
    numbers = ", ".join(f"{number:.6g}" for number in data[:MOST_NUMBERS].tolist())
    kind = str(tensor.dtype).removeprefix("torch.")
    gradient = ", with gradient" if tensor.requires_grad else ""
    more = ", ..." if data.numel() > MOST_NUMBERS else ""
    return f"{kind} {list(tensor.shape)}{gradient} = {numbers}{more}"
