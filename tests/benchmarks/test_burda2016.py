"""The model of Burda et al.: its two objectives against each other, its schedule, and a short run of the command."""

import pytest
import torch

from benchmarks.burda2016 import OneLayer, main, negative_log_likelihood, schedule
from vae_lab import gaussian_kl, importance_weighted_bound, load_images

IMAGES = load_images().images[:40]


def model(objective, k):
    torch.manual_seed(0)
    return OneLayer(objective, k, IMAGES.float().mean(0) / 255).double()


def test_the_schedule_has_3280_epochs():
    assert sum(epochs for epochs, _ in schedule(8)) == 3280
    assert schedule(8)[0] == (1, 0.001)
    assert schedule(8)[7] == (2187, pytest.approx(0.0001))


def test_the_sizes_are_theirs():
    sizes = [tuple(p.shape) for p in model("vae", 1).parameters() if p.ndim == 2]
    assert sizes == [(200, 784), (200, 200), (100, 200), (200, 50), (200, 200), (784, 200)]


def test_iwae_trains_on_the_bound_itself():
    x = (IMAGES / 255).round().double()
    iwae = model("iwae", 7)
    terms = iwae.loss_terms(x, generator=torch.Generator().manual_seed(3))
    mu, logvar = iwae.encode(x)
    expected = importance_weighted_bound(
        lambda z: iwae.log_likelihood(x, z), mu, logvar, 7, generator=torch.Generator().manual_seed(3)
    )
    torch.testing.assert_close(-terms.reconstruction, expected)
    assert not terms.kl.any()


def test_the_vae_averages_the_error_over_its_draws():
    x = (IMAGES / 255).round().double()
    three, one = model("vae", 3), model("vae", 1)
    eps = torch.randn(3, len(x), 50, dtype=torch.double)
    apart = torch.stack([one.loss_terms(x, eps=eps[i : i + 1]).reconstruction for i in range(3)])
    terms = three.loss_terms(x, eps=eps)
    torch.testing.assert_close(terms.reconstruction, apart.mean(0))
    torch.testing.assert_close(terms.kl, gaussian_kl(*three.encode(x)))


def test_one_sample_of_iwae_and_vae_differ_by_the_kl_estimate_only():
    x = (IMAGES / 255).round().double()
    eps = torch.zeros(1, len(x), 50, dtype=torch.double)  # at the mean: log q - log p = (-|logvar| + |mu|^2) / 2
    vae, iwae = model("vae", 1), model("iwae", 1)
    mu, logvar = vae.encode(x)
    estimate = 0.5 * (mu.square() - logvar).sum(1)
    apart = iwae.loss_terms(x, eps=eps).reconstruction - vae.loss_terms(x, eps=eps).reconstruction
    torch.testing.assert_close(apart, estimate)


def test_before_training_the_mean_image_is_what_it_knows():
    nll = negative_log_likelihood(model("vae", 1).float(), IMAGES, samples=20)
    assert 150 < nll.mean() < 300


@pytest.mark.parametrize("objective", ["vae", "iwae"])
def test_the_command_prints_its_row_beside_the_published_one(capsys, objective):
    few = ["--data", "mnist5k", "--train-images", "60", "--test-images", "10", "--samples", "20", "--stages", "2"]
    main([*few, "--model", objective, "--k", "5", "--device", "cpu"])
    row = capsys.readouterr().out.splitlines()[-1]
    assert ("86.47" if objective == "vae" else "85.54") in row
    assert "60 images of mnist5k, 2 of 8 stages, 20 samples of 10 test images" in row


def test_a_k_of_zero_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--k", "0"])
    assert "--k is 0" in capsys.readouterr().err
