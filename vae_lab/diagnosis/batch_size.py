"""Whether the weight between the two terms of the loss changes with the number of images: a mean beside a sum does."""

from __future__ import annotations

import math

from vae_lab.diagnosis import divergence, draw, likelihood
from vae_lab.diagnosis.anatomy import Anatomy

NEAR = 0.1  # of the power of the number of images


def power(anatomy: Anatomy, beta: float) -> int:
    """The power of the number of images to which `beta`, measured with all of them, goes: 1, 0 or -1.

    Half of the images are looked at as all of them were. 0 where that cannot be told.
    """
    rows = len(anatomy.x)
    if rows < 4 or not math.isfinite(beta) or beta == 0:
        return 0
    half = Anatomy(anatomy.doors, anatomy.x[: rows // 2])
    if half.z is None or half.loss is None:
        return 0
    z = draw.examine(half)
    terms = likelihood.examine(half, z)
    kl = divergence.examine(half, z, terms.weight) if terms is not None else None
    if terms is None or kl is None or not terms.weight or not math.isfinite(kl.weight / terms.weight):
        return 0
    ratio = beta / (kl.weight / terms.weight)
    if ratio <= 0:
        return 0
    found = math.log(ratio, rows / (rows // 2))
    return round(found) if abs(found - round(found)) < NEAR and abs(found) < 1.5 else 0
