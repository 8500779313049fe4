"""The latent explorer, driven in a static page: what the browser decodes is held to torch."""

import base64
import itertools

import numpy as np
import pytest
import torch
import traitlets
from widgets.in_page import run_module

from vae_lab.shipped import shipped_arrays
from vae_lab.widgets import LatentExplorer, decoders

MINUS = "\u2212"


@pytest.mark.parametrize("name", decoders.NAMES)
def test_the_page_computes_what_torch_computes(show, name):
    widget = LatentExplorer()
    page = show(widget)
    generator = torch.Generator().manual_seed(0)
    if decoders.as_network(name)[0].in_features == 784:
        inputs = torch.rand(20, 784, generator=generator)
    else:
        corners = torch.tensor(list(itertools.product((-3.5, 0.0, 3.5), repeat=2)))
        inputs = torch.cat([corners, 1.5 * torch.randn(111, 2, generator=generator)])
    found = run_module(
        page,
        widget._esm,
        """(packed, inputs) => { const run = network(packed);
             return inputs.map((x) => Array.from(run(x), sigmoid)); }""",
        decoders.packed(name),
        inputs.tolist(),
    )
    wanted = torch.sigmoid(decoders.as_network(name)(inputs))
    assert (torch.tensor(found) - wanted).abs().max() < 1e-3


def test_float16_is_unpacked_as_numpy_does_it(show):
    widget = LatentExplorer()
    page = show(widget)
    kinds = np.array([0.0, -0.0, 1.0, -2.5, 65504, 6e-8, 6.1e-5, -5.9e-5, 0.3333, np.inf, -np.inf], dtype="<f2")
    found = run_module(
        page, widget._esm, "(b) => Array.from(halfFloats(b), String)", base64.b64encode(kinds.tobytes()).decode()
    )
    assert [float(value.replace("Infinity", "inf")) for value in found] == kinds.astype(float).tolist()


def pixels(page, half):
    """What the canvas of one half shows, [784] in [0, 1]."""
    raw = (
        page.locator(".vl-image")
        .nth(half)
        .evaluate("c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 3)")
    )
    return torch.tensor(raw) / 255


def check_pictures(page, z):
    for half, name in enumerate(("autoencoder", "vae")):
        wanted = torch.sigmoid(decoders.as_network(name)(torch.tensor([z])))[0]
        assert (pixels(page, half) - wanted).abs().max() <= 0.5 / 255 + 1e-3


def where(page):
    """What the sliders say about z."""
    return [float(page.get_by_label(label).input_value()) for label in ("z₁", "z₂")]


def test_dragging_decodes_the_point_under_the_pointer(show, settle):
    page = show(LatentExplorer())
    check_pictures(page, [1.8, -1.5])
    plane = page.locator(".vl-drag").nth(1).bounding_box()
    page.mouse.move(plane["x"] + plane["width"] / 2, plane["y"] + plane["height"] / 2)
    page.mouse.down()
    settle(page)
    assert where(page) == pytest.approx([0, 0], abs=0.03)
    page.mouse.move(plane["x"] + plane["width"] * 0.75, plane["y"] + plane["height"] * 0.25, steps=5)
    settle(page)
    assert where(page) == pytest.approx([1.75, 1.75], abs=0.03), "up is positive"
    check_pictures(page, where(page))
    page.mouse.move(plane["x"] + 5000, plane["y"] - 5000)
    page.mouse.up()
    settle(page)
    assert where(page) == [3.5, 3.5], "the point stays in the plane"
    page.mouse.move(plane["x"], plane["y"])
    settle(page)
    assert where(page) == [3.5, 3.5], "let go"


def test_touch_and_keyboard(show, settle):
    page = show(LatentExplorer(z=[0.0, 0.0]), touch=True, width=390)
    plane = page.locator(".vl-drag").nth(0)
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    settle(page)
    assert where(page) == pytest.approx([-1.75, 0], abs=0.05)
    page.get_by_role("slider", name="point z in the VAE's plane").focus()
    start = where(page)
    for key in ("ArrowUp", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    settle(page)
    assert where(page) == pytest.approx([start[0] + 0.9, start[1] + 0.1])
    check_pictures(page, where(page))
    page.get_by_label("z₂").focus()
    page.keyboard.press("Home")
    settle(page)
    assert where(page)[1] == -3.5
    spoken = page.get_by_role("slider", name="point z in the autoencoder's plane").get_attribute("aria-valuetext")
    assert spoken.endswith(f"z2 {MINUS}3.50")


def test_what_is_read_and_what_is_nearest(show):
    codes = torch.tensor(shipped_arrays(decoders.FILE)["vae.codes"]).float()
    z = codes[17].mul(100).round().div(100).clamp(-3.5, 3.5)
    page = show(LatentExplorer(z=z.tolist()))
    image = torch.sigmoid(decoders.as_network("vae")(z[None]))
    sure, digit = torch.softmax(decoders.as_network("classifier")(image), 1).max(1)
    reading = page.locator(".vl-reading").nth(1).inner_text().replace("\u00a0", " ")
    assert reading == f"Read as {digit.item()}, {100 * sure.item():.0f} % sure"
    assert page.get_by_role("img", name=f"Decoded by the VAE: read as {digit.item()}").count() == 1
    distance, index = torch.linalg.vector_norm(codes - z, dim=1).min(0)
    nearest = page.locator(".vl-nearest").nth(1).inner_text()
    assert nearest == f"Nearest image: a {shipped_arrays(decoders.FILE)['labels'][index]}, {distance:.2f} away"


def test_the_map_shows_what_decodes_where(show, settle):
    page = show(LatentExplorer())
    assert not page.locator(".vl-map").first.is_visible()
    page.get_by_label("what decodes where").check()
    settle(page)
    assert page.locator(".vl-map").first.is_visible()
    middle = (
        page.locator(".vl-map")
        .nth(1)
        .evaluate(
            """c => Array.from(c.getContext('2d').getImageData(140, 140, 28, 28).data).filter((_, i) => i % 4 === 3)"""
        )
    )
    wanted = torch.sigmoid(decoders.as_network("vae")(torch.zeros(1, 2)))[0]
    assert (torch.tensor(middle) / 255 - wanted).abs().max() <= 2 / 255  # column 5, row 5 of 11 is z = (0, 0)


def test_draws_come_from_the_prior(show, settle):
    page = show(LatentExplorer())
    button, seen = page.get_by_role("button", name="Draw z"), []
    for _ in range(20):
        button.click()
        settle(page)
        seen += where(page)
    draws = torch.tensor(seen)
    assert len(set(seen)) > 30
    assert draws.mean().abs() < 5 / 40**0.5  # five standard errors
    assert 0.4 < draws.std() < 1.7


def test_dragging_is_smooth(show):
    page = show(LatentExplorer())
    spent = page.evaluate(
        """async () => {
             const slider = document.querySelector("input[type=range]"), times = [];
             for (let i = 0; i < 60; i++) {
               slider.value = Math.sin(i / 5) * 3;
               slider.dispatchEvent(new Event("input"));
               // our frame callback was asked for just now, so this one runs after it in the same frame
               await new Promise((done) => requestAnimationFrame((t) => done(times.push(performance.now() - t))));
             }
             return times.sort((a, b) => a - b)[30];
           }"""
    )
    assert spent < 50, (
        f"half of the frames take more than {spent:.1f} ms of script"
    )  # a loose bound for a loaded machine


def test_a_point_outside_the_plane_is_refused():
    with pytest.raises(
        traitlets.TraitError, match=r"LatentExplorer: z is \[4\.0, 0\.0\]; wanted two numbers within ±3\.5"
    ):
        LatentExplorer(z=[4.0, 0.0])
