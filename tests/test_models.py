"""The models' interface, the gradient's way to the encoder, and the linear VAE against probabilistic PCA."""

import math

import pytest
import torch
from linear_optimum import DIGITS, linear_vae_at_optimum, log_p
from oracles import probabilistic_pca, scaled_posterior_gap

from vae_lab import VAE, Autoencoder, LinearVAE, fit, sample_and_cut
from vae_lab.elbo import bernoulli_log_likelihood, log_weight


def test_the_elbo_of_a_linear_vae_at_the_optimum_is_log_p():
    model, best = linear_vae_at_optimum(8)
    assert model.exact_elbo(DIGITS).elbo.mean().item() == pytest.approx(best.log_likelihood, abs=1e-9)
    assert model.exact_elbo(DIGITS).kl.mean().item() == pytest.approx(10.1715, abs=5e-5)


@pytest.mark.parametrize("c", [0.5, 3.0])
def test_a_wrong_posterior_variance_opens_the_known_gap(c):
    model, best = linear_vae_at_optimum(8, variance_factor=c)
    gap = best.log_likelihood - model.exact_elbo(DIGITS).elbo.mean().item()
    assert gap == pytest.approx(scaled_posterior_gap(8, c), abs=1e-9)


def test_the_sampled_elbo_has_the_exact_one_as_its_mean():
    model, _ = linear_vae_at_optimum(8, variance_factor=2.0)
    x = DIGITS[:1].expand(100_000, 64)
    sampled = model.elbo(x, generator=torch.Generator().manual_seed(0)).elbo
    error = sampled.std() / math.sqrt(len(x))
    assert abs(sampled.mean() - model.exact_elbo(DIGITS[:1]).elbo) < 6 * error


def test_the_optimum_is_a_maximum_of_the_exact_elbo():
    model, _ = linear_vae_at_optimum(5)
    model.exact_elbo(DIGITS).elbo.mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() < 1e-8, name


def test_a_trained_linear_vae_comes_within_a_twentieth_of_a_nat_of_pca():
    torch.manual_seed(0)
    model = LinearVAE(64, 2, noise_variance=0.1).double()
    for learning_rate, batch_size, epochs in [(0.01, 64, 60), (0.002, 256, 60), (0.0005, 1797, 60)]:
        fit(model, DIGITS, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, progress=False)
    gap = probabilistic_pca(DIGITS, 2).log_likelihood - model.exact_elbo(DIGITS).elbo.mean().item()
    assert 0 < gap < 0.05


def test_one_log_weight_of_the_linear_vae_is_log_p():
    model, best = linear_vae_at_optimum(3)
    x = DIGITS[:20]
    mu, logvar = model.encode(x)
    z = mu + torch.randn_like(mu)  # any z will do
    likelihood = torch.distributions.Normal(model.decode(z), math.sqrt(best.noise_variance)).log_prob(x).sum(1)
    torch.testing.assert_close(log_weight(likelihood, z, mu, logvar), log_p(best, x), rtol=0, atol=1e-9)


def test_vae_shapes_and_terms():
    model, x = VAE(latent_dim=3, hidden=(16,)), torch.rand(5, 1, 28, 28)
    out = model(x)
    assert out.logits.shape == x.shape
    assert out.mu.shape == out.logvar.shape == out.z.shape == (5, 3)
    assert model.decode(torch.zeros(4, 5, 3)).shape == (4, 5, 1, 28, 28)
    eps = torch.randn(5, 3)
    bound, terms = model.elbo(x, eps=eps), model.loss_terms(x, eps=eps)
    torch.testing.assert_close(bound.elbo, -(terms.reconstruction + terms.kl))
    assert bound.elbo.shape == (5,)


def test_noise_enters_as_an_argument():
    model, x, eps = VAE(hidden=(16,)), torch.rand(5, 1, 28, 28), torch.randn(5, 2)
    torch.testing.assert_close(model(x, eps=eps).z, model(x, eps=eps).z, rtol=0, atol=0)
    one, two = (model(x, generator=torch.Generator().manual_seed(s)).z for s in (1, 2))
    assert not torch.equal(one, two)


def test_the_gradient_reaches_the_encoder_only_through_the_reparameterized_sample():
    """The lecture in one test: the reconstruction term alone, with the sample cut and with it reparameterized."""
    model, x = VAE(hidden=(16,)), torch.rand(5, 1, 28, 28)
    encoder = tuple(model.encoder.parameters())
    mu, logvar = model.encode(x)
    cut = -bernoulli_log_likelihood(model.decode(sample_and_cut(mu, logvar)), x).mean()
    assert all(g is None for g in torch.autograd.grad(cut, encoder, retain_graph=True, allow_unused=True))
    whole = model.loss_terms(x).reconstruction.mean()
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(whole, encoder))


def test_the_autoencoder_has_no_noise_and_no_kl():
    model, x = Autoencoder(latent_dim=2, hidden=(16,)), torch.rand(5, 1, 28, 28)
    torch.testing.assert_close(model(x), model(x), rtol=0, atol=0)
    assert torch.equal(model.loss_terms(x).kl, torch.zeros(5))


def test_flat_images_are_as_good_as_square_ones():
    model, x, eps = VAE(hidden=(16,)), torch.rand(5, 1, 28, 28), torch.randn(5, 2)
    torch.testing.assert_close(model.elbo(x.flatten(1), eps=eps).elbo, model.elbo(x, eps=eps).elbo)
    assert model(x.flatten(1)).logits.shape == (5, 784)
