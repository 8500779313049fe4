"""The bound on log p(x) against probabilistic PCA, and the number of active units against its known value."""

import math

import pytest
import torch
from linear_optimum import DIGITS, linear_vae_at_optimum, log_p
from oracles import probabilistic_pca

from vae_lab import VAE, LinearVAE, active_units, log_marginal_bound
from vae_lab.elbo import bernoulli_log_likelihood


@pytest.mark.parametrize(("samples", "chunk"), [(1, 1), (7, 3)])
def test_at_the_optimum_every_estimate_is_log_p(samples, chunk):
    model, best = linear_vae_at_optimum(8)
    bound = log_marginal_bound(model, DIGITS, samples, chunk=chunk)
    torch.testing.assert_close(bound, log_p(best, DIGITS), rtol=0, atol=1e-8)


def test_more_samples_close_the_gap_that_a_wrong_posterior_opens():
    model, best = linear_vae_at_optimum(3, variance_factor=2.0)
    gaps = []
    for samples in (1, 10, 1000):
        bound = log_marginal_bound(model, DIGITS, samples, generator=torch.Generator().manual_seed(0))
        gaps.append((log_p(best, DIGITS) - bound).mean().item())
    assert gaps[0] == pytest.approx(3 * (2 - 1 - math.log(2)) / 2, abs=6 * 1.3 / math.sqrt(len(DIGITS)))
    assert gaps[0] > gaps[1] > gaps[2]
    assert abs(gaps[2]) < 0.01


def test_a_vaes_log_likelihood_matches_image_by_image():
    model, x, z = VAE(hidden=(8,)).double(), torch.rand(4, 1, 28, 28).double().round(), torch.randn(3, 4, 2).double()
    expected = torch.stack([bernoulli_log_likelihood(model.decode(z[s]), x) for s in range(3)])
    torch.testing.assert_close(model.log_likelihood(x, z), expected)
    torch.testing.assert_close(model.log_likelihood(x.flatten(1), z), expected)


@pytest.mark.parametrize(("noise_variance", "active"), [(0.05, 18), (0.1, 12), (0.2, 7)])
def test_exactly_the_latents_above_the_noise_are_active(noise_variance, active):
    """With a fixed decoder variance, the optimum uses the latents whose eigenvalue exceeds it."""
    best = probabilistic_pca(DIGITS, 20)
    eigenvalues = best.noise_variance / best.posterior_variance
    kept = (eigenvalues - noise_variance).clamp(min=0)
    model = LinearVAE(64, 20).double()
    with torch.no_grad():
        model.b.copy_(best.mean)
        directions = best.W / best.W.norm(dim=0)
        model.V.copy_((directions * kept.sqrt() / (kept + noise_variance)).T)
    assert active_units(model, DIGITS).sum() == active


def test_one_image_has_no_variance():
    with pytest.raises(ValueError, match="x holds 1 images"):
        active_units(VAE(hidden=(8,)), torch.zeros(1, 784))


def test_no_more_is_decoded_at_once_than_was_said_and_every_image_is_encoded_once():
    decoded, encoded = [], []

    class Watcher(VAE):
        def encode(self, x):
            encoded.append(len(x))
            return super().encode(x)

        def log_likelihood(self, x, z):
            decoded.append(z.shape[:2])
            return super().log_likelihood(x, z)

    model = Watcher(hidden=(8,))
    bound = log_marginal_bound(model, torch.rand(30, 1, 28, 28).round(), 250, chunk=60)
    assert bound.shape == (30,)
    assert encoded == [30]
    assert max(samples for samples, _ in decoded) == 60
    assert max(samples * images for samples, images in decoded) <= 500
    assert sum(samples * images for samples, images in decoded) == 30 * 250
