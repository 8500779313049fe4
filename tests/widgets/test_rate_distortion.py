"""Rate against distortion: numbers and pictures of the chosen beta are those that were kept."""

import numpy as np
import pytest
import traitlets

from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import RateDistortion, trained


def picture(page, row):
    """Ink of one row of pictures, [6, 784], as the canvas shows it."""
    found = (
        page.locator("canvas.vl-pictures")
        .nth(row)
        .evaluate(
            "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, 28).data).filter((_, i) => i % 4 === 3)"
        )
    )
    return np.array(found, dtype=np.uint8).reshape(28, 6, 28).transpose(1, 0, 2).reshape(6, 784)


def test_numbers_and_pictures_follow_beta(show, settle):
    page = show(RateDistortion(chosen=0))
    page.get_by_label("the weight of the rate").focus()
    assert (picture(page, 0) == shipped_arrays(trained.FILE)["originals"]).all()
    for index, entry in enumerate(trained.by_beta()):
        if index:
            page.keyboard.press("ArrowRight")
            settle(page)
        prices = page.locator(".vl-prices").inner_text()
        assert f"Rate {entry['rate']:.2f} + distortion {entry['distortion']:.2f}" in prices
        assert (picture(page, 1) == shipped_arrays(trained.FILE)[f"beta{index}.reconstructions"]).all()
        assert (picture(page, 2) == shipped_arrays(trained.FILE)[f"beta{index}.draws"]).all()


def test_a_dot_is_chosen_by_click(show, settle):
    page = show(RateDistortion())
    page.locator(".vl-model").nth(6).click()
    settle(page)
    assert page.get_by_label("the weight of the rate").get_attribute("aria-valuetext") == "beta = 8"


def test_the_curve_falls():
    rates, distortions = ([entry[key] for entry in trained.by_beta()] for key in ("rate", "distortion"))
    assert rates == sorted(rates, reverse=True)
    assert distortions == sorted(distortions)


def test_a_beta_that_was_not_trained_is_refused():
    with pytest.raises(traitlets.TraitError, match="RateDistortion: chosen is 9; wanted 0 to 8"):
        RateDistortion(chosen=9)
