"""`diagnose`: all tests in order, on anybody's VAE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.arguments import kind, require_function
from vae_lab.diagnosis import divergence, draw, hearing, likelihood, limits, unlearned, verdicts
from vae_lab.diagnosis.anatomy import Anatomy
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.doors import Doors, changed_by_run
from vae_lab.diagnosis.findings import Diagnosis, Finding

ROWS = 64  # images that are looked at


def diagnose(
    model: Any, x: Tensor, *, encode: Callable[..., Any] | None = None, decode: Callable[..., Any] | None = None,
    loss: Callable[..., Any] | None = None,
) -> Diagnosis:  # fmt: skip
    """Look for the common mistakes in a VAE, trained or not, whatever its code looks like.

    The model is run in train mode on a few images, with dropout off; its parameters, buffers, modes and the random
    streams are afterwards as they were.

    Args:
        model: a module, or anything that can be called with images; None where functions are all there is.
        x: images [B, ...], at least two, as the model takes them.
        encode: images -> the encoder's answers: a tuple, a dict, a distribution; by default `model.encode`.
        decode: z -> picture; by default `model.decode`.
        loss: what is minimised: `loss(x)`, `loss(model, x)`, `loss(outputs, x)` or `loss(recon_x, x, mu, logvar)`, in
            any order of images and outputs; by default `model.loss_terms`, `model.loss`, `model.loss_function`, ...

    Returns:
        A `Diagnosis`: findings, most important first, each with its cause, what was measured, the remedy, and the page
        of the book. It says "Nothing found." for a sound model, and lists what could not be examined.

    Raises:
        TypeError: where x is no tensor of floating-point numbers, the model none or a class, or a function is none.
        ValueError: where there are fewer than two images.

    Example:
        >>> from vae_lab.broken import PixelMean
        >>> _ = torch.manual_seed(0)
        >>> diagnose(PixelMean(hidden=(16,), data_shape=(8,)), torch.rand(32, 8)).names
        ['pixel_mean']
    """
    nothing = model is None and encode is None and loss is None  # functions alone are a model, too
    if nothing or isinstance(model, type):
        example = f", e.g. {model.__name__}()" if model is not None else ""
        raise TypeError(f"diagnose: model is {kind(model)}; a model is wanted{example}.")
    for name, function in (("encode", encode), ("decode", decode), ("loss", loss)):
        if function is not None:
            require_function("diagnose", name, function)
    if not isinstance(x, Tensor) or not x.is_floating_point():
        what = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(f"diagnose: x is {what}; a tensor of floating-point numbers is wanted: x.float() / 255.")
    if x.ndim < 2 or len(x) < 2:
        raise ValueError(f"diagnose: x has shape {tuple(x.shape)}; at least two images [B, ...] are wanted, better 64.")
    doors = Doors(model, x[:ROWS].detach(), encode, decode, loss)
    if isinstance(model, nn.Module) and not any(p.requires_grad for p in model.parameters()):
        return Diagnosis([finding("frozen", "requires_grad is False for all of them")])
    strange = int((~torch.isfinite(x)).sum())
    if strange:
        return Diagnosis([finding("not_finite", f"{strange} pixels are NaN or infinite")])
    rows = doors.x if len(doors.x) % 2 == 0 else doors.x[:-1]
    if (moved := changed_by_run(doors, rows)) > 0:
        return Diagnosis([finding("changed_images", f"after one pass the images differ by up to {moved:.3g}")])
    return _examine(Anatomy(doors, rows))


def _examine(anatomy: Anatomy) -> Diagnosis:
    said = Diagnosis()
    if anatomy.z is None:
        said.not_examined.append(
            "the draw and the loss: no z was found (give decode= as a method or module that the loss calls)"
        )
        return said
    if limits.drawn_again(anatomy):
        said.not_examined.append("the draw and the loss: there are several draws of z for each image")
        return said
    z = draw.examine(anatomy)
    said.findings += z.findings
    terms = likelihood.examine(anatomy, z)
    said.findings += verdicts.of_pixels(anatomy, terms)
    kl = None
    if anatomy.loss is None:
        said.not_examined.append("the loss: none was given, and the model has none (loss=...)")
    elif terms is None:
        said.not_examined.append("the loss: the decoder's picture was not found in it")
    elif z.two_means and {"mean_scaled", "spread_ignored"} & {f.name for f in z.findings}:
        said.not_examined.append("the KL: z has no spread of the encoder's")
    else:
        kl = divergence.examine(anatomy, z, terms.weight)
        found, remarks = verdicts.of_loss(anatomy, z, terms, kl)
        if "kl_other" in [f.name for f in found] and (reason := limits.not_to_be_told(anatomy, terms)):
            said.not_examined.append(f"the KL: {reason}")
            found = [f for f in found if f.name != "kl_other"]
        said.findings += found
        said.remarks += remarks
        if terms.hears and terms.name is None:
            said.not_examined.append("the weight of the KL: the likelihood is none of those known here")
        if kl is None:
            said.not_examined.append("the KL: the encoder's answers were not found")
    said.findings += hearing.examine(anatomy, z, terms)
    if not {"spread", "one_sided_mu"} & set(said.names):
        said.findings += hearing.bounds(anatomy, z)
    said.findings = _without_consequences(said.findings)
    if z.noisy and not z.findings:
        said.examined.append("noise is drawn, and the gradient passes the draw")
    if kl is not None and kl.name == "right":
        said.examined.append("the KL is that of the mean and spread that z really has")
    if terms is not None and terms.name is not None:
        said.examined.append(f"the likelihood ({terms.name})")
    if note := hearing.active(anatomy, z):
        said.remarks.append(note)
    if not said.findings and (unheard := unlearned.remark(anatomy)):
        said.remarks.append(unheard)
    return said


# A finding that follows from another one is not said: with uniform noise, no KL can be right.
NOISE = {"no_noise", "noise_in_eval_only", "fixed_noise", "shared_noise", "repeated_noise", "one_noise_per_image"}
NOISE |= {"noise_not_normal", "repeated_entries"}
FOLLOWS = {name: {"kl_other", "spread", "spread_ignored"} for name in NOISE} | {
    "deaf_decoder": {"cut_sample", "cut_spread", "no_reconstruction"},
    "cut_picture": {"encoder_without_gradient"},
    "prior_draw": {"cut_sample", "cut_spread", "spread", "encoder_without_gradient"},
    "constant_mu": {"encoder_without_gradient"},
    "part_of_batch": {"kl_batch_mean", "kl_weight"},
    "one_answer": {"spread", "kl_other", "kl_mu", "kl_log"},
    "constant_sigma": {"kl_term_missing", "kl_other"},
    "answer_of_batch": {"kl_term_missing", "kl_other", "kl_mu", "spread"},
}


def _without_consequences(findings: list[Finding]) -> list[Finding]:
    follow = {name for f in findings for name in FOLLOWS.get(f.name, ())}
    return [f for f in findings if f.name not in follow]
