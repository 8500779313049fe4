"""Which parameters ask for a gradient and get none, though the loss depends on them: layers that stay as they began."""

from __future__ import annotations

import torch
from torch import nn

from vae_lab.diagnosis.anatomy import Anatomy

SHOWN = 3  # names that are given
NUDGE = 0.1  # of a parameter's mean size


def remark(anatomy: Anatomy) -> str | None:
    """A note for the report, or None. It is no finding: who freezes a trained part may do it by detach or no_grad."""
    if anatomy.loss is None or not anatomy.loss.requires_grad:
        return None
    names_of: dict[nn.Parameter, str] = {}
    for module in anatomy.doors.modules:  # the model, and then its encoder and decoder once more
        for name, p in module.named_parameters():
            if p.requires_grad:
                names_of.setdefault(p, name)
    if not names_of:
        return None
    slopes = torch.autograd.grad(anatomy.loss, [*names_of], allow_unused=True, retain_graph=True)
    silent = [p for p, slope in zip(names_of, slopes, strict=True) if slope is None or not bool(slope.any())]
    if len(silent) == len(names_of):
        return None
    price = anatomy.price({})
    names = [names_of[p] for p in silent if _counts(anatomy, p, price)]
    if not names:
        return None
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (
        f"no gradient arrives at {', '.join(names[:SHOWN])}{more}, though the loss depends on them; if this is meant, "
        "requires_grad_(False) says so"
    )


def _counts(anatomy: Anatomy, parameter: nn.Parameter, before: float) -> bool:
    """Whether the loss changes with the parameter, the noise being the same."""
    kept = parameter.detach().clone()
    with torch.no_grad():
        signs = 1 - 2 * (torch.arange(kept.numel(), device=kept.device) % 3 % 2)  # + - + + - +, so that little cancels
        parameter.add_(NUDGE * (kept.abs().mean() + 1e-3) * signs.reshape(kept.shape).to(kept))
    try:
        after = anatomy.price({})
    finally:
        with torch.no_grad():
            parameter.copy_(kept)
    return abs(after - before) > 1e-6 * abs(before)
