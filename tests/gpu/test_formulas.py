"""Sampling, estimators, the ELBO and the models on a GPU: the processor's numbers in float64, up to rounding.

Inputs are made on the processor and moved, so that both sides see the same ones whatever the device's generator does.
"""

import math

import pytest
import torch
from oracles import kl_by_quadrature

from vae_lab import elbo, generation, models
from vae_lab.checks.instruments.noise import examine
from vae_lab.data import load_images
from vae_lab.estimators import pathwise_gradients, score_function_gradients
from vae_lab.sampling import reparameterize, sample_and_cut, sample_prior

pytestmark = pytest.mark.gpu

PRECISION = {torch.float32: 1e-5, torch.float64: 1e-12}


def made(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def both_ways(function, arguments, device, dtype):
    """Value and gradients of a function on the device, and on the processor in float64."""
    found = []
    for place, kind in ((device, dtype), (torch.device("cpu"), torch.float64)):
        leaves = [tensor.to(place, kind).requires_grad_() for tensor in arguments]
        value = function(*leaves)
        assert value.device.type == place.type
        assert value.dtype == kind
        found.append((value, torch.autograd.grad(value.sum(), leaves)))
    return found


def assert_same(here, there, dtype):
    there = there.detach()
    size = max(float(there.abs().max()), 1.0)
    assert here.shape == there.shape
    assert torch.isfinite(here).all()
    assert float((here.detach().double().cpu() - there).abs().max()) <= PRECISION[dtype] * size


FUNCTIONS = {
    "reparameterize": (lambda mu, logvar, eps: reparameterize(mu, logvar, eps=eps), [(6, 3)] * 3),
    "reparameterize, five draws": (
        lambda mu, logvar, eps: reparameterize(mu, logvar, samples=5, eps=eps),
        [(6, 3), (6, 3), (5, 6, 3)],
    ),
    "gaussian_kl": (elbo.gaussian_kl, [(6, 3)] * 2),
    "bernoulli": (lambda logits, x: elbo.bernoulli_log_likelihood(logits, torch.sigmoid(x)), [(6, 1, 28, 28)] * 2),
    "gaussian": (elbo.gaussian_log_likelihood, [(6, 50)] * 2),
    "gaussian, its own spread": (elbo.gaussian_log_likelihood, [(6, 50), (6, 50), (6, 50)]),
    "diagonal_log_density": (elbo.diagonal_log_density, [(4, 6, 3), (6, 3), (6, 3)]),
    "log_weight": (elbo.log_weight, [(4, 6), (4, 6, 3), (6, 3), (6, 3)]),
}


@pytest.mark.parametrize("dtype", PRECISION, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_the_processors(name, dtype, device):
    function, shapes = FUNCTIONS[name]
    arguments = [made(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    (value, gradients), (wanted, slopes) = both_ways(function, arguments, device, dtype)
    assert_same(value, wanted, dtype)
    for gradient, slope in zip(gradients, slopes, strict=True):
        assert_same(gradient, slope, dtype)


def test_nothing_overflows_at_extreme_inputs(device):
    logits = torch.tensor([[-1e4, -100.0, 0.0, 100.0, 1e4]], device=device, requires_grad=True)
    x = torch.tensor([[0.0, 0.0, 1.0, 1.0, 1.0]], device=device)
    value = elbo.bernoulli_log_likelihood(logits, x)
    assert value.item() == pytest.approx(-math.log(2), rel=1e-6)
    assert torch.isfinite(torch.autograd.grad(value.sum(), logits)[0]).all()
    for mu, logvar in ((0.0, 0.0), (0.0, 1e-4), (1.5, -20.0), (-2.0, 3.0)):
        pair = (torch.full((1, 1), value, dtype=torch.float64, device=device) for value in (mu, logvar))
        assert elbo.gaussian_kl(*pair).item() == pytest.approx(kl_by_quadrature(mu, logvar), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("samples", [None, 4])
def test_the_noise_is_normal_and_comes_from_the_generator_that_is_given(samples, device):
    mu, logvar = made(500, 8, seed=1).to(device).float(), made(500, 8, seed=2).to(device).float()
    state = torch.cuda.get_rng_state() if device.type == "cuda" else torch.get_rng_state()

    def draw(seed):
        return reparameterize(mu, logvar, samples=samples, generator=torch.Generator(device).manual_seed(seed))

    z = draw(3)
    assert torch.equal(z, draw(3))
    assert not torch.equal(z, draw(4))
    now = torch.cuda.get_rng_state() if device.type == "cuda" else torch.get_rng_state()
    assert torch.equal(now, state)
    eps = ((z - mu) / torch.exp(logvar / 2)).cpu()
    assert examine(eps, ("draw", "row", "dimension")[-eps.ndim :]) is None


def test_the_cut_sampler_cuts_and_the_prior_lies_where_it_is_asked_to(device):
    mu = torch.zeros(3, 2, device=device, requires_grad=True)
    z = sample_and_cut(mu, torch.zeros_like(mu))
    assert z.device.type == device.type
    assert not z.requires_grad
    prior = sample_prior(2000, 4, device=device, generator=torch.Generator(device).manual_seed(0))
    assert prior.device.type == device.type
    assert examine(prior.cpu(), ("row", "dimension")) is None


@pytest.mark.parametrize("estimator", [pathwise_gradients, score_function_gradients])
def test_per_sample_gradients_are_the_processors(estimator, device):
    mu, sigma, eps = made(3, seed=1), made(3, seed=2).exp(), made(50, 3, seed=3)
    here = estimator(lambda x: x.square().sum(1), mu.to(device), sigma.to(device), eps.to(device))
    there = estimator(lambda x: x.square().sum(1), mu, sigma, eps)
    for found, wanted in zip(here, there, strict=True):
        assert found.device.type == device.type
        assert_same(found, wanted, torch.float64)


def test_the_bound_of_an_exact_posterior_is_the_evidence_for_every_draw(device):
    """For x = z + noise, q the true posterior: each weight is p(x), so L_K = log p(x) without any spread."""
    x = made(5, 2, seed=1).to(device)
    mu, logvar = x / 2, torch.full_like(x, math.log(0.5))

    def log_likelihood(z):
        return elbo.diagonal_log_density(x, z, torch.zeros_like(z))

    found = elbo.importance_weighted_bound(
        log_likelihood, mu, logvar, 30, chunk=7, generator=torch.Generator(device).manual_seed(0)
    )
    wanted = elbo.diagonal_log_density(x, torch.zeros_like(x), torch.full_like(x, math.log(2)))
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)


def test_a_model_says_the_same_on_both(device):
    torch.manual_seed(0)
    vae = models.VAE(latent_dim=2, hidden=(32,)).double()
    x = load_images(train=False).images[:16].double() / 255
    eps = made(16, 2)
    wanted = vae.loss_terms(x, eps=eps)
    picture = generation.latent_grid(vae, side=3)
    vae.to(device)
    found = vae.loss_terms(x.to(device), eps=eps.to(device))
    for here, there in zip(found, wanted, strict=True):
        assert_same(here, there, torch.float64)
    assert_same(generation.latent_grid(vae, side=3), picture, torch.float64)
    assert generation.from_prior(vae, 2).device.type == device.type
    path = generation.interpolate(vae, x[0].to(device), x[1].to(device), steps=3)
    assert_same(path[:1], generation.reconstruct(vae, x[:1].to(device)).cpu(), torch.float64)
