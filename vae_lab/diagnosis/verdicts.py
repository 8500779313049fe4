"""From what was measured about the loss to findings: likelihood, KL term, and the weight between them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vae_lab.diagnosis.anatomy import Anatomy
from vae_lab.diagnosis.divergence import Divergence
from vae_lab.diagnosis.draw import Draw
from vae_lab.diagnosis.findings import Finding
from vae_lab.diagnosis.likelihood import Likelihood

NEAR = 0.03  # relative: a weight that is so near to a known one is that


def of_pixels_alone(x: Tensor) -> list[Finding]:
    """Pixels that are no numbers."""
    return [Finding(
        "not_finite", "There are pixels that are no numbers.", f"{int((~torch.isfinite(x)).sum())} pixels are NaN or infinite",
        "Look at how the images are loaded, before the model.", "elbo",
    )]  # fmt: skip


def of_pixels(anatomy: Anatomy, likelihood: Likelihood | None) -> list[Finding]:
    """Pixels that the likelihood, or the decoder, cannot give."""
    x = anatomy.x
    low, high = float(x.min()), float(x.max())
    name = likelihood.name if likelihood is not None and likelihood.name else ""
    reach = (-1.0, 1.0) if "tanh" in name else (0.0, 1.0) if "sigmoid" in name or name in {"bernoulli", "half"} else None
    if "relu" in name:
        reach = (0.0, math.inf)
    if reach is None or (low >= reach[0] - 1e-4 and high <= reach[1] + 1e-4):
        return []
    cure = "x / 255" if high > 2 and low >= 0 else "(x + 1) / 2" if low >= -1.001 and high <= 1.001 else "scale them to [0, 1]"
    return [Finding(
        "pixel_range", "The pixels are outside what the decoder and the likelihood can give.",
        f"the images go from {low:.3g} to {high:.3g}, and only [{reach[0]:g}, {reach[1]:g}] can be drawn",
        f"Rescale the images first: {cure}.", "elbo",
    )]  # fmt: skip


def of_loss(
    anatomy: Anatomy, draw: Draw, likelihood: Likelihood | None, divergence: Divergence | None
) -> tuple[list[Finding], list[str]]:
    """Findings and remarks about the two terms."""
    found: list[Finding] = []
    remarks: list[str] = []
    if likelihood is None:
        return found, remarks
    if not likelihood.hears:
        found.append(Finding(
            "no_reconstruction", "The loss does not look at the decoder's picture.",
            "other pictures give the same loss", "Compare the decoder's result with x in the loss.", "elbo",
        ))  # fmt: skip
        return found, remarks
    if likelihood.name in {"sigmoid twice", "squares of a sigmoid twice"}:
        found.append(Finding(
            "sigmoid_twice", "Two sigmoids stand between the decoder's last layer and the loss.",
            "the loss is that of sigmoid(sigmoid(u)), u the last layer's result",
            "Take the sigmoid out of the decoder, or use binary_cross_entropy without _with_logits.", "elbo",
        ))  # fmt: skip
    if likelihood.name == "half":
        found.append(Finding(
            "half_likelihood", "The dark pixels are not counted: (1 - x) log(1 - p) is missing.",
            "the loss is -x log p, summed", "Use binary_cross_entropy_with_logits.", "elbo",
        ))  # fmt: skip
    if divergence is None:
        return found, remarks
    named = _kl_finding(draw, divergence)
    found += named
    if divergence.name not in {None, "none"} and likelihood.name is not None:
        weight, remark = _weight(anatomy, draw, likelihood, divergence)
        found += weight if not named or divergence.name in {"variance for spread"} else []
        remarks += remark
    return found, remarks


_KL_SLIPS = {
    "log without its half": ("kl_log", "log sigma stands in the KL where log sigma^2 belongs", "1 + 2 * log_sigma"),
    "log twice": ("kl_log", "the logarithm is counted twice in the KL", "1 + logvar, with logvar = log sigma^2"),
    "spread for variance": ("kl_variance", "sigma stands in the KL where sigma^2 belongs", "logvar.exp(), sigma**2"),
    "sign of the log": ("kl_sign", "the logarithm has the wrong sign in the KL", "-0.5 * (1 + logvar - ...)"),
    "sign of mu": ("kl_sign", "mu^2 has the wrong sign in the KL", "-0.5 * (... - mu**2 - ...)"),
    "sign of the variance": ("kl_sign", "sigma^2 has the wrong sign in the KL", "-0.5 * (... - logvar.exp())"),
    "sign of the variance and the log": ("kl_sign", "sigma^2 and the logarithm have the wrong sign in the KL", "the formula"),
    "no mu": ("kl_term_missing", "mu^2 is missing in the KL", "mu**2"),
    "no variance": ("kl_term_missing", "sigma^2 is missing in the KL", "logvar.exp()"),
    "no log": ("kl_term_missing", "the logarithm is missing in the KL", "logvar"),
    "mu alone": ("kl_term_missing", "only mu^2 is left of the KL", "logvar and logvar.exp()"),
    "mu not squared": ("kl_mu", "mu is not squared in the KL", "mu**2"),
    "mu as it is": ("kl_mu", "|mu| stands in the KL where mu^2 belongs", "mu**2"),
    "reversed": ("kl_reversed", "the KL is taken the other way round, KL(N(0, 1) || q)", "kl_divergence(q, prior)"),
    "mu halved": ("kl_mu", "mu^2 has half its weight in the KL", "0.5 * mu**2"),
    "mu twice": ("kl_mu", "mu^2 has twice its weight in the KL", "0.5 * mu**2"),
}


def _kl_finding(draw: Draw, divergence: Divergence) -> list[Finding]:
    name = divergence.name
    if name == "right":
        return []
    if name == "none":
        return [Finding(
            "no_kl", "There is no KL term in the loss.", "the loss stays the same for every mu and sigma, the picture held still",
            "Add KL(q(z|x) || p(z)) = -0.5 * (1 + logvar - mu**2 - logvar.exp()), summed over the latent dimensions.", "elbo",
        )]  # fmt: skip
    if name is not None and name.startswith("right for "):
        return [Finding(
            "spread", "The draw and the KL disagree about sigma.",
            f"the KL term is right if the encoder's second answer is {name.removeprefix('right for ')}; the spread of z is "
            "another function of it", "If the encoder gives logvar: z = mu + exp(logvar / 2) * eps.", "reparameterization",
        )]  # fmt: skip
    if name in {"variance for spread", "root of the spread"}:
        if not draw.noisy:
            return []
        right = "square" if name == "variance for spread" else "square root"
        return [Finding(
            "spread", "The draw and the KL disagree about sigma.",
            f"the spread of z is the {right} of the sigma that the KL term counts",
            "If the encoder gives logvar: sigma = exp(logvar / 2) in the draw, logvar.exp() in the KL. If it gives log "
            "sigma: exp(log_sigma) in the draw, 2 * log_sigma and exp(2 * log_sigma) in the KL.", "reparameterization",
        )]  # fmt: skip
    if name in _KL_SLIPS:
        short, cause, remedy = _KL_SLIPS[name]
        return [Finding(
            short, f"{cause[0].upper()}{cause[1:]}.", "as a function of the mean and the spread that z really has, the term "
            f"is that formula within 2 %", f"KL = -0.5 * (1 + logvar - mu**2 - logvar.exp()); look at {remedy}.", "elbo",
        )]  # fmt: skip
    case = divergence.smallest
    seen = "no formula that is known here fits within 2 %"
    if case is not None and all(math.isfinite(c) for c in case):
        seen = f"from mu = 0 to mu = {case[0]:.2f} at sigma = {case[1]:.2f} it changes by {case[2]:.3f} nats, KL by {case[3]:.3f}"
    return [Finding(
        "kl_other", "The term beside the reconstruction is not KL(q(z|x) || N(0, I)).", seen,
        "KL = -0.5 * (1 + logvar - mu**2 - logvar.exp()). If your prior or your bound is another one, this is meant.", "elbo",
    )]  # fmt: skip


def _weight(anatomy: Anatomy, draw: Draw, likelihood: Likelihood, divergence: Divergence) -> tuple[list[Finding], list[str]]:
    """The weight of the KL beside the likelihood, and what number it is."""
    rows, pixels = len(anatomy.x), anatomy.x[0].numel()
    size = anatomy.value(anatomy.watch, draw.location).numel() // rows if draw.location is not None else 1
    if likelihood.weight < 0 and divergence.weight < 0:
        return [Finding(
            "sign_of_loss", "The loss has the wrong sign: it is the ELBO, and would be made small.",
            "better pictures and a smaller KL both raise it", "Minimise -ELBO: reconstruction error plus KL.", "elbo",
        )], []  # fmt: skip
    if likelihood.weight < 0:
        return [Finding(
            "sign_of_reconstruction", "The reconstruction term has the wrong sign.", "worse pictures lower the loss",
            "Add the cross-entropy (it is -log p(x|z)); do not subtract it.", "elbo",
        )], []  # fmt: skip
    beta = divergence.weight / likelihood.weight
    if beta < 0:
        return [Finding(
            "sign_of_kl", "The KL term is subtracted.", f"its weight beside the likelihood is {beta:.3g}",
            "Loss = reconstruction error + KL.", "elbo",
        )], []  # fmt: skip
    exact = likelihood.name in {"bernoulli", "sigmoid twice"}
    known = {
        "pixel_mean": (pixels, "the reconstruction error is averaged over the pixels, the KL is a sum"),
        "all_mean": (pixels * rows, "the reconstruction error is averaged over pixels and images, the KL is a sum over both"),
        "batch_mean": (rows, "the reconstruction error is averaged over the images, the KL is summed over them"),
        "kl_batch_mean": (1 / rows, "the KL is averaged over the images, the reconstruction error is summed over them"),
        "kl_pixel_mean": (1 / pixels, "the KL is divided by the number of pixels, the reconstruction error is not"),
        "kl_all_mean": (1 / (rows * size), "the KL is averaged over images and latent dimensions, the error is a sum"),
        "kl_all_pixel_mean": (1 / (rows * pixels), "the KL is divided by images and pixels, the error is a sum"),
        "pixel_mean_2": (pixels / size, "both terms are averages, over different numbers of entries"),
        "kl_latent_mean": (1 / size, "the KL is averaged over the latent dimensions"),
        "kl_twice": (2.0, "the factor 1/2 is missing in the KL"),
        "kl_half": (0.5, "the factor 1/2 stands twice in the KL"),
        "bits": (1 / math.log(2), "one term is in bits, the other in nats"),
        "bits_2": (math.log(2), "one term is in bits, the other in nats"),
    }
    if exact:
        if abs(beta - 1) < NEAR:
            return [], []
        hits = [(n, why) for n, (value, why) in known.items() if abs(beta / value - 1) < NEAR and abs(value - 1) > NEAR]
        if not hits and 0.1 <= beta <= 10:
            return [], [f"the KL weighs {beta:.3g} times what the ELBO gives it: a beta-VAE, if it is meant"]
        name, why = hits[0] if hits else ("kl_weight", "a factor stands before one of the terms")
        return [_weighed(name, beta, why)], []
    scale = _scale(likelihood, beta)
    meant = [(n, why) for n, (value, why) in known.items() if abs(beta / value - 1) < NEAR or abs(beta / (2 * value) - 1) < NEAR]
    averaged = [h for h in meant if h[0] in {"pixel_mean", "all_mean", "pixel_mean_2"}]
    shrunk = [h for h in meant if h[0] in {"kl_pixel_mean", "kl_all_pixel_mean", "kl_batch_mean", "kl_all_mean"}]
    if scale > 1.5:
        name, why = (averaged or [("kl_weight", "a factor stands before one of the terms")])[0]
        return [_weighed(name, beta, f"{why}; as a likelihood it has sigma = {scale:.3g}, more than the pixels' range")], []
    if scale < 0.01:
        name, why = (shrunk or [("kl_weight", "a factor stands before one of the terms")])[0]
        return [_weighed(name, beta, f"{why}; as a likelihood it has sigma = {scale:.3g}")], []
    return [], [f"the error is a Gaussian likelihood with sigma = {scale:.3g}"] if "squares" in str(likelihood.name) else []


def _scale(likelihood: Likelihood, beta: float) -> float:
    """The decoder's sigma that squares (or the scale that absolute errors) with this weight stand for."""
    return math.sqrt(beta / 2) if "squares" in str(likelihood.name) else beta


def _weighed(name: str, beta: float, why: str) -> Finding:
    name = {"pixel_mean_2": "pixel_mean", "all_mean": "pixel_mean", "bits_2": "bits", "kl_all_mean": "kl_batch_mean"}.get(name, name)
    return Finding(
        name, f"The two terms are not in the same unit: {why}.", f"the KL weighs {beta:.4g} times what the ELBO gives it",
        "Sum both over pixels and latent dimensions, in nats; then average both over the images.", "elbo",
    )  # fmt: skip
