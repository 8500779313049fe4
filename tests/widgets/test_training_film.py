"""The film of training: what the page shows is what was kept, and the patients show their symptoms."""

import base64

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


def test_the_slider_moves_both_models(show, settle):
    page = show(TrainingFilm(epoch=0, patient="NoKL"))
    texts = page.locator(".vl-film-text")
    assert texts.first.inner_text().startswith("Before training")
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("End")
    settle(page)
    for half, name in enumerate(("VAE", "NoKL")):
        assert f"The mean σ of the encoder is {sigma(name, FRAMES - 1):.3f}" in texts.nth(half).inner_text()
        label = page.locator(".vl-half").nth(half).locator("svg").nth(1).get_attribute("aria-label")
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
