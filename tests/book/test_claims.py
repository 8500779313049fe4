"""What the pages say in words and typed numbers, held against what their cells wrote when the book was built.

This half: the problem and the trick. The model's pages are in `test_claims_of_the_model.py`.
"""

from __future__ import annotations

import math
import re

import pytest
import torch
from book.built_pages import column, numbers, printed, row, words


@pytest.fixture(autouse=True)
def _built(html):
    """Each claim is one about the book as it was built."""


def test_intro_the_line_in_numbers_and_the_images():
    assert 1 + math.exp(math.log(4) / 2) * -0.5 == 0
    assert numbers("intro", "images:")[:4] == [4000, 1, 28, 28]
    assert numbers("intro", "of each digit:") == [400] * 10


def test_autoencoders_the_better_copies_and_few_ones_and_sevens_on_the_sheet():
    error = {kind: row("autoencoders", "model", kind)[0] for kind in ("Autoencoder", "VAE")}
    assert error["Autoencoder"] < error["VAE"] - 3
    on_sheet = {kind: row("autoencoders", "on its sheet", kind)[0] for kind in ("Autoencoder", "VAE")}
    assert 0 < on_sheet["Autoencoder"] < 15, "you will hardly find a 1 or a 7; hardly, not: there is none"
    assert on_sheet["VAE"] > 50


def test_computation_graphs_three_ways_to_one_gradient():
    ways = [row("computation_graphs", "by", way)[0] for way in ("hand", "autograd", "trial")]
    assert ways == pytest.approx([10, 10, 10], abs=1e-5)


def test_computation_graphs_the_best_step_and_how_good_it_is():
    """The caption: the slope of two ends near 6e-3 with five digits in float32, near 7e-6 with eleven in float64."""
    steps = 10.0 ** torch.arange(-12, 0, 0.25, dtype=torch.double)
    for dtype, step, digits, rounding in ((torch.float32, 6e-3, 5, 6e-8), (torch.float64, 7e-6, 11, 1.1e-16)):
        assert (3 * rounding) ** (1 / 3) == pytest.approx(step, rel=0.1)
        h, one = steps.to(dtype), torch.ones((), dtype=dtype)
        error = (((torch.sin(one + h) - torch.sin(one - h)) / (2 * h)).double() - math.cos(1)).abs()
        on_slope = error / (steps**2 * math.cos(1) / 6) < 1.5
        ends = steps[(~on_slope).nonzero().max() + 1]  # the smallest step from which all larger ones are on the slope
        assert 0.3 < ends / step < 3
        assert error[steps >= ends].min() < 10.0**-digits
        assert error[-1] / error[-5] == pytest.approx(100, rel=0.1), "a tenth of the step, a hundredth of the error"
    assert (2**19, 2 * 19) == (524_288, 38)


def test_stochastic_nodes_a_cut_run_forgets_its_image():
    assert re.search(r"^encoder \(phi\) \[None(, None)*\]$", printed("stochastic_nodes"), re.MULTILINE)
    gradients = column("stochastic_nodes", "how z is drawn", "gradient of mu")
    assert gradients["torch.normal(mu, sigma)"] == [0, 0, 0, 0]
    assert gradients["Normal(mu, sigma).sample()"] == gradients["mu.detach() + sigma * eps"] == []
    assert gradients["Normal(mu, sigma).rsample()"] == [1, 1, 1, 1]
    loss, kl = row("stochastic_nodes", "after 12 epochs", "cut at z")
    assert 206 < loss < 210
    assert kl < 0.01
    assert row("stochastic_nodes", "after 12 epochs", "reparameterized")[0] < 180


def test_reparameterization_another_shape_shows_in_the_fourth_moment():
    uniform = (12**0.5 * (torch.linspace(0, 1, 100_001, dtype=torch.double) - 0.5)) * 2**0.5  # variance 2
    assert uniform.square().mean() == pytest.approx(2, rel=1e-3)
    assert uniform.pow(4).mean() == pytest.approx(1.8 * 4, rel=1e-3)
    assert [round(math.exp(x), 2) for x in (2 / 2, 2)] == [2.72, 7.39]


def test_reparameterization_moments_and_derivatives():
    for name in ("mean", "variance", "fourth"):
        seen, expected, error = row("reparameterization", "moment of z", name)
        assert abs(seen - expected) < 5 * error
    assert row("reparameterization", "eps", "shared") == [1]
    identity = words("reparameterization", "sampler", "keeps the identity")
    assert identity == {
        "reparameterize": "True",
        "exp(logvar) as the spread": "False",
        "mu + 7 sigma, no chance": "True",  # necessary, and not sufficient
    }


def test_gradient_paths_the_estimate_lies_within_its_error_of_the_truth():
    exact = numbers("gradient_paths", "exact")[0]
    mean, error = numbers("gradient_paths", "mean of a million gradients")
    assert exact == pytest.approx(5.7281641079, abs=1e-9)
    assert abs(mean - exact) < 5 * error
    assert error == pytest.approx(0.008, abs=0.0005), "exercise 3 says about 0.008"


def test_gradient_paths_two_dice_by_hand():
    received = {}
    for eps in (-0.5, 0.5):
        mu, logvar = torch.tensor(1.0).requires_grad_(), torch.tensor(4.0).log().requires_grad_()
        ((mu + torch.exp(logvar / 2) * eps - 3) ** 2).backward()
        received[eps] = [mu.grad.item(), logvar.grad.item()]
    assert received[-0.5] == pytest.approx([-6, 3])
    assert received[0.5] == pytest.approx([-2, -1])


def quadratic(a: float, v: float, baseline: str) -> float:
    """Variance of the score-function gradient for mu, f = (x - t)^2, a = mu - t, v = sigma^2."""
    return {"none": a**4 / v + 14 * a**2 + 15 * v, "mean": 8 * a**2 + 10 * v, "best": 8 * a**2 + 6 * v}[baseline]


def test_two_gradients_numbers_that_the_text_takes_from_closed_forms():
    with_baseline, without = 10 + 2 * 127, 15 + 127**2 + 8 * 127
    assert with_baseline == 264
    assert with_baseline / 4 == 66, "66 times as many samples"
    assert 16_500 < without < 17_500, "about seventeen thousand"
    assert without / 4 > 4000, "without a baseline more than four thousand times"
    for sigma, baseline, times in ((1, "mean", 10.5), (0.1, "mean", 802), (1, "none", 22), (0.1, "none", 41_000)):
        assert quadratic(2, sigma**2, baseline) / (4 * sigma**2) == pytest.approx(times, rel=0.02)

    def excess(omega: float) -> float:
        """Pathwise variance minus the score function's, for cos(omega x) at mu = 0.5."""
        wave = math.exp(-2 * omega**2) * math.cos(omega)
        return omega**2 * (1 - wave) / 2 - (1 + (1 - 4 * omega**2) * wave) / 2

    assert excess(0.85) < 0 < excess(0.97), "they cross a little below omega = 1"


def test_two_gradients_with_a_baseline_in_many_dimensions():
    """10 + 2 (D - 1), the third curve, and that of no baseline, by simulation."""
    d = 32
    x = torch.randn(200_000, d, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    f = x.square().sum(1)
    for baseline, wanted in ((d, 10 + 2 * (d - 1)), (0, 15 + (d - 1) ** 2 + 8 * (d - 1))):
        assert ((f - baseline) * x[:, 0]).var() == pytest.approx(wanted, rel=0.05)


def test_two_gradients_closed_forms_and_the_favourite_that_loses():
    measured, closed = (column("two_gradients", "gradient", head) for head in ("variance", "closed form"))
    assert len(measured) == 4
    for name, values in measured.items():
        assert values == pytest.approx(closed[name], rel=0.05)
    for head, baseline in (("no baseline", "none"), ("the mean", "mean"), ("the best", "best")):
        for a, seen in ((0, "a = 0"), (2, "a = 2")):
            of = column("two_gradients", "variance for μ", head)[seen]
            assert of == pytest.approx([quadratic(a, 1, baseline)], rel=0.05)
    pathwise, score = (row("two_gradients", "variance at omega = 2", kind) for kind in ("pathwise", "score function"))
    assert [pathwise[0], score[0]] == [1.948, 0.449]
    assert pathwise[0] > 4 * score[0]
    assert [pathwise[1], score[1]] == pytest.approx([pathwise[0], score[0]], rel=0.03)
    same, fresh = (row("two_gradients", "noise", noise) for noise in ("the same", "fresh"))
    assert same == pytest.approx([4, 4], rel=0.05)
    assert fresh[1] > 10_000 * same[1]


def learns_and_comes_behind(late: dict[str, list[float]], knows_nothing: float = 206.56) -> None:
    """What the page says of the VAE without the trick, three seeds each."""
    score, pathwise = late["score function, 4 draws"], late["pathwise, 4 draws"]
    assert max(score) < knows_nothing - 40, "it learns"
    assert min(score) > max(pathwise), "and comes behind"
    assert min(late["the same, no baseline"]) > max(score) + 20, "without a baseline it hardly learns"


def test_two_gradients_a_vae_without_the_trick_learns_and_comes_behind():
    early, late, flat = (
        column("two_gradients", "loss, three seeds", head) for head in ("4 epochs", "12 epochs", "12, D = 2")
    )
    score, four = "score function, 4 draws", "pathwise, 4 draws"
    assert all(0.5 < mine - theirs < 2 for mine, theirs in zip(early[score], early[four], strict=True))
    assert all(4.5 < mine - theirs < 7.5 for mine, theirs in zip(late[score], late[four], strict=True))
    assert min(late[score]) > max(late["pathwise, 1 draw"]), "one pathwise draw is enough to be ahead"
    assert all(0.5 < mine - theirs < 2.5 for mine, theirs in zip(flat[score], flat[four], strict=True)), "D = 2"
    ahead = [mine < theirs for mine, theirs in zip(flat[score], flat["pathwise, 1 draw"], strict=True)]
    assert sum(ahead) == 1, "on one of three seeds ahead of one pathwise draw"
    assert all(194 < loss < 196 for loss in late["the same, no baseline"]), "it ends at 195 nats"
    learns_and_comes_behind(late)
    collapsed = late | {"score function, 4 draws": [207.9, 207.8, 208.0]}
    as_good = late | {"score function, 4 draws": late["pathwise, 1 draw"]}
    for wrong in (collapsed, as_good | {"pathwise, 4 draws": late["score function, 4 draws"]}):
        with pytest.raises(AssertionError):
            learns_and_comes_behind(wrong)
