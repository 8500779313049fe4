"""The picture of the model: its numbers are those of the model, its words stay words and can be read on a phone."""

import re

import pytest
import torch
from bs4 import BeautifulSoup

from vae_lab.architecture import PARTS, Architecture, strip
from vae_lab.models import VAE

PHONE = 350  # pixels that a page on a phone has for a picture


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return VAE(latent_dim=2)


def test_the_picture_has_the_sizes_and_the_numbers_of_the_model(model):
    x, eps = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(1)), torch.tensor([0.5, -2.0])
    svg = Architecture(model, x, eps=eps).svg
    words = [text.text for text in BeautifulSoup(svg, "html.parser").find_all("text")]
    mu, logvar = (part[0] for part in model.encode(x[None]))
    z = mu + torch.exp(logvar / 2) * eps
    for vector in (mu, logvar, eps, z):
        numbers = ", ".join(f"{value:.2f}" for value in vector.tolist()).replace("-", "−")
        assert any(f"({numbers})" in word for word in words), numbers
    for size in ("400", "200"):
        assert words.count(size) == 2, "once in the encoder, once in the decoder"
    assert words.count("[B, 784]") == 2


def test_many_dimensions_are_cut_short(model):
    svg = Architecture(VAE(latent_dim=10), torch.zeros(1, 28, 28), eps=torch.zeros(10)).svg
    assert "(0.00, 0.00, …)" in svg
    assert "[B, 10]" in svg


@pytest.mark.parametrize("part", PARTS)
def test_the_strip_marks_one_part_and_says_so(part):
    page = BeautifulSoup(strip({part}), "html.parser")
    assert len(page.select("g.here")) == 1
    assert len(page.select("g.there")) == len(PARTS) - 1
    assert page.title.text.endswith(f"Marked: {PARTS[part]}")


def test_a_part_that_is_none_is_refused():
    for wrong in ({"head"}, set()):
        with pytest.raises(ValueError, match="not all parts"):
            strip(wrong)


def test_words_can_be_read_on_a_phone(model):
    for svg in (strip({"z"}), Architecture(model, torch.zeros(1, 28, 28), eps=torch.zeros(2)).svg):
        width, size = (float(re.search(rf'{name}="([\d.]+)"', svg)[1]) for name in ("width", "font-size"))
        assert size * min(1, PHONE / width) >= 11
