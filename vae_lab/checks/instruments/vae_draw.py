"""How a VAE's forward samples, seen from outside.

For hundreds of copies of one image, its logits must be distributed as decode(mu + exp(logvar / 2) * eps) is for noise
of the check's own, and lie as far from each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.noise import examine
from vae_lab.checks.instruments.probe import PIXELS
from vae_lab.checks.instruments.sampler import (
    CANCELLING,
    COMMON_SIZE,
    NO_NOISE,
    NOT_NORMAL,
    PARTLY_SHARED,
    SHARED,
    device,
    is_close,
)
from vae_lab.checks.instruments.spread import UNIFORM, VARIANCE_FOR_SIGMA
from vae_lab.checks.instruments.statistics import ALPHA
from vae_lab.checks.messages import Misconception, fail, require_parts

COPIES = 800

SPREAD_ONE = Misconception("logvar is not used in the draw: the spread of z is 1.", "reparameterization")
EVAL_MEAN = Misconception(
    "z is drawn in training mode only; forward draws in training and in evaluation mode alike.", "reparameterization"
)
KEPT_NOISE = Misconception(
    "the same noise serves every image in every call: it was drawn once, in __init__ or outside of the class.",
    "reparameterization",
)
DECODER_SIGMOID = Misconception("decode puts out logits, any real numbers; sigmoid comes later.", "notation")
TIMES = tuple(1.3**power for power in range(-12, 13) if power)


def _spread_out(model: Any, x: Tensor) -> Tensor:
    """The images, scaled such that their largest logvar comes nearest to 3, so that sigma and sigma^2 differ.

    An encoder bends: a step towards 3 may lead far below 0, where a draw shows no more. So the nearest is kept.
    """
    nearest, least = x, math.inf
    for scale in (sign * 4.0**power for power in range(11) for sign in (1, -1)):
        tried = x * scale
        for _ in range(2):
            peak = float(model.encode(tried)[1].detach().max())
            if abs(peak - 3) < least:
                nearest, least = tried, abs(peak - 3)
            if least < 0.5:
                return nearest
            if not 1 < peak < 30:
                break
            tried = tried * (3 / peak)
    return nearest


def check_draw(task: str, model: Any, latent_dim: int) -> None:
    """The logits of forward against those of our own draws, for an image whose logvar is large."""
    x = _spread_out(model, torch.rand(64, PIXELS, device=device()))
    row = int(model.encode(x)[1].detach().max(1).values.argmax())
    mu, logvar = (t.detach()[row] for t in model.encode(x))
    copies = x[row].repeat(COPIES, 1)
    first = require_parts(task, model(copies), ("logits", "mu", "logvar"))[0].detach()
    again = require_parts(task, model(copies), ("logits", "mu", "logvar"))[0].detach()
    if is_close(first, again):
        constant = is_close(first, first[:1].expand_as(first))
        kept = constant and not is_close(first[:1], model.decode(mu[None]).detach())
        still = EVAL_MEAN if _draws_in_training(model, copies) else KEPT_NOISE if kept else NO_NOISE
        why = still if constant else SHARED["call"]
        fail(task, "in evaluation mode, forward gives the same logits twice.", "Wanted a new draw of z.", why)
    if is_close(first, first[:1].expand_as(first)):
        fail(task, "all rows of a batch of equal images have equal logits.", "Wanted a draw each.", SHARED["row"])
    with torch.no_grad():
        unseen = [require_parts(task, model(copies), ("logits", "mu", "logvar"))[0] for _ in range(2)]
    if is_close(*unseen):
        fail(task, "under torch.no_grad(), forward gives the same logits twice.", "Wanted a draw, there as well.")
    eps = torch.randn(COPIES, latent_dim, device=device())
    sigma = torch.exp(logvar / 2)

    limit = math.sqrt(math.log(2.2 / ALPHA) / COPIES)

    def apart(z: Tensor, seen: Tensor = first) -> bool:
        return _distance(seen, model.decode(z).detach()) > limit

    if apart(mu + sigma * eps):
        guesses: list[tuple[Callable[[Tensor, Tensor], Tensor], Misconception]] = [
            (lambda m, s: m + s.square() * eps, VARIANCE_FOR_SIGMA),
            (lambda m, s: m + eps, SPREAD_ONE),
            (lambda m, s: m + s * torch.rand_like(eps), UNIFORM),
        ]
        line = model.decode(mu + sigma * eps[:, :1]).detach()
        if latent_dim > 1 and 0.5 < _nearest(first) / max(_nearest(line), 1e-12) < 2:
            guesses.append((lambda m, s: m + s * eps[:, :1], SHARED["dimension"]))
        other = torch.rand(1, PIXELS, device=device())  # two mistakes may have one spread in one place
        there, (m, v) = model(other.repeat(COPIES, 1))[0].detach(), (t.detach()[0] for t in model.encode(other))
        fitting = [why for z, why in guesses if not apart(z(mu, sigma)) and not apart(z(m, torch.exp(v / 2)), there)]
        mistake = fitting[0] if fitting else None
        if mistake is not None:
            fail(task, "forward decodes z from another distribution than N(mu, sigma^2).", "Wanted that.", mistake)
        if _distance(first, torch.sigmoid(model.decode(mu + sigma * eps)).detach()) <= limit:
            fail(task, "forward gives sigmoid(decode(z)).", "Wanted decode(z), the logits.", DECODER_SIGMOID)
        times = next((c for c in TIMES if not apart(mu + c * sigma * eps)), None)
        seen = "forward's logits are not distributed as decode(z) is for z from N(mu, sigma^2)."
        seen += "" if times is None else f" They are as for about {times:.2g} times the spread."
        fail(task, seen, "Wanted decode(z), as it is, of such a z.")
    _check_apart(task, first, *(model.decode(mu + sigma * e).detach() for e in (eps, eps[:, :1].expand_as(eps))))


def check_noise_of_one(task: str, model: Any) -> None:
    """With one latent, which eps forward drew for each copy of an image can be read off its logits; it must be N(0, 1).

    The logits of a fine grid of z are a curve, and the nearest point on it tells z. Where that does not work for draws
    of the check's own (a decoder that is flat somewhere), nothing is judged.

    Args:
        task: the name of the student's class.
        model: an object of it with one latent, in evaluation mode.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 1.7e-7 (see `noise.examine`).
    """
    x = torch.rand(1, PIXELS, device=device())
    mu, logvar = (t.detach()[0] for t in model.encode(x))
    sigma, grid = torch.exp(logvar / 2), torch.linspace(-6.5, 6.5, 2601, device=device())
    some = torch.randperm(PIXELS, device=device())[:64]  # enough to tell one z from another
    curve = model.decode(mu + sigma * grid[:, None]).detach()[:, some].double()

    def read(logits: Tensor) -> Tensor:
        distance = torch.cdist(logits[:, some].double(), curve, compute_mode="use_mm_for_euclid_dist")
        return grid[distance.argmin(1)]

    known = torch.cat([torch.randn(COPIES, device=device()), torch.linspace(-4.5, 4.5, 10, device=device())])
    if not bool(((read(model.decode(mu + sigma * known[:, None]).detach()) - known).abs() < 0.02).all()):
        return
    copies = x.repeat(COPIES, 1)
    calls = [require_parts(task, model(copies), ("logits", "mu", "logvar"))[0].detach() for _ in range(3)]
    eps = torch.stack([read(logits) for logits in calls])
    finding = examine(eps, ("call", "row"))
    if finding is None:
        return
    if finding.kind in {"shared", "cancelling"}:
        word = "cancels" if finding.kind == "cancelling" else "is shared"
        why = CANCELLING if finding.kind == "cancelling" else PARTLY_SHARED
        fail(task, f"forward's noise {word} along the axis '{finding.axis}'.", "Wanted independent noise.", why)
    if finding.kind == "sizes":
        seen = f"forward's noise shares its size along the axis '{finding.axis}'."
        fail(task, seen, "Wanted independent noise.", COMMON_SIZE)
    if finding.kind in {"shape", "tails"}:
        seen = "forward's noise has spread 1, but it is not normal."
        fail(task, seen, "Wanted z from N(mu, sigma^2).", NOT_NORMAL)
    seen = f"forward's noise has mean {float(eps.mean()):.2f} and spread {float(eps.std()):.2f}."
    fail(task, seen, "Wanted z from N(mu, sigma^2).")


def _check_apart(task: str, seen: Tensor, right: Tensor, shared: Tensor) -> None:
    """Independent noise fills a space; noise that dimensions or rows share puts draws on a line, or in one place.

    A right answer's median distance to the nearest other draw is that of our own up to a few per cent of 800 draws.

    Args:
        task: the name of the student's class.
        seen: logits of forward for copies of one image.
        right: of noise of our own.
        shared: of noise that has one number for all dimensions.
    """
    theirs, ours = _nearest(seen), _nearest(right)
    if theirs > 0.5 * ours:
        return
    line = 0.5 < theirs / max(_nearest(shared), 1e-12) < 2
    why = SHARED["row"] if theirs < 1e-4 * ours else SHARED["dimension"] if line else None
    fail(task, "forward's draws lie closer together than independent noise puts them.", "Wanted such noise.", why)


def _nearest(rows: Tensor) -> float:
    """The median distance from a row to the nearest other one."""
    rows = (rows - rows.mean(0)).double()
    distance = torch.cdist(rows, rows, compute_mode="use_mm_for_euclid_dist")
    return float(distance.fill_diagonal_(math.inf).min(1).values.median())


def _draws_in_training(model: Any, x: Tensor) -> bool:
    """Whether forward draws in training mode, and nothing else there does."""
    model.train()
    try:
        codes = [model.encode(x)[0].detach() for _ in range(2)]
        images = [model.decode(codes[0]).detach() for _ in range(2)]
        logits = [require_parts("VAE", model(x), ("logits", "mu", "logvar"))[0].detach() for _ in range(2)]
    finally:
        model.eval()
    return is_close(*codes) and is_close(*images) and not is_close(*logits)


def _distance(a: Tensor, b: Tensor) -> float:
    """The larger two-sample Kolmogorov distance of two projections of the rows.

    P(distance > t) <= 2.2 exp(-n t^2) for two samples of n each (Wei & Dudley 2012).
    """
    centre, direction = b.mean(0), torch.randn(b.shape[1], dtype=b.dtype, device=b.device)
    found = 0.0
    for project in (lambda rows: (rows - centre).norm(dim=1), lambda rows: rows @ direction):
        ours, theirs = project(a).sort().values, project(b).sort().values
        points = torch.cat([ours, theirs])
        share = [torch.searchsorted(s, points, right=True).double() / len(s) for s in (ours, theirs)]
        found = max(found, float((share[0] - share[1]).abs().max()))
    return found
