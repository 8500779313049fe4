"""The frozen-noise sliders, driven in a static page: every dot must be where z = mu + sigma * eps puts it."""

import re

import pytest
import traitlets

from vae_lab.widgets import Reparameterization

MINUS = "\u2212"


def numbers(text):
    return [float(found.replace(MINUS, "-")) for found in re.findall(rf"{MINUS}?\d+\.\d+", text)]


def set_slider(page, label, value):
    page.get_by_label(label, exact=False).first.evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def dots(page):
    """Pixel positions of the sixteen dots, from top to bottom the largest eps first."""
    found = page.locator(".vl-dot").evaluate_all(
        "nodes => nodes.map(n => [+n.getAttribute('cx'), +n.getAttribute('cy')])"
    )
    return sorted(found, key=lambda dot: dot[1])


def test_each_dot_slides_on_its_own_line(show, settle):
    widget = Reparameterization(mu=0.0, sigma=1.0)
    page = show(widget)
    eps = sorted(widget.eps[:16], reverse=True)
    at = {}
    for sigma in (0, 1, 2):
        set_slider(page, "standard deviation", sigma)
        settle(page)
        at[sigma] = dots(page)
    zero = at[0][0][1]
    assert all(y == pytest.approx(zero, abs=1e-3) for _, y in at[0]), "at sigma = 0 all dots meet in mu"
    unit = (zero - at[1][0][1]) / eps[0]  # pixels for one unit of z
    for sigma in (1, 2):
        assert [zero - y for _, y in at[sigma]] == pytest.approx([unit * sigma * e for e in eps], abs=0.05)
    step = at[1][0][0] - at[0][0][0]
    assert at[2][0][0] - at[1][0][0] == pytest.approx(step, abs=1e-3), "sigma is the horizontal axis"
    set_slider(page, "the mean", 1.5)
    settle(page)
    assert [old - new for (_, new), (_, old) in zip(dots(page), at[2], strict=True)] == pytest.approx(
        [1.5 * unit] * 16, abs=0.05
    )


def test_the_numbers_are_those_of_the_formula(show, settle):
    widget = Reparameterization(mu=-1.0, sigma=2.0, chosen=2)
    page = show(widget)
    eps = widget.eps[2]
    assert numbers(page.locator(".vl-formula").inner_text()) == pytest.approx([-1, 2, eps, -1 + 2 * eps], abs=0.0051)
    mean, mu, spread, sigma = numbers(page.locator(".vl-summary").inner_text())
    assert (mu, sigma) == (-1, 2)
    assert abs(mean - mu) < 0.15  # 2000 draws: three standard errors
    assert abs(spread - sigma) < 0.1
    set_slider(page, "standard deviation", 0)
    settle(page)
    assert numbers(page.locator(".vl-summary").inner_text()) == [-1, -1, 0, 0]


def test_new_noise_changes_the_dots_and_not_mu_or_sigma(show, settle):
    page = show(Reparameterization())
    before = dots(page)
    page.get_by_role("button", name="Draw new").click()
    settle(page)
    assert dots(page) != before
    assert page.get_by_label("the mean").input_value() == "1"


def test_keyboard_and_pointer_move_mu_and_sigma(show, settle):
    page = show(Reparameterization(mu=0.0, sigma=1.0), touch=True)
    handle = page.get_by_role("slider", name="mu and sigma")
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    settle(page)
    assert handle.get_attribute("aria-valuetext") == f"mu {MINUS}0.05, sigma 1.10"
    assert page.get_by_label("standard deviation").input_value() == "1.1"
    page.get_by_label("the mean").focus()
    page.keyboard.press("ArrowUp")
    settle(page)
    assert handle.get_attribute("aria-valuetext") == f"mu {MINUS}0.04, sigma 1.10"
    area = page.locator(".vl-drag").bounding_box()
    page.mouse.move(area["x"] + 5, area["y"] + 5)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 1, area["y"] + area["height"] / 2, steps=4)
    page.mouse.up()
    settle(page)
    assert handle.get_attribute("aria-valuetext").startswith("mu 0.0")
    assert float(handle.get_attribute("aria-valuenow")) > 2.3
    page.touchscreen.tap(area["x"] + 1, area["y"] + area["height"] / 2)
    settle(page)
    assert float(handle.get_attribute("aria-valuenow")) < 0.1


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError, match=r"Reparameterization: sigma is 3\.0; wanted 0 to 2\.5"):
        Reparameterization(sigma=3.0)
