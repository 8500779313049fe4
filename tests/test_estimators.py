"""Per-sample gradients against hand formulas, exactly; their means and variances against the closed forms."""

import math

import pytest
import torch
from oracles import (
    pathwise_quadratic,
    score_function_quadratic,
    score_function_quadratic_in_dimensions,
    score_function_quadratic_with_baseline,
    textbook_derivative,
)

from vae_lab import pathwise_gradients, score_function_gradients

SIGMAS = 6


def noise(samples, dim=1, seed=0):
    return torch.randn(samples, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def parameters(mu, sigma):
    return torch.tensor([mu], dtype=torch.float64), torch.tensor([sigma], dtype=torch.float64)


def square(x):
    return x.square().sum(1)


def test_per_sample_gradients_are_the_hand_formulas():
    (mu, sigma), eps = parameters(1.5, 0.5), noise(7)
    x = mu + sigma * eps
    pathwise = pathwise_gradients(square, mu, sigma, eps)
    torch.testing.assert_close(pathwise.mu, 2 * x)
    torch.testing.assert_close(pathwise.sigma, 2 * x * eps)
    score = score_function_gradients(square, mu, sigma, eps, baseline=3.0)
    torch.testing.assert_close(score.mu, (x**2 - 3) * (x - mu) / sigma**2)
    torch.testing.assert_close(score.sigma, (x**2 - 3) * ((x - mu) ** 2 / sigma**3 - 1 / sigma))


def assert_moments(gradient, mean, variance):
    """Mean and variance within six standard errors, the variance's from the sample's own fourth moment."""
    count = len(gradient)
    centred = gradient - gradient.mean()
    assert abs(gradient.mean() - mean) < SIGMAS * math.sqrt(variance / count)
    spread = (centred**4).mean() - centred.var() ** 2
    assert abs(centred.var() - variance) < SIGMAS * math.sqrt(spread / count)


@pytest.mark.parametrize(("a", "s"), [(0.0, 1.0), (2.0, 1.0), (-1.0, 0.5)])
def test_moments_match_the_closed_forms(a, s):
    (mu, sigma), eps = parameters(a, s), noise(400_000)
    for estimate, oracle in [
        (pathwise_gradients, pathwise_quadratic),
        (score_function_gradients, score_function_quadratic),
    ]:
        gradient, expected = estimate(square, mu, sigma, eps), oracle(a, s)
        assert_moments(gradient.mu[:, 0], expected.mean_mu, expected.variance_mu)
        assert_moments(gradient.sigma[:, 0], expected.mean_sigma, expected.variance_sigma)
    with_baseline = score_function_gradients(square, mu, sigma, eps, baseline=a**2 + s**2)
    assert_moments(with_baseline.mu[:, 0], 2 * a, score_function_quadratic_with_baseline(a, s))


def test_the_score_function_pays_for_every_dimension_and_the_pathwise_gradient_does_not():
    dim = 10
    mu, sigma, eps = torch.zeros(dim).double(), torch.ones(dim).double(), noise(200_000, dim)
    assert_moments(pathwise_gradients(square, mu, sigma, eps).mu[:, 0], 0.0, 4.0)
    expected = score_function_quadratic_in_dimensions(dim)
    assert_moments(score_function_gradients(square, mu, sigma, eps).mu[:, 0], 0.0, expected)


def test_the_score_function_can_win():
    (mu, sigma), eps = parameters(0.5, 1.0), noise(400_000)

    def cosine(x):
        return torch.cos(2 * x[:, 0])

    assert pathwise_gradients(cosine, mu, sigma, eps).mu.var().item() == pytest.approx(1.948, abs=0.02)
    assert score_function_gradients(cosine, mu, sigma, eps).mu.var().item() == pytest.approx(0.449, abs=0.01)


def test_the_textbook_problem():
    """X ~ N(phi^3, exp(2 phi)): the chain rule over both paths gives the exact derivative."""
    phi = 0.5
    (mu, sigma), eps = parameters(phi**3, math.exp(phi)), noise(400_000)
    gradient = pathwise_gradients(lambda x: (x.square() + x.sin()).sum(1), mu, sigma, eps)
    total = gradient.mu * 3 * phi**2 + gradient.sigma * math.exp(phi)
    error = total.std() / math.sqrt(len(total))
    assert abs(total.mean() - textbook_derivative(phi)) < SIGMAS * error


@pytest.mark.parametrize("estimate", [pathwise_gradients, score_function_gradients])
def test_a_function_of_the_wrong_shape_is_named(estimate):
    mu, sigma = parameters(0.0, 1.0)
    with pytest.raises(ValueError, match=rf"{estimate.__name__}: f returned shape \(3, 1\)"):
        estimate(lambda x: x.square(), mu, sigma, noise(3))
