"""Figures are the same bytes on every build: no date, no ground of their own, and words that stay words."""

from __future__ import annotations

import io
import re

import pytest
import torch
from matplotlib import pyplot as plt

from vae_lab import plots


def svg(draw) -> str:
    plt.close("all")
    buffer = io.StringIO()
    draw().figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


X = torch.linspace(0.5, 2.0, 20)
NOISE = torch.randn(1000, generator=torch.Generator().manual_seed(0))
NORMAL = torch.distributions.Normal(0.0, 1.0)
FIGURES = {
    "image_sheet": lambda: plots.image_sheet(torch.linspace(0, 1, 3 * 28 * 28).reshape(3, 1, 28, 28)),
    "frozen_noise": lambda: plots.frozen_noise(torch.tensor([-1.0, 0.5]), mu=1.0, sigma=1.5),
    "samples_against_density": lambda: plots.samples_against_density(
        torch.linspace(-2, 2, 99), lambda z: NORMAL.log_prob(z).exp()
    ),
    "training_curves": lambda: plots.training_curves({"a": [3.0, 2.0], "b": [3.0, 1.0]}),
    "reference_line": lambda: plots.reference_line(1.0, "a floor"),
    "curves": lambda: plots.curves(X, {"a": X, "b": X**2}, xlabel="x", ylabel="y"),
    "log_curves": lambda: plots.log_curves(X, {"a": X, "b": X**2}, xlabel="x", ylabel="y"),
    "dots": lambda: plots.dots(X, {"a": X, "b": X**2}),
    "gradient_histograms": lambda: plots.gradient_histograms({"a": NOISE, "b": 3 * NOISE}, exact=0.0),
    "running_mean": lambda: plots.running_mean(NOISE, 0.0),
    "bowl": lambda: plots.bowl(X, X, X[:, None] ** 2 + X, points=torch.ones(1, 2), xlabel="a", ylabel="b"),
    "rate_distortion": lambda: plots.rate_distortion([1, 4], [9.0, 5.0], [150.0, 160.0]),
    "bars": lambda: plots.bars(X, xlabel="i", ylabel="v"),
    "latent_scatter": lambda: plots.latent_scatter(NOISE.reshape(-1, 2), torch.arange(500) % 10),
    "posterior_clouds": lambda: plots.posterior_clouds(NOISE[:20].reshape(-1, 2), torch.ones(10, 2), torch.arange(10)),
    "ladder": lambda: plots.ladder({1: 3 * NOISE - 2, 50: NOISE - 1}, truth=0.0),
    "durations": lambda: plots.durations({"a": [3.0, 4.0], "b": [1.0, 1.5]}, xlabel="seconds"),
    "band": lambda: plots.band(X, X, 0.1 * X, 1.0, xlabel="x", ylabel="y"),
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


PHONE = 350  # pixels that a page on a phone has for a figure


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "image_sheet"])
def test_words_can_be_read_on_a_phone(name):
    drawn = svg(FIGURES[name])
    width = float(re.search(r'<svg[^>]* width="([\d.]+)pt"', drawn)[1]) * 4 / 3  # in pixels
    sizes = [float(size) * 4 / 3 for size in re.findall(r'style="[^"]*font(?:-size)?:[^"]*?([\d.]+)px', drawn)]
    assert sizes
    assert min(sizes) * min(1, PHONE / width) >= 11


def test_every_figure_of_the_package_is_held_here():
    public = {
        name for name, thing in vars(plots).items() if getattr(thing, "__module__", "").startswith(plots.__name__)
    }
    assert public - {"use_course_style", "panels"} == set(FIGURES)


@pytest.mark.parametrize("name", ["image_sheet", "curves", "ladder", "latent_scatter"])
def test_a_figure_is_drawn_where_it_is_asked_to(name):
    ax = plt.subplots()[1]
    arguments = {
        "image_sheet": (torch.zeros(2, 28, 28),),
        "curves": (X, {"a": X}),
        "ladder": ({1: NOISE}, 0.0),
        "latent_scatter": (NOISE.reshape(-1, 2), torch.arange(500) % 10),
    }
    labels = {"xlabel": "x", "ylabel": "y"} if name == "curves" else {}
    assert getattr(plots, name)(*arguments[name], **labels, ax=ax) is ax


def test_the_names_of_the_package_are_sorted_and_true():
    assert plots.__all__ == sorted(plots.__all__)
    assert set(FIGURES) < set(plots.__all__)
    assert all(hasattr(plots, name) for name in plots.__all__)
