"""The KL term: the picture is held still, and the loss is watched while mean and spread of q(z|x) are changed.

The loss must then be weight * KL(N(m, s^2) || N(0, 1)) + constant, in the m and s that z really has (`draw.measure`).
Which formula of a known mistake fits instead says what the mistake is. A term with a Monte Carlo estimate is averaged
over many rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_lab.diagnosis.anatomy import Anatomy, Place, constant
from vae_lab.diagnosis.draw import Draw, measure
from vae_lab.diagnosis.lines import line

Formula = Callable[[Tensor, Tensor], Tensor]  # (m, s) -> nats per latent dimension


def _kl(m: Tensor, v: Tensor) -> Tensor:
    return 0.5 * (m**2 + v - 1 - v.log())


FORMULAS: dict[str, Formula] = {
    "right": lambda m, s: _kl(m, s**2),
    "variance for spread": lambda m, s: _kl(m, s),  # z is spread by what the KL takes for the variance
    "root of the spread": lambda m, s: _kl(m, s**4),
    "log without its half": lambda m, s: 0.5 * (m**2 + s**2 - 1 - s.log()),
    "log twice": lambda m, s: 0.5 * (m**2 + s**2 - 1 - 4 * s.log()),
    "spread for variance": lambda m, s: 0.5 * (m**2 + s - 1 - 2 * s.log()),
    "sign of the log": lambda m, s: 0.5 * (m**2 + s**2 - 1 + 2 * s.log()),
    "sign of mu": lambda m, s: 0.5 * (-(m**2) + s**2 - 1 - 2 * s.log()),
    "sign of the variance": lambda m, s: 0.5 * (m**2 - s**2 - 1 - 2 * s.log()),
    "sign of the variance and the log": lambda m, s: 0.5 * (m**2 - s**2 + 1 + 2 * s.log()),
    "no mu": lambda m, s: _kl(0 * m, s**2),
    "no variance": lambda m, s: 0.5 * (m**2 - 1 - 2 * s.log()),
    "no log": lambda m, s: 0.5 * (m**2 + s**2 - 1),
    "mu alone": lambda m, s: 0.5 * m**2 + 0 * s,
    "mu not squared": lambda m, s: 0.5 * (m + s**2 - 1 - 2 * s.log()),
    "mu as it is": lambda m, s: 0.5 * (m.abs() + s**2 - 1 - 2 * s.log()),
    "reversed": lambda m, s: 0.5 * ((1 + m**2) / s**2 - 1 + 2 * s.log()),
    "mu halved": lambda m, s: 0.5 * (0.5 * m**2 + s**2 - 1 - 2 * s.log()),
    "mu twice": lambda m, s: 0.5 * (2 * m**2 + s**2 - 1 - 2 * s.log()),
}
# Where z does not tell the spread (no noise): what the second answer may mean.
MEANINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "logvar": lambda r: torch.exp(r / 2),
    "log sigma": torch.exp,
    "softplus": torch.nn.functional.softplus,
    "sigma": torch.abs,
}


NEAR, NEAR_BY_CHANCE = 0.02, 0.06  # largest distance from a formula, relative; without and with chance in m and s


@dataclass
class Divergence:
    """The formula that fits, and its weight; None where none does."""

    name: str | None
    weight: float
    smallest: tuple[float, float, float, float] | None = None  # m, s, what the term gave over m = 0, s = 1, wanted


def examine(anatomy: Anatomy, draw: Draw, weight: float) -> Divergence | None:
    """Fit the KL term. `weight` is that of the likelihood, to express the smallest case in nats."""
    if anatomy.loss is None or draw.location is None or anatomy.picture is None:
        return None
    second = draw.scale or (draw.idle[0] if draw.idle else None)
    price, m, s, answer = _observe(anatomy, draw, draw.location, second)
    if not price.isfinite().all():
        return Divergence(None, float("nan"))
    if float(price.max() - price.min()) <= 1e-7 * (1e-6 + float(price.abs().max())):
        return Divergence("none", 0.0)
    near = NEAR if not draw.noisy or anatomy.noise() is not None else NEAR_BY_CHANCE
    rounding = 1e-6 * float(price.abs().max() / (price.max() - price.min()))  # of a term that hardly counts
    near = max(near, min(rounding, 0.3))
    readings = [s] if draw.scale is not None else [f(answer) for f in MEANINGS.values()]
    if second is None:
        readings = [torch.ones_like(m)]
    for name, formula in FORMULAS.items():
        for reading in readings:
            fitted, rest = _fit(formula(m, reading), price)
            if rest < near and not (name.startswith(("no ", "mu alone")) and _all_three(m, reading, price, rest)):
                return Divergence(name, fitted)
    if draw.scale is not None and draw.noisy:
        for meaning, f in MEANINGS.items():  # the KL may be right for what it takes the second answer for
            fitted, rest = _fit(_kl(m, f(answer) ** 2), price)
            if rest < near:
                return Divergence(f"right for {meaning}", fitted)
    return Divergence(None, float("nan"), _smallest(price, m, readings[0], weight))


def _all_three(m: Tensor, s: Tensor, price: Tensor, rest: float) -> bool:
    """Whether all three terms of a KL are there, one with a small weight, where one seems to be missing.

    A prior N(0, 0.1^2) makes mu^2 and sigma^2 a hundred times as heavy, and log sigma^2 is still there.
    """
    if not (s > 0).all():
        return False
    terms = torch.stack([m**2, s**2, s.log(), torch.ones_like(m)], -1)
    weights = torch.linalg.lstsq(terms, price[:, None], driver="gelsd").solution[:, 0]
    left = float((terms @ weights - price).abs().max() / (price.max() - price.min()))
    return left < 0.05 * rest and bool((weights[:3].abs() > 1e-3 * weights[:3].abs().max()).all())


def _observe(anatomy: Anatomy, draw: Draw, first: Place, second: Place | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Price per latent entry, and z's mean and spread, for a grid of the encoder's answers; and the second answer."""
    held = anatomy.picture_held()
    rows = []
    noise = anatomy.noise() if anatomy.drawn_apart() else None
    for a in (0.0, 0.7, -1.3, 2.0):
        for b in (-1.6, -0.6, 0.4, 1.2):
            values = {first: a} | ({second: b} if second is not None else {})
            changes = {place: constant(c) for place, c in values.items()} | held
            if noise is not None:  # so that an estimate of the KL by Monte Carlo is exact, too
                changes[noise] = _balanced
            seeds = range(8 if draw.noisy and noise is None else 1)
            price = sum(anatomy.price(changes, seed) for seed in seeds) / len(seeds)
            mean, spread = measure(anatomy, values) if draw.noisy else (a, float("nan"))
            rows.append((price, mean, spread, b))
    price, mean, spread, answer = torch.tensor(rows, dtype=torch.float64, device="cpu").T
    return price / anatomy.value(anatomy.watch, first).numel(), mean, spread, answer


def _fit(wanted: Tensor, price: Tensor) -> tuple[float, float]:
    """Weight and distance of a formula; infinitely far where it says nothing about these cases."""
    if not wanted.isfinite().all() or float(wanted.max() - wanted.min()) < 1e-9:
        return float("nan"), float("inf")
    return line(wanted, price)


def _balanced(noise: Tensor) -> Tensor:
    """As many 1 as -1: mean 0 and variance 1 exactly."""
    signs = torch.ones(noise.numel(), dtype=noise.dtype, device=noise.device)
    signs[::2] = -1
    return signs.reshape(noise.shape)


def _smallest(y: Tensor, m: Tensor, s: Tensor, weight: float) -> tuple[float, float, float, float] | None:
    """A case to redo by hand: the step from the point nearest to (0, 1) to the one nearest to (1, 1)."""
    if not weight or weight != weight:
        return None
    zero = int((m.abs() + (s - 1).abs()).argmin())
    far = (m - m[zero]).abs() + 3 * (s - s[zero]).abs()
    one = int(torch.where(m != m[zero], far, torch.inf).argmin())
    wanted = _kl(m[one], s[one] ** 2) - _kl(m[zero], s[zero] ** 2)
    return float(m[one]), float(s[one]), float((y[one] - y[zero]) / weight), float(wanted)
