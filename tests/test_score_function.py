"""The score-function VAE: the same loss, the same expected gradient as the pathwise one, and no derivative of z."""

import pytest
import torch

from vae_lab.elbo import diagonal_log_density
from vae_lab.models import VAE
from vae_lab.sampling import reparameterize
from vae_lab.score_function import ScoreFunctionVAE

SHAPE = {"latent_dim": 2, "hidden": (8,), "data_shape": (1, 3, 3)}


def pair(draws, baseline=True):
    """A score-function VAE and a VAE with the same weights, in double precision, and one image."""
    torch.manual_seed(0)
    score, plain = ScoreFunctionVAE(**SHAPE, draws=draws, baseline=baseline).double(), VAE(**SHAPE).double()
    plain.load_state_dict(score.state_dict())
    return score, plain, torch.rand(1, 1, 3, 3, dtype=torch.double)


def gradient(loss, model):
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


def test_the_value_is_the_negative_elbo_and_the_decoder_gets_its_own_gradient():
    score, plain, x = pair(3)
    eps = torch.randn(3, 1, 2, dtype=torch.double)
    terms = score.loss_terms(x, eps=eps)
    each = [plain.loss_terms(x, eps=e) for e in eps]
    torch.testing.assert_close(terms.reconstruction, torch.stack([t.reconstruction for t in each]).mean(0))
    torch.testing.assert_close(terms.kl, each[0].kl)
    ours = torch.autograd.grad(terms.reconstruction.sum(), list(score.decoder.parameters()))
    theirs = torch.autograd.grad(sum(t.reconstruction for t in each).sum() / 3, list(plain.decoder.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("baseline", [True, False])
def test_for_two_draws_it_is_the_formula(baseline):
    score, _, x = pair(2, baseline)
    eps = torch.randn(2, 1, 2, dtype=torch.double)
    mu, logvar = score.encode(x)
    z = reparameterize(mu, logvar, samples=2, eps=eps).detach()
    error = -score.log_likelihood(x, z).detach()
    other = error.flip(0) if baseline else torch.zeros_like(error)
    wanted = ((error - other) * diagonal_log_density(z, mu, logvar)).mean(0).sum()
    ours = torch.autograd.grad(score.loss_terms(x, eps=eps).reconstruction.sum(), list(score.encoder.parameters()))
    for a, b in zip(ours, torch.autograd.grad(wanted, list(score.encoder.parameters())), strict=True):
        torch.testing.assert_close(a, b)


def test_its_mean_is_the_pathwise_gradients_mean():
    """20,000 draws of one image: within six standard errors, for the bias of the encoder's last layer."""
    draws = 20_000
    score, plain, x = pair(draws)
    eps = torch.randn(draws, 1, 2, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    bias, same = score.encoder[-1].bias, plain.encoder[-1].bias
    (ours,) = torch.autograd.grad(score.loss_terms(x, eps=eps).reconstruction.sum(), bias)
    mu, logvar = plain.encode(x)
    errors = -plain.log_likelihood(x, reparameterize(mu, logvar, samples=draws, eps=eps))
    (pathwise,) = torch.autograd.grad(errors.mean(), same)
    weight, sigma = (errors - errors.mean()).detach(), torch.exp(logvar / 2).detach()
    single = torch.cat([weight[..., None] * eps / sigma, weight[..., None] * (eps.square() - 1) / 2], -1)
    assert ((ours - pathwise).abs() < 6 * 2**0.5 * single.std(0).squeeze() / draws**0.5).all()


def test_fewer_draws_than_a_baseline_needs_are_refused():
    with pytest.raises(ValueError, match="ScoreFunctionVAE: draws is 1; wanted at least 2"):
        ScoreFunctionVAE(draws=1)
    with pytest.raises(ValueError, match="draws is 0; wanted at least 1"):
        ScoreFunctionVAE(draws=0, baseline=False)
