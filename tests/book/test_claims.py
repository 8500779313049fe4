"""What the pages say in words and typed numbers, held against what their cells printed when the book was built."""

from __future__ import annotations

import functools
import re

import pytest
from book.sources import ROOT
from bs4 import BeautifulSoup


@functools.cache
def printed(page: str) -> str:
    """All that the cells of a page wrote, as it stands in the built page."""
    text = (ROOT / "_build" / "html" / "book" / f"{page}.html").read_text(encoding="utf-8")
    return "\n".join(output.get_text() for output in BeautifulSoup(text, "html.parser").select(".cell_output pre"))


def numbers(page: str, line: str) -> list[float]:
    """The numbers that follow the start of a line."""
    found = re.search(rf"^{re.escape(line)}(.*)$", printed(page), re.MULTILINE)
    assert found, f"{page} prints no line that starts with {line!r}"
    return [float(number) for number in re.findall(r"[-+]?\d+(?:\.\d+)?", found[1].replace("+-", ""))]


@pytest.fixture(autouse=True)
def _built(html):
    """Each claim is one about the book as it was built."""


def test_autoencoders_the_autoencoder_is_the_better_copyist():
    assert numbers("autoencoders", "Autoencoder")[0] < numbers("autoencoders", "VAE")[0] - 3


def test_computation_graphs_three_ways_to_one_gradient():
    assert [numbers("computation_graphs", f"by {way}")[0] for way in ("hand", "autograd", "trial")] == pytest.approx(
        [10, 10, 10], abs=1e-5
    )


def test_stochastic_nodes_a_cut_run_forgets_its_image():
    assert re.search(r"^encoder \(phi\) \[None(, None)*\]$", printed("stochastic_nodes"), re.MULTILINE)
    assert numbers("stochastic_nodes", "torch.normal(mu, sigma)") == [0, 0, 0, 0]
    loss, kl = numbers("stochastic_nodes", "cut at z")
    assert 206 < loss < 210
    assert kl < 0.01
    assert numbers("stochastic_nodes", "reparameterized")[0] < 180


def test_reparameterization_moments_and_derivatives():
    for name in ("mean", "variance", "fourth"):
        seen, expected, error = numbers("reparameterization", name)
        assert abs(seen - expected) < 5 * error
    assert numbers("reparameterization", "correlation of z_1 and z_2, shared eps:") == [1]
    assert printed("reparameterization").count("True") == 2


def test_gradient_paths_the_estimate_lies_within_its_error_of_the_truth():
    exact = numbers("gradient_paths", "exact")[0]
    mean, error = numbers("gradient_paths", "mean of a million gradients")
    assert exact == pytest.approx(5.7281641079, abs=1e-9)
    assert abs(mean - exact) < 5 * error
    assert error == pytest.approx(0.01, abs=0.004), "exercise 3 says about 0.01"


def test_two_gradients_closed_forms_and_the_favourite_that_loses():
    for kind in ("pathwise       ", "score function "):
        for of in ("d/dmu", "d/dsigma"):
            _, measured, closed = numbers("two_gradients", f"{kind}{of}")
            assert measured == pytest.approx(closed, rel=0.05)
    pathwise, score = (numbers("two_gradients", f"{kind}k = 2:") for kind in ("pathwise        ", "score function  "))
    assert [pathwise[0], score[0]] == [1.948, 0.449]
    assert pathwise[0] > 4 * score[0]
    assert [pathwise[1], score[1]] == pytest.approx([pathwise[0], score[0]], rel=0.03)
    same, fresh = (numbers("two_gradients", f"{noise} noise") for noise in ("the same", "fresh"))
    assert same == pytest.approx([4, 4], rel=0.05)
    assert fresh[1] > 10_000 * same[1]
    assert numbers("two_gradients", "baseline 0: variance")[0] == pytest.approx(15, rel=0.05)
    assert numbers("two_gradients", "baseline 1: variance")[0] == pytest.approx(10, rel=0.05)


def test_elbo_prices_and_the_knob():
    assert numbers("elbo", "textbook:") == [0]
    assert numbers("elbo", "mu 0  logvar +2: formula")[:2] == pytest.approx([2.194528] * 2)
    runs = {beta: numbers("elbo", f"beta {beta:>4}: rate") for beta in ("0.1", "0.3", "1", "3", "10", "30")}
    rates, distortions, sums = zip(*runs.values(), strict=True)
    assert list(rates) == sorted(rates, reverse=True)
    assert list(distortions) == sorted(distortions)
    assert min(sums) == runs["0.3"][2], "the dashed line touches at beta = 0.3"
    assert 25 < rates[0] < 29
    assert rates[-1] < 0.1


def test_training_floor_ceiling_and_symptoms():
    floor = numbers("training", "knowing only the average digit")[0]
    train, test = (numbers("training", f"this VAE, {of} images")[0] for of in ("training", "test"))
    assert floor == 206.56
    assert numbers("training", "perfect reconstruction") == [46.28]
    assert round(train) == round(test) == 138
    assert floor / 784 == pytest.approx(0.26, abs=0.005), "the quiz says 0.26"
    rows = {
        name: numbers("training", name.ljust(18))
        for name in ("VAE", "CutSample", "VarianceAsSpread", "NoNoise", "PixelMean", "NoKL", "KLSignFlipped")
    }
    loss, _, kl, sigma = zip(*rows.values(), strict=True)
    by = dict(zip(rows, zip(loss, kl, sigma, strict=True), strict=True))
    assert 206 < by["CutSample"][0] < 210
    assert by["CutSample"][1] == by["PixelMean"][1] == 0
    assert by["VAE"][0] + 1 < by["VarianceAsSpread"][0] < by["VAE"][0] + 15
    assert by["NoNoise"][2] == pytest.approx(1, abs=0.01)
    assert by["NoNoise"][0] < by["VAE"][0]
    assert by["PixelMean"][0] < 1
    assert by["NoKL"][1] > 3 * by["VAE"][1]
    assert by["NoKL"][2] < 0.05
    assert by["KLSignFlipped"][0] < 0


def test_training_the_linear_model_uses_twelve_dimensions():
    assert [numbers("training", f"s2 = {s2}:")[0] for s2 in ("0.05", "0.1", "0.2")] == [18, 12, 7]
    assert numbers("training", "trained with room for 20 at s2 = 0.1:") == [12]


def test_generation_sure_is_not_enough():
    real, vae, vae_fitted, blots, fitted = (
        numbers("generation", line.ljust(27))
        for line in ("training images", "VAE, z from prior", "VAE, z from fitted", "autoencoder, z from prior",
                     "autoencoder, z from fitted")
    )  # fmt: skip
    assert blots[0] > 1.5 * vae[0], "surer of the blots"
    assert blots[1] > 75, "nearly all of them one and the same digit"
    assert max(vae[1], vae_fitted[1], fitted[1]) < 25
    assert blots[2] > 3 * vae[2], "several times nearer"
    assert fitted[2] < vae_fitted[2], "on this measure even overtakes"
    assert real[2] < 2


def test_generation_fewer_gaps_not_none():
    gaps, strays = {}, {}
    for kind in ("Autoencoder ", "VAE         "):
        rows = [numbers("generation", f"{kind} seed {seed}") for seed in range(3)]
        gaps[kind.strip()], strays[kind.strip()] = zip(*rows, strict=True)
    assert max(gaps["VAE"]) < min(gaps["Autoencoder"])
    assert max(gaps["VAE"]) > 0
    assert 2 < max(strays["VAE"]) < min(strays["Autoencoder"])


def test_how_good_the_ladder_and_the_ruler():
    log_p = numbers("how_good", "log p(x)")[0]
    assert log_p == pytest.approx(-4.790221, abs=1e-6)
    assert numbers("how_good", "ELBO, exactly")[0] == pytest.approx(-9.717374, abs=2e-6)
    rungs = [numbers("how_good", f"L{k}".ljust(5)) for k in (1, 5, 50, 500)]
    assert [mean for mean, _ in rungs] == sorted(mean for mean, _ in rungs)
    assert all(mean < log_p + 5 * error for mean, error in rungs)
    for q, known in (("2", 0.0057), ("8", 14.2098), ("20", 27.2773)):
        elbo, exact, _ = numbers("how_good", f"q = {q:>2}:")
        assert elbo == exact == known
    for scale in ("1.0", "1.5", "3.0"):
        mean, spread, gap = numbers("how_good", f"variance x {scale}:")
        assert mean + gap == pytest.approx(14.2098, abs=0.03 if spread else 1e-4)
    assert 0 <= numbers("how_good", "short by")[0] < 0.02


def test_beyond_gaussians_sure_and_wrong():
    mean, error, exact = numbers("beyond_gaussians", "pathwise_gradients")
    assert (mean, error) == (0, 0)
    assert exact > 0.3
    mean, error, exact = numbers("beyond_gaussians", "score_function_gradients")
    assert abs(mean - exact) < 5 * error
    torch, formula = (numbers("beyond_gaussians", of) for of in ("torch:", "formula:"))
    assert torch == pytest.approx(formula, rel=5e-4), "good to about four digits"
