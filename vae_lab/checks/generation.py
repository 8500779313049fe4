"""Checks of the lab `generation`: what a trained model is used for, once its encoder is no longer needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.noise import examine
from vae_lab.checks.instruments.probe import PIXELS, Probe
from vae_lab.checks.instruments.sampler import (
    CANCELLING,
    COMMON_SIZE,
    PARTLY_SHARED,
    constant_along,
    device,
    is_close,
)
from vae_lab.checks.instruments.train_run import check_loss_of_loop, check_train
from vae_lab.checks.instruments.trained_model import check_trained
from vae_lab.checks.instruments.vae_model import LittleVAE, check_vae
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor, type_name

__all__ = [
    "RESERVES",
    "check_generate",
    "check_interpolate",
    "check_loss_of_loop",
    "check_recognisable_fraction",
    "check_train",
    "check_trained",
    "check_vae",
]

RESERVES = (
    "vae_lab.VAE",
    "vae_lab.fit",
    "vae_lab.from_prior",
    "vae_lab.generation.from_prior",
    "vae_lab.generation.interpolate",
    "vae_lab.generation.recognisability",
    "vae_lab.interpolate",
    "vae_lab.models.VAE",
    "vae_lab.recognisability",
    "vae_lab.training.fit",
)
"""Names that raise while this lab is solved or graded."""

VAEClass = Callable[[int, int], Any]
"""A class VAE(latent_dim, hidden_dim), or what calls one."""

SURE = 0.9
"""A classifier is sure of an image if its largest probability is at least this."""
LIMITS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.95, 0.99)
"""Other numbers that people call sure."""

ENCODER_USED = Misconception(
    "after training the encoder is not needed (minute 12:41): draw z from the prior, decode it, done.", "generation"
)
WRONG_PRIOR = Misconception(
    "the prior is N(0, 1) in every dimension: torch.randn, neither scaled nor moved.", "generation"
)
LOGITS = Misconception("the decoder puts out logits; sigmoid makes probabilities of them.", "generation")
PIXEL_SPACE = Misconception(
    "a mean of two images is a double exposure, not a digit between them: mix the codes, then decode.", "generation"
)
SAMPLED_ENDS = Misconception(
    "the ends are draws of z; take mu, the middle of q(z|x), as an image's code.", "generation"
)
BLENDED_FIRST = Misconception(
    "the images are mixed and then encoded; encode the two images, and mix their codes.", "generation"
)
SHARED_Z = {
    "call": Misconception(
        "the same z come back in every call: a fixed seed, or z that are drawn once and kept.", "generation"
    ),
    "row": Misconception("one z serves several images; every image needs its own.", "generation"),
    "dimension": Misconception("one number serves all dimensions of a z; each needs its own.", "generation"),
}
SOFTMAX_OVER_IMAGES = Misconception("softmax goes over the images here; the classes are the last axis.", "generation")
COUNTED = Misconception("this counts the images; a share is their mean.", "generation")
MEAN_PROBABILITY = Misconception("this is the mean probability; count how many are at least 0.9.", "generation")
HALF_SURE = Misconception("sure means at least 0.9 here.", "generation")
NOT_SURE = Misconception("this is the share of images that the classifier is not sure of.", "generation")
PERCENTAGE = Misconception("this is a percentage; a share lies between 0 and 1.", "generation")
ALL_OF_THEM = Misconception(
    "this is a share of all the probabilities; of each image only the largest counts.", "generation"
)
LEAD = Misconception(
    "the lead over the second best is compared with 0.9; what counts is the largest probability itself.", "generation"
)
NO_SOFTMAX = Misconception("the classifier puts out logits; softmax makes probabilities of them.", "generation")


def check_generate(
    generate: Callable[..., Any], vae: VAEClass | None = None, latent_dim: int = 20, n: int = 163, calls: int = 3
) -> None:
    """Require n images decoded from draws of N(0, I), without a call of the encoder.

    Args:
        generate: the student's function.
        vae: the student's class, to try it on a model of that as well; on a right one where it fails on that.
        latent_dim: D of the probe.
        n: number of images a call; a prime is cut into pieces of no size without a rest.
        calls: how often it is called for the statistics.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 2.3e-7 (at most 23 statistics, each with
            false-alarm probability 1e-8).
    """
    task, probe = "generate", Probe(latent_dim)
    draws = []
    for _ in range(calls):
        probe.decoded.clear()
        images = ask(task, generate, probe, n, names=("model",))
        if probe.encodings:
            fail(task, "the encoder is called.", "Wanted images from random z.", ENCODER_USED)
        images = require_tensor(task, images, probe.up, (n, PIXELS), "the result")
        z = _decoded(task, probe.decoded, n, latent_dim)
        draws.append(z)
        _require_probabilities(task, images, probe.logits(z))
    _require_prior(task, torch.stack(draws), ("call", "row", "dimension"))
    if vae is not None:
        _on_own_model(
            vae, (6, 9), lambda model: _check_own_images("generate", ask(task, generate, model, 3), (3, PIXELS))
        )


def _on_own_model(vae: VAEClass, sizes: tuple[int, int], check: Callable[[Any], None]) -> None:
    """Make a check with a model of the student's class; if it fails, with a right one, for the class has its points."""
    try:
        check(vae(*sizes).to(device()).eval())
    except Exception:
        check(LittleVAE(*sizes).to(device()).eval())


def _check_own_images(task: str, images: Any, shape: tuple[int, int]) -> None:
    images = require_tensor(task, images, torch.zeros(0, device=device()), shape, "with your own model the result")
    if not bool(((images >= 0) & (images <= 1)).all()):
        fail(task, "with your own model, pixels lie outside of [0, 1].", "Wanted probabilities.", LOGITS)


def check_interpolate(
    interpolate: Callable[..., Any], latent_dim: int = 4, steps: int = 7, vae: VAEClass | None = None
) -> None:
    """Require images along the straight line from the code of a to the code of b, in equal steps with both ends.

    No statistics: a right answer always passes.

    Args:
        interpolate: the student's function.
        latent_dim: D of the probe.
        steps: number of images.
        vae: the student's class, to try it on a model of that as well; on a right one where it fails on that.

    Raises:
        CheckFailed: if not.
    """
    a, b = torch.rand(2, PIXELS, device=device())
    for number in dict.fromkeys((steps, max(2, latent_dim))):  # as many steps as latents: a row passes for a column
        _check_line(interpolate, latent_dim, number, a, b)
    if vae is not None:
        _on_own_model(
            vae,
            (3, 8),
            lambda model: _check_own_images(
                "interpolate", ask("interpolate", interpolate, model, a, b, steps), (steps, PIXELS)
            ),
        )


def _check_line(interpolate: Callable[..., Any], latent_dim: int, steps: int, a: Tensor, b: Tensor) -> None:
    task, probe = "interpolate", Probe(latent_dim)
    images = ask(task, interpolate, probe, a, b, steps, names=("model", "a", "b"))
    images = require_tensor(task, images, probe.up, (steps, PIXELS), "the result")
    code_a, code_b = (probe.code(image).detach() for image in (a, b))
    t = torch.linspace(0, 1, steps, device=device())[:, None]
    wanted = (1 - t) * code_a + t * code_b
    if not probe.decoded or is_close(images, (1 - t) * a + t * b):
        fail(task, "the images are mixed, not their codes.", "Wanted a line in latent space.", PIXEL_SPACE)
    ends = torch.sigmoid(probe.logits(torch.stack([code_a, code_b]))).detach()
    if is_close(images, (1 - t) * ends[0] + t * ends[1]) and steps > 2:
        fail(task, "the two reconstructions are mixed.", "Wanted a line in latent space.", PIXEL_SPACE)
    z = _decoded(task, probe.decoded, steps, latent_dim)
    if not is_close(z, wanted):
        if is_close(z, wanted.flip(0)):
            fail(task, "the line runs from b to a.", "Wanted it from a to b.")
        if is_close(z, torch.sigmoid(wanted)):
            fail(task, "sigmoid is applied to z.", "Wanted it behind the decoder.", LOGITS)
        if is_close(z, probe.code((1 - t) * a + t * b).detach()) and steps > 2:
            fail(task, "between the ends, z is the code of a mixed image.", "Wanted a mix of codes.", BLENDED_FIRST)
        along = code_b - code_a
        share = ((z - code_a) @ along / along.square().sum())[:, None]
        straight = is_close(z, code_a + share * along)
        if not is_close(z[0], code_a) or not is_close(z[-1], code_b):
            again = Probe(latent_dim)
            again.load_state_dict(probe.state_dict())
            ask(task, interpolate, again, a, b, steps, names=("model", "a", "b"))
            drawn = not is_close(_decoded(task, again.decoded, steps, latent_dim), z)
            seen = "the ends change from call to call." if drawn else "an end is not the code of its image."
            if straight and not drawn:
                seen = (
                    f"the walk goes from t = {float(share[0]):.3g} to t = {float(share[-1]):.3g}, and not from 0 to 1."
                )
            fail(task, seen, "Wanted mu of a first, and mu of b last.", SAMPLED_ENDS if drawn else None)
        wanted_steps = "Wanted equal steps, (1 - t) mu_a + t mu_b."
        if straight:
            fail(task, "z runs along the straight line, but not in equal steps.", wanted_steps)
        fail(task, "between the ends, z leaves the straight line.", wanted_steps)
    _require_probabilities(task, images, probe.logits(z))


def check_recognisable_fraction(
    recognisable_fraction: Callable[..., Any], latent_dim: int = 20, n: int = 241, calls: int = 2
) -> None:
    """Require the share of z ~ N(0, I) of whose decoded image the classifier is sure.

    The decoder and the classifier are the check's own, and write down what they are given; the share is compared with
    theirs, exactly.

    Args:
        recognisable_fraction: the student's function.
        latent_dim: D.
        n: number of z; a prime, as in `check_generate`.
        calls: how often it is called for the statistics.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 2.3e-7 (at most 23 statistics, each with
            false-alarm probability 1e-8).
    """
    task, probe = "recognisable_fraction", Probe(latent_dim)
    judge, seen = _judge(probe), list[Tensor]()

    def classify(images: Tensor) -> Tensor:
        seen.append(images.detach().clone())
        return judge(images)

    def again(n: int) -> tuple[Any, Tensor]:
        probe.decoded.clear()
        share = recognisable_fraction(probe.decode, latent_dim, n, classify)
        return share, judge(torch.sigmoid(probe.logits(torch.cat(probe.decoded))).detach())

    draws = []
    for _ in range(calls):
        probe.decoded.clear()
        seen.clear()
        share = ask(task, recognisable_fraction, probe.decode, latent_dim, n, classify)
        z = _decoded(task, probe.decoded, n, latent_dim)
        draws.append(z)
        images = torch.sigmoid(probe.logits(z)).detach()
        shown = torch.cat([image.reshape(-1, PIXELS) for image in seen]) if seen else images[:0]
        if shown.shape != images.shape or not is_close(shown, images):
            what, why = _other_images(shown, probe.logits(z).detach()) if shown.shape == images.shape else ("", None)
            fail(task, f"the classifier is not shown the decoded images. {what}".strip(), "Wanted them all.", why)
        _require_share(task, share, judge(images), again)
    _require_prior(task, torch.stack(draws), ("call", "row", "dimension"))


def _judge(probe: Probe) -> Callable[[Tensor], Tensor]:
    """The check's own classifier, [n, 784] -> [n, 10]: logits whose largest is above 0.9 for about half of the images.

    So a share that was counted without softmax is neither 0 nor 1, and is told from others.
    """
    weights = torch.randn(PIXELS, 10, device=device()) / 4.5  # sure of about a third of the images

    def raw(images: Tensor) -> Tensor:
        return (images.to(weights) - 0.4) @ weights * 4

    some = torch.sigmoid(probe.logits(torch.randn(400, probe.latent_dim, device=device()))).detach()
    shift = SURE - raw(some).max(1).values.median()
    return lambda images: raw(images) + shift


def _require_share(task: str, share: Any, logits: Tensor, again: Callable[[int], tuple[Any, Tensor]]) -> None:
    """Require the share of images of which the classifier is sure; `again` gives that of n others, with its logits."""
    probability = torch.softmax(logits, -1).max(-1).values
    wanted, n = float((probability >= SURE).double().mean()), len(probability)
    if isinstance(share, Tensor) and share.ndim == 0:
        share = share.item()
    if isinstance(share, bool) or not isinstance(share, Real):
        fail(task, f"the result is of type {type_name(share)}.", "Wanted one number between 0 and 1.")
    slack = 1.5 / n if bool(((probability - SURE).abs() < 1e-5).any()) else 1e-5  # rounding, where one sits on the edge
    if abs(float(share) - wanted) <= slack:
        return
    shares, found = [float(share)], _named_shares(float(share), logits)
    with suppress(Exception):
        for more in (997, 5):  # two mistakes may give one number once
            other, its_logits = again(more)
            shares.append(float(other))
            found &= _named_shares(float(other), its_logits)
    several = any(each not in {0.0, 1.0} for each in shares)  # these two are what many mistakes give
    mistake = next(iter(found)) if len(found) == 1 and several else None
    seen = f"the result is {float(share):.3f}."
    if isinstance(mistake, float):
        seen = f"the result is {float(share):.3f}: the share whose largest probability is at least {mistake}."
    fail(task, seen, f"Wanted {wanted:.3f} for these z.", mistake if isinstance(mistake, Misconception) else None)


def _named_shares(share: float, logits: Tensor) -> set[Misconception | float]:
    """Which mistakes, or which other limits, give this number."""
    each = torch.softmax(logits, -1)
    probability, best = each.max(-1).values, each.topk(2, -1).values
    sure = (probability >= SURE).double()

    def part(numbers: Tensor) -> float:
        return float((numbers >= SURE).double().mean())

    mean = float(probability.mean())
    guesses: list[tuple[float, Misconception | float]] = [
        (float(sure.sum()), COUNTED), (mean, MEAN_PROBABILITY), (part(logits.max(-1).values), NO_SOFTMAX),
        (part(torch.sigmoid(logits).max(-1).values), NO_SOFTMAX),
        (float((probability >= 0.5).double().mean()), HALF_SURE),
        (1 - float(sure.mean()), NOT_SURE), (100 * float(sure.mean()), PERCENTAGE), (part(each), ALL_OF_THEM),
        (part(best[:, 0] - best[:, 1]), LEAD), (part(torch.softmax(logits, 0).max(-1).values), SOFTMAX_OVER_IMAGES),
        *((float((probability >= limit).double().mean()), limit) for limit in LIMITS),
    ]  # fmt: skip
    return {why for value, why in guesses if math.isclose(value, share, abs_tol=1e-4)}


def _decoded(task: str, decoded: list[Tensor], n: int, latent_dim: int) -> Tensor:
    """All z that were decoded, [n, D], in order, however they were cut into batches."""
    for z in decoded:
        if z.ndim == 0 or z.shape[-1] != latent_dim:
            fail(
                task, f"the decoder was given shape {list(z.shape)}.", f"Wanted {latent_dim} entries in the last axis."
            )
    z = torch.cat([z.reshape(-1, latent_dim) for z in decoded]) if decoded else torch.zeros(0, latent_dim, device="cpu")
    if len(z) != n:
        fail(task, f"the decoder was given {len(z)} z.", f"Wanted {n}.")
    return z


def _require_probabilities(task: str, images: Tensor, logits: Tensor) -> None:
    """Require images = sigmoid(logits), in order."""
    images, wanted = images.detach(), torch.sigmoid(logits).detach()
    if is_close(images, wanted):
        return
    if is_close(images, logits):
        fail(
            task,
            f"pixels lie between {float(images.min()):.1f} and {float(images.max()):.1f}.",
            "Wanted [0, 1].",
            LOGITS,
        )
    if is_close(images, torch.sigmoid(wanted)):
        fail(task, "no pixel is darker than 0.5.", "Wanted one sigmoid, not two.", LOGITS)
    if bool(((images == 0) | (images == 1)).all()):
        fail(task, "all pixels are black or white.", "Wanted the probabilities themselves.")
    what, why = _other_images(images, logits.detach())
    fail(
        task,
        f"the result is not what the decoder gave. {what}".strip(),
        "Wanted sigmoid(decode(z)), in the order of z.",
        why,
    )


OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "logits": lambda s: s,
    "sigmoid(sigmoid(logits))": lambda s: torch.sigmoid(torch.sigmoid(s)),
    "1 - sigmoid(logits)": lambda s: torch.sigmoid(-s),
    "tanh(logits)": torch.tanh,
    "logits.clamp(0, 1)": lambda s: s.clamp(0, 1),
    "softmax(logits)": lambda s: torch.softmax(s, -1),
    "(logits - min) / (max - min)": lambda s: (s - s.min()) / (s.max() - s.min()),
    "(logits - logits.amin(1)) / (logits.amax(1) - logits.amin(1))": lambda s: (
        (s - s.amin(-1, True)) / (s.amax(-1, True) - s.amin(-1, True))
    ),
    "sigmoid(logits).round()": lambda s: (s > 0).to(s),
    "255 * sigmoid(logits)": lambda s: 255 * torch.sigmoid(s),
}
"""What people make of logits instead of sigmoid(logits)."""


def _other_images(images: Tensor, logits: Tensor) -> tuple[str, Misconception | None]:
    """What wrong images are, as far as one can tell, and the mistake, if it is known."""
    right = torch.sigmoid(logits)
    name = next((name for name, formula in OTHERS.items() if is_close(images, formula(logits))), "")
    if name:
        return f"They are {name}.", LOGITS if name in ("logits", "sigmoid(sigmoid(logits))") else None
    if bool(((images == 0) | (images == 1)).all()):
        return "All their pixels are 0 or 1, rounded or drawn.", None
    off = (images - right).abs().amax(1) > 1e-3
    if 0 < int(off.sum()) < len(off):
        return f"{int(off.sum())} of {len(off)} images are others.", None
    return f"Pixels lie between {float(images.min()):.3g} and {float(images.max()):.3g}.", None


def _require_prior(task: str, z: Tensor, axes: tuple[str, ...]) -> None:
    finding = examine(z, axes)
    if finding is None:
        return
    mean = float(z.double().mean())
    if finding.kind == "shared" and abs(mean) > 0.3:
        fail(task, f"z has mean {mean:.2f}.", "Wanted draws from the prior N(0, 1).", WRONG_PRIOR)
    low, high = finding.wanted
    same = finding.axis in axes and constant_along(z, axes.index(finding.axis))
    sums = f"sums of z along the axis '{finding.axis}' have {finding.seen:.1f} times the variance of independent draws."
    what = {
        "not finite": "z holds nan or infinite numbers.",
        "spread": f"z has spread {finding.seen:.2f}.",
        "mean": f"z has mean {finding.seen:.2f}.",
        "shape": f"the distribution function of z is {finding.seen:.3f} away from that of N(0, 1).",
        "tails": f"a share of {finding.seen:.4f} of z is far out; N(0, 1) has {low:.4f} to {high:.4f} there.",
        "shared": f"z is the same, or nearly, along the axis '{finding.axis}'." if same else sums,
        "cancelling": f"along the axis '{finding.axis}', z cancels.",
        "sizes": f"along the axis '{finding.axis}', large entries of z stand beside large ones, of either sign.",
    }[finding.kind]
    shared = SHARED_Z.get(finding.axis) if same else PARTLY_SHARED
    why = {"shared": shared, "cancelling": CANCELLING, "sizes": COMMON_SIZE, "not finite": None}.get(
        finding.kind, WRONG_PRIOR
    )
    fail(task, what, "Wanted independent draws from the prior N(0, 1).", why)
