"""The draw of z: whether there is noise, of the right kind, with the encoder's spread, and the gradient passes.

Constants are put in for the encoder's answers. Then z = m + s * noise for all images alike, and the mean m and the
spread s are read off, for as many answers as wanted; no name of a variable and no formula is trusted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from vae_lab.diagnosis.anatomy import BASE, OTHER, Anatomy, Place, constant
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.lines import factor
from vae_lab.diagnosis.watch import Change

ENOUGH = 6000  # draws that are looked at


@dataclass
class Draw:
    """What was found out about z."""

    movers: list[Place] = field(default_factory=list)  # the answers that move z
    scale: Place | None = None  # the answer that spreads it
    idle: list[Place] = field(default_factory=list)  # answers that do nothing to z
    noisy: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def location(self) -> Place | None:
        """The answer that moves z: the first of them."""
        return self.movers[0] if self.movers else None

    @property
    def two_means(self) -> bool:
        """Whether there are two answers, and both move z where one should spread it."""
        return self.scale is None and len(self.movers) == 2


def measure(anatomy: Anatomy, values: dict[Place, float]) -> tuple[float, float]:
    """Mean and spread of z with constants for the encoder's answers, without chance where the noise was seen."""
    zs, noises = _sample(anatomy, values)
    # a mean of its own in each dimension is taken off: the factor is the same
    if noises is not None and (slope := factor(noises - noises.mean(0), zs - zs.mean(0))) is not None:
        return float(zs.double().mean() - slope * noises.double().mean()), float(slope.abs()) * _size(noises)
    return float(zs.double().mean()), float(zs.double().std())


def _size(noise: Tensor) -> float:
    """The spread of the noise: 1, unless it is at least five standard errors away from that (torch.normal(0, 0.1))."""
    spread = float(noise.double().std())
    return 1.0 if abs(spread - 1) < 5 / math.sqrt(2 * noise.numel()) else spread


def _sample(anatomy: Anatomy, values: dict[Place, float]) -> tuple[Tensor, Tensor | None]:
    changes = {place: constant(c) for place, c in values.items()}
    zs: list[Tensor] = []
    noises: list[Tensor] = []
    while sum(z.numel() for z in zs) < ENOUGH and len(zs) < 12:
        z, noise = anatomy.z_with(changes, seed=len(zs))
        zs.append(z)
        if noise is not None:
            noises.append(noise)
        if noise is not None and len(zs) == 1 and z.numel() > 50:
            break
    return torch.cat(zs), torch.cat(noises) if len(noises) == len(zs) else None


def examine(anatomy: Anatomy) -> Draw:
    """Find the roles of the encoder's answers, and what is wrong with the draw."""
    draw = Draw()
    flat = dict.fromkeys(anatomy.heads, BASE)
    m0, s0 = measure(anatomy, flat)
    alike = _one_answer(anatomy)
    both = alike  # whether one answer moves z and spreads it
    for place in anatomy.heads:
        m, s = measure(anatomy, flat | {place: OTHER})
        moved, spread = abs(m - m0), abs(s - s0)
        if moved > 0.05 and (moved > spread or draw.location is None):
            draw.movers.append(place)
            both = both or spread > 0.05 * s0 + 1e-6
        elif spread > 0.05 * (s0 + 1e-6):
            draw.scale = draw.scale or place
        else:
            draw.idle.append(place)
    changes = {place: constant(BASE) for place in anatomy.heads}
    first, again = anatomy.z_with(changes, 0)[0], anatomy.z_with(changes, 1)[0]
    many = torch.cat([anatomy.z_with(changes, seed)[0] for seed in range(max(2, min(40, 2 * ENOUGH // first.numel())))])
    rows = first.reshape(len(anatomy.x), -1) if first.numel() % len(anatomy.x) == 0 else first
    over_rows, over_seeds = float(rows.std(0).max()), float((first - again).abs().max())
    draw.noisy = max(over_rows, over_seeds) > 1e-6
    if not draw.noisy:
        draw.findings.append(_without_noise(anatomy))
        return draw
    if over_seeds <= 1e-6:
        draw.findings.append(finding("fixed_noise", "two passes with different seeds give the same z"))
    elif over_rows <= 1e-6:
        draw.findings.append(finding("shared_noise", "with equal mu and sigma, z is the same in every row"))
    elif rows.shape[1] > 1 and float(rows.std(1).max()) <= 1e-6:
        draw.findings.append(finding("one_noise_per_image", "with equal mu and sigma, the entries of each z are equal"))
    elif copies := _repeated_entries(rows):
        draw.findings.append(copies)
    elif strange := _not_normal(many):
        draw.findings.append(strange)
    elif rows.shape[0] == len(anatomy.x) and len(rows.unique(dim=0)) <= 0.75 * len(rows):
        seen = f"with equal mu and sigma, only {len(rows.unique(dim=0))} of {len(rows)} rows of z differ"
        draw.findings.append(finding("repeated_noise", seen))
    elif both and (draw.scale is None or alike) and anatomy.drawn_apart():
        draw.findings.append(finding("one_answer", "what moves the mean of z spreads it, too, and nothing else does"))
    elif draw.two_means and (told := _two_means(anatomy, draw)):
        draw.findings += told
    elif draw.location is None and draw.scale is None and len(draw.idle) > 1 and not anatomy.matrix:
        draw.findings.append(finding("prior_draw", "z is the same for every mu and every spread of the encoder"))
    elif draw.scale is None and draw.idle:
        draw.findings += _unheard(anatomy, draw, "spread_ignored")
    elif draw.location is None and draw.scale is not None and draw.idle:
        draw.findings += _unheard(anatomy, draw, "mean_ignored")
    draw.findings += _gradients(anatomy, draw)
    return draw


def _one_answer(anatomy: Anatomy) -> bool:
    """Whether there are two answers, and both say the same of every image."""
    said = [anatomy.value(anatomy.watch, place).detach().flatten() for place in anatomy.heads]
    return len(said) == 2 and torch.equal(*said) and float(said[0].std()) > 1e-6


def _repeated_entries(rows: Tensor) -> Finding | None:
    """Whether some entries of every z are equal, where the answers are: noise that was spread over positions."""
    if rows.ndim != 2 or len(rows) < 16:
        return None
    entries, different = rows.shape[1], len(rows.T.unique(dim=0))
    told = f"with equal mu and sigma, only {different} of {entries} entries of each z differ"
    return finding("repeated_entries", told) if different <= 0.75 * entries else None


def _two_means(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    """What two answers do that both move z: their product, or a sum, where the loss tells the two apart."""
    flat = dict.fromkeys(anatomy.heads, BASE)
    one, two = draw.movers
    means = {(a, b): measure(anatomy, flat | {one: a, two: b})[0] for a in (BASE, OTHER) for b in (BASE, OTHER)}
    if _multiplied(means):
        seen = "each of the encoder's two answers moves the mean of z, in proportion to the other, and none spreads it"
        return [finding("mean_scaled", seen)]
    if _told_apart(anatomy, draw.movers, means) and _one_factor(anatomy):
        return [finding("spread_ignored", "each of the encoder's two answers moves the mean of z, and none spreads it")]
    return []


def _multiplied(m: dict[tuple[float, float], float]) -> bool:
    """Whether the mean of z is a product of two answers, or of functions of them, and no sum."""
    together = m[OTHER, OTHER] - m[OTHER, BASE] - m[BASE, OTHER] + m[BASE, BASE]
    return abs(together) > 0.1 * abs(m[OTHER, OTHER] - m[BASE, BASE])


def _told_apart(anatomy: Anatomy, places: list[Place], means: dict[tuple[float, float], float]) -> bool:
    """Whether the loss, the picture held still, changes when the mean of z is the same sum of two other answers."""
    if anatomy.loss is None or anatomy.picture is None:
        return False
    flat = dict.fromkeys(anatomy.heads, BASE)
    one, two = places
    start, up, beside = means[BASE, BASE], means[OTHER, BASE], means[BASE, OTHER]
    if up == start:
        return False
    against = BASE - (OTHER - BASE) * (beside - start) / (up - start)
    told = [{}, {one: OTHER}, {one: against, two: OTHER}]
    held = anatomy.picture_held()
    prices = [anatomy.price({p: constant(c) for p, c in (flat | more).items()} | held) for more in told]
    return abs(prices[2] - prices[0]) > 1e-2 * abs(prices[1] - prices[0])


def _unheard(anatomy: Anatomy, draw: Draw, name: str) -> list[Finding]:
    """Why z does not change with an answer that is one number everywhere: numbers of several kinds are put in."""
    flat: dict[Place, Change] = {place: constant(BASE) for place in anatomy.heads}
    still = anatomy.z_with(flat)[0]
    for place in draw.idle:
        moves = []
        for over in (0, -1):  # from image to image, from dimension to dimension
            varied = anatomy.z_with(flat | {place: partial(_ramp, over=over)})[0]
            moves.append(float((varied - still).abs().max()) > 1e-3 * (1e-6 + float(still.std())))
        if moves == [True, False]:
            seen = "one number for all images does nothing to z, whatever the number; different ones do"
            return [finding("answer_of_batch", seen)]
        if any(moves):  # a normalisation over the latent dimensions
            return [] if name == "spread_ignored" else _one_sign(anatomy, place)
    if name == "spread_ignored" and not _one_factor(anatomy):
        return []
    if name == "spread_ignored" and draw.location is not None and not _priced(anatomy, draw.idle):
        return [finding("constant_sigma", "neither z nor the loss changes with the layer of logvar")]
    if name == "spread_ignored":
        return [finding(name, "the spread of z is the same for every answer of the encoder")]
    return [finding(name, "the mean of z is the same for every answer of the encoder")]


def _one_sign(anatomy: Anatomy, place: Place) -> list[Finding]:
    """Whether the mean of z keeps its sign behind a normalisation that makes no difference of one number everywhere."""
    if (noise := anatomy.noise()) is None or not anatomy.drawn_apart():
        return []
    g = torch.Generator().manual_seed(4)
    far = {place: lambda t: 20 * torch.randn(t.shape, generator=g, device="cpu").to(t), noise: torch.zeros_like}
    mean = anatomy.z_with(far)[0]
    low, high = float(mean.min()), float(mean.max())
    if low < -1e-2 and high > 1e-2:
        return []
    return [finding("one_sided_mu", f"driven from -20 to 20, mu goes from {low:.3g} to {high:.3g}")]


def _ramp(t: Tensor, over: int) -> Tensor:
    """Numbers from -1 to 1 along one axis."""
    shape = [1] * t.ndim
    shape[over] = t.shape[over]
    return torch.linspace(-1, 1, t.shape[over]).to(t).reshape(shape).expand(t.shape).clone()


def _priced(anatomy: Anatomy, places: list[Place]) -> bool:
    """Whether the loss changes with one of these answers, the rest held still; True where it cannot be seen."""
    if anatomy.loss is None or anatomy.picture is None:
        return True
    flat = {p: constant(BASE) for p in anatomy.heads} | anatomy.picture_held()
    first = anatomy.price(flat)
    others = [anatomy.price(flat | {p: constant(c)}) for p in places for c in (-1.0, OTHER)]
    return any(abs(other - first) > 1e-6 * (1e-6 + abs(first)) for other in others)


def _one_factor(anatomy: Anatomy) -> bool:
    """Whether one number, and no tensor of another shape, multiplies the noise of every entry."""
    zs, noises = _sample(anatomy, dict.fromkeys(anatomy.heads, BASE))
    return noises is None or factor(noises, zs) is not None


def _without_noise(anatomy: Anatomy) -> Finding:
    prices = [[anatomy.again({}, seed, mode)[1] for seed in (0, 1)] for mode in ("train", "eval")]
    told = [None in pair or bool(pair[0] != pair[1]) for pair in prices]
    if told == [False, True]:
        return finding("noise_in_eval_only", "the loss is the same for every seed in train mode, and not in eval mode")
    return finding("no_noise", "z is the same for every seed, whatever spread the encoder gives")


def _not_normal(many: Tensor) -> Finding | None:
    """Four moments against those of a normal distribution, at eight standard errors."""
    z = many.reshape(len(many), -1).double()
    if len(z) < 100:  # too few for a mean and a spread of each entry, which may differ
        z = z.flatten()[:, None]
    z = z[:, z.std(0) > 1e-6]
    e = (z - z.mean(0)) / z.std(0)
    kurtosis, skew, n = float((e**4).mean()), float((e**3).mean()), z.numel()
    if n < 500 or (abs(kurtosis - 3) < 8 * math.sqrt(24 / n) and abs(skew) < 8 * math.sqrt(6 / n)):
        return None
    uniform = abs(kurtosis - 1.8) < 0.1
    return finding(
        "noise_not_normal",
        f"kurtosis {kurtosis:.2f}, skewness {skew:.2f} of {n} draws with equal mu and sigma; normal noise has 3 and 0",
        "it is uniform (torch.rand for torch.randn)" if uniform else "",
    )


def _gradients(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    """Whether a gradient of the picture, or of z, comes back to the encoder's answers."""
    target = anatomy.z_tensor
    if anatomy.picture is not None:
        target = anatomy.value(anatomy.watch, anatomy.picture)
    places = [p for p in (draw.location, draw.scale) if p is not None]
    tensors = [anatomy.value(anatomy.watch, p) for p in places]
    asked = [t for t in tensors if t.requires_grad]
    reached: dict[Place, bool] = dict.fromkeys(places, False)
    if target is not None and target.requires_grad and asked:
        weights = torch.linspace(0.5, 1.5, target.numel()).reshape(target.shape).to(target)
        grads = torch.autograd.grad((target * weights).sum(), asked, allow_unused=True, retain_graph=True)
        got = {id(t): g is not None and bool((g != 0).any()) for t, g in zip(asked, grads, strict=True)}
        reached = {p: got.get(id(t), False) for p, t in zip(places, tensors, strict=True)}
    modules = anatomy.doors.modules  # none, where encoder and decoder are functions of tensors
    learned = not modules or any(p.requires_grad for m in modules for p in m.parameters())
    if not learned or not places:
        return []
    if draw.location is not None and not reached[draw.location]:
        if not any(t.requires_grad for t in tensors) or not _loss_reaches(anatomy, asked):
            return [finding("encoder_without_gradient", "in a training pass, no gradient arrives at mu or the spread")]
        seen = "the gradient of the decoder's result with respect to mu is zero or missing, though z follows mu"
        return [finding("cut_sample", seen)]
    if draw.scale is not None and not reached[draw.scale]:
        seen = "z changes with the spread that the encoder gives, and its gradient there is zero or missing"
        return [finding("cut_spread", seen)]
    return []


def _loss_reaches(anatomy: Anatomy, tensors: list[Tensor]) -> bool:
    """Whether the loss, through any of its terms, has a gradient at the tensors."""
    if anatomy.loss is None:
        return True
    if not anatomy.loss.requires_grad:
        return False
    grads = torch.autograd.grad(anatomy.loss, tensors, allow_unused=True, retain_graph=True)
    return any(g is not None and bool((g != 0).any()) for g in grads)
