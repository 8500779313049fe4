"""The small graph with two paths: each number in the page against autograd."""

import re

import pytest
import torch
import traitlets

from vae_lab.widgets import SumOverPaths


def edges(page):
    found = page.locator("[data-edge]").evaluate_all("all => all.map(t => [t.dataset.edge, t.textContent])")
    return {edge: float(text.replace("\u2212", "-").removeprefix("× ")) for edge, text in found}


def numbers(page):
    text = page.locator(".vl-explanation").inner_text().replace("\u2212", "-")
    return [float(found) for found in re.findall(r"-?\d+\.\d+", text)]


@pytest.mark.parametrize(("w", "x", "y"), [(2.0, 3.0, 5.0), (-1.5, 0.5, -4.0), (0.0, 2.0, 0.0)])
def test_the_paths_add_up_to_autograds_gradient(show, w, x, y):
    page = show(SumOverPaths(theta=w, x=x, y=y))
    leaf = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    p = leaf * x
    error, penalty = (p - y) ** 2, leaf**2
    by_error, by_penalty = (torch.autograd.grad(part, leaf, retain_graph=True)[0].item() for part in (error, penalty))
    assert numbers(page) == pytest.approx([by_error, by_penalty, by_error + by_penalty], abs=0.0051)
    seen = edges(page)
    assert seen["theta>p"] * seen["p>error"] * seen["error>loss"] == pytest.approx(by_error, abs=0.05)
    assert seen["theta>penalty"] * seen["penalty>loss"] == pytest.approx(by_penalty, abs=0.05)


def test_steps_downhill_come_to_the_bottom(show, settle):
    page = show(SumOverPaths())
    for _ in range(30):
        page.get_by_role("button", name="Step downhill").click()
        settle(page)
    assert abs(numbers(page)[2]) < 0.05
    assert float(page.get_by_label("θ", exact=True).input_value()) == pytest.approx(1.5, abs=0.01)  # x y / (x^2 + 1)


def test_one_path_is_shown_by_keyboard(show, settle):
    page = show(SumOverPaths())
    page.get_by_role("radio", name="both paths").focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert page.locator(".vl-explanation").inner_text() == "Through error the effects multiply: 3.00 · 2.00 · 1 = 6.00."
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "Through penalty" in page.locator(".vl-explanation").inner_text()


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"SumOverPaths: theta is 4\.0; wanted -3 to 3"):
        SumOverPaths(theta=4.0)
