"""Your digit: what the page encodes and decodes is what torch does with the same networks and the same ink."""

import base64

import numpy as np
import pytest
import torch
import traitlets
from widgets.in_page import run_module

from vae_lab import data
from vae_lab.widgets import YourDigit, decoders, your_digit

MINUS = "\u2212"


@pytest.fixture(scope="module")
def test_images():
    images, labels = data.load_images(train=False)
    return images.flatten(1).float() / 255, labels


@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_the_page_encodes_as_torch_does(show, name, test_images):
    widget = YourDigit()
    x = test_images[0][:50]
    found = run_module(
        show(widget),
        widget._esm,
        """(packed, images) => { const code = coder(packed);
             return images.map((x) => { const { mu, sigma } = code.encode(x); return [mu, sigma]; }); }""",
        getattr(widget, name),
        x.tolist(),
    )
    wanted = decoders.as_network(f"{name}_encoder")(x)
    torch.testing.assert_close(torch.tensor([mu for mu, _ in found]), wanted[:, :2], rtol=1e-3, atol=1e-3)
    if name == "vae":
        sigma = torch.tensor([sigma for _, sigma in found])
        torch.testing.assert_close(sigma, torch.exp(wanted[:, 2:] / 2), rtol=1e-3, atol=1e-3)
    else:
        assert all(sigma is None for _, sigma in found)


@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_encoder_and_decoder_belong_together(name, test_images):
    x, _ = test_images
    z = decoders.as_network(f"{name}_encoder")(x)[:, :2]
    back = torch.sigmoid(decoders.as_network(name)(z))
    error = (back - x).square().sum(1).mean()
    assert error < 0.75 * (x - x.mean(0)).square().sum(1).mean(), "no better than the average image"


def read(pixels):
    """The digit that the shipped classifier reads, and how sure it is."""
    sure, digit = decoders.as_network("classifier")(pixels).softmax(1).max(1)
    return digit.tolist(), sure


def offered():
    """The test images that stand for the ten digits, [10, 784] in [0, 1]."""
    kept = np.frombuffer(base64.b64decode(YourDigit().digits), dtype=np.uint8)
    return torch.from_numpy(kept.reshape(10, 784) / np.float32(255))


def test_each_digit_that_is_offered_comes_back_as_itself_from_both_models(test_images):
    images, labels = test_images
    x = offered()
    assert torch.equal(x, images[list(your_digit.CLEAREST)])
    assert labels[list(your_digit.CLEAREST)].tolist() == list(range(10))
    for name in ("autoencoder", "vae"):
        back = torch.sigmoid(decoders.as_network(name)(decoders.as_network(f"{name}_encoder")(x)[:, :2]))
        digits, sure = read(back)
        assert digits == list(range(10)), name
        assert sure.min() > 0.7
    digits, sure = read(x)
    assert digits == list(range(10))
    assert sure.min() > 0.9


def test_every_walk_in_the_page_begins_and_ends_with_its_digits(show, settle):
    page = show(YourDigit())
    ends = """() => [...document.querySelectorAll(".vl-half")].map((half) => {
      const way = half.querySelector(".vl-strip").querySelectorAll("canvas");
      return [way[0], way[way.length - 1]].map((c) =>
        [...c.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 3).map((v) => v / 255));
    })"""
    for a, b in [(3, 9), (4, 9), (9, 4), (8, 0), (1, 2), (5, 7), (6, 3)]:
        for letter, digit in (("A", a), ("B", b)):
            page.get_by_role("radio", name=f"digit {letter}").check()
            page.get_by_role("button", name=f"Take a {digit}").click()
        settle(page)
        for half in page.evaluate(ends):
            assert read(torch.tensor(half))[0] == [a, b]


def test_of_the_nines_about_thirty_in_a_hundred_come_back_as_fours(test_images):
    x, labels = test_images
    nines = x[labels == 9]
    for name in ("autoencoder", "vae"):
        back = torch.sigmoid(decoders.as_network(name)(decoders.as_network(f"{name}_encoder")(nines)[:, :2]))
        fours = sum(digit == 4 for digit in read(back)[0])
        assert len(nines) == 100
        assert 27 <= fours <= 33, name
    assert "of 100 test images of a 9, each model makes a 4 of about 30" in YourDigit().words["legend"]


def drawn(page, points, settle):
    """Draw one stroke with the mouse."""
    pad = page.locator(".vl-pad .vl-drag")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    at = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    settle(page)


def seen(page):
    """What the encoders see, [28, 28] in [0, 1]."""
    ink = page.locator(".vl-desk .vl-digit-picture").evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 3)"
    )
    return np.array(ink, dtype=float).reshape(28, 28) / 255


def test_a_drawing_is_centred_and_scaled_as_mnists_digits_are(show, settle):
    page = show(YourDigit(strokes=[[], []]))
    drawn(page, [(0.1, 0.1), (0.3, 0.1), (0.12, 0.4)], settle)  # a small 7 in a corner
    ink = seen(page)
    rows, columns = np.nonzero(ink > 0.2)
    assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
    for axis in (0, 1):
        centre = (ink.sum(1 - axis) * (np.arange(28) + 0.5)).sum() / ink.sum()
        assert centre == pytest.approx(14, abs=0.6)
    thickness = ink.sum() / 40  # a stroke of about 40 pixels
    assert 1 < thickness < 4


def test_a_drawn_one_lies_where_ones_lie_and_its_cloud_is_the_encoders(show, settle, test_images):
    page = show(YourDigit())
    before = page.locator(".vl-cost").nth(1).inner_text()
    drawn(page, [(0.55, 0.15), (0.45, 0.85)], settle)
    said = page.locator(".vl-cost").nth(1).inner_text().replace(MINUS, "-")
    assert said != before
    ink = torch.tensor(seen(page)).float().flatten()[None]
    mu, logvar = decoders.as_network("vae_encoder")(ink)[0].chunk(2)
    assert f"μ = ({mu[0]:.2f}, {mu[1]:.2f})" in said
    assert f"σ = ({torch.exp(logvar / 2)[0]:.2f}, {torch.exp(logvar / 2)[1]:.2f})" in said
    x, labels = test_images
    codes = decoders.as_network("vae_encoder")(x)[:, :2]
    nearest = labels[torch.linalg.vector_norm(codes - mu, dim=1).topk(15, largest=False).indices]
    assert (nearest == 1).sum() >= 8
    page.get_by_role("button", name="Clear").click()
    settle(page)
    assert page.locator(".vl-cost").nth(1).inner_text() == before


def test_the_keys_draw_and_the_second_digit_is_taken(show, settle):
    page = show(YourDigit())
    page.get_by_role("button", name="Pen").focus()
    before = seen(page)
    for key in ["Space", *["Shift+ArrowDown"] * 3, "Space"]:
        page.keyboard.press(key)
    settle(page)
    assert not np.allclose(seen(page), before)
    page.get_by_role("radio", name="digit B").check()
    page.get_by_role("button", name="Take a 4").click()
    settle(page)
    four = np.frombuffer(base64.b64decode(YourDigit().digits), dtype=np.uint8).reshape(10, 28, 28)[4] / 255
    assert np.abs(seen(page) - four).max() < 0.01
    way = page.locator(".vl-strip").nth(2).locator("canvas")
    pixels = way.evaluate_all("all => all.map(c => c.toDataURL())")
    assert len(set(pixels)) == 7, "seven pictures on the way from A to B"


def test_draws_flicker_and_leave_a_trail(show, settle):
    page = show(YourDigit(), reduced_motion=True)
    page.get_by_role("button", name="Draw from the cloud").click()
    page.locator(".vl-flick").wait_for()
    first = page.locator(".vl-flick").evaluate("c => [c.getAttribute('cx'), c.getAttribute('cy')].join()")
    page.wait_for_function(
        "(first) => { const c = document.querySelector('.vl-flick');"
        " return c && [c.getAttribute('cx'), c.getAttribute('cy')].join() !== first; }",
        arg=first,
    )
    page.get_by_role("button", name="Draw from the cloud").click()
    settle(page)
    assert page.locator(".vl-flick").count() == 0
    for _ in range(14):
        page.get_by_role("button", name="Draw z from the prior").click()
    settle(page)
    assert page.locator(".vl-half").first.locator(".vl-trail").count() == 12


def test_a_lens_shows_the_cloud_as_many_times_larger_as_it_says(show, settle):
    page = show(YourDigit(chosen=[1, 9]))
    for digit in ("digit A", "digit B"):
        page.get_by_role("radio", name=digit).check()
        settle(page)
        plain, vae = page.locator(".vl-half").all()
        assert plain.locator(".vl-lens").count() == 0, "a point has no cloud"
        radii = "(all) => all.map((e) => [e.rx.baseVal.value, e.ry.baseVal.value])"
        near = vae.locator(".vl-lens ellipse").evaluate_all(radii)
        cloud = vae.locator("svg > ellipse").evaluate_all(radii)
        cloud = cloud[:2] if digit == "digit A" else cloud[2:]
        times = float(vae.locator(".vl-lens text").text_content().removeprefix("× "))
        assert times > 1.5
        for large, small in zip(near, cloud, strict=True):
            assert large == pytest.approx([times * radius for radius in small], rel=0.05)


def test_traits_out_of_range_are_refused():
    with pytest.raises(traitlets.TraitError):
        YourDigit(active=2)
    with pytest.raises(traitlets.TraitError):
        YourDigit(chosen=[3, 12])
