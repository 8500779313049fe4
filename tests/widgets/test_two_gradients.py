"""The table of the two estimators: its closed forms against the oracle, its measurements against its closed forms."""

import pytest
import torch
import traitlets

from vae_lab.estimators import pathwise_gradients, score_function_gradients
from vae_lab.widgets import TwoGradients

DRAWS = 20_000


def table(page):
    """Rows pathwise and score function: mean, exact mean, variance, exact variance."""
    rows = page.locator("tbody tr").evaluate_all(
        "all => all.map(r => [...r.querySelectorAll('td')].map(t => t.textContent))"
    )
    return [[float(cell.replace("\u2212", "-")) for cell in row] for row in rows]


def check_measured(rows):
    """Means within six standard errors. Variances of heavy-tailed gradients: within a third."""
    for mean, exact, variance, closed in rows:
        assert abs(mean - exact) < 6 * (closed / DRAWS) ** 0.5 + 0.01
        assert variance == pytest.approx(closed, rel=0.35, abs=0.01)


@pytest.mark.parametrize(("parameter", "mu", "sigma"), [("mu", 2.0, 1.0), ("sigma", -1.5, 0.7), ("mu", 0.0, 2.0)])
def test_the_closed_forms(show, settle, parameter, mu, sigma):
    page = show(TwoGradients(mu=mu, sigma=sigma, parameter=parameter, baseline=0.0))
    rows = table(page)
    a, s = mu, sigma
    closed = {
        "mu": (2 * a, 4 * s**2, a**4 / s**2 + 14 * a**2 + 15 * s**2),
        "sigma": (2 * s, 4 * a**2 + 8 * s**2, 2 * a**4 / s**2 + 60 * a**2 + 74 * s**2),
    }[parameter]
    assert [rows[0][1], rows[1][1], rows[0][3], rows[1][3]] == pytest.approx([closed[0], *closed], abs=0.0051)
    check_measured(rows)


@pytest.mark.parametrize("parameter", ["mu", "sigma"])
def test_a_baseline_has_the_variance_that_the_package_measures(show, parameter):
    page = show(TwoGradients(mu=1.0, sigma=1.5, baseline=3.0, parameter=parameter))
    rows = table(page)
    eps = torch.randn(400_000, 1, generator=torch.Generator().manual_seed(0))
    g = score_function_gradients(
        lambda x: x.square().sum(1), torch.tensor([1.0]), torch.tensor([1.5]), eps, baseline=3.0
    )
    assert rows[1][3] == pytest.approx(getattr(g, parameter).var().item(), rel=0.05)
    path = pathwise_gradients(lambda x: x.square().sum(1), torch.tensor([1.0]), torch.tensor([1.5]), eps)
    assert rows[0][3] == pytest.approx(getattr(path, parameter).var().item(), rel=0.05)
    check_measured(rows)


def test_it_starts_at_the_example_of_the_page_with_its_baseline(show):
    widget = TwoGradients()
    a, s = widget.mu, widget.sigma
    assert (a, s, widget.baseline) == (2.0, 1.0, a**2 + s**2), "the page's baseline is the mean of f"
    page = show(widget)
    variance = 8 * a**2 + 10 * s**2  # as the page says
    assert table(page)[1][3] == pytest.approx(variance, abs=0.0051)
    ratio = variance / (4 * s**2)
    assert f"with this baseline needs {ratio:.1f} times" in page.locator(".vl-verdict").inner_text()


def test_the_verdict_says_whether_there_is_a_baseline(show, settle):
    page = show(TwoGradients(mu=1.5, sigma=0.5, baseline=0.0))
    verdict = page.locator(".vl-verdict")
    for louder in (True, False):  # far from the optimum of sigma's gradient, and where the score function wins
        assert "without a baseline" in verdict.inner_text(), louder
        page.get_by_role("button", name="Take the mean of f").click()
        settle(page)
        assert "with this baseline" in verdict.inner_text()
        page.get_by_label("baseline taken from f").fill("0")
        page.get_by_label("μ (optimum: 0)").fill("0")
        settle(page)


@pytest.mark.parametrize("parameter", ["mu", "sigma"])
def test_the_mean_of_f_is_taken_as_baseline(show, settle, parameter):
    page = show(TwoGradients(mu=1.5, sigma=1.5, baseline=0.0, parameter=parameter))
    page.get_by_role("button", name="Take the mean of f").click()
    settle(page)
    a, s = 1.5, 1.5
    eps = torch.randn(400_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = a + s * eps
    weight = eps / s if parameter == "mu" else (eps.square() - 1) / s
    assert table(page)[1][3] == pytest.approx(((x.square() - a * a - s * s) * weight).var().item(), rel=0.05)


def test_it_is_driven_by_keyboard_and_draws_anew(show, settle):
    page = show(TwoGradients(mu=2.0))
    page.get_by_label("μ (optimum: 0)").focus()
    page.keyboard.press("Home")
    settle(page)
    assert table(page)[0][1] == -6
    assert "times as many samples" in page.locator(".vl-verdict").inner_text()
    before = table(page)
    page.get_by_role("button", name="Draw new").click()
    settle(page)
    after = table(page)
    assert [row[0] for row in after] != [row[0] for row in before]
    assert [row[3] for row in after] == [row[3] for row in before]
    page.get_by_role("radio", name="σ").check()
    settle(page)
    assert table(page)[0][1] == 2


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"TwoGradients: sigma is 0\.0; wanted 0\.3 to 3"):
        TwoGradients(sigma=0.0)
