"""The reconstruction term: numbers of our own are put in for the picture, and the loss is compared with known formulas.

What is put in is u, the last layer's result, before any sigmoid. So `sigmoid` in the decoder with
`binary_cross_entropy` is the same function of u as logits with `binary_cross_entropy_with_logits`, and a sigmoid too
many shows, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lab.diagnosis import target
from vae_lab.diagnosis.anatomy import BASE, Anatomy, constant
from vae_lab.diagnosis.draw import Draw
from vae_lab.diagnosis.lines import line
from vae_lab.diagnosis.target import Target

Term = Callable[[Tensor, Tensor], Tensor]  # (u, x) -> nats (or squares) per pixel


def _twice(u: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(torch.sigmoid(u), x, reduction="none")


def _half(u: Tensor, x: Tensor) -> Tensor:
    return -x * F.logsigmoid(u)


def _dark_sign(u: Tensor, x: Tensor) -> Tensor:
    return -x * F.logsigmoid(u) + (1 - x) * F.logsigmoid(-u)


def _swapped(u: Tensor, x: Tensor) -> Tensor:
    inside = bool((x >= 0).all() and (x <= 1).all())
    return F.binary_cross_entropy(x, torch.sigmoid(u), reduction="none") if inside else torch.full_like(x, torch.nan)


NEAR = 2e-3  # largest distance from a formula, relative to the range of the loss
TERMS: dict[str, Term] = {
    "bernoulli": lambda u, x: F.binary_cross_entropy_with_logits(u, x, reduction="none"),
    "squares": lambda u, x: (u - x) ** 2,
    "squares of a sigmoid": lambda u, x: (torch.sigmoid(u) - x) ** 2,
    "squares of a tanh": lambda u, x: (torch.tanh(u) - x) ** 2,
    "squares of a relu": lambda u, x: (torch.relu(u) - x) ** 2,
    "absolute": lambda u, x: (u - x).abs(),
    "absolute of a sigmoid": lambda u, x: (torch.sigmoid(u) - x).abs(),
    "absolute of a tanh": lambda u, x: (torch.tanh(u) - x).abs(),
    "sigmoid twice": _twice,
    "half": _half,
    "dark sign": _dark_sign,
    "squares of a sigmoid twice": lambda u, x: (torch.sigmoid(torch.sigmoid(u)) - x) ** 2,
    "bernoulli of a tanh": lambda u, x: F.binary_cross_entropy_with_logits(torch.tanh(u), x, reduction="none"),
    "bernoulli of a relu": lambda u, x: F.binary_cross_entropy_with_logits(torch.relu(u), x, reduction="none"),
    "swapped": _swapped,
    "swapped logits": lambda u, x: F.binary_cross_entropy_with_logits(x, u, reduction="none"),
    "swapped and one sigmoid": lambda u, x: F.binary_cross_entropy_with_logits(x, torch.sigmoid(u), reduction="none"),
}


@dataclass
class Likelihood:
    """The term that fits, and its weight: the loss is weight * sum over images and pixels, plus a constant."""

    name: str | None
    weight: float
    hears: bool  # whether the loss changes with the picture at all
    target: Target | None = None  # what the pixels are compared with, where that could be read off
    cut: bool = False  # whether the loss changes with the picture and has no derivative there


def examine(anatomy: Anatomy, draw: Draw) -> Likelihood | None:
    """Put pictures in and fit; None where no picture was found, or there is no loss."""
    if anatomy.picture is None or anatomy.loss is None:
        return None
    shape = anatomy.value(anatomy.watch, anatomy.picture)
    x = anatomy.x.detach().to("cpu", torch.float64)
    g = torch.Generator().manual_seed(5)
    answers = [p for p in (draw.location, draw.scale, *draw.idle) if p is not None]
    still = {p: constant(BASE) for p in answers}  # so that the KL is small, and the same
    pictures = [torch.full(shape.shape, c, dtype=torch.float64, device="cpu") for c in (-1.5, -0.5, 0.0, 0.4, 1.0, 2.0)]
    pictures += [torch.randn(shape.shape, generator=g, dtype=torch.float64, device="cpu") * c for c in (0.5, 1.0, 2.0)]
    prices = torch.tensor(
        [anatomy.price(still | {anatomy.picture: lambda t, u=u: u.to(t)}) for u in pictures],
        dtype=torch.float64,
        device="cpu",
    )
    if not prices.isfinite().all():
        return Likelihood(None, float("nan"), True)
    size = prices.abs().max()
    if (prices.max() - prices.min()) <= 1e-6 * (1e-6 + size):
        return Likelihood(None, 0.0, False)
    found: list[tuple[float, str, float]] = []
    for name, term in TERMS.items():
        wanted = torch.stack([term(u.reshape(x.shape), x).sum() for u in pictures])
        if not wanted.isfinite().all():
            continue
        weight, rest = line(wanted, prices)
        found.append((rest, name, weight))
    rest, name, weight = min(found)
    read = target.read(anatomy, still)
    cut = read is None and target.silent(anatomy, still)
    if rest < NEAR:
        return Likelihood(name, weight, True, read, cut)
    if read is None or read.common is None:
        return Likelihood(None, float("nan"), True, read, cut)
    return Likelihood(read.family, read.common, True, read, cut)
