"""The numbers on the edges, read from the page, against autograd; and what a die does to them."""

import re

import pytest
import torch
import traitlets

from vae_lab.widgets import GradientPaths

MINUS = "\u2212"


def flows(page):
    """What flows back along each edge, as the picture shows it: {"mu>z": "-6.00", ...}."""
    found = page.locator(".vl-flow").evaluate_all("all => all.map(t => [t.dataset.edge, t.textContent])")
    return {edge: text.replace(MINUS, "-") for edge, text in found}


def by_autograd(mu, logvar, eps, target):
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (mu, logvar, eps)]
    sigma = torch.exp(leaves[1] / 2)
    z = leaves[0] + sigma * leaves[2]
    loss = (z - target) ** 2
    mu_, logvar_, eps_, sigma_, z_ = torch.autograd.grad(loss, [*leaves, sigma, z])
    return {"mu>z": mu_, "logvar>sigma": logvar_, "eps>z": eps_, "sigma>z": sigma_, "z>loss": z_}


@pytest.mark.parametrize("numbers", [(1.0, 1.386, -0.5, 3.0), (-2.3, -1.7, 2.1, -0.4), (0.0, 0.0, 0.0, 0.0)])
def test_each_number_is_autograds(show, numbers):
    page = show(GradientPaths(**dict(zip(("mu", "logvar", "eps", "target"), numbers, strict=True))))
    seen = flows(page)
    wanted = by_autograd(*numbers)
    assert seen.keys() == wanted.keys()
    for edge, value in wanted.items():
        assert float(seen[edge]) == pytest.approx(value.item(), abs=0.0051), edge


def test_sliders_recompute_and_a_die_cuts(show, settle):
    page = show(GradientPaths(mu=1.0, logvar=0.0, eps=0.5, target=3.0))
    page.get_by_label("ε", exact=True).first.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert float(flows(page)["mu>z"]) == pytest.approx(2 * (1 + 0.51 - 3))
    page.get_by_label("drawn").check()
    settle(page)
    assert flows(page) == {"mu>z": "cut", "sigma>z": "cut", "logvar>sigma": "none", "z>loss": "-2.98"}
    assert "a draw has no derivative" in page.locator(".vl-explanation").inner_text()
    assert re.search(r"mu: value 1\.00, gradient none", page.locator(".vl-graph").get_attribute("aria-label"))


def test_a_node_is_followed_by_click_and_by_keyboard(show, settle):
    page = show(GradientPaths(mu=1.0, logvar=0.0, eps=-0.5, target=3.0))
    page.locator("[data-node=logvar]").click()
    settle(page)
    assert page.get_by_role("radio", name="logvar").is_checked()
    assert "logvar gets that times σ/2" in page.locator(".vl-explanation").inner_text()
    page.get_by_role("radio", name="logvar").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert page.get_by_role("radio", name="ε", exact=True).is_checked()
    assert "nothing behind it can learn" in page.locator(".vl-explanation").inner_text()


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"GradientPaths: eps is 9\.0; wanted -3 to 3"):
        GradientPaths(eps=9.0)
