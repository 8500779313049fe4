"""Whether the KL pulls as its value says: its derivatives against what it gives for neighbouring answers.

Of an estimate by draws, the noise is as many 1 as -1, so that its derivatives are those of its mean; where no noise can
be put in, only a derivative that is 0 everywhere is told.
"""

from __future__ import annotations

import torch

from vae_lab.diagnosis.anatomy import OTHER, Anatomy, Place, constant
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.divergence import held_noise
from vae_lab.diagnosis.draw import Draw
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.watch import Change

STEP = 0.05
APART = 0.3  # relative: far above the error of a difference of two prices


def examine(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    """Put constants in for the encoder's answers, the picture held still, and compare."""
    noise = held_noise(anatomy)
    held = anatomy.picture_held() | noise
    exact = bool(noise) or anatomy.price(_flat(anatomy, held), 0) == anatomy.price(_flat(anatomy, held), 1)
    pairs = []
    for place in (draw.location, draw.scale):
        if place is None:
            continue
        numbers = torch.full_like(anatomy.value(anatomy.watch, place), OTHER).detach()
        _, loss, leaf = anatomy.with_leaf(place, numbers, _flat(anatomy, held, place))
        if loss is None or leaf is None:
            return []
        slope = torch.autograd.grad(loss, leaf, allow_unused=True)[0] if loss.requires_grad else None
        low, high = (anatomy.price(_flat(anatomy, held) | {place: constant(OTHER + d)}) for d in (-STEP, STEP))
        pairs.append((0.0 if slope is None else float(slope.sum()), (high - low) / (2 * STEP), slope))
    if all(slope is None or not bool(slope.any()) for _, _, slope in pairs):
        seen = "its value changes with mu and sigma, and its derivatives are 0 or missing"
        return [finding("kl_without_gradient", seen)]
    largest = max(abs(wanted) for _, wanted, _ in pairs)
    for name, (came, wanted, _) in zip(("mu", "the spread"), pairs, strict=False):
        if exact and abs(wanted) > 0.1 * largest and abs(came - wanted) > APART * abs(wanted):
            seen = f"with respect to {name}, its derivative is {came / wanted:.2f} times what its values say"
            return [finding("kl_gradient", seen)]
    return []


def _flat(anatomy: Anatomy, held: dict[Place, Change], but: Place | None = None) -> dict[Place, Change]:
    return {p: constant(OTHER) for p in anatomy.heads if p != but} | held
