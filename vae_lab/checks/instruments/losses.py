"""The terms of a VAE's loss in closed form, and the wrong formulas that people write for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, mse_loss, softplus

from vae_lab.checks.instruments.closed_form import Wrong, fitted, in_words
from vae_lab.checks.instruments.sampler import device
from vae_lab.checks.messages import Misconception


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, e^logvar) || N(0, 1)) added up over the last axis, [B], nats (Kingma & Welling 2014, appendix B)."""
    return kl_terms(mu, logvar).sum(-1)


def kl_terms(mu: Tensor, logvar: Tensor) -> Tensor:
    """The KL of each dimension, (mu^2 + (sigma^2 - 1 - log sigma^2)) / 2, [B, D]."""
    return (mu.square() + torch.expm1(logvar) - logvar) / 2


def log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Log p(x | logits) of independent Bernoulli pixels, added up over each image, [B], nats."""
    return likelihood_terms(logits, x).flatten(1).sum(1)


def likelihood_terms(logits: Tensor, x: Tensor) -> Tensor:
    """X log p + (1 - x) log(1 - p) for each pixel, p = sigmoid(logits)."""
    return x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)


def ways_of_kl(mu: Tensor, logvar: Tensor) -> list[list[Tensor]]:
    """The KL as a sum of terms, [B] each: what a detach may take out of its derivative."""
    return [[mu.square().sum(-1) / 2, logvar.exp().sum(-1) / 2, -logvar.sum(-1) / 2]]


def ways_of_likelihood(logits: Tensor, x: Tensor) -> list[list[Tensor]]:
    """The likelihood as a sum of terms, [B] each, as people write it."""
    white, black = x * logsigmoid(logits), (1 - x) * logsigmoid(-logits)
    return [
        [each.flatten(1).sum(1) for each in way]
        for way in ([white, black], [x * logits, -softplus(logits)], [(x - 1) * logits, logsigmoid(logits)])
    ]


def ways_of_loss(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> list[list[Tensor]]:
    """The negative ELBO as a sum of terms, scalars."""
    kl = [term.mean() for term in ways_of_kl(mu, logvar)[0]]
    return [[*(-term.mean() for term in way), *kl] for way in ways_of_likelihood(logits, x)]


def loss(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """The negative ELBO, averaged over the batch, nats per image."""
    return (gaussian_kl(mu, logvar) - log_likelihood(logits, x)).mean()


MEAN_OVER_D = Misconception(
    "the KL of independent dimensions adds up; a mean over D makes it D times too small.", "elbo"
)
PER_DIMENSION = Misconception("the dimensions of an image are not added up yet: one number for each image.", "elbo")
ONE_NUMBER = Misconception("the images are added up or averaged as well; here each keeps its own number.", "elbo")
SAME_FOR_ALL = Misconception("every image gets one number, made of the whole batch; each has its own.", "elbo")
LOGVAR_AS_LOGSTD = Misconception(
    "sigma is taken to be exp(logvar), and its variance exp(2 * logvar): logvar is log sigma^2 already, so sigma is "
    "exp(logvar / 2).",
    "notation",
)
FREE_BITS = Misconception(
    "a KL that is small is kept from getting smaller (free bits, a clamp, a threshold): the formula has no floor, and "
    "near mu = 0, logvar = 0 the KL goes down to 0.",
    "elbo",
)
BITS = Misconception("log is the natural logarithm here: the unit is nats, not bits.", "notation")
WRONG_KL: Wrong = [
    (lambda m, v: gaussian_kl(m, v) / math.log(2), BITS),
    (
        lambda m, v: (m.square() + v.exp() - 1 - v / 2).sum(-1) / 2,
        Misconception("log sigma stands where log sigma^2 belongs: logvar has the weight 1/2, like mu^2.", "elbo"),
    ),
    (
        lambda m, v: (m.square() + v.exp() - v / 2 - 0.5).sum(-1),
        Misconception("the factor 1/2 belongs in front of all four terms.", "elbo"),
    ),
    (
        lambda m, v: (m.square() + v.square() - 1 - 2 * v.abs().log()).sum(-1) / 2,
        Misconception("logvar is taken for sigma: sigma^2 is exp(logvar).", "elbo"),
    ),
    (kl_terms, PER_DIMENSION),
    (lambda m, v: gaussian_kl(m, v).sum(), ONE_NUMBER),
    (lambda m, v: gaussian_kl(m, v).mean(), ONE_NUMBER),
    (lambda m, v: kl_terms(m, v).mean(), ONE_NUMBER),
    (lambda m, v: gaussian_kl(m, v).mean().expand(len(m)), SAME_FOR_ALL),
    (lambda m, v: gaussian_kl(m, v).sum().expand(len(m)), SAME_FOR_ALL),
    (lambda m, v: gaussian_kl(m, v)[:, None], Misconception("the axis D is kept; it adds up and is gone.", "elbo")),
    (lambda m, v: kl_terms(m, v).sum(0), Misconception("the sum goes over the batch; D is the last axis.", "elbo")),
    (lambda m, v: kl_terms(m, v).mean(-1), MEAN_OVER_D),
    (lambda m, v: -gaussian_kl(m, v), Misconception("the sign is turned: a KL divergence is never negative.", "elbo")),
    (lambda m, v: 2 * gaussian_kl(m, v), Misconception("the factor 1/2 in front is missing.", "elbo")),
    (lambda m, v: gaussian_kl(m, v) / 2, Misconception("a factor 1/2 too many.", "elbo")),
    (
        lambda m, v: (m.square() + v.exp() - v).sum(-1) / 2,
        Misconception("the -1 is missing: at mu = 0, logvar = 0 the KL is 0.", "elbo"),
    ),
    (
        lambda m, v: (m.square() + v.exp() - 1 + v).sum(-1) / 2,
        Misconception("logvar is subtracted, not added: a tiny sigma is far from N(0, 1).", "elbo"),
    ),
    (lambda m, v: (m.square() + torch.exp(2 * v) - 1 - 2 * v).sum(-1) / 2, LOGVAR_AS_LOGSTD),
    (lambda m, v: (m.square() + torch.exp(2 * v) - 1 - v).sum(-1) / 2, LOGVAR_AS_LOGSTD),
    (
        lambda m, v: (m.square() + torch.exp(v / 2) - 1 - v).sum(-1) / 2,
        Misconception("sigma stands where sigma^2 belongs: exp(logvar) is the variance.", "elbo"),
    ),
    (lambda m, v: (m + v.exp() - 1 - v).sum(-1) / 2, Misconception("mu is not squared.", "elbo")),
    (lambda m, v: (m.abs() + v.exp() - 1 - v).sum(-1) / 2, Misconception("mu is not squared.", "elbo")),
    (lambda m, v: (v.exp() - 1 - v).sum(-1) / 2, Misconception("the term mu^2 is missing.", "elbo")),
    (lambda m, v: m.square().sum(-1) / 2, Misconception("the terms of sigma are missing.", "elbo")),
    (
        lambda m, v: ((1 + m.square()) * torch.exp(-v) - 1 + v).sum(-1) / 2,
        Misconception("this is KL(p || q), the other way round; the ELBO has KL(q || p).", "elbo"),
    ),
    (
        lambda m, v: (m.square() + v.exp() - 1 - v / math.log(2)).sum(-1) / 2,
        Misconception("log is the natural logarithm here: the unit is nats.", "notation"),
    ),
]
"""KL(q || p) as people write it."""

MEAN_OVER_PIXELS = Misconception(
    "the pixels' log-likelihoods add up; a mean over the pixels makes the term as many times too small.", "elbo"
)
NOT_NEGATIVE = Misconception(
    "the sign is turned: binary cross-entropy is the negative log-likelihood, and log p(x|z) is never above 0 here.",
    "elbo",
)
HALF_OF_IT = Misconception("the second half is missing: (1 - x) log(1 - p) counts the black pixels.", "elbo")
BLACK_AND_WHITE = Misconception("black and white have changed places: p is the probability of white, x = 1.", "elbo")
SECOND_SIGMOID = Misconception("the sigmoid is applied twice: logits go in as they are.", "elbo")
GREY_ROUNDED = Misconception("grey is rounded to black or white; the formula takes any x in [0, 1].", "elbo")
CHANGED_PLACES = Misconception(
    "logits and x have changed places: binary_cross_entropy_with_logits takes the logits first, then x.", "elbo"
)
WRONG_LIKELIHOOD: Wrong = [
    (likelihood_terms, Misconception("the pixels are not added up yet: one number for each image.", "elbo")),
    (lambda s, x: log_likelihood(s, x).sum(), ONE_NUMBER),
    (lambda s, x: log_likelihood(s, x).mean(), ONE_NUMBER),
    (lambda s, x: -log_likelihood(s, x).sum(), ONE_NUMBER),
    (lambda s, x: -log_likelihood(s, x).mean(), ONE_NUMBER),
    (lambda s, x: likelihood_terms(s, x).mean(), ONE_NUMBER),
    (lambda s, x: -likelihood_terms(s, x).mean(), ONE_NUMBER),
    (lambda s, x: log_likelihood(s, x).mean().expand(len(s)), SAME_FOR_ALL),
    (lambda s, x: log_likelihood(s, x).sum().expand(len(s)), SAME_FOR_ALL),
    (lambda s, x: log_likelihood(s, x)[:, None], Misconception("an axis is kept that should be gone.", "elbo")),
    (lambda s, x: likelihood_terms(s, x).sum(-1), Misconception("only the last axis is added up.", "elbo")),
    (lambda s, x: likelihood_terms(s, x).flatten(1).mean(1), MEAN_OVER_PIXELS),
    (lambda s, x: -log_likelihood(s, x), NOT_NEGATIVE),
    (lambda s, x: -likelihood_terms(s, x).flatten(1).mean(1), NOT_NEGATIVE),
    (
        lambda s, x: (x * logsigmoid(s)).flatten(1).sum(1),
        HALF_OF_IT,
    ),
    (
        lambda s, x: ((1 - x) * logsigmoid(-s)).flatten(1).sum(1),
        Misconception("the first half is missing: x log p counts the white pixels.", "elbo"),
    ),
    (
        lambda s, x: log_likelihood(-s, x),
        BLACK_AND_WHITE,
    ),
    (
        lambda s, x: log_likelihood(torch.sigmoid(s), x),
        SECOND_SIGMOID,
    ),
    (
        lambda s, x: log_likelihood(s, x) / math.log(2),
        Misconception("log is the natural logarithm here: the unit is nats, not bits.", "notation"),
    ),
    (
        lambda s, x: log_likelihood(s, (x > 0.5).to(x)),
        GREY_ROUNDED,
    ),
    (
        lambda s, x: -mse_loss(torch.sigmoid(s), x, reduction="none").flatten(1).sum(1),
        Misconception("a squared error belongs to a Gaussian likelihood; pixels here are Bernoulli.", "elbo"),
    ),
    (
        lambda s, x: -mse_loss(torch.sigmoid(s), x, reduction="none").flatten(1).sum(1) / 2,
        Misconception("a squared error belongs to a Gaussian likelihood; pixels here are Bernoulli.", "elbo"),
    ),
    (
        lambda s, x: -mse_loss(s, x, reduction="none").flatten(1).sum(1),
        Misconception("a squared error belongs to a Gaussian likelihood; pixels here are Bernoulli.", "elbo"),
    ),
    (
        lambda s, x: -(torch.sigmoid(s) - x).abs().flatten(1).sum(1),
        Misconception("an absolute error belongs to a Laplace likelihood; pixels here are Bernoulli.", "elbo"),
    ),
    (
        lambda s, x: (s * logsigmoid(x) + (1 - s) * logsigmoid(-x)).flatten(1).sum(1),
        CHANGED_PLACES,
    ),
    (
        lambda s, x: (x * s.log() + (1 - x) * (1 - s).log()).flatten(1).sum(1),
        Misconception("the logits are taken for probabilities: p is sigmoid(logits).", "elbo"),
    ),
    (
        lambda s, x: torch.distributions.ContinuousBernoulli(logits=s).log_prob(x).flatten(1).sum(1),
        Misconception("the continuous Bernoulli has a normalising constant that the formula here lacks.", "elbo"),
    ),
    (
        lambda s, x: (x * torch.sigmoid(s) + (1 - x) * torch.sigmoid(-s)).log().flatten(1).sum(1),
        Misconception("the logarithm is taken after mixing; each of the two has its own.", "elbo"),
    ),
]
"""log p(x | logits) as people write it."""

PIXELS_AVERAGED = Misconception(
    "a mean over pixels for one term and a sum for the other changes their weights: the KL counts many times over.",
    "elbo",
)
TWO_MEANS = Misconception(
    "both terms are sums over what belongs to one image. A mean over the pixels beside a mean over the D dimensions "
    "makes the KL 784 / D times as heavy.",
    "training",
)
OTHER_LIKELIHOOD = Misconception(
    "the reconstruction is that of another likelihood; pixels here are Bernoulli: binary cross-entropy with logits.",
    "elbo",
)
WRONG_LOSS: Wrong = [
    (
        lambda s, x, m, v: -log_likelihood(s, x) + gaussian_kl(m, v),
        ONE_NUMBER._replace(says="one number for each image is left; the loss is their mean."),
    ),
    (lambda s, x, m, v: loss(s, x, m, v)[None], Misconception("an axis is kept that should be gone.", "elbo")),
    (
        lambda s, x, m, v: loss(s, x, m, v) * len(x),
        Misconception("a sum over the batch: the mean keeps the step size free of the batch size.", "elbo"),
    ),
    (lambda s, x, m, v: -loss(s, x, m, v), Misconception("this is the ELBO; its negative is minimised.", "elbo")),
    (
        lambda s, x, m, v: (-log_likelihood(s, x) - gaussian_kl(m, v)).mean(),
        Misconception("the KL has the wrong sign: a loss that rewards a posterior far from the prior.", "training"),
    ),
    (
        lambda s, x, m, v: (log_likelihood(s, x) + gaussian_kl(m, v)).mean(),
        Misconception("the log-likelihood has the wrong sign: a loss that rewards bad reconstructions.", "training"),
    ),
    (
        lambda s, x, m, v: -log_likelihood(s, x).mean(),
        Misconception("the KL is left out: this trains an autoencoder with noise.", "training"),
    ),
    (
        lambda s, x, m, v: gaussian_kl(m, v).mean(),
        Misconception("the reconstruction is left out: nothing ties z to the image.", "training"),
    ),
    (lambda s, x, m, v: -likelihood_terms(s, x).mean() + gaussian_kl(m, v).mean(), PIXELS_AVERAGED),
    (lambda s, x, m, v: -likelihood_terms(s, x).mean() + kl_terms(m, v).mean(), TWO_MEANS),
    (lambda s, x, m, v: -likelihood_terms(s, x).mean() + gaussian_kl(m, v).sum(), PIXELS_AVERAGED),
    (lambda s, x, m, v: -log_likelihood(s, x).mean() + kl_terms(m, v).mean(), MEAN_OVER_D),
    (
        lambda s, x, m, v: -log_likelihood(s, x).mean() + gaussian_kl(m, v).sum(),
        Misconception("one term is averaged over the batch, the other added up.", "elbo"),
    ),
    (
        lambda s, x, m, v: -log_likelihood(s, x).sum() + gaussian_kl(m, v).mean(),
        Misconception("one term is averaged over the batch, the other added up.", "elbo"),
    ),
    (
        lambda s, x, m, v: -log_likelihood(s, x).mean() + 2 * gaussian_kl(m, v).mean(),
        Misconception("the KL counts twice.", "elbo"),
    ),
    (
        lambda s, x, m, v: (-log_likelihood(s, x) + gaussian_kl(m, v)).mean() / x[0].numel(),
        Misconception("nats per pixel; wanted nats per image.", "notation"),
    ),
]
"""The negative ELBO as people write it."""

RECONSTRUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "the squared error of sigmoid(logits)": lambda s, x: (torch.sigmoid(s) - x).square(),
    "the squared error of the logits": lambda s, x: (s - x).square(),
    "the absolute error of sigmoid(logits)": lambda s, x: (torch.sigmoid(s) - x).abs(),
    "the absolute error of the logits": lambda s, x: (s - x).abs(),
    "the cross-entropy with a second sigmoid": lambda s, x: -likelihood_terms(torch.sigmoid(s), x),
    "the cross-entropy with logits and x exchanged": lambda s, x: -likelihood_terms(x, s),
    "the cross-entropy with black and white exchanged": lambda s, x: -likelihood_terms(s, 1 - x),
    "the cross-entropy with images rounded to black and white": lambda s, x: -likelihood_terms(s, (x > 0.5).to(x)),
    "the cross-entropy with images rescaled to [-1, 1]": lambda s, x: -likelihood_terms(s, 2 * x - 1),
    "x log p alone": lambda s, x: -x * logsigmoid(s),
    "(1 - x) log(1 - p) alone": lambda s, x: -(1 - x) * logsigmoid(-s),
}
"""What people write for the reconstruction of one pixel, instead of its binary cross-entropy."""

NOT_ANOTHER: dict[str, Misconception] = {
    "the cross-entropy with a second sigmoid": SECOND_SIGMOID,
    "the cross-entropy with logits and x exchanged": CHANGED_PLACES,
    "the cross-entropy with black and white exchanged": BLACK_AND_WHITE,
    "the cross-entropy with images rounded to black and white": GREY_ROUNDED,
    "x log p alone": HALF_OF_IT,
}
"""What is wrong with those of them that are no other likelihood."""


def why_not(name: str) -> Misconception:
    """What is wrong with one of the RECONSTRUCTIONS."""
    return NOT_ANOTHER.get(name, OTHER_LIKELIHOOD)


def near_the_prior(batch: int, dim: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Mu and logvar [B, D] of either sign between 0.03 and 0.2: each KL is at most 0.03 nats, and none is 0.

    Example:
        >>> mu, logvar = near_the_prior(2, 3, torch.float64, torch.device("cpu"))
        >>> bool((kl_terms(mu, logvar) < 0.04).all() and (kl_terms(mu, logvar) > 5e-4).all())
        True
    """
    sizes = torch.linspace(0.03, 0.2, batch * dim, dtype=dtype, device=device).reshape(batch, dim)
    signs = 1 - 2 * (torch.arange(batch * dim, device=device).reshape(batch, dim) % 2).to(dtype)
    return sizes * signs, sizes.flip(0, 1) * signs.flip(1)


def measure_kl(kl: Callable[..., Any]) -> tuple[str, Misconception | None]:
    """What a wrong KL is made of: a floor under small values, or its terms with their weights."""
    small = near_the_prior(8, 3, torch.float32, device())
    seen = attempt(kl, *small)
    usual = attempt(kl, 5 * small[0], 5 * small[1])
    floored = usual is not None and usual.shape == (8,) and float(usual.std()) > 1e-3
    if floored and seen is not None and seen.shape == (8,) and float(seen.std()) < 1e-6:
        return f"Where each KL is at most 0.03 nats, you give {float(seen.mean()):.3g} for every image.", FREE_BITS
    mu, logvar = torch.randn(2, 30, 3, device=device(), dtype=torch.float64)
    seen = attempt(kl, mu.float(), logvar.float())
    terms = {"mu^2": mu.square(), "mu": mu, "sigma^2": logvar.exp(), "sigma": (logvar / 2).exp(), "logvar": logvar}
    terms |= {"sigma^4": (2 * logvar).exp(), "1": torch.ones_like(mu)}
    weights = None if seen is None else fitted(seen, {name: term.sum(-1) for name, term in terms.items()})
    if weights is None:
        return "", None
    return f"They are those of {in_words(weights)}, added up over D; the text has 1/2 of each of its four terms.", None


def measure_likelihood(likelihood: Callable[..., Any]) -> tuple[str, Misconception | None]:
    """What a wrong log-likelihood is made of: the pixel's terms with their weights."""
    logits, x = torch.randn(20, 5, device=device(), dtype=torch.float64), torch.rand(20, 5, device=device())
    seen = attempt(likelihood, logits.float(), x)
    terms = {"x log p": x * logsigmoid(logits), "(1 - x) log(1 - p)": (1 - x) * logsigmoid(-logits)}
    weights = None if seen is None else fitted(seen, {name: term.sum(-1) for name, term in terms.items()})
    if weights is None or set(weights.values()) == {1.0}:
        return "", None
    return f"They are those of {in_words(weights)}, added up over the pixels; the text has each of the two once.", None


def measure_loss(loss_of: Callable[..., Any]) -> tuple[str, Misconception | None]:
    """What a wrong loss is made of: which reconstruction, which KL, with which weights."""
    where = device()
    batches = [
        (
            3 * torch.randn(4, 6, device=where),
            torch.rand(4, 6, device=where),
            *torch.randn(2, 4, 3, device=where).unbind(),
        )
        for _ in range(12)
    ]
    mu, logvar = near_the_prior(4, 3, torch.float32, device())
    answers = [attempt(loss_of, *batch) for batch in batches]
    small = [
        attempt(loss_of, logits, x, m, v)
        for logits, x, _, _ in batches[:4]
        for m, v in [(mu, logvar), (mu / 2, logvar / 2)]
    ]
    numbers = [float(answer) for answer in [*answers, *small] if answer is not None and answer.numel() == 1]
    if len(numbers) < len(answers) + len(small):
        return "", None
    seen, levels = torch.tensor(numbers[: len(answers)], dtype=torch.float64), numbers[len(answers) :]
    rate = torch.stack([gaussian_kl(m, v).mean() for _, _, m, v in batches])
    distortion = torch.stack([-log_likelihood(s, x).mean() for s, x, _, _ in batches])
    weights = fitted(seen, {"reconstruction": distortion, "KL": rate})
    steps = [big - little for big, little in zip(levels[::2], levels[1::2], strict=True)]
    level = all(abs(step) < 1e-5 for step in steps)  # also of a loss without any KL, and then the fit says so
    if level and (weights is None or "KL" in weights):
        return "Where each KL is at most 0.03 nats, mu and logvar make no difference to it.", FREE_BITS
    if weights == {"reconstruction": 1.0, "KL": 1.0}:  # wrong elsewhere
        return "", None
    if weights is not None:
        measured = f"With images of 6 pixels and D = 3 it is {in_words(weights)}; wanted reconstruction + KL."
        return measured, None
    for name, terms in RECONSTRUCTIONS.items():
        other = torch.stack([terms(s, x).flatten(1).sum(1).mean() for s, x, _, _ in batches])
        weights = fitted(seen, {name: other, "KL": rate})
        if weights is not None and name in weights:
            return f"It is {in_words(weights)}.", why_not(name)
    parts = {"reconstruction": distortion}
    for name, term in {"mu^2": torch.square, "sigma^2": torch.exp, "logvar": lambda v: v, "1": torch.ones_like}.items():
        parts[name] = torch.stack([term(m if name == "mu^2" else v).sum(-1).mean() for _, _, m, v in batches])
    weights = fitted(seen, parts)
    if weights is None:
        return "", None
    return f"It is {in_words(weights)}, where the text has 1/2 of each of the KL's four terms.", None


def attempt(function: Callable[..., Any], *args: Tensor) -> Tensor | None:
    """What a function gives for some numbers, without its graph; None if it raises or gives no tensor.

    Example:
        >>> attempt(torch.sqrt, torch.tensor(4.0)), attempt(math.sqrt, torch.tensor([1.0, 2.0]))
        (tensor(2.), None)
    """
    try:
        seen = function(*args)
    except Exception:
        return None
    return seen.detach() if isinstance(seen, Tensor) else None
