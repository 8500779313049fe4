"""Whether the decoder hears z and nothing else, the encoder tells images apart, and eval mode changes anything."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vae_lab.diagnosis import neighbours
from vae_lab.diagnosis.anatomy import BASE, Anatomy, Place
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.doors import numbers, quiet
from vae_lab.diagnosis.draw import Draw, measure
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.likelihood import Likelihood


def examine(anatomy: Anatomy, draw: Draw, likelihood: Likelihood | None) -> list[Finding]:
    """All findings about encoder and decoder."""
    found: list[Finding] = []
    if likelihood is not None and not likelihood.hears:
        found += _decode_itself(anatomy)
    if anatomy.picture is not None and anatomy.z is not None and not found:
        found += _decoder(anatomy)
    if draw.location is not None:
        found += _encoder(anatomy, draw)
    if anatomy.z is not None and not found and isinstance(anatomy.doors.model, nn.Module):  # others have no eval mode
        found += _dropout_in_eval(anatomy)
    if not found and not any(f.name == "answer_of_batch" for f in draw.findings):
        found += neighbours.examine(anatomy)
    if not found and likelihood is not None and likelihood.name is not None:
        found += _collapsed(anatomy, draw, likelihood)
    return found


def _picture(anatomy: Anatomy, z: Tensor, x: Tensor | None = None) -> Tensor:
    assert anatomy.z is not None
    assert anatomy.picture is not None
    watch, _ = anatomy.again({anatomy.z: lambda t: z.to(t)}, x=x, until=anatomy.picture[0])
    return anatomy.value(watch, anatomy.picture).detach()


def _decoder(anatomy: Anatomy) -> list[Finding]:
    assert anatomy.z_tensor is not None
    z = torch.randn(anatomy.z_tensor.shape, generator=torch.Generator().manual_seed(1), device="cpu")
    here, there = _picture(anatomy, z), _picture(anatomy, -z)
    if float((here - there).abs().max()) <= 1e-6 * (1 + float(here.abs().max())):
        return [finding("deaf_decoder", "z and -z give the same pictures")]
    if _hears_rounding(anatomy, z, float((here - there).abs().mean()), float(here.abs().max())):
        return [finding("deaf_decoder", "z and -z give the same pictures, but for rounding")]
    if deaf := _deaf_dimensions(anatomy, z):
        seen = f"the pictures have no derivative with respect to {deaf} of the {z[0].numel()} numbers of z"
        return [finding("deaf_dimensions", seen)]
    one = z[:1].expand_as(z).clone()
    spread = _apart(_picture(anatomy, one))
    if spread <= max(1e-5, 1e-3 * float(here.std())):
        return []
    equal = anatomy.x[:1].expand_as(anatomy.x).clone()
    if _apart(_picture(anatomy, one, equal)) < 0.1 * spread:  # what differs for equal images too is a label, or noise
        seen = f"the same z for all images gives pictures that differ by up to {spread:.3g}"
        return [finding("decoder_sees_image", seen)]
    return []


def _hears_rounding(anatomy: Anatomy, z: Tensor, turned: float, size: float) -> bool:
    """Whether turning z round changes the picture as little as a thousandth of that: a normalisation took z away."""
    if turned > 1e-3 * (1 + size):
        return False
    here, beside = _picture(anatomy, z), _picture(anatomy, z * 1.001)
    return float((here - beside).abs().mean()) > 0.1 * turned


def _dropout_in_eval(anatomy: Anatomy) -> list[Finding]:
    """Whether something that follows from z is dropped in eval mode."""
    assert anatomy.z is not None
    watch, _ = anatomy.again({}, mode="eval")
    z = anatomy.like(watch, anatomy.z)
    behind = watch.after([z]) if z is not None else set()
    for call in watch.calls:
        if "dropout" in call.name and call.inputs and call.outputs and id(call.inputs[0]) in behind:
            here, there = call.inputs[0].detach(), call.outputs[0].detach()
            if here.shape == there.shape and (gone := int(((here != 0) & (there == 0)).sum())):
                return [finding("dropout_in_eval", f"{gone} of {here.numel()} numbers are 0 behind {call.name}")]
    return []


def _deaf_dimensions(anatomy: Anatomy, z: Tensor) -> int:
    """Of how many numbers of z no picture has any derivative, though it has of others."""
    assert anatomy.z is not None
    assert anatomy.picture is not None
    watch, _, leaf = anatomy.with_leaf(anatomy.z, z, {}, until=anatomy.picture[0])
    picture = anatomy.value(watch, anatomy.picture)
    if not picture.requires_grad or leaf is None:
        return 0
    weights = torch.randn(picture.shape, generator=torch.Generator().manual_seed(3), device="cpu").to(picture)
    (slope,) = torch.autograd.grad((picture * weights).sum(), [leaf], allow_unused=True)
    if slope is None or len(slope) != len(anatomy.x):
        return 0
    silent = int((slope.flatten(1) == 0).all(0).sum())
    return silent if silent < slope[0].numel() else 0


def _decode_itself(anatomy: Anatomy) -> list[Finding]:
    """Whether `decode` gives the same for every z, where what follows from z is not what the loss looks at."""
    decode, like = anatomy.doors.decode, anatomy.z_tensor
    if decode is None or like is None:
        return []
    z = torch.randn(like.shape, generator=torch.Generator().manual_seed(1), device="cpu").to(like)
    try:
        with quiet(anatomy.doors.modules), torch.no_grad():
            here = numbers(decode(z))
        with quiet(anatomy.doors.modules), torch.no_grad():
            there = numbers(decode(-z))
    except (TypeError, RuntimeError, ValueError):
        return []
    same = [torch.equal(a, b) for a, b in zip(here, there, strict=False)]
    return [finding("deaf_decoder", "decode gives the same for z and -z")] if same and all(same) else []


def _apart(pictures: Tensor) -> float:
    rows = pictures.flatten(1)
    return float((rows - rows[:1]).abs().max())


def _encoder(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    assert draw.location is not None
    noise = anatomy.noise() if draw.noisy else None
    mu = anatomy.value(anatomy.watch, draw.location).detach()
    if noise is not None and anatomy.drawn_apart():
        mu = anatomy.z_with({noise: torch.zeros_like})[0]
    mu = mu.reshape(len(anatomy.x), -1).double()
    apart = float((mu - mu.mean(0)).abs().max())
    if apart <= 1e-6 * (float(mu.abs().max()) + 1e-9):
        return [finding("constant_mu", f"over {len(mu)} images the largest difference is {apart:.1g}")]
    return _one_sided(anatomy, draw.location)


def _one_sided(anatomy: Anatomy, place: Place) -> list[Finding]:
    """Whether mu is never negative and often 0: on images, on their opposites, and on noise."""
    lowest, zeros = float("inf"), 0
    noise = torch.randn(anatomy.x.shape, generator=torch.Generator().manual_seed(2), device="cpu").to(anatomy.x)
    for x in (anatomy.x, 1 - anatomy.x, noise, 20 * noise):
        try:
            watch, _ = anatomy.again({}, x=x, until=place[0])
        except (RuntimeError, ValueError):  # a model may refuse what is no image: torch.bernoulli(x) does
            continue
        value = anatomy.value(watch, place).detach()
        lowest, zeros = min(lowest, float(value.min())), zeros + int((value == 0).sum())
    if lowest >= 0 and zeros:
        return [finding("one_sided_mu", f"over images and noise the smallest is {lowest:.3g}, and {zeros} are 0")]
    return []


def bounds(anatomy: Anatomy, draw: Draw) -> list[Finding]:
    """How far mu and sigma can go, when the layers before them are driven far out."""
    if draw.location is None or not draw.noisy:
        return []
    flat = dict.fromkeys([p for p in (draw.location, draw.scale) if p is not None], BASE)
    low, high = sorted(measure(anatomy, flat | {draw.location: c})[0] for c in (-20.0, 20.0))
    seen = f"driven from -20 to 20, mu goes from {low:.3g} to {high:.3g}"
    if low > -1e-2 or high < 1e-2:
        return [finding("one_sided_mu", seen)]
    if high < 1.05 and low > -1.05:
        return [finding("bounded_mu", seen)]
    if draw.scale is not None:
        narrow, wide = sorted(measure(anatomy, flat | {draw.scale: c})[1] for c in (-12.0, 12.0))
        seen = f"driven from -12 to 12, sigma goes from {narrow:.3g} to {wide:.3g}"
        if narrow > 0.9:
            return [finding("one_sided_logvar", seen)]
        if narrow > 0.3 and wide < 3.4:
            return [finding("bounded_logvar", seen)]
    return []


def average_price(x: Tensor) -> float:
    """Nats per image of a decoder that draws the average image, whatever the image."""
    mean = x.mean(0, keepdim=True).clamp(1e-6, 1 - 1e-6).expand_as(x)
    return float(F.binary_cross_entropy(mean, x.clamp(0, 1), reduction="sum")) / len(x)


def _reconstruction(anatomy: Anatomy, mode: str) -> float:
    """Nats per image of the reconstruction (Bernoulli); NaN where a run in this mode has no such picture."""
    assert anatomy.picture is not None
    watch, _ = anatomy.again({}, mode=mode)
    u = anatomy.like(watch, anatomy.picture)
    if u is None:
        return math.nan
    u = u.detach().reshape(anatomy.x.shape)
    return float(F.binary_cross_entropy_with_logits(u, anatomy.x, reduction="sum")) / len(anatomy.x)


def _collapsed(anatomy: Anatomy, draw: Draw, likelihood: Likelihood) -> list[Finding]:
    """A trained model whose pictures are the average image, or one that falls apart in eval mode."""
    if likelihood.name != "bernoulli" or not 0 <= float(anatomy.x.min()) <= float(anatomy.x.max()) <= 1:
        return []
    average, here = average_price(anatomy.x), _reconstruction(anatomy, "train")
    if here < 0.97 * average:
        there = _reconstruction(anatomy, "eval")
        if there > max(average, 1.2 * here):
            seen = f"reconstruction {here:.1f} nats in train mode, {there:.1f} in eval mode; the average {average:.1f}"
            return [finding("eval_differs", seen)]
        return []
    guessing = math.log(2) * anatomy.x[0].numel()  # a new decoder's p = 1/2, which is no average of anything
    if draw.location is None or here > 1.05 * average or average > 0.9 * guessing:
        return []
    mu = anatomy.value(anatomy.watch, draw.location).detach().reshape(len(anatomy.x), -1).double()
    most = float(mu.var(0).max())
    if most < 0.01:
        seen = f"reconstruction {here:.1f} nats, average image {average:.1f}; the variance of mu is {most:.1g}"
        return [finding("collapse", seen)]
    return []


def active(anatomy: Anatomy, draw: Draw) -> str:
    """How many latent dimensions move with the image."""
    if draw.location is None:
        return ""
    mu = anatomy.value(anatomy.watch, draw.location).detach().reshape(len(anatomy.x), -1)
    return f"{int((mu.var(0) > 0.01).sum())} of {mu.shape[1]} latent dimensions are active (variance of mu above 0.01)"
