"""Figures are the same bytes on every build: no date, no ground of their own, and words that stay words."""

from __future__ import annotations

import io

import matplotlib as mpl
import pytest
import torch

mpl.use("agg")

from matplotlib import pyplot as plt

from vae_lab import plots


@pytest.fixture(autouse=True)
def _style():
    with plt.rc_context():
        plots.use_course_style()
        yield
        plt.close("all")


def svg(draw) -> str:
    plt.close("all")
    buffer = io.StringIO()
    draw().figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


NORMAL = torch.distributions.Normal(0.0, 1.0)
FIGURES = {
    "image_sheet": lambda: plots.image_sheet(torch.linspace(0, 1, 3 * 28 * 28).reshape(3, 1, 28, 28)),
    "frozen_noise": lambda: plots.frozen_noise(torch.tensor([-1.0, 0.5]), mu=1.0, sigma=1.5),
    "samples_against_density": lambda: plots.samples_against_density(
        torch.linspace(-2, 2, 99), lambda z: NORMAL.log_prob(z).exp()
    ),
    "training_curves": lambda: plots.training_curves({"a": [3.0, 2.0], "b": [3.0, 1.0]}),
    "reference_line": lambda: plots.reference_line(1.0, "a floor"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_on_every_build(name):
    first = svg(FIGURES[name])
    assert first == svg(FIGURES[name])
    assert "<dc:date>" not in first


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "image_sheet"])
def test_words_stay_words_and_the_ground_is_clear(name):
    text = svg(FIGURES[name])
    assert "<text" in text
    assert "fill: #ffffff" not in text


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_where_it_is_asked_to(name):
    if name == "image_sheet":
        ax = plt.subplots()[1]
        assert plots.image_sheet(torch.zeros(2, 28, 28), ax=ax) is ax
    elif name == "reference_line":
        ax = plt.subplots()[1]
        assert plots.reference_line(1.0, "x", ax=ax) is ax


def test_image_sheet_reads_bytes_and_floats_alike():
    images = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    one, two = plots.image_sheet(images), plots.image_sheet(images / 255)
    assert (one.images[0].get_array() == two.images[0].get_array()).all()


def test_image_sheet_lays_images_out_row_by_row():
    images = torch.stack([torch.full((2, 2), i / 255) for i in range(5)])
    sheet = plots.image_sheet(images, columns=3).images[0].get_array()
    assert sheet[::2, ::2].tolist() == [[0, 1, 2], [3, 4, 0]]


def test_panels_share_the_width_of_a_page():
    axes = plots.panels(2, 1)
    assert axes[0].figure is axes[1].figure
    assert axes[0].figure.get_figwidth() == plots.WIDTH
