"""Straight lines through what was measured."""

from __future__ import annotations

from torch import Tensor


def line(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Slope of b = slope * a + constant, and the largest distance from the line relative to b's range."""
    ca, cb = a - a.mean(), b - b.mean()
    slope = (ca * cb).sum() / (ca * ca).sum().clamp_min(1e-30)
    return float(slope), float((cb - slope * ca).abs().max() / (b.max() - b.min()).clamp_min(1e-30))


def factor(a: Tensor, b: Tensor) -> Tensor | None:
    """The factor of b = factor * a + constant, or None if b is something else; both of any shape."""
    a, b = a.flatten().double(), b.flatten().double()
    ca, cb = a - a.mean(), b - b.mean()
    slope = (ca * cb).sum() / (ca * ca).sum().clamp_min(1e-30)
    return slope if (cb - slope * ca).abs().max() < 1e-3 * (1e-6 + b.std()) else None
