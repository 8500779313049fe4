"""What the pages say in words and typed numbers, held against what their cells printed when the book was built."""

from __future__ import annotations

import functools
import math
import re

import pytest
import torch
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


def test_intro_the_line_in_numbers_and_the_images():
    assert 1 + math.exp(math.log(4) / 2) * -0.5 == 0
    assert numbers("intro", "images:")[:4] == [4000, 1, 28, 28]
    assert numbers("intro", "of each digit:") == [400] * 10


def test_autoencoders_the_better_copyist_keeps_ones_and_sevens_off_the_sheet():
    error = {kind: numbers("autoencoders", f"{kind:12} reconstruction error")[0] for kind in ("Autoencoder", "VAE")}
    assert error["Autoencoder"] < error["VAE"] - 3
    on_sheet = {kind: numbers("autoencoders", f"{kind:12} has")[0] for kind in ("Autoencoder", "VAE")}
    assert on_sheet["Autoencoder"] < 15, "look for a 1 or a 7 on the left: there is none"
    assert on_sheet["VAE"] > 50


def test_computation_graphs_three_ways_to_one_gradient():
    assert [numbers("computation_graphs", f"by {way}")[0] for way in ("hand", "autograd", "trial")] == pytest.approx(
        [10, 10, 10], abs=1e-5
    )


def test_computation_graphs_the_best_step_and_how_good_it_is():
    """The caption: near 1e-2 and five digits in float32, near 1e-5 and eleven in float64; slope two to the right."""
    steps = 10.0 ** torch.arange(-12, 0, 0.25, dtype=torch.double)
    for dtype, step, digits in ((torch.float32, -2.4, 5), (torch.float64, -5, 11)):
        h, one = steps.to(dtype), torch.ones((), dtype=dtype)
        error = ((torch.sin(one + h) - torch.sin(one - h)) / (2 * h)).double() - math.cos(1)
        assert abs(steps[error.abs().argmin()].log10() - step) < 1
        assert error.abs().min() < 0.5 * 10.0**-digits
        assert error[-1] / error[-5] == pytest.approx(100, rel=0.1), "a tenth of the step, a hundredth of the error"
    assert (2**19, 2 * 19) == (524_288, 38)


def test_stochastic_nodes_a_cut_run_forgets_its_image():
    assert re.search(r"^encoder \(phi\) \[None(, None)*\]$", printed("stochastic_nodes"), re.MULTILINE)
    assert numbers("stochastic_nodes", "torch.normal(mu, sigma)") == [0, 0, 0, 0]
    loss, kl = numbers("stochastic_nodes", "cut at z")
    assert 206 < loss < 210
    assert kl < 0.01
    assert numbers("stochastic_nodes", "reparameterized")[0] < 180


def test_reparameterization_another_shape_shows_in_the_fourth_moment():
    uniform = (12**0.5 * (torch.linspace(0, 1, 100_001, dtype=torch.double) - 0.5)) * 2**0.5  # variance 2
    assert uniform.square().mean() == pytest.approx(2, rel=1e-3)
    assert uniform.pow(4).mean() == pytest.approx(1.8 * 4, rel=1e-3)
    assert [round(math.exp(x), 2) for x in (2 / 2, 2)] == [2.72, 7.39]


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


def test_gradient_paths_two_dice_by_hand():
    received = {}
    for eps in (-0.5, 0.5):
        mu, logvar = torch.tensor(1.0).requires_grad_(), torch.tensor(4.0).log().requires_grad_()
        ((mu + torch.exp(logvar / 2) * eps - 3) ** 2).backward()
        received[eps] = [mu.grad.item(), logvar.grad.item()]
    assert received[-0.5] == pytest.approx([-6, 3])
    assert received[0.5] == pytest.approx([-2, -1])


def test_two_gradients_numbers_that_the_text_takes_from_closed_forms():
    in_128 = 15 + 127**2 + 8 * 127
    assert 16_500 < in_128 < 17_500, "about seventeen thousand"
    assert in_128 / 4 == pytest.approx(4000, rel=0.1), "four thousand times as many samples"
    for s, times in ((1, 22), (0.1, 41_000)):
        assert (16 / s**2 + 14 * 4 + 15 * s**2) / (4 * s**2) == pytest.approx(times, rel=0.02)

    def excess(k: float) -> float:
        """Pathwise variance minus the score function's, for cos(kx) at mu = 0.5."""
        wave = math.exp(-2 * k**2) * math.cos(k)
        return k**2 * (1 - wave) / 2 - (1 + (1 - 4 * k**2) * wave) / 2

    assert excess(0.85) < 0 < excess(0.97), "they cross a little below k = 1"


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
    weights = [float(beta) for beta in runs]
    for beta, rate, distortion, total in zip(weights, rates, distortions, sums, strict=True):
        loss = distortion + beta * rate
        assert loss >= total - 0.01 if beta >= 1 else loss < total, "only a beta of one or more gives a bound"
    integrals = [numbers("elbo", f"p = {p}: over all grey values the 'probabilities' add up to")[0]
                 for p in ("0.5", "0.9", "0.99")]  # fmt: skip
    assert 0.6 > integrals[0] > integrals[1] > integrals[2] > 0.1, "grey-pixel cross-entropy is no likelihood"
    assert numbers("elbo", "expm1:")[0] == pytest.approx(numbers("elbo", "truth:")[0], rel=1e-3)
    assert 0.5 * (4 + 0.01 - 1 - math.log(0.01)) == pytest.approx(3.81, abs=0.005)
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
    assert numbers("generation", "the classifier is right on")[0] > 90, "more than nine of ten"


def test_generation_fewer_gaps_not_none():
    gaps, strays = {}, {}
    for kind in ("Autoencoder ", "VAE         "):
        rows = [numbers("generation", f"{kind} seed {seed}") for seed in range(3)]
        gaps[kind.strip()], strays[kind.strip()] = zip(*rows, strict=True)
    assert max(gaps["VAE"]) < min(gaps["Autoencoder"])
    assert max(gaps["VAE"]) > 0
    assert 2 < max(strays["VAE"]) < min(strays["Autoencoder"])


def test_generation_neighbours_decode_to_similar_digits():
    near, further, off = (numbers("generation", f"a step of {step:<6} the same digit:")[0] for step in (0.05, 0.2, 0.8))
    other = numbers("generation", "any other point  the same digit:")[0]
    assert near > 90
    assert near > further > off > other
    assert other < 30


def test_generation_what_the_circles_hold():
    assert math.exp(-(3**2) / 2) == pytest.approx(0.01, abs=0.002), "outside radius 3"
    assert 1 - math.exp(-(2**2) / 2) == pytest.approx(0.86, abs=0.005), "within radius 2"


def test_how_good_the_ladder_and_the_ruler():
    log_p = numbers("how_good", "log p(x)")[0]
    assert log_p == pytest.approx(-4.790221, abs=1e-6)
    assert numbers("how_good", "ELBO, exactly")[0] == pytest.approx(-9.717374, abs=2e-6)
    assert 4.8 < log_p - numbers("how_good", "ELBO, exactly")[0] < 5, "a gap of almost five nats"
    rungs = [numbers("how_good", f"L{k}".ljust(5)) for k in (1, 5, 50, 500)]
    assert [mean for mean, _ in rungs] == sorted(mean for mean, _ in rungs)
    assert all(mean < log_p + 5 * error for mean, error in rungs)
    for latents, known in (("2", 0.0057), ("8", 14.2098), ("20", 27.2773)):
        elbo, exact, _ = numbers("how_good", f"D = {latents:>2}:")
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
    theirs, formula = (numbers("beyond_gaussians", of) for of in ("torch:", "formula:"))
    assert theirs == pytest.approx(formula, rel=5e-4), "good to about four digits"
    mean, expected, slope, expected_slope = numbers("beyond_gaussians", "mean")
    assert mean == pytest.approx(expected, rel=0.02)
    assert slope == pytest.approx(expected_slope, rel=0.02)
    assert printed("beyond_gaussians").count("True") == 1


def test_beyond_gaussians_cold_is_right_and_noisy_hot_is_quiet_and_wrong():
    logits, reward = (torch.tensor(values, dtype=torch.double) for values in ([1.0, 0.0, -1.0], [1.0, 4.0, 0.0]))
    p = torch.softmax(logits, 0)
    exact = (p * (reward - p @ reward))[1]
    uniform = torch.rand(50_000, 3, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    at = logits.expand(50_000, 3).clone().requires_grad_()
    seen = {}
    for tau in (0.05, 5.0):
        value = torch.softmax((at - torch.log(-torch.log(uniform))) / tau, 1) @ reward
        (g,) = torch.autograd.grad(value.sum(), at)
        seen[tau] = g[:, 1]
    cold, hot = seen.values()
    assert abs(cold.mean() - exact) < 5 * cold.std() / len(cold) ** 0.5
    assert hot.mean() < exact / 2
    assert cold.std() > 10 * hot.std()


def test_summary_what_a_code_says_and_how_far_the_gradients_spread():
    nats = numbers("summary", "a code of two numbers says")[0]
    assert 4.5 < nats < 6, "less than six nats"
    assert math.exp(6 - math.log(10)) < 45, "at most some thirty variants of each digit"
    noise = torch.randn(100_000, 10, generator=torch.Generator().manual_seed(0))
    score = (1 + noise).square().sum(1) * noise[:, 0]
    assert score.std() / (2 * (1 + noise[:, 0])).std() == pytest.approx(12, rel=0.1), "about twelve times as widely"
