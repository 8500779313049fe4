"""Each broken VAE shows the symptom that its docstring names, exactly, and the sound one does not."""

from __future__ import annotations

import pytest
import torch

from vae_lab import broken
from vae_lab.elbo import gaussian_kl
from vae_lab.models import VAE

X = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
EPS = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))


def model(kind: type[VAE]) -> VAE:
    torch.manual_seed(0)
    return kind(latent_dim=2, hidden=(16,))


@pytest.mark.parametrize("kind", broken.GALLERY)
def test_all_of_them_train_without_an_error(kind):
    vae = model(kind)
    terms = vae.loss_terms(X)
    assert terms.reconstruction.shape == terms.kl.shape == (6,)
    (terms.reconstruction + terms.kl).mean().backward()
    assert all(p.grad is not None for p in vae.decoder.parameters())


@pytest.mark.parametrize("kind", broken.GALLERY)
def test_the_gradient_of_the_reconstruction_reaches_the_encoder_unless_the_sample_is_cut(kind):
    vae = model(kind)
    vae.loss_terms(X).reconstruction.sum().backward()
    reached = any(p.grad is not None and bool(p.grad.any()) for p in vae.encoder.parameters())
    assert reached == (kind is not broken.CutSample)


@pytest.mark.parametrize("kind", [kind for kind in broken.GALLERY if kind is not broken.CutSample])
def test_the_spread_of_z_is_sigma_only_where_nothing_is_wrong_with_the_draw(kind):
    out = model(kind)(X, eps=EPS)
    expected = {broken.VarianceAsSpread: out.logvar.exp(), broken.NoNoise: torch.zeros(6, 2)}
    torch.testing.assert_close(out.z - out.mu, expected.get(kind, (out.logvar / 2).exp()) * EPS)


@pytest.mark.parametrize("kind", broken.GALLERY)
def test_the_terms_differ_from_the_sound_ones_where_the_docstring_says(kind):
    sound, seen = model(VAE).loss_terms(X, eps=EPS), model(kind).loss_terms(X, eps=EPS)
    mu, logvar = model(VAE).encode(X)
    if kind is broken.PixelMean:
        torch.testing.assert_close(seen.reconstruction * 784, sound.reconstruction)
        torch.testing.assert_close(seen.kl, sound.kl)
    elif kind is broken.NoKL:
        torch.testing.assert_close(seen.reconstruction, sound.reconstruction)
        assert not seen.kl.any()
    elif kind is broken.KLSignFlipped:
        torch.testing.assert_close(seen.kl, gaussian_kl(mu, logvar) + logvar.sum(1))
    else:
        torch.testing.assert_close(seen.kl, gaussian_kl(mu, logvar))


def test_the_wrong_kl_is_right_at_zero_and_goes_below_it():
    zero = torch.zeros(1, 2)
    assert broken.KLSignFlipped.kl(zero, zero).item() == 0
    assert broken.KLSignFlipped.kl(zero, zero - 1).item() < 0
