"""The terms of a VAE's loss in closed form, and the wrong formulas that people write for them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, mse_loss

from vae_lab.checks.instruments.closed_form import Wrong
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


def loss(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """The negative ELBO, averaged over the batch, nats per image."""
    return (gaussian_kl(mu, logvar) - log_likelihood(logits, x)).mean()


MEAN_OVER_D = Misconception(
    "the KL of independent dimensions adds up; a mean over D makes it D times too small.", "elbo"
)
PER_DIMENSION = Misconception("the dimensions of an image are not added up yet: one number for each image.", "elbo")
ONE_NUMBER = Misconception("the images are added up or averaged as well; here each keeps its own number.", "elbo")
LOGVAR_AS_LOGSTD = Misconception("exp(2 * logvar): logvar is log sigma^2 already, not log sigma.", "notation")
WRONG_KL: Wrong = [
    (kl_terms, PER_DIMENSION),
    (lambda m, v: gaussian_kl(m, v).sum(), ONE_NUMBER),
    (lambda m, v: gaussian_kl(m, v).mean(), ONE_NUMBER),
    (lambda m, v: kl_terms(m, v).mean(), ONE_NUMBER),
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
WRONG_LIKELIHOOD: Wrong = [
    (likelihood_terms, Misconception("the pixels are not added up yet: one number for each image.", "elbo")),
    (lambda s, x: log_likelihood(s, x).sum(), ONE_NUMBER),
    (lambda s, x: log_likelihood(s, x).mean(), ONE_NUMBER),
    (lambda s, x: -log_likelihood(s, x).sum(), ONE_NUMBER),
    (lambda s, x: -log_likelihood(s, x).mean(), ONE_NUMBER),
    (lambda s, x: likelihood_terms(s, x).mean(), ONE_NUMBER),
    (lambda s, x: -likelihood_terms(s, x).mean(), ONE_NUMBER),
    (lambda s, x: log_likelihood(s, x)[:, None], Misconception("an axis is kept that should be gone.", "elbo")),
    (lambda s, x: likelihood_terms(s, x).sum(-1), Misconception("only the last axis is added up.", "elbo")),
    (lambda s, x: likelihood_terms(s, x).flatten(1).mean(1), MEAN_OVER_PIXELS),
    (lambda s, x: -log_likelihood(s, x), NOT_NEGATIVE),
    (lambda s, x: -likelihood_terms(s, x).flatten(1).mean(1), NOT_NEGATIVE),
    (
        lambda s, x: (x * logsigmoid(s)).flatten(1).sum(1),
        Misconception("the second half is missing: (1 - x) log(1 - p) counts the black pixels.", "elbo"),
    ),
    (
        lambda s, x: ((1 - x) * logsigmoid(-s)).flatten(1).sum(1),
        Misconception("the first half is missing: x log p counts the white pixels.", "elbo"),
    ),
    (
        lambda s, x: log_likelihood(-s, x),
        Misconception("black and white have changed places: p is the probability of white, x = 1.", "elbo"),
    ),
    (
        lambda s, x: log_likelihood(torch.sigmoid(s), x),
        Misconception("the sigmoid is applied twice: logits go in as they are.", "elbo"),
    ),
    (
        lambda s, x: log_likelihood(s, x) / math.log(2),
        Misconception("log is the natural logarithm here: the unit is nats, not bits.", "notation"),
    ),
    (
        lambda s, x: log_likelihood(s, (x > 0.5).to(x)),
        Misconception("grey is rounded to black or white; the formula takes any x in [0, 1].", "elbo"),
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
LOSS_SIGN = Misconception("the sign of {} is turned: the loss is -log-likelihood + KL.", "elbo")
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
    (lambda s, x, m, v: -likelihood_terms(s, x).mean() + kl_terms(m, v).mean(), PIXELS_AVERAGED),
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
