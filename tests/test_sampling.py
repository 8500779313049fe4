"""Exact gradient identities first, then moments within standard errors."""

import math

import pytest
import torch

from vae_lab import reparameterize, sample_and_cut, sample_prior

SIGMAS = 6  # a correct sampler strays this many standard errors about twice in 10^9


def inputs(shape=(4, 3), dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mu = torch.randn(shape, dtype=dtype, generator=generator, requires_grad=True)
    logvar = torch.randn(shape, dtype=dtype, generator=generator, requires_grad=True)
    return mu, logvar


@pytest.mark.parametrize("samples", [None, 5])
def test_gradients_are_the_derivatives_of_the_formula(samples):
    mu, logvar = inputs()
    z = reparameterize(mu, logvar, samples=samples)
    weight = torch.randn_like(z)
    d_mu, d_logvar = torch.autograd.grad((weight * z).sum(), (mu, logvar))
    torch.testing.assert_close(d_mu, weight.reshape(-1, 4, 3).sum(0))
    torch.testing.assert_close(d_logvar, (weight * (z - mu) / 2).reshape(-1, 4, 3).sum(0))


def test_given_eps_z_is_a_deterministic_function():
    mu, logvar = inputs()
    eps = torch.randn(4, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda m, v: reparameterize(m, v, eps=eps), (mu, logvar))
    torch.testing.assert_close(reparameterize(mu, logvar, eps=eps), mu + (logvar / 2).exp() * eps)


def test_moments_and_independence():
    mu, logvar = (t.detach() for t in inputs((3, 2)))
    n = 100_000
    z = reparameterize(mu, logvar, samples=n, generator=torch.Generator().manual_seed(1))
    eps = ((z - mu) / (logvar / 2).exp()).flatten(1)  # [n, 6], independent standard normals
    assert eps.mean(0).abs().max() < SIGMAS / math.sqrt(n)
    assert ((eps**2).mean(0) - 1).abs().max() < SIGMAS * math.sqrt(2 / n)
    assert ((eps**4).mean(0) - 3).abs().max() < SIGMAS * math.sqrt(96 / n)
    off_diagonal = (eps.T @ eps / n).fill_diagonal_(0)
    assert off_diagonal.abs().max() < SIGMAS / math.sqrt(n)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_keeps_dtype_and_leaves_inputs_alone(dtype):
    mu, logvar = inputs(dtype=dtype)
    before = mu.detach().clone(), logvar.detach().clone()
    assert reparameterize(mu, logvar).dtype == dtype
    assert torch.equal(mu, before[0])
    assert torch.equal(logvar, before[1])


def test_a_generator_gives_the_noise_and_leaves_the_default_one_alone():
    mu, logvar = inputs()
    state = torch.get_rng_state()
    draws = [reparameterize(mu, logvar, generator=torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*draws)
    assert torch.equal(state, torch.get_rng_state())


def test_sample_and_cut_has_the_distribution_but_no_gradient():
    mu, logvar = inputs((1, 2))
    n = 100_000
    z = sample_and_cut(mu.expand(n, 2), logvar.expand(n, 2), generator=torch.Generator().manual_seed(2))
    assert not z.requires_grad
    eps = ((z - mu) / (logvar / 2).exp()).detach()
    assert eps.mean(0).abs().max() < SIGMAS / math.sqrt(n)
    assert ((eps**2).mean(0) - 1).abs().max() < SIGMAS * math.sqrt(2 / n)


def test_prior_is_standard_normal():
    z = sample_prior(100_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert z.mean(0).abs().max() < SIGMAS / math.sqrt(len(z))
    assert ((z**2).mean(0) - 1).abs().max() < SIGMAS * math.sqrt(2 / len(z))
    assert abs((z[:, 0] * z[:, 1]).mean()) < SIGMAS / math.sqrt(len(z))


ONE = torch.zeros(1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reparameterize(torch.zeros(8, 2), torch.zeros(8, 3)), r"reparameterize: logvar has shape \(8, 3\)"),
        (lambda: sample_and_cut(torch.zeros(8, 2), torch.zeros(8)), r"sample_and_cut: logvar has shape \(8,\)"),
        (lambda: reparameterize(torch.zeros(8, 2), torch.zeros(8, 2), eps=torch.zeros(2)), r"eps has shape \(2,\)"),
        (lambda: reparameterize(ONE, ONE, eps=ONE, generator=torch.Generator()), "both eps and generator"),
        (lambda: sample_prior(-1, 2), "n is -1"),
        (lambda: sample_prior(1, 0), "latent_dim is 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
