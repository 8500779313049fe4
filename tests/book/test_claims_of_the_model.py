"""What the pages on the model say, held against what their cells wrote when the book was built.

Where a page names a cause, the claim is a function of the numbers: it holds for the page's, and fails for numbers of a
model that it should fail for.
"""

from __future__ import annotations

import math

import pytest
import torch
from book.built_pages import column, numbers, printed, row
from book.sources import ROOT, cells

from vae_lab import data, models, training
from vae_lab.elbo import gaussian_kl

Seeds = dict[str, list[float]]


@pytest.fixture(autouse=True)
def _built(html):
    """Each claim is one about the book as it was built."""


def test_elbo_one_dimension_in_numbers():
    grid, formula = numbers("elbo", "log p(x)")
    assert grid == pytest.approx(formula, abs=2e-4)
    assert formula == pytest.approx(-0.5 * math.log(2 * math.pi * 1.25) - 1.5**2 / 2.5, abs=1e-4)
    assert numbers("elbo", "p(z|x)") == pytest.approx([1.2, 0.2], abs=2e-3)
    low, high = 1.2 - 2 * 0.2**0.5, 1.2 + 2 * 0.2**0.5
    share = (math.erf(high / 2**0.5) - math.erf(low / 2**0.5)) / 2
    assert share == pytest.approx(0.36, abs=0.005)
    assert 1 / share**10 == pytest.approx(26_000, rel=0.05)
    assert math.erf(2**0.5) ** 10 < 0.65, "the others together are no small part, though each of them adds little"


def test_elbo_the_bound_and_its_gap_add_up_for_every_q():
    log_p = numbers("elbo", "log p(x)")[1]
    explains, kl, bound, gap, total = (
        column("elbo", "q", head) for head in ("E log p(x|z)", "KL", "ELBO", "gap", "their sum")
    )
    for q in total:
        assert total[q] == pytest.approx([log_p], abs=2e-3)
        assert bound[q][0] == pytest.approx(explains[q][0] - kl[q][0], abs=2e-4)
        assert gap[q][0] >= -1e-3
    assert gap["N(1.2, 0.2)"] == pytest.approx([0], abs=2e-3), "the best q is the posterior"
    assert gap["N(1.2, 1.0)"][0] > 0.1, "a gap, though the posterior is a Gaussian"
    assert min(explains, key=lambda q: explains[q][0]) == "N(0.0, 1.0)", "what costs nothing explains badly"


def test_elbo_prices_and_a_trap():
    formula, torchs, sampled = (column("elbo", "mu, logvar", head) for head in ("formula", "torch", "sampled"))
    for at in formula:
        assert formula[at] == pytest.approx(torchs[at])
        assert sampled[at] == pytest.approx(formula[at], abs=0.03)
    assert formula["0, +2"] == pytest.approx([2.194528])
    assert formula["0, +2"][0] > formula["0, -2"][0], "too wide costs more than too small by the same factor"
    assert numbers("elbo", "textbook:") == [0]
    assert numbers("elbo", "expm1:")[0] == pytest.approx(numbers("elbo", "truth:")[0], rel=1e-3)


def test_elbo_the_knob():
    rates, distortions, sums = (column("elbo", "beta", head) for head in ("rate", "distortion", "sum"))
    assert [r for (r,) in rates.values()] == sorted((r for (r,) in rates.values()), reverse=True)
    assert [d for (d,) in distortions.values()] == sorted(d for (d,) in distortions.values())
    assert min(sums, key=sums.__getitem__) == "0.5", "the dashed line touches at beta = 0.5"
    for beta in map(float, rates):
        rate, distortion, total = (numbers_of[f"{beta:g}"][0] for numbers_of in (rates, distortions, sums))
        loss = distortion + beta * rate
        assert loss >= total - 0.02 if beta >= 1 else loss < total, "only a beta of one or more gives a bound"
    assert rates["30"][0] < 0.1


def test_elbo_a_grey_image_is_the_mean_over_black_and_white_ones():
    (grey,) = row("elbo", "log-likelihood", "of the grey image")
    mean, error = row("elbo", "log-likelihood", "mean over black and white")
    assert abs(mean - grey) < 5 * error
    assert error < 1
    assert numbers("elbo", "chance in the black and white images:")[0] == pytest.approx(46.3, abs=0.3)
    integrals = [row("elbo", "p", p)[0] for p in ("0.5", "0.9", "0.99")]
    assert 0.6 > integrals[0] > integrals[1] > integrals[2] > 0.1, "no density of the grey image"


def test_training_by_hand_and_by_fit_are_the_same():
    for epoch in (1, 2, 3):
        by_hand, by_fit = row("training", "loss, epoch", str(epoch))
        assert by_hand == pytest.approx(by_fit, abs=0.01)


def plain_code() -> dict[str, object]:
    """The names that the page's model, loss and loop define, from the page's own cells."""
    names: dict[str, object] = {}
    wanted = ("import torch", "encoder = nn.Sequential", "def negative_elbo", "def train")
    for cell in cells(ROOT / "book" / "training.md"):
        if any(line in cell.code for line in wanted) and "small_digits()" not in cell.code:
            code = cell.code.split("by_hand =")[0]
            exec(compile(code, "training.md", "exec"), names)
    return names


def test_training_the_code_on_the_page_makes_the_steps_of_fit():
    """In double precision, after two epochs, every weight; and it is some 35 lines."""
    names, images = plain_code(), data.load_images().images[:300]
    for part in ("encoder", "decoder"):
        names[part].double()
    torch.manual_seed(0)
    vae = models.VAE(latent_dim=10).double()
    for mine, theirs in zip(names["encoder"].parameters(), vae.encoder.parameters(), strict=True):
        assert torch.equal(mine, theirs), "the same weights at the start"
    real = torch.randn  # the page draws float32 noise, as fit does for a float32 model; here all is double
    history = training.fit(vae, images.double() / 255, epochs=2, seed=0, progress=False)
    names["torch"].randn = lambda *a, **k: real(*a, **{"dtype": torch.double, **k})
    try:
        by_hand = names["train"](images.flatten(1).double() / 255, epochs=2)
    finally:
        names["torch"].randn = real
    assert by_hand == pytest.approx(history.loss, rel=1e-7), "fit keeps its history in single precision"
    for part in ("encoder", "decoder"):
        for mine, theirs in zip(names[part].parameters(), getattr(vae, part).parameters(), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-9)
    parts = ("encoder = nn", "def negative_elbo", "def train(")
    shown = [cell for cell in cells(ROOT / "book" / "training.md") if any(part in cell.code for part in parts)]
    assert len(shown) == 3
    assert 30 <= sum(len(cell.lines) for cell in shown) <= 42, "some 35 lines"


def test_training_floor_ceiling():
    ceiling, train, test, floor = (
        row("training", "what the decoder knows", name)[0]
        for name in ("only the average digit", "this VAE, training images", "this VAE, test images", "the image itself")
    )
    assert ceiling == 206.56
    assert floor == 46.28
    assert round(train) == round(test) == 138
    assert ceiling / 784 == pytest.approx(0.26, abs=0.005), "the quiz says 0.26"


def symptoms(loss: Seeds, kl: Seeds, true_kl: Seeds, sigma: Seeds) -> None:
    """What the table says gives each mistake away, on every seed."""
    assert all(206 < value < 210 for value in loss["CutSample"])
    assert max(true_kl["CutSample"] + true_kl["PixelMean"]) < 0.05
    for plain, wrong in zip(loss["VAE"], loss["VarianceAsSpread"], strict=True):
        assert plain < wrong < plain + 10, "a little worse"
    for plain, wrong in zip(kl["VAE"], kl["VarianceAsSpread"], strict=True):
        assert wrong < plain - 0.5, "and a KL that is lower"
    assert all(abs(value - 1) < 0.01 for value in sigma["NoNoise"])
    assert max(loss["NoNoise"]) < min(loss["VAE"])
    assert max(loss["PixelMean"]) < 1
    assert min(true_kl["NoKL"]) > 3 * max(true_kl["VAE"])
    assert max(sigma["NoKL"]) < 0.05 < min(sigma["VAE"])
    assert max(loss["KLSignFlipped"]) < 0


def test_training_each_mistake_has_its_symptom_and_no_other_model_has_it():
    shown = [column("training", "model", head) for head in ("loss", "KL as reported", "true KL", "sigma")]
    loss = shown[0]
    assert all(len(values) == 3 for values in loss.values())
    symptoms(*shown)
    assert all(round(value, 1) in (207.6, 207.7) for value in loss["CutSample"]), "the quiz says 207.6"
    for name in loss:
        if name == "VAE":
            continue
        healthy = ({**of, name: of["VAE"]} for of in shown)
        with pytest.raises(AssertionError):
            symptoms(*healthy)


def test_training_the_linear_model_uses_twelve_dimensions():
    assert [row("training", "s2", s2)[0] for s2 in ("0.05", "0.1", "0.2")] == [18, 12, 7]
    assert numbers("training", "trained with room for 20 at s2 = 0.1:") == [12]


def prior_against_fitted(favourite: Seeds, distance: Seeds) -> None:
    """What holds on every seed: the decodes of the prior's z, and those of a Gaussian fitted to the codes."""
    vae, vae_fitted, plain, fitted = (
        f"{model}, z from {source}" for model in ("VAE", "autoencoder") for source in ("prior", "fitted")
    )
    for near, far in zip(distance[vae], distance[plain], strict=True):
        assert 2.9 * near < far < 4.5 * near, "three to four times nearer"
    assert max(distance[fitted]) < min(distance[plain]) / 2, "from a fitted Gaussian the autoencoder catches up"
    assert max(distance[fitted]) < min(distance[vae_fitted]), "and overtakes"
    assert max(distance[vae_fitted]) < min(distance[vae]), "the VAE keeps its promise in part"


def test_generation_sure_is_not_enough():
    sure, favourite, distance = (column("generation", "images", head) for head in ("sure", "favourite", "distance"))
    prior_against_fitted(favourite, distance)
    exchanged = distance | {
        f"{a}, z from prior": distance[f"{b}, z from prior"]
        for a, b in (("VAE", "autoencoder"), ("autoencoder", "VAE"))
    }
    with pytest.raises(AssertionError):
        prior_against_fitted(favourite, exchanged)
    assert distance["training images"][0] < 2
    for images, low, high in (("VAE, z from prior", 28, 31), ("VAE, z from fitted", 13, 15)):
        assert [min(distance[images]), max(distance[images])] == pytest.approx([low, high], abs=1), images
    smeared = sure["autoencoder, z from prior"]
    assert [min(smeared), max(smeared)] == pytest.approx([13, 24], abs=1)
    more = [plain > vae for plain, vae in zip(smeared, sure["VAE, z from prior"], strict=True)]
    assert sum(more) == 1, "on one of the three seeds of more of them"
    assert all(17 <= share <= 23 for share in sure["VAE, z from prior"]), "one in five"
    assert numbers("generation", "the classifier is right on")[0] > 90, "more than nine of ten"


KL, NO_KL = ("VAE", "VAE without noise"), ("VAE without KL", "autoencoder")


def address_and_gaps(gaps: Seeds, outside: Seeds) -> None:
    """The KL term gives the address; the fewest gaps need the noise as well."""
    assert max(value for name in KL for value in outside[name]) <= 16, "84 % or more inside"
    assert min(value for name in NO_KL for value in outside[name]) > 40
    others = [value for name, values in gaps.items() if name != "VAE" for value in values]
    assert max(gaps["VAE"]) <= 2 < 4 < min(others)


def test_generation_the_kl_gives_the_address_and_the_fewest_gaps_need_both():
    gaps, outside = (column("generation", "three seeds of", head) for head in ("gaps", "outside"))
    address_and_gaps(gaps, outside)
    assert max(gaps["VAE"]) > 0, "fewer, not none"
    assert min(outside["VAE"]) > 2, "many more than the prior's 1 %"
    for name in gaps:
        if name != "VAE":  # a VAE that lacks a part, in the VAE's place
            with pytest.raises(AssertionError):
                address_and_gaps({**gaps, "VAE": gaps[name]}, {**outside, "VAE": outside[name]})
    with pytest.raises(AssertionError):
        address_and_gaps(gaps, {**outside, "VAE without KL": outside["VAE"]})


def alike(step: Seeds) -> None:
    """The four models cannot be told apart: their means differ by no more than seeds do, and a few points."""
    means = [sum(values) / len(values) for values in step.values()]
    widest = max(max(values) - min(values) for values in step.values())
    assert max(means) - min(means) <= widest + 4


def test_generation_neighbours_decode_to_similar_digits_with_the_noise_or_without():
    steps = [column("generation", "the same digit after a step of", head) for head in ("0.05", "0.2", "0.8", "any")]
    for name in steps[0]:
        near, further, far, other = (sum(step[name]) / 3 for step in steps)
        assert near > 90
        assert near > further > far > other
        assert other < 30
    for step in steps[:3]:
        alike(step)
    rough = {**steps[1], "VAE without noise": [value - 20 for value in steps[1]["VAE without noise"]]}
    with pytest.raises(AssertionError):  # if the noise made the map smooth, this is what one would see
        alike(rough)


def test_generation_what_the_circles_hold():
    assert math.exp(-(3**2) / 2) == pytest.approx(0.01, abs=0.002), "outside radius 3"
    assert 1 - math.exp(-(2**2) / 2) == pytest.approx(0.86, abs=0.005), "within radius 2"


def test_how_good_the_ladder_and_pca():
    (log_p,), (exactly,) = (row("how_good", "bound", name) for name in ("log p(x)", "ELBO, exactly"))
    assert log_p == pytest.approx(-4.790221, abs=1e-4)
    assert exactly == pytest.approx(-9.717374, abs=1e-4)
    assert 4.8 < log_p - exactly < 5, "a gap of almost five nats"
    rungs = [row("how_good", "bound", f"L{k}") for k in (1, 5, 50, 500)]
    assert [mean for mean, _ in rungs] == sorted(mean for mean, _ in rungs)
    assert all(mean < log_p + 5 * error for mean, error in rungs)
    for latents, known in (("2", 0.0057), ("8", 14.2098), ("20", 27.2773)):
        elbo, exact, _ = row("how_good", "D", latents)
        assert elbo == exact == known
    for scale in ("1.0", "1.5", "3.0"):
        mean, spread, gap = row("how_good", "variance of q, times", scale)
        assert mean + gap == pytest.approx(14.2098, abs=0.03 if spread else 1e-4)


def test_how_good_a_factor_of_two_in_the_kl_shows():
    right = row("how_good", "ELBO", "short by")[0]
    assert 0 <= right < 0.02
    for beta in ("0.5", "2.0"):
        assert row("how_good", "KL times", beta)[0] > 0.1 > 5 * right


def test_beyond_gaussians_without_any_spread_and_wrong():
    mean, error, exact = row("beyond_gaussians", "gradient of a step", "pathwise_gradients")
    assert (mean, error) == (0, 0)
    assert exact > 0.3
    mean, error, exact = row("beyond_gaussians", "gradient of a step", "score_function_gradients")
    assert abs(mean - exact) < 5 * error
    theirs, formula = (numbers("beyond_gaussians", of) for of in ("torch:", "formula:"))
    assert theirs == pytest.approx(formula, rel=5e-4), "good to about four digits"
    mean, expected, slope, expected_slope = numbers("beyond_gaussians", "mean")
    assert mean == pytest.approx(expected, rel=0.02)
    assert slope == pytest.approx(expected_slope, rel=0.02)
    assert printed("beyond_gaussians").count("True") == 1


def test_beyond_gaussians_the_two_estimators_cross_at_a_width_of_two_tenths():
    """The figure's description, with the mean of f as the score function's baseline; the integrals on a grid."""
    z = torch.linspace(-9, 9, 200_001, dtype=torch.double)
    p, mu = torch.exp(-((z - 0.5) ** 2) / 2) / math.sqrt(2 * math.pi), 0.5

    def mean(values: torch.Tensor) -> torch.Tensor:
        return torch.trapezoid(values * p, z)

    def spreads(width: float) -> tuple[float, float]:
        f = torch.sigmoid(z / width)
        slope, score = f * (1 - f) / width, (f - mean(f)) * (z - mu)
        return tuple((mean(g**2) - mean(g) ** 2).sqrt().item() for g in (slope, score))

    for width, wins in ((0.1, "score function"), (0.16, "score function"), (0.28, "pathwise"), (1.0, "pathwise")):
        pathwise, score = spreads(width)
        assert (pathwise < score) == (wins == "pathwise"), width
    assert spreads(0.01)[1] == pytest.approx(0.4, abs=0.02), "flat near 0.4 for sharp steps"
    assert spreads(0.003)[0] > 1.5 * spreads(0.01)[0], "it rises without a bound"


def test_beyond_gaussians_cold_is_nearly_right_and_noisy_hot_has_little_noise_and_is_wrong():
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
    assert math.exp(6 - math.log(10)) < 45, "at most some forty variants of each digit"
    noise = torch.randn(100_000, 10, generator=torch.Generator().manual_seed(0))
    f, pathwise = (1 + noise).square().sum(1), (2 * (1 + noise[:, 0])).std()
    for baseline, times in ((20.0, 4), (0.0, 12)):
        assert ((f - baseline) * noise[:, 0]).std() / pathwise == pytest.approx(times, rel=0.1)


def test_gaussian_kl_of_the_first_exercise_of_elbo():
    assert gaussian_kl(torch.tensor([2.0]), torch.tensor([2 * math.log(0.1)])).item() == pytest.approx(3.81, abs=0.005)
