"""Doors of the models: what each takes as images and latents, and what it says to anything else."""

import math

import pytest
import torch
from doors.tried import Refused, seeded, table, try_door

from vae_lab import VAE, Autoencoder, LinearVAE
from vae_lab.data import Images

SHAPE = (1, 2, 3)
BYTES = torch.tensor([[0, 255, 64, 128, 3, 200], [255, 0, 128, 7, 31, 90]], dtype=torch.uint8).reshape(2, *SHAPE)
X = BYTES / 255
EPS = torch.tensor([[1.0, -1.0], [0.5, 2.0]])
NAN = torch.where(BYTES == 3, math.nan, X)


def model(kind=VAE, **options):
    torch.manual_seed(0)
    return kind(data_dim=6, latent_dim=2) if kind is LinearVAE else kind(2, hidden=(5,), data_shape=SHAPE, **options)


# Each door of a model that takes images: a call with images, and one number for each of them.
DOORS = {
    "VAE.encode": lambda m, x: m.encode(x)[0],
    "VAE.forward": lambda m, x: m(x, eps=EPS).logits.flatten(1),
    "VAE.elbo": lambda m, x: m.elbo(x, eps=EPS).elbo,
    "VAE.log_likelihood": lambda m, x: m.log_likelihood(x, EPS[None])[0],
    "VAE.loss_terms": lambda m, x: m.loss_terms(x, eps=EPS).reconstruction,
    "Autoencoder.encode": lambda m, x: m.encode(x),
    "Autoencoder.forward": lambda m, x: m(x).flatten(1),
    "Autoencoder.loss_terms": lambda m, x: m.loss_terms(x).reconstruction,
    "LinearVAE.encode": lambda m, x: m.encode(x)[0],
    "LinearVAE.forward": lambda m, x: m(x, eps=EPS).logits.flatten(1),
    "LinearVAE.elbo": lambda m, x: m.elbo(x, eps=EPS).elbo,
    "LinearVAE.log_likelihood": lambda m, x: m.log_likelihood(x, EPS[None])[0],
    "LinearVAE.loss_terms": lambda m, x: m.loss_terms(x, eps=EPS).reconstruction,
    "LinearVAE.exact_elbo": lambda m, x: m.exact_elbo(x).elbo,
}
KINDS = {"VAE": VAE, "Autoencoder": Autoencoder, "LinearVAE": LinearVAE}

FORMS = {
    "square": (X, X.dtype),
    "flat": (X.flatten(1), X.dtype),
    "without the axis of one": (X[:, 0], X.dtype),
    "uint8": (BYTES, X.dtype),
    "Images": (Images(BYTES, torch.zeros(2)), X.dtype),
    "doubles": (X.double(), X.dtype),
    "halves": (X.half().float().half(), X.dtype),
    "for a double model": (X, torch.float64),
    "uint8 for a double model": (BYTES, torch.float64),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("door", DOORS)
def test_images_in_every_form_give_the_same(door, form):
    images, dtype = FORMS[form]
    kind = model(KINDS[door.split(".")[0]]).to(dtype)
    given = DOORS[door](kind, images)
    assert given.dtype == dtype
    close = {"rtol": 2e-3, "atol": 2e-3} if form == "halves" else {}
    torch.testing.assert_close(given, DOORS[door](kind, BYTES.to(dtype) / 255), **close)


BAD = {
    "a list": (X.tolist(), ("is a list", "torch.stack")),
    "an array": (X.numpy(), ("is a ndarray", "torch.from_numpy")),
    "a word": ("mnist", ("is a str",)),
    "whole numbers": (BYTES.long(), ("dtype torch.int64", "uint8")),
    "bits": (X > 0.5, ("dtype torch.bool", ".float()")),
    "bits in bytes": ((X > 0.5).to(torch.uint8), ("0 and 1", ".float()")),
    "another size": (torch.zeros(2, 1, 3, 3), ("(2, 1, 3, 3)", "[B, ")),
    "on its side": (X.transpose(2, 3).contiguous(), ("(2, 1, 3, 2)",)),
    "no batch": (X[0].flatten(), ("(6,)",)),
    "another device": (X.to("meta"), ("is on meta", "on cpu")),
    "NaN": (NAN, ("not finite",)),
    "infinity": (X / 0, ("not finite",)),
}
COINS = {
    "0 to 255": (BYTES.float(), ("0 to 255", "/ 255")),
    "-1 to 1": (2 * X - 1, ("(x + 1) / 2",)),
    "standardised": ((X - 0.1307) / 0.3081, ("* 0.3081 + 0.1307",)),
}


@pytest.mark.parametrize("bad", [*BAD, *COINS])
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_image_is_refused_at_every_door(door, bad):
    name = door.split(".")[0]
    if bad in COINS and name == "LinearVAE":
        if door != "LinearVAE.log_likelihood":
            assert DOORS[door](model(LinearVAE), COINS[bad][0]).isfinite().all()  # any real x is one of its x
        return
    if bad == "on its side" and name == "LinearVAE":
        return  # its x are rows of numbers, in any shape
    images, words = (BAD | COINS)[bad]
    with pytest.raises((ValueError, TypeError)) as caught:
        DOORS[door](model(KINDS[name]), images)
    said = str(caught.value)
    assert said.startswith(f"{name}."), said
    assert all(word in said for word in words), said


class Mine(VAE):
    """A reader's own."""


@table(
    ("the class's own name", lambda: Mine(2, (5,), SHAPE).encode(X.numpy()), Refused("Mine.encode", "x is a ndarray")),
    ("one z", lambda: model().decode(EPS[0]).shape == SHAPE, lambda: True),
    ("many z", lambda: model().decode(EPS.expand(3, 4, 2, 2))[1, 2], lambda: model().decode(EPS)),
    ("double z", lambda: model().decode(EPS.double()), lambda: model().decode(EPS)),
    ("double z of an autoencoder", lambda: model(Autoencoder).decode(EPS.double()), lambda: model(Autoencoder).decode(EPS)),
    ("double z of a linear VAE", lambda: model(LinearVAE).decode(EPS.double()), lambda: model(LinearVAE).decode(EPS)),
    *((f"{kind.__name__}: {what}", lambda kind=kind, z=z: model(kind).decode(z), Refused(f"{kind.__name__}.decode", *words))
      for kind in (VAE, Autoencoder, LinearVAE)
      for what, z, words in (
          ("z of another width", torch.zeros(2, 3), ("z has shape (2, 3)", "2 latent dimensions")),
          ("z a number", torch.tensor(0.0), ("z has shape ()",)),
          ("z a list", [0.0, 0.0], ("z is a list",)),
          ("whole z", torch.zeros(2, 2, dtype=torch.int64), ("z has dtype torch.int64",)),
          ("z elsewhere", EPS.to("meta"), ("z is on meta",)),
      )),
    *((f"{kind.__name__}: {what}", lambda kind=kind, z=z: model(kind).log_likelihood(X.flatten(1), z), Refused(f"{kind.__name__}.log_likelihood", *words))
      for kind in (VAE, LinearVAE)
      for what, z, words in (
          ("z without samples", EPS, ("z has shape (2, 2)", "[S, B, D]")),
          ("z of other images", torch.zeros(4, 3, 2), ("z has shape (4, 3, 2)", "2 images")),
          ("latents a list", [[0.0]], ("z is a list",)),
      )),
    ("eps of another shape", lambda: model()(X, eps=EPS[:1]), Refused("reparameterize", "eps has shape (1, 2)")),
    ("double eps", lambda: model()(X, eps=EPS.double()).logits, lambda: model()(X, eps=EPS).logits),
    ("a seed", lambda: model().elbo(X, generator=0), Refused("reparameterize", "generator is a int")),
    ("the linear model's pass", lambda: model(LinearVAE)(X, eps=EPS).logits.flatten(1), lambda: model(LinearVAE).decode(model(LinearVAE)(X, eps=EPS).z)),
    ("no latents", lambda: VAE(0), Refused("VAE", "latent_dim is 0")),
    ("latents a float", lambda: VAE(2.0), Refused("VAE", "latent_dim is 2.0")),
    ("hidden a number", lambda: VAE(2, 400), Refused("VAE", "hidden is 400", "(400,)")),
    ("hidden with a 0", lambda: VAE(2, (400, 0)), Refused("VAE", "hidden is (400, 0)")),
    ("hidden a word", lambda: Autoencoder(2, "400"), Refused("Autoencoder", "hidden is '400'")),
    ("shape a number", lambda: Autoencoder(2, (4,), 784), Refused("Autoencoder", "data_shape is 784", "(784,)")),
    ("shape empty", lambda: Autoencoder(2, (4,), ()), Refused("Autoencoder", "data_shape is ()")),
    ("shape with a minus", lambda: VAE(2, (4,), (-1, 28, 28)), Refused("VAE", "data_shape is (-1, 28, 28)")),
    ("linear: no data", lambda: LinearVAE(0, 2), Refused("LinearVAE", "data_dim is 0")),
    ("linear: no latents", lambda: LinearVAE(4, 0), Refused("LinearVAE", "latent_dim is 0")),
    ("linear: no noise", lambda: LinearVAE(4, 2, noise_variance=0.0), Refused("LinearVAE", "noise_variance is 0.0", "above 0")),
    ("linear: noise a word", lambda: LinearVAE(4, 2, noise_variance="1"), Refused("LinearVAE", "noise_variance is '1'")),
)  # fmt: skip
def test_models(call, expected):
    try_door(call, expected)


def test_no_layers_at_all_is_a_linear_model():
    assert VAE(2, hidden=(), data_shape=SHAPE).encode(X)[0].shape == (2, 2)


def test_the_same_noise_from_a_generator_as_from_eps():
    made = model()
    eps = torch.randn(2, 2, generator=seeded(3))
    torch.testing.assert_close(made.elbo(X, generator=seeded(3)), made.elbo(X, eps=eps))
