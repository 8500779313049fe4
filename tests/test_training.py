"""fit: what it minimises, that it repeats itself, and what it refuses."""

import math

import pytest
import torch

from vae_lab import VAE, Autoencoder, LossTerms, fit, load_images

COLLAPSED = 206.56  # negative ELBO of a VAE on MNIST-5k whose decoder ignores z, nats per image
PERFECT = 46.28  # grey pixels reconstructed exactly cost this much: below it, something is wrong


def small_vae():
    torch.manual_seed(0)
    return VAE(latent_dim=2, hidden=(64,))


def test_a_vae_learns_beyond_the_collapsed_one():
    history = fit(small_vae(), load_images().images, epochs=8, batch_size=64, progress=False)
    assert PERFECT < history.loss[-1] < COLLAPSED - 10
    assert history.kl[-1] > 1
    assert history.loss[-1] < history.loss[0]


def test_the_noted_floor_and_ceiling_follow_from_the_data():
    x = load_images().images.double() / 255
    p = x.mean(0)
    everything = torch.cat([x, load_images(train=False).images.double() / 255])
    entropy = torch.special.entr(everything) + torch.special.entr(1 - everything)
    assert entropy.flatten(1).sum(1).mean().item() == pytest.approx(PERFECT, abs=0.01)
    p = everything.mean(0)
    mean_entropy = (torch.special.entr(p) + torch.special.entr(1 - p)).sum().item()
    assert mean_entropy == pytest.approx(COLLAPSED, abs=0.01)


def test_uint8_and_scaled_floats_train_alike():
    images = load_images().images[:512]
    one, two = (fit(small_vae(), data, epochs=2, progress=False) for data in (images, images.float() / 255))
    assert one.loss == two.loss


def test_a_seed_fixes_the_run_and_the_default_generator_is_left_alone():
    images = load_images().images[:512]
    runs = []
    for seed in (1, 1, 2):
        model = small_vae()  # the same initial weights each time
        state = torch.get_rng_state()
        runs.append(fit(model, images, epochs=2, seed=seed, progress=False).loss)
        assert torch.equal(torch.get_rng_state(), state)
    assert runs[0] == runs[1] != runs[2]


def test_the_history_is_the_mean_over_all_images_also_with_a_ragged_last_batch():
    class Counter(torch.nn.Module):
        likelihood = "bernoulli"

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def loss_terms(self, x, *, eps=None, generator=None):
            return LossTerms(x.sum(1) + 0 * self.weight, torch.ones(len(x)))

    images = torch.rand(10, 3)
    history = fit(Counter(), images, epochs=1, batch_size=4, beta=0.5, progress=False)
    assert history.reconstruction[0] == pytest.approx(images.sum(1).mean().item(), rel=1e-6)
    assert history.kl == [1.0]
    assert history.loss[0] == pytest.approx(history.reconstruction[0] + 0.5)


def test_binarize_feeds_only_zeros_and_ones():
    seen = []

    class Watcher(VAE):
        def loss_terms(self, x, **noise):
            seen.append(x)
            return super().loss_terms(x, **noise)

    fit(Watcher(hidden=(8,)), load_images().images[:64], epochs=2, binarize=True, progress=False)
    assert set(torch.cat(seen).unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(seen[0].sort(0).values, seen[1].sort(0).values)  # drawn anew in each epoch


def test_an_autoencoder_trains_too():
    torch.manual_seed(0)
    history = fit(Autoencoder(hidden=(64,)), load_images().images, epochs=4, progress=False)
    assert history.loss[-1] < history.loss[0]
    assert set(history.kl) == {0.0}


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.full((4, 784), 255.0), r"pixels range from 255 to 255.*divide by 255"),
        (torch.full((4, 784), -0.1), r"pixels range from -0\.1"),
        (torch.full((4, 784), math.nan), "not finite"),
        (torch.full((4, 784), math.inf), "not finite"),
        (torch.zeros(4, 784, dtype=torch.int64), r"dtype torch\.int64; wanted uint8"),
        (torch.zeros(0, 784), r"shape \(0, 784\)"),
        (torch.zeros(784), r"shape \(784,\)"),
    ],
)
def test_images_of_no_known_range_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        fit(VAE(hidden=(8,)), images, progress=False)


@pytest.mark.parametrize("setting", [{"epochs": -1}, {"batch_size": 0}, {"learning_rate": 0}, {"beta": -1}])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=f"fit: .*{next(iter(setting))}="):
        fit(VAE(hidden=(8,)), torch.zeros(4, 784), progress=False, **setting)


def test_a_device_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="torch finds no GPU"):
        fit(VAE(hidden=(8,)), torch.zeros(4, 784), device="cuda", progress=False)


def test_a_loss_that_is_not_finite_names_the_term():
    model = VAE(hidden=(8,))
    with torch.no_grad():
        model.encoder[-1].bias[2:] = 200.0  # logvar: exp(200) overflows float32
    with pytest.raises(FloatingPointError, match=r"fit: the kl term is inf.* in epoch 1, step 1;"):
        fit(model, torch.zeros(4, 784), progress=False)


def test_the_term_and_the_step_that_went_wrong_first_are_named_though_all_are_wrong_in_the_end():
    class Breaks(torch.nn.Module):
        likelihood = "bernoulli"

        def __init__(self):
            super().__init__()
            self.weight, self.calls = torch.nn.Parameter(torch.ones(())), 0

        def loss_terms(self, x, *, eps=None, generator=None):
            self.calls += 1
            kl = self.weight * (math.inf if self.calls == 6 else 1.0)
            return LossTerms(self.weight * x.sum(1), kl.expand(len(x)))

    with pytest.raises(FloatingPointError, match=r"fit: the kl term is inf in epoch 2, step 2;"):
        fit(Breaks(), torch.rand(16, 3), batch_size=4, epochs=3, progress=False)


def test_a_device_of_a_kind_that_is_not_here_is_said():
    with pytest.raises(RuntimeError, match=r"fit: device is 'xpu', which is not there: "):
        fit(VAE(hidden=(8,)), torch.zeros(4, 784), device="xpu", progress=False)


def test_a_plain_run_says_that_it_was_eager():
    assert fit(VAE(hidden=(8,)), torch.zeros(4, 784), epochs=1, progress=False).how == "eager"
