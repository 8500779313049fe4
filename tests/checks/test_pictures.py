"""What a student shows is seen by who marks it: a picture has a PNG form, and that passes the marker's sanitizer."""

from __future__ import annotations

import base64

import pytest
import torch
from IPython.core.formatters import DisplayFormatter

from vae_lab.checks import pictures
from vae_lab.grading.lab.pasted_pictures import picture

PICTURES = {
    "images": lambda: pictures.images(torch.rand(12, 784)),
    "draws": lambda: pictures.draws_and_density(torch.randn(100), 1.0, 2.0),
    "curves": lambda: pictures.curves({"loss": [3.0, 2.0, float("nan"), 1.0]}, [0, 1, 2, 3], "epoch"),
    "a flat curve": lambda: pictures.curves({"loss": [2.0, 2.0]}, [0, 1], "epoch"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_in_a_cell_has_a_png_that_a_marker_is_shown(name):
    data, _ = DisplayFormatter().format(PICTURES[name]())
    assert data["text/html"].startswith("<svg")
    made = data["image/png"]
    assert picture("image/png", made if isinstance(made, str) else base64.b64encode(made).decode())


def test_the_png_shows_what_there_is():
    drawn = PICTURES["curves"]()._gray
    assert (drawn == 0).any()
    assert (drawn == 255).any()
    assert pictures.images(torch.ones(1, 784))._gray.float().mean() == 255
