"""What each pixel of the picture is compared with, and with what weight: read off the loss's derivatives.

Cross-entropy in the last layer's result u has the derivative w (sigmoid(u) - t), and squares of f(u) have
2 w f'(u) (f(u) - t). From a few pictures that were put in, w and t of every pixel follow, whatever the loss took for
its target: another image, other pixels, a part of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_lab.diagnosis.anatomy import Anatomy, Place
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.watch import Change

PICTURES = 4
NEAR = 2e-3  # relative: of what the derivatives may miss a family's straight line by
SAME = 1e-2  # pixels that differ by less are the same
FURTHEST = 1e4  # no pixel is compared with a larger number

Squeeze = Callable[[Tensor], Tensor]
FAMILIES: dict[str, Squeeze] = {
    "squares": lambda u: u,
    "squares of a sigmoid": torch.sigmoid,
    "squares of a tanh": torch.tanh,
    "bernoulli": torch.sigmoid,
}


@dataclass
class Target:
    """Of each pixel: its weight in the loss, and the number it is compared with (NaN where it has no weight)."""

    family: str
    weight: Tensor  # [B, P]
    value: Tensor  # [B, P]

    @property
    def heard(self) -> Tensor:
        """Which pixels of the picture the loss depends on, [B, P]."""
        return self.weight.abs() > 1e-4 * self.weight.abs().max()

    @property
    def common(self) -> float | None:
        """The one weight of all pixels that have any; None where they differ."""
        w = self.weight[self.heard]
        return float(w.mean()) if float((w - w.mean()).abs().max()) < 1e-2 * float(w.mean().abs()) else None


def read(anatomy: Anatomy, still: dict[Place, Change]) -> Target | None:
    """Find the family, the weights and the targets; None where no family fits, or a derivative is missing."""
    us, slopes = [], []
    g = torch.Generator().manual_seed(6)
    for k in range(PICTURES):
        u = torch.randn(anatomy.x.shape, generator=g, dtype=torch.float64, device="cpu") * (0.5 + 0.25 * k)
        slope = _slope(anatomy, still, u)
        if slope is None or not slope.isfinite().all():
            return None
        us.append(u.flatten(1))
        slopes.append(slope)
    u, y = torch.stack(us), torch.stack(slopes)
    if not float(y.abs().max()) > 0:
        return None
    for family, squeeze in FAMILIES.items():
        if (found := _fit(family, squeeze, u, y)) is not None:
            return found
    return None


def silent(anatomy: Anatomy, still: dict[Place, Change]) -> bool:
    """Whether the loss has no derivative with respect to the picture, or 0."""
    u = torch.randn(anatomy.x.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64, device="cpu")
    slope = _slope(anatomy, still, u)
    return slope is None or not bool(slope.any())


def _slope(anatomy: Anatomy, still: dict[Place, Change], u: Tensor) -> Tensor | None:
    """The loss's derivative with respect to the picture, at u."""
    assert anatomy.picture is not None
    _, loss, leaf = anatomy.with_leaf(anatomy.picture, u, still)
    if loss is None or not loss.requires_grad or leaf is None:
        return None
    (slope,) = torch.autograd.grad(loss, [leaf], allow_unused=True)
    return None if slope is None else slope.detach().to("cpu", torch.float64).reshape(anatomy.x.shape).flatten(1)


def _fit(family: str, squeeze: Squeeze, u: Tensor, y: Tensor) -> Target | None:
    """Slope and intercept of each pixel's derivative over the squeezed u, [K, B, P] each."""
    with torch.enable_grad():
        v = u.clone().requires_grad_()
        p = squeeze(v)
        (steep,) = torch.autograd.grad(p.sum(), v)
    p = p.detach()
    over = torch.ones_like(p) if family == "bernoulli" else 2 * steep
    # y = over * (w p - w t): two columns for each pixel
    columns = torch.stack([over * p, -over], -1).permute(1, 2, 0, 3)  # [B, P, K, 2]
    wanted = y.permute(1, 2, 0)[..., None]
    solved = torch.linalg.lstsq(columns, wanted).solution
    rest = (columns @ solved - wanted).abs().max()
    if float(rest) > NEAR * float(y.abs().max()):
        return None
    weight, moment = solved[..., 0, 0], solved[..., 1, 0]
    target = Target(family, weight, moment / weight)
    # where the derivative hardly changes with the picture, no target follows from it
    if not bool(weight.any()) or float(target.value[target.heard].abs().max()) > FURTHEST:
        return None
    target.value[~target.heard] = torch.nan
    return target


def examine(anatomy: Anatomy, target: Target) -> list[Finding]:
    """What is wrong with the comparison itself.

    Pixels in another order are no finding: a decoder may give patches, and the loss cut the image into the same ones.
    """
    heard, x = target.heard, anatomy.x.detach().to("cpu", torch.float64).flatten(1)
    rows, pixels = heard.shape
    if deaf := int((~heard.any(1)).sum()):
        return [finding("part_of_batch", f"{deaf} of {rows} images have no weight in the reconstruction error")]
    if deaf := int((~heard.any(0)).sum()):
        return [finding("part_of_image", f"{deaf} of {pixels} pixels have no weight in the reconstruction error")]
    if target.common is None or not heard.all():
        return []
    t = target.value
    if _near(t, x):
        return []
    if _near(t, t[:1].expand_as(t)) and not _near(x, x[:1].expand_as(x)):
        return [finding("other_target", "the picture of every image is compared with the same numbers")]
    apart = torch.cdist(t, x, p=torch.inf)
    other = apart.argmin(1)
    if float(apart.amin(1).max()) < SAME:
        moved = int((other != torch.arange(rows)).sum())
        seen = f"the pictures of {moved} of {rows} images are compared with another image of the batch"
        return [finding("other_target", seen)]
    if _near(t, 1 - x):
        return [finding("other_target", "the picture is compared with 1 - x")]
    return []


def _near(a: Tensor, b: Tensor) -> bool:
    return float((a - b).abs().max()) < SAME
