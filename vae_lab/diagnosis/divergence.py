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

from vae_lab.diagnosis.anatomy import BASE, Anatomy, Place, constant
from vae_lab.diagnosis.draw import Draw, measure
from vae_lab.diagnosis.lines import line
from vae_lab.diagnosis.watch import Change

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
NEAR_WITHOUT_NOISE = 0.002  # where several readings of the second answer are tried


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
    near = NEAR if anatomy.noise() is not None else NEAR_BY_CHANCE
    near = near if draw.noisy else NEAR_WITHOUT_NOISE
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
    if draw.noisy and (fitted := _to_a_mean(m, s, price, near)):
        return Divergence("to a mean", fitted)
    return Divergence(None, float("nan"), _smallest(price, m, readings[0], weight))


def _to_a_mean(m: Tensor, s: Tensor, price: Tensor, near: float) -> float:
    """The weight of a KL to a prior N(c, 1) with another mean, c m less than that to N(0, 1); 0 if it is none."""
    if not (s > 0).all():
        return 0.0
    weights, left = _solved([_kl(m, s**2), m, torch.ones_like(m)], price)
    return float(weights[0]) if left < near else 0.0


def _all_three(m: Tensor, s: Tensor, price: Tensor, rest: float) -> bool:
    """Whether all three terms of a KL are there, one with a small weight, where one seems to be missing.

    A prior N(0, 0.1^2) makes mu^2 and sigma^2 a hundred times as heavy, and log sigma^2 is still there.
    """
    if not (s > 0).all():
        return False
    weights, left = _solved([m**2, s**2, s.log(), torch.ones_like(m)], price)
    return left < 0.05 * rest and bool((weights[:3].abs() > 1e-3 * weights[:3].abs().max()).all())


def _solved(terms: list[Tensor], price: Tensor) -> tuple[Tensor, float]:
    """The weights with which terms come nearest to the price, and how far away they leave it, relative to its range."""
    columns = torch.stack(terms, -1)
    weights = torch.linalg.lstsq(columns, price[:, None], driver="gelsd").solution[:, 0]
    return weights, float((columns @ weights - price).abs().max() / (price.max() - price.min()))


def held_noise(anatomy: Anatomy) -> dict[Place, Change]:
    """The change that makes an estimate of the KL by draws exact; none where no noise was drawn by itself."""
    noise = anatomy.noise() if anatomy.drawn_apart() else None
    return {} if noise is None else {noise: _balanced}


def _observe(anatomy: Anatomy, draw: Draw, first: Place, second: Place | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Price per latent entry, and z's mean and spread, for a grid of the encoder's answers; and the second answer."""
    held = anatomy.picture_held()
    rows = []
    noise = held_noise(anatomy)
    for a in (0.0, 0.7, -1.3, 2.0):
        for b in (-1.6, -0.6, 0.4, 1.2):
            values = dict.fromkeys(anatomy.heads, BASE) | {first: a} | ({second: b} if second is not None else {})
            changes = {place: constant(c) for place, c in values.items()} | held | noise
            seeds = range(8 if draw.noisy and not noise else 1)
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
    """As many 1 as -1, in place of noise: mean 0 and variance 1 exactly."""
    signs = torch.ones(noise.numel(), dtype=noise.dtype, device=noise.device)
    signs[::2] = -1
    return signs.reshape(noise.shape)


def _smallest(y: Tensor, m: Tensor, s: Tensor, weight: float) -> tuple[float, float, float, float] | None:
    """A case to redo by hand: from the point nearest to (0, 1) to the nearest other one at which the term is wrong."""
    if not weight or weight != weight:
        return None
    zero = int((m.abs() + (s - 1).abs()).argmin())
    far = (m - m[zero]).abs() + 3 * (s - s[zero]).abs()
    wanted, seen = _kl(m, s**2) - _kl(m[zero], s[zero] ** 2), (y - y[zero]) / weight
    wrong = (seen - wanted).abs() > 0.05 * wanted.abs() + 0.01
    others = wrong if bool(wrong.any()) else m != m[zero]
    one = int(torch.where(others, far, torch.inf).argmin())
    return float(m[one]), float(s[one]), float(seen[one]), float(wanted[one])
