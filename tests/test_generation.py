"""What leaves the decoder: where z comes from, in which order, and that the encoder is not asked."""

import pytest
import torch
from torch import nn

from vae_lab import VAE, Autoencoder, code, from_prior, interpolate, latent_grid, recognisability, reconstruct


class Recorder(nn.Module):
    """A decoder that remembers each z, and an encoder that knows where black and white images lie."""

    latent_dim, data_shape = 2, (1, 2, 2)

    def __init__(self):
        super().__init__()
        self.seen = []

    def encode(self, x):
        mu = x.flatten(1)[:, :2] * 4
        return mu, torch.full_like(mu, 7.0)

    def decode(self, z):
        self.seen.append(z)
        return z[..., :1, None].expand(*z.shape[:-1], 2, 2).unsqueeze(-3)


class NoEncoder(Recorder):
    def encode(self, x):
        raise AssertionError("the encoder was called")


def test_from_prior_decodes_standard_normal_draws_and_asks_no_encoder():
    model = NoEncoder()
    images = from_prior(model, 50_000, generator=torch.Generator().manual_seed(0))
    z = model.seen[0]
    assert z.shape == (50_000, 2)
    assert z.mean(0).abs().max() < 6 / 50_000**0.5
    assert (z.square().mean(0) - 1).abs().max() < 6 * (2 / 50_000) ** 0.5
    torch.testing.assert_close(images[:, 0, 0, 0], z[:, 0].sigmoid())


def test_interpolation_is_a_straight_line_between_the_means():
    model = Recorder()
    images = interpolate(model, torch.zeros(1, 2, 2), torch.ones(1, 1, 2, 2), steps=5)
    torch.testing.assert_close(model.seen[0], torch.tensor([[0.0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]))
    assert images.shape == (5, 1, 2, 2)


def test_the_ends_of_an_interpolation_are_the_reconstructions():
    for model in (VAE(hidden=(8,)), Autoencoder(hidden=(8,))):
        a, b = torch.rand(2, 1, 28, 28)
        path = interpolate(model, a, b, steps=3)
        torch.testing.assert_close(path[[0, -1]], reconstruct(model, torch.stack([a, b])))


def test_the_grid_is_a_map():
    model = NoEncoder()
    grid = latent_grid(model, 3, extent=2.0)
    assert grid.shape == (3, 3, 1, 2, 2)
    z = model.seen[0].unflatten(0, (3, 3))  # a decoder is asked for [B, D], never more axes
    assert z[0, 0].tolist() == [-2, 2]  # top left: z_1 smallest, z_2 largest
    assert z[2, 0].tolist() == [-2, -2]
    assert z[0, 2].tolist() == [2, 2]


def test_without_an_extent_each_cell_holds_the_same_share_of_the_prior():
    model = Recorder()
    latent_grid(model, 5)
    share = torch.special.ndtr(model.seen[0].unflatten(0, (5, 5))[0, :, 0])
    torch.testing.assert_close(share, torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9]))


def test_code_is_the_mean_of_a_vae_and_the_code_of_an_autoencoder():
    x = torch.rand(3, 1, 28, 28)
    vae, autoencoder = VAE(hidden=(8,)), Autoencoder(hidden=(8,))
    assert torch.equal(code(vae, x), vae.encode(x)[0])
    assert torch.equal(code(autoencoder, x), autoencoder.encode(x))


def test_nothing_generated_carries_a_graph():
    model, x = VAE(hidden=(8,)), torch.rand(2, 1, 28, 28)
    for images in (from_prior(model, 2), reconstruct(model, x), interpolate(model, *x), latent_grid(model, 2)):
        assert not images.requires_grad
        assert images.min() >= 0
        assert images.max() <= 1


def test_recognisability_is_the_probability_of_the_first_choice():
    logits = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
    torch.testing.assert_close(recognisability(torch.zeros(2, 4), lambda x: logits), logits.softmax(1).max(1).values)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interpolate(Recorder(), torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), steps=1), "steps is 1"),
        (lambda: interpolate(Recorder(), torch.zeros(2, 1, 2, 2), torch.zeros(1, 2, 2)), r"a has shape \(2, 1, 2, 2\)"),
        (lambda: latent_grid(VAE(latent_dim=3)), "3 latent dimensions"),
        (lambda: latent_grid(Recorder(), 0), "side is 0"),
        (lambda: recognisability(torch.zeros(2, 4), lambda x: torch.zeros(2)), r"returned \(2,\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
