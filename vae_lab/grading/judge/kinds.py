"""Of what kind an argument is: all that is told of a hidden check's call, and all that a second call has in common."""

from __future__ import annotations

from typing import Any

import torch

MOST_AXES = 5


def kind_of(value: Any) -> str:
    """A value's kind: a tensor's dtype and where its shape has a 1, whether a number is 0 or 1, and else its type.

    Example:
        >>> kind_of(torch.zeros(40, 1)), kind_of(1), kind_of(17), kind_of(0.25)
        ('float32 [n, 1]', '1', 'n', 'a float')
    """
    if isinstance(value, torch.Tensor):
        axes = ["1" if axis == 1 else "n" for axis in value.shape[:MOST_AXES]] + ["..."] * (value.ndim > MOST_AXES)
        return f"{str(value.dtype).removeprefix('torch.')} [{', '.join(axes)}]"
    if value is None or type(value) is bool:
        return str(value)
    if type(value) is int:
        return str(value) if value in (0, 1) else "n"
    return {float: "a float", str: "a text"}.get(type(value), "...")


def of_same_kind(value: Any, model: Any = None) -> Any:
    """A value of the same kind with nothing else in common.

    Args:
        value: what is not to be known: a tensor, or None, a bool, an int, a float or a str.
        model: a value that may be known; where its shape has the right number of axes, their lengths are taken.

    Example:
        >>> of_same_kind(torch.zeros(40, 1), torch.zeros(2, 7)).shape, of_same_kind(17, 5), of_same_kind(1, 5)
        (torch.Size([2, 1]), 5, 1)
    """
    if isinstance(value, torch.Tensor):
        fits = isinstance(model, torch.Tensor) and model.ndim == value.ndim
        lengths = model.shape if fits else range(3, 3 + value.ndim)
        shape = [
            1 if axis == 1 else other if other != 1 else 3 for axis, other in zip(value.shape, lengths, strict=True)
        ]
        return (
            torch.rand(shape[:MOST_AXES] + [1] * (value.ndim - MOST_AXES))
            .to(value.dtype)
            .requires_grad_(value.requires_grad)
        )
    if value is None or type(value) is bool or (type(value) is int and value in (0, 1)):
        return value
    if type(value) is type(model):
        return model
    return {int: 3, float: 0.5}.get(type(value), "")
