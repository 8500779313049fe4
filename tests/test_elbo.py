"""The two terms against torch.distributions and quadrature; the bound against models whose log p is known."""

import math

import pytest
import torch
from linear_optimum import DIGITS, log_p
from oracles import gaussian_log_density, kl_by_quadrature, probabilistic_pca
from torch import distributions as D

from vae_lab import (
    Elbo,
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_likelihood,
    importance_weighted_bound,
    reparameterize,
)
from vae_lab.elbo import diagonal_log_density, log_weight


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("mu", "logvar"), [(1.0, 0.0), (0.0, -2.0), (0.0, 2.0), (-0.7, 1.3)])
def test_kl_is_the_integral(mu, logvar):
    kl = gaussian_kl(torch.tensor([mu]), torch.tensor([logvar])).item()
    assert kl == pytest.approx(kl_by_quadrature(mu, logvar), rel=1e-5)


def test_kl_agrees_with_torch_and_so_does_its_gradient():
    mu, logvar = random(5, 3).requires_grad_(), random(5, 3, seed=1).requires_grad_()
    kl = gaussian_kl(mu, logvar)
    reference = D.kl_divergence(D.Normal(mu, (logvar / 2).exp()), D.Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl, reference)
    ours = torch.autograd.grad(kl.sum(), (mu, logvar))
    theirs = torch.autograd.grad(reference.sum(), (mu, logvar))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("logvar", [1e-4, -1e-4, 1e-5, 0.0])
def test_kl_keeps_its_digits_near_zero_in_float32(logvar):
    kl = gaussian_kl(torch.zeros(1, 1), torch.full((1, 1), logvar)).item()
    exact = logvar**2 / 4  # up to O(logvar^3)
    assert kl >= 0
    assert kl == pytest.approx(exact, rel=0.05, abs=1e-13)


def test_bernoulli_agrees_with_torch_and_survives_extreme_logits():
    logits, x = 3 * random(4, 1, 5, 5), (random(4, 1, 5, 5, seed=1) > 0).double()
    expected = D.Bernoulli(logits=logits).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(bernoulli_log_likelihood(logits, x), expected)
    assert bernoulli_log_likelihood(torch.tensor([[-200.0, 200.0]]), torch.tensor([[1.0, 1.0]])).item() == -200.0


def test_gaussian_agrees_with_torch():
    mean, x = random(4, 6), random(4, 6, seed=1)
    expected = D.Normal(mean, math.exp(0.35)).log_prob(x).sum(1)
    torch.testing.assert_close(gaussian_log_likelihood(mean, x, 0.7), expected)
    z, logvar = random(4, 6, seed=2), random(4, 6, seed=3)
    expected = D.Normal(mean, (logvar / 2).exp()).log_prob(z).sum(1)
    torch.testing.assert_close(diagonal_log_density(z, mean, logvar), expected)


def test_at_the_linear_optimum_every_log_weight_is_log_p():
    """An exact test of constants, halves and reductions: the weight has no variance."""
    best = probabilistic_pca(DIGITS, 8)
    x = DIGITS[:50]
    mu = (x - best.mean) @ best.V.T
    logvar = best.posterior_variance.log().expand_as(mu)
    for seed in range(3):
        z = reparameterize(mu, logvar, generator=torch.Generator().manual_seed(seed))
        likelihood = gaussian_log_likelihood(z @ best.W.T + best.mean, x, math.log(best.noise_variance))
        torch.testing.assert_close(log_weight(likelihood, z, mu, logvar), log_p(best, x), rtol=0, atol=1e-9)


class KnownLogP:
    """Three pixels, two latents, a Gaussian decoder: log p(x) is a Gaussian log-density; q is the prior."""

    W = torch.tensor([[1, 0.5], [0, 1], [-0.7, 0.3]], dtype=torch.float64)
    s2 = 0.25
    x = torch.tensor([1.2, -0.4, 0.3], dtype=torch.float64)

    def log_likelihood(self, z):
        """Z [S, B, 2] -> [S, B], the same x for every row of the batch."""
        mean = (z @ self.W.T).flatten(0, 1)
        return gaussian_log_likelihood(mean, self.x.expand_as(mean), math.log(self.s2)).unflatten(0, z.shape[:2])

    def log_p(self):
        covariance = self.W @ self.W.T + self.s2 * torch.eye(3, dtype=torch.float64)
        return gaussian_log_density(self.x, torch.zeros(3, dtype=torch.float64), covariance).item()


@pytest.mark.parametrize(("samples", "nats"), [(1, -9.717374), (5, -5.346), (50, -4.824)])
def test_the_ladder_of_bounds_climbs_to_the_known_log_p(samples, nats):
    model = KnownLogP()
    assert model.log_p() == pytest.approx(-4.790221, abs=1e-6)
    q = torch.zeros(40_000, 2, dtype=torch.float64)
    bound = importance_weighted_bound(
        model.log_likelihood, q, q, samples, chunk=20, generator=torch.Generator().manual_seed(0)
    )
    error = bound.std().item() / math.sqrt(len(bound))
    assert abs(bound.mean().item() - nats) < 6 * error + 5e-4  # the noted values are rounded to 0.001
    assert bound.mean().item() < model.log_p() + 6 * error
    assert bound.max().item() > model.log_p()  # a single estimate may exceed it


def test_the_bound_does_not_depend_on_the_chunk():
    q = torch.zeros(3, 2, dtype=torch.float64)
    one, many = (
        importance_weighted_bound(
            KnownLogP().log_likelihood, q, q, 64, chunk=chunk, generator=torch.Generator().manual_seed(0)
        )
        for chunk in (64, 8)
    )
    torch.testing.assert_close(one, many)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_kl(torch.zeros(2, 2), torch.zeros(2)), "gaussian_kl: logvar has shape"),
        (lambda: bernoulli_log_likelihood(torch.zeros(2, 784), torch.zeros(2, 1, 28, 28)), "logits has shape"),
        (lambda: gaussian_log_likelihood(torch.zeros(2, 4), torch.zeros(4)), "mean has shape"),
        (lambda: Elbo.from_terms(torch.zeros(2), torch.zeros(2, 1)), "one number per image"),
        (lambda: importance_weighted_bound(lambda z: z, torch.zeros(1, 1), torch.zeros(1, 1), 0), "samples is 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
