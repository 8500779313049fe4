"""Doors of sampling and elbo: tensors in, tensors out."""

import math

import numpy as np
import pytest
import torch
from doors.tried import Refused, seeded, table, try_door
from torch import distributions as D

from vae_lab import (
    Elbo,
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_likelihood,
    importance_weighted_bound,
    reparameterize,
    sample_and_cut,
    sample_prior,
)
from vae_lab.data import Images
from vae_lab.elbo import diagonal_log_density, log_weight
from vae_lab.logits_loss import bernoulli_error
from vae_lab.pretrained import load_classifier

MU, LOGVAR = torch.tensor([[0.5, -1.0], [2.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [-2.0, 0.5], [0.3, -0.3]])
EPS = torch.tensor([[1.0, -1.0], [0.5, 2.0], [0.0, 0.1]])
WHOLE = torch.ones(3, 2, dtype=torch.int64)
LOGITS, X = torch.tensor([[0.0, 2.0, -1.0], [3.0, -3.0, 0.5]]), torch.tensor([[0.0, 1.0, 0.25], [1.0, 0.0, 0.5]])
BYTES = torch.tensor([[0, 255, 64], [255, 0, 128]], dtype=torch.uint8)
NAN = torch.tensor([[0.0, math.nan, 0.5], [1.0, 0.0, 0.5]])


def z_of(mu=MU, logvar=LOGVAR, eps=EPS):
    return mu + logvar.div(2).exp() * eps


def cross_entropy(logits=LOGITS, x=X):
    return D.Bernoulli(logits=logits).log_prob(x.round()).sum(1) if x.eq(x.round()).all() else (
        x * torch.sigmoid(logits).log() + (1 - x) * torch.sigmoid(-logits).log()
    ).sum(1)  # fmt: skip


@table(
    ("as documented", lambda: reparameterize(MU, LOGVAR, eps=EPS), z_of),
    ("doubles", lambda: reparameterize(MU.double(), LOGVAR.double(), eps=EPS.double()), lambda: z_of().double()),
    ("eps of another float", lambda: reparameterize(MU, LOGVAR, eps=EPS.double()), z_of),
    ("eps of whole numbers", lambda: reparameterize(MU, LOGVAR, eps=WHOLE), lambda: z_of(eps=torch.ones(3, 2))),
    ("logvar of another float", lambda: reparameterize(MU, LOGVAR.double(), eps=EPS).float(), z_of),
    ("samples as numpy's int", lambda: reparameterize(MU, LOGVAR, samples=np.int64(2), generator=seeded()),
     lambda: reparameterize(MU, LOGVAR, samples=2, generator=seeded())),
    ("one number", lambda: reparameterize(MU[0, 0], LOGVAR[0, 0], eps=EPS[0, 0]), lambda: z_of()[0, 0]),
    ("a float", lambda: reparameterize(0.0, LOGVAR), Refused("reparameterize", "mu is a float", "wanted a tensor")),
    ("an array", lambda: reparameterize(MU.numpy(), LOGVAR.numpy()), Refused("reparameterize", "mu is a ndarray", "torch.from_numpy")),
    ("logvar None", lambda: reparameterize(MU, None), Refused("reparameterize", "logvar is None")),
    ("whole numbers", lambda: reparameterize(WHOLE, WHOLE), Refused("reparameterize", "mu has dtype torch.int64")),
    ("complex", lambda: reparameterize(MU.cfloat(), LOGVAR.cfloat()), Refused("reparameterize", "complex64")),
    ("sparse", lambda: reparameterize(MU.to_sparse(), LOGVAR), Refused("reparameterize", "mu has torch.sparse_coo", "to_dense()")),
    ("eight bits", lambda: reparameterize(MU.to(torch.float8_e4m3fn), LOGVAR), Refused("reparameterize", "mu has dtype torch.float8_e4m3fn")),
    ("whole logvar", lambda: reparameterize(MU, WHOLE), Refused("reparameterize", "logvar has dtype torch.int64")),
    ("logvar that would broadcast", lambda: reparameterize(MU, LOGVAR[:1]), Refused("reparameterize", "(1, 2)", "(3, 2)")),
    ("scalar logvar", lambda: reparameterize(MU, torch.tensor(0.0)), Refused("reparameterize", "()", "(3, 2)")),
    ("eps that would broadcast", lambda: reparameterize(MU, LOGVAR, eps=EPS[:1]), Refused("reparameterize", "eps", "(1, 2)")),
    ("eps without the samples", lambda: reparameterize(MU, LOGVAR, samples=4, eps=EPS), Refused("reparameterize", "eps", "(4, 3, 2)")),
    ("eps as a number", lambda: reparameterize(MU, LOGVAR, eps=1.0), Refused("reparameterize", "eps is a float")),
    ("eps and generator", lambda: reparameterize(MU, LOGVAR, eps=EPS, generator=seeded()), Refused("reparameterize", "both eps and generator")),
    ("no samples", lambda: reparameterize(MU, LOGVAR, samples=0), Refused("reparameterize", "samples is 0")),
    ("fewer than none", lambda: reparameterize(MU, LOGVAR, samples=-1), Refused("reparameterize", "samples is -1")),
    ("half a sample", lambda: reparameterize(MU, LOGVAR, samples=2.5), Refused("reparameterize", "samples is 2.5", "whole number")),
    ("samples as a shape", lambda: reparameterize(MU, LOGVAR, samples=(2, 3)), Refused("reparameterize", "samples is (2, 3)")),
    ("a seed for a generator", lambda: reparameterize(MU, LOGVAR, generator=0), Refused("reparameterize", "generator is a int", "manual_seed")),
    ("another device", lambda: reparameterize(MU, LOGVAR.to("meta")), Refused("reparameterize", "logvar is on meta", "mu is on cpu")),
    ("eps on another device", lambda: reparameterize(MU, LOGVAR, eps=EPS.to("meta")), Refused("reparameterize", "eps is on meta")),
    ("generator of another device", lambda: reparameterize(MU.to("meta"), LOGVAR.to("meta"), generator=seeded()),
     Refused("reparameterize", "generator is on cpu", "meta")),
)  # fmt: skip
def test_reparameterize(call, expected):
    try_door(call, expected)


@table(
    ("sigma 0", lambda: sample_and_cut(MU, torch.full_like(MU, -math.inf)), lambda: MU),
    ("two floats", lambda: sample_and_cut(MU, torch.full((3, 2), -math.inf).double()).float(), lambda: MU),
    ("an array", lambda: sample_and_cut(MU.numpy(), LOGVAR.numpy()), Refused("sample_and_cut", "mu is a ndarray")),
    ("whole numbers", lambda: sample_and_cut(WHOLE, WHOLE), Refused("sample_and_cut", "mu has dtype torch.int64")),
    ("shapes", lambda: sample_and_cut(MU, LOGVAR[0]), Refused("sample_and_cut", "(2,)", "(3, 2)")),
    ("NaN", lambda: sample_and_cut(MU, MU * math.nan), Refused("sample_and_cut", "logvar", "not finite")),
    ("a seed", lambda: sample_and_cut(MU, LOGVAR, generator=3), Refused("sample_and_cut", "generator is a int")),
    ("another device", lambda: sample_and_cut(MU, LOGVAR.to("meta")), Refused("sample_and_cut", "logvar is on meta")),
)  # fmt: skip
def test_sample_and_cut(call, expected):
    try_door(call, expected)


@table(
    ("no draws", lambda: sample_prior(0, 2), lambda: torch.zeros(0, 2)),
    ("half a draw", lambda: sample_prior(2.5, 2), Refused("sample_prior", "n is 2.5")),
    ("n as a word", lambda: sample_prior("3", 2), Refused("sample_prior", "n is '3'")),
    ("n True", lambda: sample_prior(True, 2), Refused("sample_prior", "n is True")),
    ("fewer than none", lambda: sample_prior(-1, 2), Refused("sample_prior", "n is -1")),
    ("no latents", lambda: sample_prior(3, 0), Refused("sample_prior", "latent_dim is 0")),
    ("latents as a shape", lambda: sample_prior(3, (2, 2)), Refused("sample_prior", "latent_dim is (2, 2)")),
    ("whole numbers", lambda: sample_prior(3, 2, dtype=torch.int64), Refused("sample_prior", "dtype is torch.int64")),
    ("dtype as a word", lambda: sample_prior(3, 2, dtype="float32"), Refused("sample_prior", "dtype is 'float32'")),
    ("no such device", lambda: sample_prior(3, 2, device="gpu"), Refused("sample_prior", "device is 'gpu'")),
    ("generator elsewhere", lambda: sample_prior(3, 2, generator=seeded(), device="meta"), Refused("sample_prior", "generator is on cpu")),
    ("a seed", lambda: sample_prior(3, 2, generator=1), Refused("sample_prior", "generator is a int")),
)  # fmt: skip
def test_sample_prior(call, expected):
    try_door(call, expected)


def test_a_gpu_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for caller, call in (
        ("sample_prior", lambda: sample_prior(3, 2, device="cuda")),
        ("load_classifier", lambda: load_classifier("cuda")),
    ):
        with pytest.raises(
            RuntimeError, match=f"^{caller}: device is 'cuda' but torch finds no GPU here; use device='cpu'"
        ):
            call()


def kl():
    normal = D.Normal(MU, LOGVAR.div(2).exp())
    return D.kl_divergence(normal, D.Normal(0.0, 1.0)).sum(1)


@table(
    ("as documented", lambda: gaussian_kl(MU, LOGVAR), kl),
    ("one image", lambda: gaussian_kl(MU[0], LOGVAR[0]), lambda: kl()[0]),
    ("two floats", lambda: gaussian_kl(MU, LOGVAR.double()).float(), kl),
    ("a number", lambda: gaussian_kl(torch.tensor(1.0), torch.tensor(0.0)), Refused("gaussian_kl", "shape ()", "[..., D]")),
    ("floats", lambda: gaussian_kl(1.0, 0.0), Refused("gaussian_kl", "mu is a float")),
    ("whole mu", lambda: gaussian_kl(WHOLE, LOGVAR), Refused("gaussian_kl", "mu has dtype torch.int64")),
    ("broadcast", lambda: gaussian_kl(MU, LOGVAR[:1]), Refused("gaussian_kl", "(1, 2)", "(3, 2)")),
    ("devices", lambda: gaussian_kl(MU, LOGVAR.to("meta")), Refused("gaussian_kl", "logvar is on meta", "mu is on cpu")),
    ("terms of floats", lambda: Elbo.from_terms(-90.0, 10.0), Refused("Elbo.from_terms", "log_likelihood is a float")),
    ("terms that broadcast", lambda: Elbo.from_terms(kl(), kl()[:, None]), Refused("Elbo.from_terms", "(3, 1)")),
    ("terms on two devices", lambda: Elbo.from_terms(kl(), kl().to("meta")), Refused("Elbo.from_terms", "kl is on meta")),
)  # fmt: skip
def test_the_kl_and_the_elbo(call, expected):
    try_door(call, expected)


PIXELS = {"bernoulli_log_likelihood": bernoulli_log_likelihood, "bernoulli_error": lambda *a: -bernoulli_error(*a)}


def for_both(what, call, expected):
    """A row for each of the two functions of coin-flip pixels."""
    for name, function in PIXELS.items():
        wanted = Refused(name, *expected) if isinstance(expected, tuple) else expected
        yield f"{what}: {name}", (lambda function=function: call(function)), wanted


@table(
    *for_both("grey", lambda f: f(LOGITS, X), cross_entropy),
    *for_both("uint8 is scaled", lambda f: f(LOGITS, BYTES), lambda: cross_entropy(x=BYTES / 255)),
    *for_both("Images", lambda f: f(LOGITS, Images(BYTES, torch.zeros(2))), lambda: cross_entropy(x=BYTES / 255)),
    *for_both("double x", lambda f: f(LOGITS, X.double()).float(), cross_entropy),
    *for_both("float x for double logits", lambda f: f(LOGITS.double(), X).float(), cross_entropy),
    *for_both("a shape that would broadcast", lambda f: f(LOGITS, X[:1]), ("(2, 3)", "(1, 3)")),
    *for_both("no batch", lambda f: f(LOGITS[0], X[0]), ("(3,)", "[B, ...]")),
    *for_both("a list", lambda f: f(LOGITS, X.tolist()), ("x is a list",)),
    *for_both("an array", lambda f: f(LOGITS, X.numpy()), ("x is a ndarray", "torch.from_numpy")),
    *for_both("logits as a list", lambda f: f(LOGITS.tolist(), X), ("logits is a list",)),
    *for_both("whole logits", lambda f: f(BYTES, X), ("logits has dtype torch.uint8",)),
    *for_both("whole x", lambda f: f(LOGITS, BYTES.long()), ("x has dtype torch.int64", "uint8")),
    *for_both("bool x", lambda f: f(LOGITS, X > 0.5), ("x has dtype torch.bool", ".float()")),
    *for_both("bits in bytes", lambda f: f(LOGITS, (BYTES > 99).to(torch.uint8)), ("x", "0 and 1", ".float()")),
    *for_both("pixels of 255", lambda f: f(LOGITS, BYTES.float()), ("0 to 255", "/ 255")),
    *for_both("pixels of -1", lambda f: f(LOGITS, 2 * X - 1), ("-1 to 1", "(x + 1) / 2")),
    *for_both("standardised pixels", lambda f: f(LOGITS, (X - 0.1307) / 0.3081), ("-0.424213 to 2.82149", "x * 0.3081 + 0.1307")),
    *for_both("a hair outside", lambda f: f(LOGITS, X * 1.000001), ("clamp(0, 1)",)),
    *for_both("sparse x", lambda f: f(LOGITS, X.to_sparse()), ("x has torch.sparse_coo", "to_dense()")),
    *for_both("NaN", lambda f: f(LOGITS, NAN), ("x holds", "not finite")),
    *for_both("inf", lambda f: f(LOGITS, X / 0), ("x holds", "not finite")),
    *for_both("devices", lambda f: f(LOGITS, X.to("meta")), ("x is on meta", "logits is on cpu")),
)  # fmt: skip
def test_coin_flip_pixels(call, expected):
    try_door(call, expected)


def normal(mean=LOGITS, x=X, logvar=0.0):
    return D.Normal(mean, torch.as_tensor(logvar).div(2).exp()).log_prob(x).sum(1)


SIDE = torch.tensor([[0.0], [1.0]])


@table(
    ("as documented", lambda: gaussian_log_likelihood(LOGITS, X, 0.7), lambda: normal(logvar=0.7)),
    ("any real x", lambda: gaussian_log_likelihood(LOGITS, 9 * X - 4), lambda: normal(x=9 * X - 4)),
    ("uint8 is scaled", lambda: gaussian_log_likelihood(LOGITS, BYTES), lambda: normal(x=BYTES / 255)),
    ("a logvar for each image", lambda: gaussian_log_likelihood(LOGITS, X, SIDE), lambda: normal(logvar=SIDE)),
    ("a double logvar", lambda: gaussian_log_likelihood(LOGITS, X, SIDE.double()), lambda: normal(logvar=SIDE)),
    ("a double x", lambda: gaussian_log_likelihood(LOGITS, X.double()).float(), normal),
    ("a logvar that adds axes", lambda: gaussian_log_likelihood(LOGITS, X, torch.zeros(4, 2, 3)), Refused("gaussian_log_likelihood", "logvar has shape (4, 2, 3)")),
    ("a logvar of no shape that fits", lambda: gaussian_log_likelihood(LOGITS, X, torch.zeros(2)), Refused("gaussian_log_likelihood", "logvar has shape (2,)")),
    ("logvar a word", lambda: gaussian_log_likelihood(LOGITS, X, "0"), Refused("gaussian_log_likelihood", "logvar is '0'")),
    ("logvar None", lambda: gaussian_log_likelihood(LOGITS, X, None), Refused("gaussian_log_likelihood", "logvar is None")),
    ("NaN", lambda: gaussian_log_likelihood(LOGITS, NAN), Refused("gaussian_log_likelihood", "x holds", "not finite")),
    ("whole x", lambda: gaussian_log_likelihood(LOGITS, BYTES.long()), Refused("gaussian_log_likelihood", "x has dtype torch.int64")),
    ("broadcast", lambda: gaussian_log_likelihood(LOGITS, X[0]), Refused("gaussian_log_likelihood", "(3,)", "(2, 3)")),
    ("no batch", lambda: gaussian_log_likelihood(LOGITS[0], X[0]), Refused("gaussian_log_likelihood", "[B, ...]")),
    ("a list", lambda: gaussian_log_likelihood(LOGITS.tolist(), X), Refused("gaussian_log_likelihood", "mean is a list")),
    ("a spread of True", lambda: gaussian_log_likelihood(LOGITS, X, True), Refused("gaussian_log_likelihood", "logvar is True", "a number")),
)  # fmt: skip
def test_normal_pixels(call, expected):
    try_door(call, expected)


Z = torch.stack([MU, LOGVAR, EPS, MU])


@table(
    ("several draws", lambda: diagonal_log_density(Z, MU, LOGVAR), lambda: D.Normal(MU, LOGVAR.div(2).exp()).log_prob(Z).sum(-1)),
    ("widths", lambda: diagonal_log_density(Z, MU[:, :1], LOGVAR), Refused("diagonal_log_density", "(3, 1)")),
    ("rows", lambda: diagonal_log_density(Z, MU[:2], LOGVAR[:2]), Refused("diagonal_log_density", "(2, 2)")),
    ("a list", lambda: diagonal_log_density([0.0], MU, LOGVAR), Refused("diagonal_log_density", "z is a list")),
    ("a weight", lambda: log_weight(kl(), EPS, MU, LOGVAR),
     lambda: kl() + D.Normal(0.0, 1.0).log_prob(EPS).sum(1) - D.Normal(MU, LOGVAR.div(2).exp()).log_prob(EPS).sum(1)),
    ("one likelihood for all", lambda: log_weight(torch.tensor(-5.0), EPS, MU, LOGVAR), Refused("log_weight", "log_likelihood has shape ()")),
    ("a transposed likelihood", lambda: log_weight(torch.zeros(3, 4), Z, MU, LOGVAR), Refused("log_weight", "(3, 4)", "(4, 3)")),
    ("a likelihood as a number", lambda: log_weight(-5.0, EPS, MU, LOGVAR), Refused("log_weight", "log_likelihood is a float")),
)  # fmt: skip
def test_densities_and_weights(call, expected):
    try_door(call, expected)


def flat(z):
    """A likelihood that knows nothing: -9 for each draw of each image."""
    return torch.full(z.shape[:2], -9.0)


PRIOR = torch.zeros(3, 2)


def bound(log_likelihood=flat, mu=PRIOR, logvar=PRIOR, samples=7, **options):
    return importance_weighted_bound(log_likelihood, mu, logvar, samples, **options)


def first_dead(z):
    """Draws that an image cannot come from: the first four weigh nothing, by exact zeros."""
    return torch.where(torch.arange(len(z))[:, None] < 4, -math.inf, -9.0 + 0 * z.sum(-1))


@table(
    ("as documented", bound, lambda: torch.full((3,), -9.0)),
    ("doubles", lambda: bound(mu=PRIOR.double(), logvar=PRIOR.double(), log_likelihood=lambda z: flat(z).double()).float(), lambda: torch.full((3,), -9.0)),
    ("no samples", lambda: bound(samples=0), Refused("importance_weighted_bound", "samples is 0")),
    ("half a sample", lambda: bound(samples=1.5), Refused("importance_weighted_bound", "samples is 1.5")),
    ("chunk 0", lambda: bound(chunk=0), Refused("importance_weighted_bound", "chunk is 0")),
    ("chunk None", lambda: bound(chunk=None), Refused("importance_weighted_bound", "chunk is None")),
    ("a seed", lambda: bound(generator=1), Refused("importance_weighted_bound", "generator is a int")),
    ("no function", lambda: bound(log_likelihood=torch.zeros(7, 3)), Refused("importance_weighted_bound", "log_likelihood is a Tensor", "function")),
    ("logvar of another shape", lambda: bound(logvar=PRIOR[:1]), Refused("importance_weighted_bound", "(1, 2)")),
    ("mu without batch", lambda: bound(mu=PRIOR[0], logvar=PRIOR[0]), Refused("importance_weighted_bound", "(2,)", "[B, D]")),
    ("mu a list", lambda: bound(mu=[[0.0]]), Refused("importance_weighted_bound", "mu is a list")),
    ("callback: scalar", lambda: bound(lambda z: torch.tensor(-9.0)), Refused("importance_weighted_bound", "returned shape ()", "(7, 3)")),
    ("callback: a float", lambda: bound(lambda z: -9.0), Refused("importance_weighted_bound", "returned a float")),
    ("callback: transposed", lambda: bound(lambda z: flat(z).T), Refused("importance_weighted_bound", "returned shape (3, 7)")),
    ("callback: transposed in a square", lambda: bound(lambda z: flat(z).T, samples=3), Refused("importance_weighted_bound", "returned shape (3, 1)")),
    ("callback: mean over images", lambda: bound(lambda z: flat(z).mean(1)), Refused("importance_weighted_bound", "returned shape (7,)")),
    ("callback: pixels not summed", lambda: bound(lambda z: z), Refused("importance_weighted_bound", "returned shape (7, 3, 2)")),
    ("callback: whole numbers", lambda: bound(lambda z: flat(z).long()), Refused("importance_weighted_bound", "dtype torch.int64")),
)  # fmt: skip
def test_the_bound(call, expected):
    try_door(call, expected)


def test_a_square_chunk_has_the_same_draws_and_the_same_bound():
    seen = []

    def quadratic(z):
        seen.append(z)
        return -z.square().sum(-1)

    square = bound(quadratic, samples=3, generator=seeded(4))
    z = reparameterize(PRIOR, PRIOR, samples=3, generator=seeded(4))
    torch.testing.assert_close(torch.cat(seen), z)
    torch.testing.assert_close(square, torch.logsumexp(-z.square().sum(-1), 0) - math.log(3))


@table(
    ("a whole chunk of nothing", lambda mu: bound(first_dead, mu=mu, samples=8, chunk=4), None),
    ("a part of a chunk", lambda mu: bound(first_dead, mu=mu, samples=8, chunk=8), None),
    ("nothing at all", lambda mu: bound(lambda z: z.sum(-1) * 0 - math.inf, mu=mu, samples=8, chunk=4), None),
)
def test_draws_that_weigh_nothing_have_a_gradient_that_is_a_number(call, expected):
    mu = PRIOR.clone().requires_grad_()
    value = call(mu)
    assert not value.isnan().any()
    (slope,) = torch.autograd.grad(value.sum(), mu)
    assert slope.isfinite().all()


def test_chunks_of_nothing_do_not_change_the_gradient_of_the_others():
    slopes = []
    for chunk in (4, 8):
        mu = torch.zeros(4, 2, requires_grad=True)
        value = bound(
            lambda z: torch.where(z[..., 0] > 0.3, -math.inf, -z.square().sum(-1)),
            mu=mu, logvar=torch.zeros(4, 2), samples=8, chunk=chunk, generator=seeded(1),
        )  # fmt: skip
        slopes.append(torch.autograd.grad(value.sum(), mu)[0])
    assert slopes[0].isfinite().all()
    torch.testing.assert_close(*slopes)
