"""Doors of evaluation: models of one's own among them."""

import math

import pytest
import torch
from doors.tried import Refused, seeded, table, try_door
from torch import nn

from vae_lab import VAE, Autoencoder, LinearVAE, active_units, log_marginal_bound
from vae_lab.data import Images

BYTES = torch.tensor([[0, 255, 64, 128], [255, 0, 128, 7], [9, 8, 7, 250]], dtype=torch.uint8)
X = BYTES / 255


def vae(kind=VAE):
    torch.manual_seed(0)
    return kind(2, hidden=(5,), data_shape=(4,))


class Own(nn.Module):
    """A model of one's own, with nothing but what is documented."""

    def __init__(self, encoded=None, explained=None):
        super().__init__()
        self.inner, self.encoded, self.explained = vae(), encoded, explained

    def encode(self, x):
        mu, logvar = self.inner.encode(x)
        return (mu, logvar) if self.encoded is None else self.encoded(mu, logvar)

    def log_likelihood(self, x, z):
        found = self.inner.log_likelihood(x, z)
        return found if self.explained is None else self.explained(found)


class NoLikelihood(nn.Module):
    def encode(self, x):
        return x[:, :2], x[:, :2]


def bound(model=None, x=X, samples=5, **options):
    return log_marginal_bound(vae() if model is None else model, x, samples, generator=seeded(), **options)


BAD_X = {
    "a list": (X.tolist(), ("x is a list",)),
    "whole numbers": (BYTES.long(), ("dtype torch.int64",)),
    "another width": (torch.zeros(3, 5), ("(3, 5)",)),
    "no batch": (X[0], ("(4,)",)),
    "NaN": (X * math.nan, ("not finite",)),
    "0 to 255": (BYTES.float(), ("/ 255",)),
    "-1 to 1": (2 * X - 1, ("(x + 1) / 2",)),
}
BAD_CODES = {
    "three tensors": (lambda mu, logvar: (mu, logvar, mu), ("encode", "(mu, logvar)")),
    "one tensor": (lambda mu, logvar: mu, ("encode", "Tensor", "(mu, logvar)")),
    "of two shapes": (lambda mu, logvar: (mu, logvar[:, :1]), ("encode", "(3, 2)", "(3, 1)")),
    "a distribution": (lambda mu, logvar: torch.distributions.Normal(mu, 1.0), ("encode", "Normal")),
    "too few rows": (lambda mu, logvar: (mu[:1], logvar[:1]), ("encode", "(1, 2)", "3 images")),
}


@table(
    ("uint8", lambda: bound(x=BYTES), bound),
    ("Images", lambda: bound(x=Images(BYTES, torch.zeros(3))), bound),
    ("doubles", lambda: bound(x=X.double()), bound),
    ("a double model", lambda: bound(vae().double(), X), lambda: bound(vae().double(), X.double())),
    ("a model of one's own", lambda: bound(Own()), bound),
    ("uint8 for a model of one's own", lambda: bound(Own(), BYTES), bound),
    ("codes in a list", lambda: bound(Own(lambda mu, logvar: [mu, logvar])), bound),
    ("pieces", lambda: bound(chunk=2), lambda: bound(chunk=2)),
    *((f"x: {what}", lambda x=x: bound(x=x), Refused("log_marginal_bound", *words)) for what, (x, words) in BAD_X.items()),
    *((f"codes: {what}", lambda f=f: bound(Own(f)), Refused("log_marginal_bound", *words)) for what, (f, words) in BAD_CODES.items()),
    ("an autoencoder", lambda: bound(vae(Autoencoder)), Refused("log_marginal_bound", "Autoencoder", "log_likelihood")),
    ("an autoencoder and two images", lambda: bound(vae(Autoencoder), X[:2]), Refused("log_marginal_bound", "Autoencoder")),
    ("no likelihood", lambda: bound(NoLikelihood()), Refused("log_marginal_bound", "NoLikelihood", "log_likelihood")),
    ("a function for a model", lambda: bound(lambda x: x), Refused("log_marginal_bound", "function", "encode")),
    ("a class for a model", lambda: bound(VAE), Refused("log_marginal_bound", "class VAE", "VAE()")),
    ("likelihood: transposed", lambda: bound(Own(explained=lambda found: found.T)), Refused("log_marginal_bound", "log_likelihood", "(3, 5)", "(5, 3)")),
    ("likelihood: transposed in a square", lambda: bound(Own(explained=lambda found: found.T), samples=3), Refused("log_marginal_bound", "log_likelihood")),
    ("likelihood: scalar", lambda: bound(Own(explained=lambda found: found.mean())), Refused("log_marginal_bound", "log_likelihood", "()")),
    ("no samples", lambda: bound(samples=0), Refused("log_marginal_bound", "samples is 0")),
    ("half a sample", lambda: bound(samples=0.5), Refused("log_marginal_bound", "samples is 0.5")),
    ("chunk 0", lambda: bound(chunk=0), Refused("log_marginal_bound", "chunk is 0")),
    ("a seed", lambda: log_marginal_bound(vae(), X, 5, generator=3), Refused("log_marginal_bound", "generator is a int")),
    ("no images", lambda: bound(x=X[:0]), Refused("log_marginal_bound", "(0, 4)")),
)  # fmt: skip
def test_log_marginal_bound(call, expected):
    try_door(call, expected)


@table(
    ("uint8", lambda: active_units(vae(), BYTES, threshold=0.001), lambda: vae().encode(X)[0].var(0) > 0.001),
    ("Images", lambda: active_units(vae(), Images(BYTES, torch.zeros(3))), lambda: active_units(vae(), X)),
    ("a double model", lambda: active_units(vae().double(), X), lambda: active_units(vae(), X)),
    ("a linear VAE", lambda: active_units(LinearVAE(4, 2), 5 * X - 1).shape == (2,), lambda: True),
    *((f"x: {what}", lambda x=x: active_units(vae(), x), Refused("active_units", *words)) for what, (x, words) in BAD_X.items()),
    *((f"codes: {what}", lambda f=f: active_units(Own(f), X), Refused("active_units", *words)) for what, (f, words) in BAD_CODES.items()),
    ("an autoencoder", lambda: active_units(vae(Autoencoder), X), Refused("active_units", "Autoencoder", "(mu, logvar)")),
    ("an autoencoder and two images", lambda: active_units(vae(Autoencoder), X[:2]), Refused("active_units", "Autoencoder")),
    ("no model", lambda: active_units(X, X), Refused("active_units", "Tensor", "encode")),
    ("a class", lambda: active_units(VAE, X), Refused("active_units", "class VAE")),
    ("one image", lambda: active_units(vae(), X[:1]), Refused("active_units", "x holds 1 images")),
    ("a threshold below 0", lambda: active_units(vae(), X, threshold=-1), Refused("active_units", "threshold is -1")),
    ("a threshold of NaN", lambda: active_units(vae(), X, threshold=math.nan), Refused("active_units", "threshold is nan")),
    ("a threshold a word", lambda: active_units(vae(), X, threshold="low"), Refused("active_units", "threshold is 'low'")),
)  # fmt: skip
def test_active_units(call, expected):
    try_door(call, expected)


@pytest.mark.parametrize("likelihood", ["poisson", None, 3])
def test_a_likelihood_of_no_known_name_is_said(likelihood):
    model = vae()
    model.likelihood = likelihood
    with pytest.raises(ValueError, match=r"active_units: .*likelihood is .*'bernoulli' or 'gaussian'"):
        active_units(model, X)
