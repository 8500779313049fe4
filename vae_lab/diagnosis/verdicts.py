"""From what was measured about the loss to findings: pixels, likelihood, KL term, and the weight between the two."""

from __future__ import annotations

import math

from vae_lab.diagnosis import batch_size, kl_gradient, target
from vae_lab.diagnosis.anatomy import Anatomy
from vae_lab.diagnosis.causes import finding
from vae_lab.diagnosis.divergence import Divergence
from vae_lab.diagnosis.draw import Draw
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.likelihood import Likelihood

NEAR = 0.03  # relative: a weight that is so near to a known one is that
WIDEST, NARROWEST = 1.5, 0.01  # for pixels in [0, 1], no Gaussian decoder has a sigma beyond
BETAS = 0.1, 10.0  # such a weight may be meant
BY_POWER = {1: "batch_mean", 0: "kl_weight", -1: "kl_batch_mean"}  # what no number names, by that of the images
AVERAGES = {"pixel_mean", "batch_mean", "kl_wrong_axis"}  # what makes the KL too heavy


def of_pixels(anatomy: Anatomy, likelihood: Likelihood | None) -> list[Finding]:
    """Pixels that the likelihood, or the decoder, cannot give."""
    x = anatomy.x
    if likelihood is not None and likelihood.target is not None and likelihood.name not in {None, "dark sign"}:
        x = likelihood.target.value[likelihood.target.heard]  # what the loss makes of the images
    low, high = float(x.min()), float(x.max())
    name = likelihood.name if likelihood is not None and likelihood.name else ""
    if "tanh" in name:
        reach = (-1.0, 1.0)
    elif "sigmoid" in name or name.startswith("bernoulli") or name in {"half", "dark sign"}:
        reach = (0.0, 1.0)
    elif "relu" in name:
        reach = (0.0, math.inf)
    else:
        return []
    if low >= reach[0] - 1e-4 and high <= reach[1] + 1e-4:
        return []
    cure = "x / 255" if high > 2 and low >= 0 else "scale them to that interval"
    if low >= -1.001 and high <= 1.001:
        cure = "(x + 1) / 2"
    seen = f"the images go from {low:.3g} to {high:.3g}, and only [{reach[0]:g}, {reach[1]:g}] can be given"
    return [finding("pixel_range", seen, remedy=cure)]


def of_loss(
    anatomy: Anatomy, draw: Draw, likelihood: Likelihood, divergence: Divergence | None
) -> tuple[list[Finding], list[str]]:
    """Findings and remarks about the two terms."""
    if not likelihood.hears:
        return [finding("no_reconstruction", "other pictures give the same loss")], []
    found: list[Finding] = []
    if likelihood.name in {"sigmoid twice", "squares of a sigmoid twice"}:
        found.append(finding("sigmoid_twice", "the loss is that of sigmoid(sigmoid(u)), u the last layer's result"))
    if likelihood.name in {"bernoulli of a tanh", "bernoulli of a relu"}:
        function = likelihood.name.removeprefix("bernoulli of a ")
        seen = f"the loss is that of logits {function}(u), u the last layer's result"
        found.append(finding("squeezed_logits", seen))
    if likelihood.name is not None and likelihood.name.startswith("swapped"):
        found.append(finding("swapped_arguments", "with x for the prediction and the picture for the target, it fits"))
    if likelihood.cut:
        found.append(finding("cut_picture", "the loss changes with the picture, and its derivative is 0 or missing"))
    if likelihood.target is not None and (likelihood.name is None or likelihood.name in target.FAMILIES):
        found += target.examine(anatomy, likelihood.target)
    if likelihood.name == "half":
        found.append(finding("half_likelihood", "the loss is -x log p, summed"))
    if likelihood.name == "dark sign":
        found.append(finding("dark_sign", "the loss is -x log p + (1 - x) log(1 - p), summed"))
    if divergence is None:
        return found, []
    named = _of_kl(draw, divergence)
    if divergence.name == "right":
        named = kl_gradient.examine(anatomy, draw)
    unweighed = likelihood.name is None or likelihood.name.startswith("swapped")
    if unweighed or divergence.name in {None, "none"} or named:
        return found + named, []
    weight, remarks = _of_weight(anatomy, draw, likelihood, divergence)
    if divergence.name == "to a mean":
        remarks.append("the KL is that to a prior N(c, I) with another mean than 0")
    return found + weight, remarks


KL_SLIPS = {
    "log without its half": ("kl_log", "log sigma stands there"),
    "log twice": ("kl_log", "it is counted twice"),
    "spread for variance": ("kl_variance", ""),
    "sign of the log": ("kl_sign", "the logarithm is added"),
    "sign of mu": ("kl_sign", "mu^2 is subtracted"),
    "sign of the variance": ("kl_sign", "sigma^2 is subtracted"),
    "sign of the variance and the log": ("kl_sign", "sigma^2 is subtracted and the logarithm added"),
    "no mu": ("kl_term_missing", "mu^2"),
    "no variance": ("kl_term_missing", "sigma^2"),
    "no log": ("kl_term_missing", "log sigma^2"),
    "mu alone": ("kl_term_missing", "only mu^2 is left"),
    "mu not squared": ("kl_mu", "mu itself is"),
    "mu as it is": ("kl_mu", "|mu| is"),
    "mu halved": ("kl_mu", "mu^2 has half its weight"),
    "mu twice": ("kl_mu", "mu^2 has twice its weight"),
    "reversed": ("kl_reversed", ""),
}


def _of_kl(draw: Draw, divergence: Divergence) -> list[Finding]:
    name = divergence.name
    if name in {"right", "to a mean"}:
        return []
    if name == "none":
        return [finding("no_kl", "the loss is the same for every mu and sigma, the picture held still")]
    if name is not None and name.startswith("right for "):
        taken = name.removeprefix("right for ")
        return [finding("spread", f"the KL takes the encoder's second answer for {taken}; the spread of z is not that")]
    if name in {"variance for spread", "root of the spread"}:
        power = "square" if name == "variance for spread" else "square root"
        seen = f"the spread of z is the {power} of the sigma that the KL counts"
        return [finding("spread", seen)] if draw.noisy else []
    if name in KL_SLIPS:
        short, more = KL_SLIPS[name]
        return [finding(short, "this formula fits the term, in the mean and the spread that z really has", more)]
    seen = "no formula that is known here fits"
    if divergence.smallest is not None and all(math.isfinite(c) for c in divergence.smallest):
        m, s, got, wanted = divergence.smallest
        seen = f"from mu = 0 to {m:.2f}, at sigma = {s:.2f}, it changes by {got:.3f} nats, and the KL by {wanted:.3f}"
    return [finding("kl_other", seen)]


def _of_weight(
    anatomy: Anatomy, draw: Draw, likelihood: Likelihood, divergence: Divergence
) -> tuple[list[Finding], list[str]]:
    """The weight of the KL beside the likelihood, and what number it is."""
    beta, rows = divergence.weight / likelihood.weight, len(anatomy.x)
    seen = f"the KL weighs {beta:.4g} times what the ELBO gives it"
    if likelihood.weight < 0 and divergence.weight < 0:
        return [finding("sign_of_loss", "better pictures and a smaller KL both raise it")], []
    if likelihood.weight < 0:
        return [finding("sign_of_reconstruction", "worse pictures lower the loss")], []
    if beta < 0:
        return [finding("sign_of_kl", seen)], []
    bernoulli = "bernoulli" in str(likelihood.name) or likelihood.name in {"sigmoid twice", "half", "dark sign"}
    if bernoulli and abs(beta - 1) < NEAR:
        return [], []
    power = batch_size.power(anatomy, beta)
    name = _known(anatomy, draw, beta, power) or _known(anatomy, draw, beta)
    more = f", and {'twice' if power > 0 else 'half'} as much with twice as many images" if power else ""
    if bernoulli:
        if not name and BETAS[0] <= beta <= BETAS[1]:
            return [], [f"{seen}{more}: a beta-VAE, if it is meant"]
        return [finding(name or BY_POWER[power], f"{seen}{more}")], []
    # squares and absolute errors have a scale of their own, which the weight of the KL sets
    squares = "squares" in str(likelihood.name)
    scale = math.sqrt(beta / 2) if squares else beta
    what = f"as a likelihood, the error has {'sigma' if squares else 'the scale'} {scale:.3g}"
    if power:
        what += f", with {rows} images, and another one with {rows // 2}"
    if NARROWEST <= scale <= WIDEST:
        return [], [what]
    usual = 2.0 if squares else 1.0  # the weight beside (u - x)^2 / 2, or |u - x|, where nobody thought of sigma
    if beta <= usual * BETAS[1] and scale >= NARROWEST * (math.sqrt(BETAS[0]) if squares else BETAS[0]):
        return [], [f"{what}, or the KL has a weight: a beta-VAE, if it is meant"]
    named = [name, _known(anatomy, draw, beta / 2, power), _known(anatomy, draw, beta / 2), BY_POWER[power]]
    fitting = [n for n in named if n and (n in AVERAGES) == (scale > WIDEST)]
    return [finding([*fitting, "kl_weight"][0], what)], []


def _known(anatomy: Anatomy, draw: Draw, beta: float, power: int = 0) -> str:
    """What the weight is, if it is one of the numbers that a slip makes; `power` is that of the number of images."""
    rows, pixels = len(anatomy.x), anatomy.x[0].numel()
    assert draw.location is not None
    size = anatomy.value(anatomy.watch, draw.location).numel() // rows
    numbers = {
        0: [
            ("pixel_mean", pixels), ("pixel_mean", pixels / size), ("kl_latent_mean", 1 / size),
            ("kl_pixel_mean", 1 / pixels), ("kl_twice", 2.0), ("kl_half", 0.5), ("bits", 1 / math.log(2)),
            ("bits", math.log(2)),
        ],
        1: [("pixel_mean", rows * pixels), ("batch_mean", rows), ("kl_wrong_axis", rows / size)],
        -1: [("kl_batch_mean", 1 / rows), ("kl_batch_mean", 1 / (rows * size)), ("kl_pixel_mean", 1 / (rows * pixels))],
    }  # fmt: skip
    return next((name for name, n in numbers[power] if abs(beta / n - 1) < NEAR and abs(n - 1) > NEAR), "")
