"""The soft die: its gradients against autograd on the same noise, and against the exact gradient."""

import pytest
import torch
import traitlets
from widgets.in_page import run_module

from vae_lab.widgets import GumbelSimplex
from vae_lab.widgets.gumbel_simplex import REWARD

R = torch.tensor(REWARD, dtype=torch.float64)
GRADIENTS = """(p, reward, tau, noise) => {
  const { soft, hard, exact } = softAndHard(p, reward, tau, Float64Array.from(noise));
  return { soft: [...soft], hard: [...hard], exact };
}"""


def table(page):
    rows = page.locator("tbody tr").evaluate_all(
        "all => all.map(r => [...r.querySelectorAll('td')].map(t => t.textContent))"
    )
    return [[float(cell.replace("\u2212", "-")) for cell in row] for row in rows]


@pytest.mark.parametrize("tau", [0.1, 0.7, 4.0])
def test_each_gradient_is_autograds_and_the_score_functions_mean_is_exact(show, tau):
    widget = GumbelSimplex()
    generator = torch.Generator().manual_seed(0)
    uniform = torch.rand(4_000, 3, generator=generator, dtype=torch.float64).clamp_min(1e-12)
    noise = -torch.log(-torch.log(uniform))
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    found = run_module(show(widget), widget._esm, GRADIENTS, p.tolist(), REWARD, tau, noise.flatten().tolist())
    logits = p.log().expand(4_000, 3).clone().requires_grad_()
    (soft,) = torch.autograd.grad((torch.softmax((logits + noise) / tau, 1) @ R).sum(), logits)
    torch.testing.assert_close(torch.tensor(found["soft"]).double(), soft[:, 1], rtol=1e-5, atol=1e-8)
    exact = p.log().requires_grad_()
    (wanted,) = torch.autograd.grad(torch.softmax(exact, 0) @ R, exact)
    assert found["exact"] == pytest.approx(wanted[1].item())
    hard = torch.tensor(found["hard"])
    assert abs(hard.mean() - wanted[1]) < 5 * hard.std() / 4_000**0.5


def test_hot_is_biased_and_quiet_and_cold_is_noisy(show, settle):
    page = show(GumbelSimplex(temperature=5.0))
    (mean, exact, _, quiet), (hard, *_) = table(page)
    assert abs(mean - exact) > 0.2
    assert abs(hard - exact) < 0.05
    assert "No number of samples mends the bias" in page.locator(".vl-verdict").inner_text()
    page.get_by_label("temperature").focus()
    page.keyboard.press("Home")
    settle(page)
    cold = table(page)[0]
    assert cold[3] > 10 * quiet
    before = page.locator(".vl-samples").get_attribute("d")
    page.get_by_role("button", name="Draw new samples").click()
    settle(page)
    assert page.locator(".vl-samples").get_attribute("d") != before


def test_the_probabilities_are_dragged(show, settle):
    page = show(GumbelSimplex())
    area = page.locator(".vl-drag").bounding_box()
    page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] * 2 / 3)
    settle(page)
    handle = page.get_by_role("slider", name="The probabilities")
    assert handle.get_attribute("aria-valuetext") == "A 0.33, B 0.33, C 0.33"
    handle.focus()
    page.keyboard.press("Shift+ArrowUp")
    settle(page)
    assert handle.get_attribute("aria-valuetext").startswith("A 0.2")
    page.mouse.click(area["x"] + 3, area["y"] + area["height"] - 2)
    settle(page)
    assert "0.02" in handle.get_attribute("aria-valuetext"), "no probability becomes 0"


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"GumbelSimplex: temperature is 0\.0; wanted 0\.05 to 5"):
        GumbelSimplex(temperature=0.0)
    with pytest.raises(traitlets.TraitError, match=r"three probabilities of at least 0\.01 that add up to 1"):
        GumbelSimplex(p=[0.5, 0.5, 0.5])
