"""The film of training: what the page shows is what was kept, and the patients show their symptoms."""

import base64
import re

import numpy as np
import pytest
import torch
import traitlets
from widgets.in_page import run_module

from vae_lab import broken
from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import TrainingFilm, training_film

KEPT = shipped_arrays(training_film.FILE)
FRAMES = training_film.EPOCHS + 1


def sigma(name, epoch):
    return KEPT[f"{name}.codes"][epoch, :, 2:].astype(float).mean()


def reach(name, epoch):
    return np.abs(KEPT[f"{name}.codes"][epoch, :, :2].astype(float)).max()


def test_all_models_of_the_gallery_are_kept_whole():
    assert {"VAE", *training_film.PATIENTS} == {kind.__name__ for kind in broken.GALLERY}
    for name in ("VAE", *training_film.PATIENTS):
        assert KEPT[f"{name}.codes"].shape == (FRAMES, 100, 4)
        assert np.isfinite(KEPT[f"{name}.codes"]).all()
        assert KEPT[f"{name}.map"].shape == (FRAMES, 25, 98)
        assert KEPT[f"{name}.kl"].shape == KEPT[f"{name}.reconstruction"].shape == (FRAMES - 1,)


def test_the_patients_show_their_symptoms_and_the_sound_one_none():
    last = FRAMES - 1
    for name in ("CutSample", "PixelMean"):
        assert reach(name, last) < 0.3
        assert sigma(name, last) == pytest.approx(1, abs=0.1)
    assert sigma("NoNoise", last) == pytest.approx(1, abs=0.1)
    assert reach("NoNoise", last) > 1
    assert sigma("NoKL", last) < 0.5 * sigma("VAE", last)
    assert reach("NoKL", last) > 1.5 * reach("VAE", last)
    assert KEPT["KLSignFlipped.reconstruction"][-1] + KEPT["KLSignFlipped.kl"][-1] < 46
    assert 0.02 < sigma("VAE", last) < 0.5
    assert KEPT["VAE.reconstruction"][-1] < KEPT["VAE.reconstruction"][0]


def true_kl(name, epoch):
    """The KL by the right formula, mean over the images; a sigma kept as 0 is smaller than half of float16's least."""
    mu, sd = np.split(KEPT[f"{name}.codes"][epoch].astype(float), 2, axis=1)
    sd = np.maximum(sd, 2.0**-25)
    return (0.5 * (mu**2 + sd**2 - 1) - np.log(sd)).sum(1).mean()


def test_the_page_unpacks_what_was_packed(show):
    widget = TrainingFilm()
    codes, pixels = run_module(
        show(widget),
        widget._esm,
        "(kept) => { const shown = reel(kept); return [[...shown.codes], [...shown.pixels.slice(0, 196)]]; }",
        widget.reels["NoKL"],
    )
    assert np.allclose(np.array(codes), KEPT["NoKL.codes"].astype(float).ravel(), atol=1e-4, rtol=1e-4)
    pairs = KEPT["NoKL.map"][0, 0]
    wanted = np.stack([pairs >> 4, pairs & 15], 1).ravel() / 15
    assert np.allclose(pixels, wanted, atol=1e-6)


@pytest.mark.parametrize("name", training_film.PATIENTS)
def test_what_the_page_says_of_a_model_is_so(show, settle, name):
    page = show(TrainingFilm(epoch=0, patient=name))
    for epoch in (0, 1, FRAMES - 1):
        page.get_by_role("slider", name="Epoch").fill(str(epoch))
        settle(page)
        for half, model in enumerate(("VAE", name)):
            said = page.locator(".vl-film-text").nth(half).inner_text()
            codes, kl = KEPT[f"{model}.codes"][epoch].astype(float), true_kl(model, epoch)
            assert f"{sigma(model, epoch):.3f}" in said
            assert f"lies {np.hypot(codes[:, 0], codes[:, 1]).max():.1f} from the middle" in said
            if (codes == 0).any():
                assert f"its KL is more than {kl:.0f} nats" in said
            else:
                assert f"its KL is {kl:.2f} nats" in said.replace("\u2212", "-")
            # the mean KL is at least what z says about an image, so where it is 0 nothing is said
            assert ("Collapsed" in said) == (epoch > 0 and kl < 0.01)
    assert ("Collapsed" in said) == (name in ("CutSample", "PixelMean")), "no other patient ends collapsed"


def test_the_kl_that_a_model_keeps_to_itself_is_drawn_beside_what_it_reports(show, settle):
    page = show(TrainingFilm(epoch=25, patient="NoKL"))
    curve = page.locator(".vl-film-patient .vl-beside")
    assert curve.count() == 1, "the KL's curve only"
    heights = [float(y) for y in re.findall(r" ([\d.]+)", curve.get_attribute("d"))]
    wanted = [true_kl("NoKL", epoch) for epoch in range(1, FRAMES)]
    assert np.corrcoef(heights, wanted)[0, 1] < -0.999999, "upwards is smaller in an SVG"
    page.get_by_role("radio", name="+ logvar").check()
    settle(page)
    assert curve.count() == 0, "the KL is larger than could be kept"
    axis = page.locator(".vl-film-patient.vl-film-curves svg").nth(1)
    left = "(svg) => Math.min(...[...svg.querySelectorAll('.vl-tick text')].map((t) => t.getBBox().x))"
    assert axis.evaluate(left) >= 0, "millions and their minus sign are in the picture"
    assert "\u22121.5·10⁶" in axis.locator(".vl-tick text").all_text_contents()


def test_prior_and_map_are_large_enough_to_be_seen_on_a_phone(show):
    widget = TrainingFilm()
    reaches = [reach(name, epoch) for name in ("VAE", *training_film.PATIENTS) for epoch in range(FRAMES)]
    views = run_module(show(widget), widget._esm, "(reaches) => reaches.map(filmView)", [*reaches, 99_000])
    assert reaches[-1] > 100, "one patient's codes run away"
    for far, view in zip([*reaches, 99_000], views, strict=True):
        assert far < view["limit"]
        assert view["zoom"] * 320 / (2 * view["limit"]) > 15, (far, "the prior's circle, in pixels")


def test_the_lens_is_where_the_codes_are_not_and_shows_the_middle(show, settle):
    page = show(TrainingFilm(epoch=25, patient="KLSignFlipped"))
    inked = """(canvas) => {
      const side = Math.round(canvas.width * 0.42), gap = 5 * devicePixelRatio, far = canvas.width - side - gap;
      return [[gap, gap], [far, gap], [gap, far], [far, far]].map(([x, y]) => {
        const data = canvas.getContext("2d").getImageData(x + 20, y + 25, side - 40, side - 50).data;
        return data.filter((_, i) => i % 4 === 3 && data[i] > 0).length / (data.length / 4);
      });
    }"""
    filled = page.locator(".vl-film-patient canvas").evaluate(inked)
    assert sum(part > 0.99 for part in filled) == 1, "one corner is covered by the lens"
    assert max(page.locator(".vl-film-sound canvas").evaluate(inked)) < 0.99, "no lens where none is needed"


def test_the_slider_stays_in_sight_on_a_phone_and_the_planes_stand_together(show, settle):
    page = show(TrainingFilm(), width=360)
    page.set_viewport_size({"width": 360, "height": 740})
    planes = page.locator(".vl-film canvas")
    second = planes.nth(1).bounding_box()
    page.evaluate("(y) => window.scrollBy(0, y)", second["y"] - 300)
    settle(page)
    slider = page.get_by_role("slider", name="Epoch").bounding_box()
    first, second = (planes.nth(k).bounding_box() for k in (0, 1))
    assert 0 <= slider["y"] <= 60
    assert slider["y"] + slider["height"] < second["y"] + second["height"] <= 740
    assert first["y"] + first["height"] > slider["y"] + slider["height"], "some of the first plane, too"
    top = page.evaluate("([x, y]) => document.elementFromPoint(x, y).type", [slider["x"] + 9, slider["y"] + 9])
    assert top == "range", "nothing lies over the slider"
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    settle(page)
    assert page.locator(".vl-film-curves .vl-title").first.is_visible()


def test_the_slider_moves_both_models(show, settle):
    page = show(TrainingFilm(epoch=0, patient="NoKL"))
    texts = page.locator(".vl-film-text")
    assert texts.first.inner_text().startswith("Before training")
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("End")
    settle(page)
    for half, name in enumerate(("VAE", "NoKL")):
        assert f"The mean σ of the encoder is {sigma(name, FRAMES - 1):.3f}" in texts.nth(half).inner_text()
        label = page.locator(".vl-film-curves").nth(half).locator("svg").nth(1).get_attribute("aria-label")
        assert f"{KEPT[f'{name}.kl'][-1]:.2f}" in label.replace("\u2212", "-")
    page.get_by_role("radio", name="z is cut off").check()
    settle(page)
    assert f"{sigma('CutSample', FRAMES - 1):.3f}" in texts.nth(1).inner_text()


def test_it_is_small():
    widget = TrainingFilm()
    sizes = [len(base64.b64decode(kept[key])) for kept in widget.reels.values() for key in ("codes", "map")]
    assert sum(sizes) < 700_000
    assert torch.tensor(sizes).min() > 0


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError):
        TrainingFilm(epoch=26)
    with pytest.raises(traitlets.TraitError):
        TrainingFilm(patient="VAE")
