"""One tensor as a multiple of another."""

from __future__ import annotations

from torch import Tensor


def multiple(seen: Tensor, wanted: Tensor) -> float:
    """The number c for which c * wanted comes nearest to what was seen, by least squares.

    Example:
        >>> import torch
        >>> multiple(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 2.0]))
        2.0
    """
    seen, wanted = seen.detach().double(), wanted.detach().double()
    return float((seen * wanted).sum() / wanted.square().sum())


def cosine(a: Tensor, b: Tensor) -> float:
    """The cosine of the angle between two tensors of equal shape; 0 where one of them is 0.

    Example:
        >>> import torch
        >>> cosine(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 3.0]))
        0.0
    """
    a, b = a.detach().flatten().double(), b.detach().flatten().double()
    length = float(a.norm() * b.norm())
    return float(a @ b) / length if length else 0.0
