"""The bars of the bound against closed forms and quadrature in torch, for q all over its range."""

import math
import re
from pathlib import Path

import pytest
import torch
import traitlets
from torch.distributions import Normal, kl_divergence
from widgets.in_page import run_module

from vae_lab.widgets import BoundInOneDimension
from vae_lab.widgets.bound_in_one_dimension import PROBLEM

X, S = PROBLEM["x"], PROBLEM["s"]
PARTS = """(problem, kind, qs) => {
  const shape = SHAPES_OF_POSTERIOR[kind], logP = logEvidence(problem, shape);
  return { logP, parts: qs.map(([mu, sigma]) => boundParts(problem, shape, logP, mu, sigma)) };
}"""
ALL_Q = [[mu, sigma] for mu in (-3.0, -1.2, 0.0, 0.7, 1.2, 3.0) for sigma in (0.25, 0.45, 0.8, 2.0)]
MEAN = {"one": lambda z: z, "two": lambda z: z * z}


def numbers(text):
    return [float(found.replace("\u2212", "-")) for found in re.findall("\u2212?\\d+\\.\\d+", text)]


@pytest.mark.parametrize("kind", ["one", "two"])
def test_the_parts_are_exact_and_add_up_to_log_p(show, kind):
    widget = BoundInOneDimension()
    found = run_module(show(widget), widget._esm, PARTS, PROBLEM, kind, ALL_Q)
    z = torch.linspace(-20, 20, 400_001, dtype=torch.float64)
    joint = Normal(0.0, 1.0).log_prob(z) + Normal(MEAN[kind](z), S).log_prob(torch.tensor(X, dtype=torch.float64))
    log_p = torch.trapezoid(joint.exp(), z).log().item()
    assert found["logP"] == pytest.approx(log_p, abs=1e-9)
    for (mu, sigma), parts in zip(ALL_Q, found["parts"], strict=True):
        q = Normal(torch.tensor(mu, dtype=torch.float64), sigma)
        weight = q.log_prob(z).exp()
        error = -torch.trapezoid(
            weight * Normal(MEAN[kind](z), S).log_prob(torch.tensor(X, dtype=torch.float64)), z
        ).item()
        assert parts["distortion"] == pytest.approx(error, abs=1e-6)
        assert parts["rate"] == pytest.approx(kl_divergence(q, Normal(0.0, 1.0)).item(), abs=1e-9)
        assert -parts["distortion"] - parts["rate"] + parts["gap"] == pytest.approx(log_p, abs=1e-6)
        assert parts["gap"] > -1e-9


def test_the_gap_closes_only_at_the_posterior_and_never_for_two_humps(show, settle):
    mean, sd = X / (1 + S**2), S / math.sqrt(1 + S**2)
    widget = BoundInOneDimension(mu=-2.0, sigma=1.5)
    page = show(widget)
    page.get_by_role("button", name="Best q").click()
    settle(page)
    assert "The gap is 0" in page.locator(".vl-verdict").inner_text()
    found = [float(page.get_by_label(label).input_value()) for label in ("q's μ", "q's σ")]
    assert found == pytest.approx([mean, sd], abs=0.011)
    page.get_by_label("q's μ").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    settle(page)
    assert "falls short" in page.locator(".vl-verdict").inner_text()
    page.get_by_label("two humps").check()
    for _ in range(2):
        page.get_by_role("button", name="Best q").click()
        settle(page)
    assert "never closes" in page.locator(".vl-verdict").inner_text()
    every = [[-3 + 0.05 * i, 0.25 + 0.05 * j] for i in range(121) for j in range(36)]
    parts = run_module(page, widget._esm, PARTS, PROBLEM, "two", every)["parts"]
    least = min(part["gap"] for part in parts)
    assert least > 0.3
    assert numbers(page.locator(".vl-sum").inner_text())[2] == pytest.approx(least, abs=0.02), "Best q is the best q"


def test_it_shows_the_example_of_the_page_and_names_it(show, settle):
    source = (Path(__file__).parents[2] / "book/elbo.md").read_text(encoding="utf-8")
    x, variance = re.search(
        r"x, s2, prior = torch\.tensor\(([\d.]+)\), ([\d.]+), Normal\(0\.0, 1\.0\)", source
    ).groups()
    assert (float(x), float(variance)) == (X, S**2)
    page = show(BoundInOneDimension())
    assert page.locator(".vl-given").inner_text() == f"Seen: x = {X}, with p(z) = N(0, 1) and p(x|z) = N(z, {S}²)."
    evidence = Normal(0.0, math.sqrt(1 + S**2)).log_prob(torch.tensor(X)).item()
    assert numbers(page.locator(".vl-sum").inner_text())[-1] == pytest.approx(evidence, abs=0.0006)
    page.get_by_label("two humps").check()
    settle(page)
    assert page.locator(".vl-given").inner_text() == f"Seen: x = {X}, with p(z) = N(0, 1) and p(x|z) = N(z², {S}²)."


def test_the_page_s_figure_shows_the_best_q_for_two_humps(show):
    source = (Path(__file__).parents[2] / "book/elbo.md").read_text(encoding="utf-8")
    drawn = [float(value) for value in re.search(r'"two humps": Normal\(([\d.]+), ([\d.]+)\)', source).groups()]
    widget = BoundInOneDimension()
    best = "(problem, mu, sigma) => bestFit(problem, SHAPES_OF_POSTERIOR.two, mu, sigma)"
    assert run_module(show(widget), widget._esm, best, PROBLEM, 1.0, 0.3) == pytest.approx(drawn, abs=6e-4)


def test_dragging_the_top_of_q(show, settle):
    page = show(BoundInOneDimension())
    area = page.locator(".vl-drag").bounding_box()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.75, area["y"] + area["height"] * 0.4, steps=3)
    page.mouse.up()
    settle(page)
    wide = float(page.get_by_label("q's σ").input_value())
    assert float(page.get_by_label("q's μ").input_value()) == pytest.approx(1.6, abs=0.02)
    page.get_by_role("slider", name="The top of q").focus()
    page.keyboard.press("ArrowUp")
    settle(page)
    assert float(page.get_by_label("q's σ").input_value()) == pytest.approx(wide - 0.05, abs=0.011)
    distortion, rate, gap, total = numbers(page.locator(".vl-sum").inner_text())
    assert distortion - rate + gap == pytest.approx(total, abs=0.002)


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"BoundInOneDimension: sigma is 0\.1; wanted 0\.25 to 2"):
        BoundInOneDimension(sigma=0.1)
