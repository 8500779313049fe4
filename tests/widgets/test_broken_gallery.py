"""Match bug to symptom: each patient shows its symptom, and each answer gets its own feedback."""

import pytest
import traitlets

from vae_lab import broken
from vae_lab.widgets import BrokenGallery, decoders, trained
from vae_lab.widgets.broken_gallery import DIAGNOSES, PATIENTS


def test_all_of_the_gallery_are_there_once():
    assert sorted(PATIENTS) == sorted(DIAGNOSES) == sorted(kind.__name__ for kind in broken.GALLERY)


def test_the_kept_models_show_what_the_feedback_says():
    seen = {name: trained.by_model(name) for name in PATIENTS}
    loss = {name: patient["loss"][-1] for name, patient in seen.items()}
    assert 160 < loss["VAE"] < 180
    assert abs(seen["VAE"]["drawn_sigma"] / seen["VAE"]["sigma"] - 1) < 0.1
    assert seen["CutSample"]["true_kl"] < 0.1
    assert 200 < loss["CutSample"] < 212
    assert seen["PixelMean"]["true_kl"] < 0.1
    assert loss["PixelMean"] < 1
    wrong_spread = seen["VarianceAsSpread"]
    assert abs(wrong_spread["drawn_sigma"] / wrong_spread["sigma"] - 1) > 0.3
    assert seen["NoNoise"]["drawn_sigma"] == 0
    assert seen["NoNoise"]["sigma"] == pytest.approx(1, abs=0.02)
    assert seen["NoKL"]["true_kl"] > 5 * seen["VAE"]["true_kl"]
    assert seen["NoKL"]["sigma"] < 0.1
    assert loss["KLSignFlipped"] < 0


def test_the_loss_of_a_squared_spread_is_a_little_worse_on_all_seeds():
    plain, squared = (trained.ends(name)["loss"] for name in ("VAE", "VarianceAsSpread"))
    assert all(0 < worse - right < 10 for right, worse in zip(plain, squared, strict=True))


def test_the_draws_without_a_kl_are_read_as_surely_as_the_vae_s():
    classifier = decoders.as_network("classifier")
    draws = {name: trained.pictures(name)[6:].flatten(1).float() / 255 for name in ("VAE", "NoKL")}
    sure = {name: classifier(shown).softmax(1).max(1).values for name, shown in draws.items()}
    assert abs(sure["NoKL"].median() - sure["VAE"].median()) < 0.15
    assert sure["NoKL"].min() > sure["VAE"].min()


def test_the_ticks_of_each_axis_are_told_apart_for_every_patient(show, settle):
    page = show(BrokenGallery())
    for letter in "ABCDEFG":
        page.get_by_role("button", name=f"patient {letter}").click()
        settle(page)
        for chart in page.locator("svg[aria-label]").all():
            ticks = chart.locator(".vl-tick text").evaluate_all(
                "all => all.filter(t => t.getAttribute('text-anchor') === 'end').map(t => t.textContent)"
            )
            assert len(ticks) >= 2, letter
            assert len(set(ticks)) == len(ticks), (letter, ticks)


def test_each_answer_has_its_feedback(show, settle):
    page = show(BrokenGallery())
    feedback = page.locator(".vl-feedback")
    assert feedback.inner_text() == "Look at patient A, then choose."
    for index, name in enumerate(PATIENTS):
        page.get_by_role("button", name=f"patient {'ABCDEFG'[index]}").click()
        settle(page)
        assert page.locator(".vl-answers input:checked").count() == 0, "a new patient has no answer yet"
        for answer in DIAGNOSES:
            line, shows = (BrokenGallery.english()[f"{part}_{answer}"] for part in ("line", "shows"))
            page.locator(f".vl-answers input[value={answer}]").check()
            settle(page)
            right = answer == name
            assert feedback.inner_text() == (f"Right: {line}. {shows}" if right else f"Not this one. {shows}")
    numbers = page.locator("td").all_inner_texts()
    last = trained.by_model(PATIENTS[-1])
    assert [float(n) for n in numbers] == pytest.approx(
        [last["kl"][-1], last["true_kl"], last["sigma"], last["drawn_sigma"]], abs=1e-3
    )


def test_the_name_of_a_patient_is_not_on_the_page(show):
    page = show(BrokenGallery())
    assert not any(name in page.locator(".vae-lab").inner_text() for name in PATIENTS if name != "VAE")


def test_a_patient_who_is_not_there_is_refused():
    with pytest.raises(traitlets.TraitError, match="BrokenGallery: patient is 7; wanted 0 to 6"):
        BrokenGallery(patient=7)
