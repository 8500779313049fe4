"""Whether what is made of an image depends on the images beside it, or stands in another image's row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vae_lab.diagnosis.anatomy import Anatomy
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.doors import layers
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.watch import Watch


def examine(anatomy: Anatomy) -> list[Finding]:
    """Whether, in eval mode, z or the picture of an image changes with the other images of its batch."""
    assert anatomy.z is not None
    x, half = anatomy.x, len(anatomy.x) // 2
    turned = x.min() + x.max() - x
    first, second = torch.cat([x[:half], turned[half:]]), torch.cat([turned[:half], x[half:]])
    watch, _ = anatomy.again({}, mode="eval")
    if moved := _moved_rows(anatomy, watch, torch.cat([turned[:1], x[1:]])):
        return moved
    answers = [("answer_of_batch", p) for p in (*anatomy.heads, anatomy.z)]
    pictures = [("picture_of_batch", p) for p in (anatomy.picture,) if p is not None]
    for other, kept in ((first, slice(0, half)), (second, slice(half, None))):
        theirs, _ = anatomy.again({}, mode="eval", x=other)
        if not _comparable(anatomy, watch, theirs, kept):
            return []
        for name, place in answers + pictures:
            here, there = anatomy.like(watch, place), anatomy.like(theirs, place)
            if here is None or there is None or here.shape != there.shape or len(here) != len(x):
                continue
            apart = float((here[kept] - there[kept]).detach().abs().max())
            if apart > 1e-4 * (1e-6 + float(here.detach().abs().max())):
                seen = f"in eval mode, other images beside the same one change what is made of it by up to {apart:.2g}"
                return [finding(name, seen)]
    return []


def _moved_rows(anatomy: Anatomy, watch: Watch, other: Tensor) -> list[Finding]:
    """Whether the answer that changes with the first image, and with it alone, stands in another row."""
    theirs, _ = anatomy.again({}, mode="eval", x=other)
    if [c.name for c in watch.calls] != [c.name for c in theirs.calls]:
        return []
    for place in anatomy.heads:
        here, there = anatomy.like(watch, place), anatomy.like(theirs, place)
        if here is None or there is None or here.shape != there.shape or len(here) != len(anatomy.x):
            return []
        changed = (here != there).detach().flatten(1).any(1)
        if int(changed.sum()) == 1 and not bool(changed[0]):
            row = int(changed.float().argmax()) + 1
            return [finding("other_target", f"what the encoder says of image 1 stands in row {row}")]
    return []


def _comparable(anatomy: Anatomy, here: Watch, there: Watch, kept: slice) -> bool:
    """Whether two runs made the same calls and drew the same noise, and no BatchNorm takes the batch's own averages."""
    if [c.name for c in here.calls] != [c.name for c in there.calls]:
        return False
    for mine, theirs in zip(here.draws(), there.draws(), strict=True):
        for t, u in zip(mine.outputs, theirs.outputs, strict=True):
            if len(t.shape) and len(t) == len(anatomy.x):
                t, u = t[kept], u[kept]
            if not torch.equal(t.detach(), u.detach()):
                return False
    norms = [m for m in layers(anatomy.doors.modules) if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    calls = [c for c in here.calls if "batch_norm" in c.name]
    return len(calls) <= len(norms) and all(m.running_mean is not None for m in norms)
