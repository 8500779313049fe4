"""The rungs as the page estimates them, against exact values and an independent computation in torch."""

import math

import pytest
import torch
import traitlets
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vae_lab.elbo import importance_weighted_bound
from vae_lab.widgets import BoundLadder
from vae_lab.widgets.bound_ladder import NOISE_VARIANCE, WEIGHTS, X, linear_gaussian

W, S2, XT = torch.tensor(WEIGHTS, dtype=torch.float64), NOISE_VARIANCE, torch.tensor(X, dtype=torch.float64)


def q(fit):
    """Mean and variances of the proposal, by their definition."""
    precision = torch.eye(2, dtype=torch.float64) + W.T @ W / S2
    mean = torch.linalg.solve(precision, W.T @ XT / S2)
    return fit * mean, precision.diagonal() ** -fit


def elbo(fit):
    mean, variance = q(fit)
    error = (XT - W @ mean).square().sum() + (W.square() @ variance).sum()
    likelihood = -0.5 * (3 * math.log(2 * math.pi * S2) + error / S2)
    prior = Normal(torch.zeros(2, dtype=torch.float64), 1.0)
    return (likelihood - kl_divergence(Normal(mean, variance.sqrt()), prior).sum()).item()


def rungs(page):
    return dict(page.locator(".vl-rung").evaluate_all("all => all.map(c => [+c.dataset.k, +c.dataset.mean])"))


def test_log_p_is_that_of_the_marginal():
    marginal = MultivariateNormal(torch.zeros(3, dtype=torch.float64), W @ W.T + S2 * torch.eye(3))
    assert linear_gaussian()["log_p"] == pytest.approx(marginal.log_prob(XT).item(), abs=1e-9)
    assert linear_gaussian()["log_p"] == pytest.approx(-4.790221, abs=1e-6)


@pytest.mark.parametrize("fit", [0.0, 0.6, 1.0])
def test_the_rungs_stand_where_they_should(show, fit):
    page = show(BoundLadder(fit=fit))
    found = rungs(page)
    text = page.locator(".vl-ladder").inner_text().replace("\u2212", "-")
    assert f"ELBO = L1 {elbo(fit):.3f}" in text
    assert "log p(x) -4.790" in text
    assert found[1] == pytest.approx(elbo(fit), abs=0.3)  # six standard errors at fit 0, where it is noisiest
    mean, variance = q(fit)
    log_joint = lambda z: (  # noqa: E731
        Normal(z @ W.T, S2**0.5).log_prob(XT).sum(-1)
    )
    many = importance_weighted_bound(
        log_joint,
        mean.expand(4_000, 2),
        variance.log().expand(4_000, 2),
        50,
        generator=torch.Generator().manual_seed(0),
    )
    assert found[50] == pytest.approx(many.mean().item(), abs=0.08)
    assert found[500] == pytest.approx(-4.79, abs=0.08)


def test_a_better_q_raises_every_rung_and_single_estimates_may_exceed_log_p(show, settle):
    page = show(BoundLadder(fit=0.0, samples=50))
    poor = rungs(page)
    assert 0 < int(page.locator(".vl-single").inner_text().split("(blue), ")[1].split()[0]) < 120
    page.get_by_label("q: from the prior").focus()
    page.keyboard.press("End")
    settle(page)
    good = rungs(page)
    assert good[1] > poor[1] + 3
    assert good[5] > poor[5]
    samples = page.get_by_label("K, samples")
    samples.focus()
    page.keyboard.press("Home")
    settle(page)
    assert "with K = 1 " in page.locator(".vl-single").inner_text()
    page.keyboard.press("End")
    settle(page)
    assert "with K = 500 " in page.locator(".vl-single").inner_text()


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match="BoundLadder: samples is 0; wanted 1 to 500"):
        BoundLadder(samples=0)
