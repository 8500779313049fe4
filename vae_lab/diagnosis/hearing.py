"""Does the decoder hear z and nothing else, does the encoder tell images apart, and what changes in eval mode?"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from vae_lab.diagnosis.anatomy import Anatomy
from vae_lab.diagnosis.draw import BASE, Draw
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.likelihood import Likelihood


def examine(anatomy: Anatomy, draw: Draw, likelihood: Likelihood | None) -> list[Finding]:
    """All findings about encoder and decoder."""
    found: list[Finding] = []
    if anatomy.picture is not None and anatomy.z is not None:
        found += _decoder(anatomy)
    if draw.location is not None:
        found += _encoder(anatomy, draw)
    if not found and likelihood is not None and likelihood.name is not None:
        found += _collapsed(anatomy, draw, likelihood)
    return found


def _picture(anatomy: Anatomy, z: Tensor, seed: int = 0) -> Tensor:
    assert anatomy.z is not None
    assert anatomy.picture is not None
    watch, _ = anatomy.again({anatomy.z: lambda t: z.to(t)}, seed, until=anatomy.picture[0])
    return anatomy.value(watch, anatomy.picture).detach()


def _decoder(anatomy: Anatomy) -> list[Finding]:
    assert anatomy.z_tensor is not None
    z = torch.randn(anatomy.z_tensor.shape, generator=torch.Generator().manual_seed(1))
    here, there = _picture(anatomy, z), _picture(anatomy, -z)
    if float((here - there).abs().max()) <= 1e-6 * (1 + float(here.abs().max())):
        return [Finding(
            "deaf_decoder", "The decoder does not hear z.",
            "z and -z give the same pictures", "Look where z is lost on its way: a zero factor, a dead layer, another "
            "variable in its place.", "training",
        )]  # fmt: skip
    same = z[:1].expand_as(z).clone()
    rows = _picture(anatomy, same).reshape(len(anatomy.x), -1)
    spread = float((rows - rows[:1]).abs().max())
    if spread > 1e-3 * (float(here.std()) + 1e-6) and spread > 1e-5:
        return [Finding(
            "decoder_sees_image", "The decoder sees the image itself, past z.",
            f"the same z for all images gives pictures that differ by up to {spread:.3g}",
            "Give the decoder z alone: no skip connection from the encoder, no x among its inputs.", "autoencoders",
        )]  # fmt: skip
    return []


def _encoder(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    assert draw.location is not None
    mu = anatomy.value(anatomy.watch, draw.location).detach().reshape(len(anatomy.x), -1).double()
    found = []
    if float((mu - mu.mean(0)).abs().max()) <= 1e-6 * (float(mu.abs().max()) + 1e-9):
        found.append(Finding(
            "constant_mu", "mu is the same for all images.",
            f"over {len(mu)} images the largest difference is {float((mu - mu.mean(0)).abs().max()):.1g}",
            "Look what the encoder is given: a dead layer, the wrong variable, images of a constant.", "training",
        ))  # fmt: skip
    elif low := _one_sided(anatomy, draw):
        found.append(low)
    return found


def _one_sided(anatomy: Anatomy, draw: Draw) -> Finding | None:
    """Whether an answer of the encoder can only be positive: on images, on noise, and on their opposites."""
    for place, name in ((draw.location, "mu"), (draw.scale, "logvar")):
        if place is None:
            continue
        lowest, zeros = float("inf"), 0
        for x in (anatomy.x, 1 - anatomy.x, torch.rand_like(anatomy.x), 20 * torch.randn_like(anatomy.x)):
            watch, _ = anatomy.again({}, x=x, until=place[0])
            value = anatomy.value(watch, place).detach()
            lowest, zeros = min(lowest, float(value.min())), zeros + int((value == 0).sum())
        if name == "mu" and lowest >= 0 and zeros:
            return Finding(
                "one_sided_mu", "mu cannot be negative: a ReLU stands after the encoder's last layer.",
                f"the smallest mu over images and noise is {lowest:.3g}, and {zeros} are exactly 0",
                "End the encoder with a linear layer; the prior N(0, I) is as much below 0 as above.", "training",
            )  # fmt: skip
    return None


def bounds(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    """How far mu and sigma can go, when the layers before them are driven far out."""
    if draw.location is None or not draw.noisy:
        return []
    from vae_lab.diagnosis.draw import measure

    flat = dict.fromkeys([p for p in (draw.location, draw.scale) if p is not None], BASE)
    low, high = (measure(anatomy, flat | {draw.location: c})[0] for c in (-20.0, 20.0))
    if min(low, high) > -1e-2 or max(low, high) < 1e-2:
        return [Finding(
            "one_sided_mu", "mu has one sign only: an activation stands after its layer.",
            f"driven from -20 to 20, mu goes from {low:.3g} to {high:.3g}",
            "Take the activation off; the prior N(0, I) is as much below 0 as above.", "training",
        )]  # fmt: skip
    if abs(high) < 1.05 and abs(low) < 1.05:
        return [Finding(
            "bounded_mu", "mu is squeezed into an interval: an activation stands after its layer.",
            f"driven from -20 to 20, mu goes from {low:.3g} to {high:.3g}",
            "Take the activation (tanh) off the layer of mu.", "training",
        )]  # fmt: skip
    if draw.scale is not None:
        spreads = [measure(anatomy, flat | {draw.scale: c})[1] for c in (-12.0, 12.0)]
        if min(spreads) > 0.9:
            return [Finding(
                "one_sided_logvar", "sigma cannot be smaller than 1: an activation stands after the layer of logvar.",
                f"driven from -12 to 12, sigma goes from {spreads[0]:.3g} to {spreads[1]:.3g}",
                "Take the activation (ReLU, softplus, sigmoid) off the layer of logvar.", "training",
            )]  # fmt: skip
    return []


def average_price(x: Tensor) -> float:
    """Nats per image of a decoder that draws the average image, whatever the image."""
    mean = x.mean(0, keepdim=True).clamp(1e-6, 1 - 1e-6).expand_as(x)
    return float(F.binary_cross_entropy(mean, x.clamp(0, 1), reduction="sum")) / len(x)


def _reconstruction(anatomy: Anatomy, mode: str) -> float:
    """Nats per image of the reconstruction (Bernoulli)."""
    assert anatomy.picture is not None
    watch, _ = anatomy.again({}, mode=mode, until=anatomy.picture[0])
    u = anatomy.value(watch, anatomy.picture).detach().reshape(anatomy.x.shape)
    return float(F.binary_cross_entropy_with_logits(u, anatomy.x, reduction="sum")) / len(anatomy.x)


def _collapsed(anatomy: Anatomy, draw: Draw, likelihood: Likelihood) -> list[Finding]:
    """A trained model whose pictures are the average image, or one that falls apart in eval mode."""
    if likelihood.name != "bernoulli" or not 0 <= float(anatomy.x.min()) <= float(anatomy.x.max()) <= 1:
        return []
    average, here = average_price(anatomy.x), _reconstruction(anatomy, "train")
    assert draw.location is not None or True
    if here < 0.97 * average:
        there = _reconstruction(anatomy, "eval") if not _noise_off(anatomy) else here
        if there > average and there > 1.2 * here:
            return [Finding(
                "eval_differs", "The model falls apart in eval mode.",
                f"reconstruction {here:.1f} nats in train mode, {there:.1f} in eval mode, {average:.1f} for the average image",
                "Look at BatchNorm: its running averages must be updated during training (momentum, frozen buffers).",
                "training",
            )]  # fmt: skip
        return []
    if draw.location is None or here > 1.05 * average:
        return []
    mu = anatomy.value(anatomy.watch, draw.location).detach().reshape(len(anatomy.x), -1).double()
    if float(mu.var(0).max()) < 0.01:
        return [Finding(
            "collapse", "The posterior has collapsed: the decoder draws the average image for every z.",
            f"the reconstruction costs {here:.1f} nats, the average image {average:.1f}; no latent dimension is active "
            f"(largest variance of mu over images {float(mu.var(0).max()):.1g})",
            "Look at the weight of the KL term; warm it up from 0, or train longer with a smaller learning rate.",
            "training",
        )]  # fmt: skip
    return []


def _noise_off(anatomy: Anatomy) -> bool:
    return anatomy.picture is None


def active(anatomy: Anatomy, draw: Draw) -> str:
    """How many latent dimensions move with the image."""
    if draw.location is None:
        return ""
    mu = anatomy.value(anatomy.watch, draw.location).detach().reshape(len(anatomy.x), -1)
    return f"{int((mu.var(0) > 0.01).sum())} of {mu.shape[1]} latent dimensions are active (variance of mu above 0.01)"
