"""What is not examined: models that are made otherwise than the tests suppose, and may be sound all the same."""

from __future__ import annotations

import torch

from vae_lab.diagnosis.anatomy import BASE, OTHER, Anatomy, constant
from vae_lab.diagnosis.likelihood import Likelihood
from vae_lab.diagnosis.watch import NORMAL


def drawn_again(anatomy: Anatomy) -> bool:
    """Whether z is drawn more than once around the same answers: in a loop, or side by side."""
    if anatomy.z_tensor is None:
        return False
    size = anatomy.z_tensor.numel()
    if anatomy.several_draws() and len(anatomy.z_tensor) > len(anatomy.x):
        return True
    if not anatomy.heads:
        told = [t.numel() for t in anatomy.told_numbers if t.ndim > 1 and len(t) == len(anatomy.x)]
        return anatomy.several_draws() or any(n < size and size % n == 0 for n in told)
    answers = anatomy.watch.after([anatomy.value(anatomy.watch, p) for p in anatomy.heads], plainly=True)
    around = [c for c in anatomy.watch.draws() if c.name in NORMAL and c.outputs[0].numel() == size]
    made = [_sized(anatomy, anatomy.watch.after(c.outputs[:1], plainly=True) & answers, size) for c in around]
    return len({ids for ids in made if ids}) > 1  # two draws of which one z is made are one: noise drawn until it fits


def _sized(anatomy: Anatomy, ids: set[int], size: int) -> frozenset[int]:
    return frozenset(id(t) for c in anatomy.watch.calls for t in c.outputs if id(t) in ids and t.numel() == size)


def not_to_be_told(anatomy: Anatomy, terms: Likelihood) -> str:
    """Why a term that is no known KL may be right all the same; "" if nothing speaks for it."""
    assert anatomy.z is not None
    if any(call.number > anatomy.z[0] for call in anatomy.watch.draws() if call.name in NORMAL):
        return "there is another draw behind z, and its prior may be a learned one"
    if anatomy.matrix:
        return "the noise is mixed by a matrix, and the spread of z is not one number for each dimension"
    if anatomy.changed_behind:
        return "z is changed between the draw and the decoder (a flow?), and its density with it"
    if _learned_beside(anatomy):
        return "something learned stands in it that is neither encoder nor decoder: a prior, or a flow"
    if terms.hears and terms.name is None:
        return "the likelihood is none of those known here, and may change with z by itself"
    return ""


def _learned_beside(anatomy: Anatomy) -> bool:
    """Whether something learned, neither encoder nor decoder (a flow, a prior), is in the term beside the error.

    The picture is held still, and the answers are numbers: then no gradient of a parameter hears the answers.
    """
    if anatomy.picture is None:
        return False
    grads = []
    for c in (BASE, OTHER):
        watch, loss = anatomy.again({p: constant(c) for p in anatomy.heads} | anatomy.picture_held())
        if loss is None or not loss.requires_grad:
            return False
        leaves = {id(t): t for call in watch.calls for t in call.inputs if t.is_leaf and t.requires_grad}
        got = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True) if leaves else ()
        grads.append({i: g for i, g in zip(leaves, got, strict=True) if g is not None})
    first, second = grads
    return any(
        float((g - second[i]).abs().max()) > 1e-3 * float(g.abs().max()) for i, g in first.items() if i in second
    )
