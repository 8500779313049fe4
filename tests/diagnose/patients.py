"""What a bank entry is, and the images that all of them are shown."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor


@dataclass
class Patient:
    """A VAE as somebody wrote it: what to hand to `diagnose`, and what it has (one of `ails`; nothing if sound)."""

    name: str
    make: Callable[[], dict[str, Any]]
    ails: tuple[str, ...] = ()
    x: Callable[[], Tensor] = field(default_factory=lambda: digits)

    def call(self, seed: int) -> dict[str, Any]:
        torch.manual_seed(seed)
        return {"x": self.x(), **self.make()}


@cache
def _digits() -> Tensor:
    return torch.tensor(load_digits().images[:48], dtype=torch.float32, device="cpu").unsqueeze(1) / 16


def digits() -> Tensor:
    """Grey 8x8 digits in [0, 1], [48, 1, 8, 8]."""
    return _digits().clone()


def flat() -> Tensor:
    return digits().flatten(1)
