"""The latent explorer on a reader's own model: what it shows is what that model encodes and decodes, whatever it is."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

from vae_lab.data import load_images
from vae_lab.models import VAE, Autoencoder, LinearVAE
from vae_lab.widgets import LatentExplorer


class Flat(nn.Module):
    """A VAE as the lab's text asks for it: flat images, and nothing of this package."""

    def __init__(self, latent_dim=5):
        super().__init__()
        self.latent_dim = latent_dim
        self.there, self.back = nn.Linear(784, 2 * latent_dim), nn.Linear(latent_dim, 784)

    def encode(self, x):
        assert x.shape[1:] == (784,)
        return self.there(x).chunk(2, dim=1)

    def decode(self, z):
        return self.back(z)


class Convolutional(Flat):
    def __init__(self):
        super().__init__(3)
        self.first = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.drop = nn.Dropout(0.5)
        self.there = nn.Linear(4 * 784, 6)

    def encode(self, x):
        return self.there(self.drop(self.first(x)).flatten(1)).chunk(2, dim=1)


class GivesAList(Flat):
    def encode(self, x):
        mu, logvar = super().encode(x)
        return [mu, logvar]


MODELS = {
    "as the lab asks": Flat,
    "convolutions, batch norm, dropout": Convolutional,
    "double precision": lambda: Flat().double(),
    "a list": GivesAList,
    "the book's": lambda: VAE(latent_dim=4),
    "an autoencoder": lambda: Autoencoder(latent_dim=2),
    "Gaussian": lambda: LinearVAE(784, 3),
}


def pictures(packed):
    return torch.from_numpy(np.frombuffer(base64.b64decode(packed), np.uint8).copy()).reshape(-1, 784) / 255


def decoded(model, z):
    model.eval()
    weight = next(model.parameters())
    out = model.decode(torch.tensor(z, dtype=weight.dtype)).detach().flatten(1).float()
    return out.clamp(0, 1) if isinstance(model, LinearVAE) else torch.sigmoid(out)


@pytest.mark.parametrize("name", MODELS)
def test_each_place_shows_what_the_model_decodes_there(name):
    torch.manual_seed(0)
    model = MODELS[name]().train()
    buffers = [value.clone() for value in model.buffers()]
    widget = LatentExplorer(model)
    latents = len(widget.z)
    for z in (widget.z, [0.0] * latents, [0.5 * k - 1 for k in range(latents)]):
        widget.z = z
        assert widget.decoded["z"] == z
        assert (pictures(widget.decoded["pixels"]) - decoded(model, [z])).abs().max() <= 0.51 / 255
        model.train()
    widget = LatentExplorer(model, behind="map", z=[0.5] * latents)
    corner = [0.5] * latents
    corner[widget.axes[0]], corner[widget.axes[1]] = -3.5 + 3.5 / 11, 3.5 - 3.5 / 11  # row 0 is the top
    assert (pictures(widget.map["pixels"])[0] - decoded(model, [corner])[0]).abs().max() <= 0.51 / 255
    assert all(torch.equal(old, new) for old, new in zip(buffers, model.buffers(), strict=True))


def test_a_model_stays_in_the_mode_that_each_part_was_in():
    model = Convolutional().train()
    model.drop.eval()
    LatentExplorer(model)
    assert (model.training, model.first.training, model.drop.training) == (True, True, False)


def test_codes_are_the_means_and_the_plane_is_where_they_spread():
    model = Flat()
    with torch.no_grad():
        model.there.weight[:5].mul_(torch.tensor([1.0, 9, 0, 5, 1])[:, None])
    widget = LatentExplorer(model)
    images, labels = load_images()
    codes = np.frombuffer(base64.b64decode(widget.own["codes"]), "<f2").reshape(1000, 5)
    wanted = model.encode(images[:1000].flatten(1) / 255)[0].detach()
    assert torch.allclose(torch.from_numpy(codes.astype("f4")), wanted, rtol=2e-3, atol=1e-3)
    assert widget.axes == [1, 3]
    assert widget.labels == "".join(map(str, labels[:1000].tolist()))


def test_the_map_is_made_anew_for_another_plane_only():
    widget = LatentExplorer(Flat(), behind="map", z=[0.0] * 5, axes=[0, 1])
    made = widget.map
    widget.z = [1.0, -2.0, 0.0, 0.0, 0.0]
    assert widget.map is made
    widget.z = [1.0, -2.0, 0.5, 0.0, 0.0]
    assert widget.map is not made


def test_images_of_ones_own_are_encoded_and_not_read_by_a_classifier_of_digits(show):
    images = torch.rand(30, 784)
    widget = LatentExplorer(Flat(), images, labels=[3] * 30)
    assert len(base64.b64decode(widget.own["codes"])) == 2 * 30 * 5
    page = show(widget)
    assert page.locator(".vl-reading").inner_text() == ""
    assert page.locator(".vl-nearest").inner_text().startswith("Nearest image: a 3, ")
    page = show(LatentExplorer(Flat(), images))
    assert page.locator(".vl-nearest").inner_text().startswith("Nearest image: 0.")
    assert page.locator(".vl-digit").count() == 0


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: LatentExplorer(Flat), TypeError, "model is the class Flat; wanted a model"),
        (lambda: LatentExplorer(nn.Linear(784, 2)), TypeError, "has no `encode`"),
        (lambda: LatentExplorer(Flat(1)), ValueError, "the model has 1 latent; a plane needs two or more"),
        (lambda: LatentExplorer(Flat(), torch.rand(3, 784), [1, 2]), ValueError, "labels do not fit"),
        (lambda: LatentExplorer(Flat(), torch.rand(2, 784), [1, 12]), ValueError, "labels do not fit"),
        (lambda: LatentExplorer(Flat(), z=[0.0, 0.0]), traitlets.TraitError, "wanted 5 numbers within ±3.5"),
        (lambda: LatentExplorer(Flat(), axes=[1, 1]), traitlets.TraitError, "two different latents, each from 0 to 4"),
        (lambda: LatentExplorer(Flat(), axes=[1, 5]), traitlets.TraitError, "two different latents, each from 0 to 4"),
        (lambda: LatentExplorer(axes=[0, 2]), traitlets.TraitError, "each from 0 to 1"),
    ],
)
def test_what_cannot_be_explored_is_refused_in_words(make, error, says):
    with pytest.raises(error) as raised:
        make()
    assert says in str(raised.value)


def test_a_model_whose_training_failed_and_other_pictures_are_refused():
    broken, small = Flat(), Flat()
    with torch.no_grad():
        broken.there.bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="codes are not finite"):
        LatentExplorer(broken)
    small.back = nn.Linear(5, 64)
    with pytest.raises(ValueError, match="decode returns 64 pixels; wanted 28 x 28"):
        LatentExplorer(small)


def ink(page):
    raw = page.locator(".vl-image").evaluate(
        "c => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 3)"
    )
    return torch.tensor(raw) / 255


def test_the_page_shows_one_plane_and_says_when_no_kernel_answers(show, settle):
    torch.manual_seed(0)
    model = Flat()
    widget = LatentExplorer(model, axes=[1, 3])
    page = show(widget, width=390)
    assert page.locator(".vl-half").count() == 1
    assert (ink(page) - decoded(model, [widget.z])[0]).abs().max() <= 2 / 255
    assert page.get_by_label("z₂").count() == page.get_by_label("z₄").count() == 1
    page.get_by_label("To the right:").select_option("3")  # what is chosen twice changes places
    settle(page)
    assert page.get_by_label("Upwards:").input_value() == "1"
    page.get_by_role("slider", name="point z in your model's plane").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("decoded in the notebook's kernel").wait_for()  # a page has none
    page.get_by_role("button", name="Draw z").click()
    settle(page)
    where = [float(page.get_by_label(name, exact=True).input_value()) for name in ("z₂", "z₄")]
    assert where != [widget.z[1], widget.z[3]]


def test_all_that_is_said_of_ones_own_model_comes_from_the_table(show):
    words = {
        key: "ж" + "".join(f"{{{place}}}" for place in places(text)) for key, text in LatentExplorer.english().items()
    }
    page = show(LatentExplorer(Flat(), words=words))
    said = page.locator(".vae-lab").evaluate("node => node.innerText")
    assert not [word for word in ("model", "draw", "plane", "Upwards") if word in said]


def places(text):
    return [part.split("}")[0] for part in text.split("{")[1:]]


WHERE = """() => [...document.querySelectorAll("input[type=range]")].map((i) => i.value).join()"""


def test_a_walk_ends_at_a_new_draw_and_gives_way_to_a_hand(show):
    page = show(LatentExplorer(z=[0.0, 0.0]))
    page.get_by_role("button", name="Walk to a new draw").click()
    page.wait_for_function(
        f"() => {{ const z = ({WHERE})(), same = z === window.lastZ; window.lastZ = z; return same && z !== '0,0'; }}",
        polling=400,
    )
    page.get_by_role("button", name="Walk to a new draw").click()
    page.get_by_label("z₁").focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(400)  # five strides, if it went on
    assert page.get_by_label("z₁").input_value() == "-3.5"


def test_with_reduced_motion_a_walk_is_one_step(show, settle):
    page = show(LatentExplorer(z=[0.0, 0.0]), reduced_motion=True)
    page.get_by_role("button", name="Walk to a new draw").click()
    settle(page)
    there = page.evaluate(WHERE)
    page.wait_for_timeout(200)
    assert page.evaluate(WHERE) == there != "0,0"
