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

from vae_lab.diagnosis.anatomy import Anatomy, Place
from vae_lab.diagnosis.draw import Draw, measure
from vae_lab.diagnosis.likelihood import _line

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
    still = anatomy.value(anatomy.watch, anatomy.picture).detach().clone()
    spread = draw.scale or (draw.idle[0] if draw.idle else None)
    grid = [(a, b) for a in (0.0, 0.7, -1.3, 2.0) for b in (-1.6, -0.6, 0.4, 1.2)] if spread else [
        (a, 0.0) for a in (0.0, 0.4, 0.7, -1.3, 2.0, -2.5)
    ]  # fmt: skip
    prices, means, spreads, answers = [], [], [], []
    seeds = range(8 if draw.noisy else 1)
    for a, b in grid:
        values = {draw.location: a} | ({spread: b} if spread else {})
        changes = {p: (lambda t, c=c: torch.full_like(t, c)) for p, c in values.items()}
        changes[anatomy.picture] = lambda t: still.to(t)
        if (noise := anatomy.noise()) is not None:  # so that an estimate of the KL by Monte Carlo is exact, too
            changes[noise] = _balanced
            prices.append(anatomy.price(changes))
        else:
            prices.append(sum(anatomy.price(changes, seed) for seed in seeds) / len(seeds))
        m, s = measure(anatomy, values) if draw.noisy else (a, float("nan"))
        means.append(m), spreads.append(s), answers.append(b)
    y, m, s, r = (torch.tensor(t, dtype=torch.float64) for t in (prices, means, spreads, answers))
    if not y.isfinite().all():
        return Divergence(None, float("nan"))
    size = anatomy.value(anatomy.watch, draw.location).numel()
    y = y / size
    if float(y.max() - y.min()) <= 1e-7 * (1e-6 + float(y.abs().max())):
        return Divergence("none", 0.0)
    readings = {"": s} if draw.scale is not None else {n: f(r) for n, f in MEANINGS.items()} if spread else {"": m * 0 + 1}
    found = []
    for reading in readings.values():
        for rank, (name, formula) in enumerate(FORMULAS.items()):
            wanted = formula(m, reading)
            if wanted.isfinite().all() and float(wanted.max() - wanted.min()) > 1e-9:
                w, rest = _line(wanted, y)
                found.append((float(rest), rank, name, float(w)))
    if not any(rest < 0.02 for rest, *_ in found) and draw.scale is not None and draw.noisy:
        for meaning, f in MEANINGS.items():  # the KL may be right for what it takes the second answer for
            w, rest = _line(_kl(m, f(r) ** 2), y)
            if rest < 0.02:
                return Divergence(f"right for {meaning}", float(w))
    good = sorted((rank, rest, name, w) for rest, rank, name, w in found if rest < 0.02)
    if good:
        return Divergence(good[0][2], good[0][3])
    return Divergence(None, float("nan"), _smallest(y, m, next(iter(readings.values())), weight))


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
