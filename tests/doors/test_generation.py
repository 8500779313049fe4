"""Doors of generation: what a decoder's output means, and which images and models are taken."""

import math

import torch
from doors.tried import Refused, seeded, table, try_door
from torch import nn

from vae_lab import (
    VAE,
    LinearVAE,
    code,
    from_prior,
    interpolate,
    latent_grid,
    recognisability,
    reconstruct,
)
from vae_lab.data import Images
from vae_lab.generation import pictures_at

SHAPE = (1, 2, 2)
BYTES = torch.tensor([[0, 255, 64, 128], [255, 0, 128, 7], [9, 8, 7, 250]], dtype=torch.uint8).reshape(3, *SHAPE)
X = BYTES / 255
A, B = X[0], X[1]


def vae(kind=VAE):
    torch.manual_seed(0)
    return kind(2, hidden=(5,), data_shape=SHAPE)


def linear():
    torch.manual_seed(0)
    return LinearVAE(4, 2)


class Convolutional(VAE):
    """Its decoder takes [B, D] and nothing else."""

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)
        self.own = nn.Sequential(nn.Unflatten(1, (2, 1, 1)), nn.ConvTranspose2d(2, 1, 2))

    def decode(self, z):
        return self.own(z)


class Gaussian(VAE):
    """A Gaussian decoder: what it decodes is a mean."""

    likelihood = "gaussian"


class Probabilities(VAE):
    """Its decoder ends in a sigmoid."""

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=(8, 8))

    def decode(self, z):
        return torch.sigmoid(super().decode(z))


SQUARES = torch.rand(2, 8, 8, generator=seeded())
PICTURE_DOORS = {
    "from_prior": lambda m: from_prior(m, 2),
    "latent_grid": lambda m: latent_grid(m, 2),
    "pictures_at": lambda m: pictures_at(m, torch.zeros(2, 2)),
    "reconstruct": lambda m: reconstruct(m, SQUARES),
    "interpolate": lambda m: interpolate(m, *SQUARES),
    "Probabilities": lambda m: m.elbo(SQUARES),
}


class Shapeless(nn.Module):
    """Nothing but what is documented."""

    latent_dim = 2

    def encode(self, x):
        return x.flatten(1)[:, :2]

    def decode(self, z):
        return torch.cat([z, z], -1)


class OneForAll(Shapeless):
    def decode(self, z):
        return torch.zeros(4)


class OneNumber(Shapeless):
    def decode(self, z):
        return torch.zeros(len(z), 4)


def convolutional():
    torch.manual_seed(0)
    return Convolutional()


def z_of(model, x=X):
    return model.encode(x)[0]


BAD_X = {
    "a list": (X.tolist(), ("is a list",)),
    "whole numbers": (BYTES.long(), ("dtype torch.int64",)),
    "another size": (torch.zeros(3, 1, 3, 3), ("(3, 1, 3, 3)",)),
    "NaN": (X * math.nan, ("not finite",)),
    "0 to 255": (BYTES.float(), ("/ 255",)),
    "-1 to 1": (2 * X - 1, ("(x + 1) / 2",)),
}
BAD_MODELS = {
    "a class": (VAE, ("class VAE", "VAE()")),
    "a tensor": (X, ("Tensor",)),
    "a plain network": (nn.Linear(4, 2), ("Linear", "has no `")),
}
MODEL_DOORS = {
    "from_prior": lambda m: from_prior(m, 2),
    "latent_grid": lambda m: latent_grid(m, 2),
    "reconstruct": lambda m: reconstruct(m, X),
    "interpolate": lambda m: interpolate(m, A, B),
}


@table(
    *((f"{door}: {what}", lambda door=door, m=m: MODEL_DOORS[door](m), Refused(door, *words))
      for door in MODEL_DOORS for what, (m, words) in BAD_MODELS.items()),
    *((f"{door}: one picture for all z", lambda door=door: MODEL_DOORS[door](OneForAll()), Refused(door, "decode", "(4,)")) for door in MODEL_DOORS),
    *((f"{door}: probabilities for logits", lambda door=door: PICTURE_DOORS[door](Probabilities()), Refused(door, "look like probabilities", "wanted logits"))
      for door in PICTURE_DOORS),
    ("untrained logits are no probabilities", lambda: from_prior(VAE(2, hidden=(5,), data_shape=(8, 8)), 2).shape, lambda: torch.Size([2, 8, 8])),
    ("one number for all pixels is none", lambda: pictures_at(OneNumber(), torch.zeros(99, 2)), lambda: torch.full((99, 4), 0.5)),
    *((f"{door}: a double model", lambda door=door: MODEL_DOORS[door](vae().double()).dtype == torch.float64, lambda: True) for door in MODEL_DOORS),
    *((f"{door}: a half model", lambda door=door: MODEL_DOORS[door](vae().bfloat16()).dtype == torch.bfloat16, lambda: True) for door in MODEL_DOORS),
    *((f"{door}: a decoder that takes [B, D] only", lambda door=door: MODEL_DOORS[door](convolutional()).shape[-3:] == SHAPE, lambda: True) for door in MODEL_DOORS),
)  # fmt: skip
def test_models(call, expected):
    try_door(call, expected)


@table(
    ("none", lambda: from_prior(vae(), 0), lambda: torch.zeros(0, *SHAPE)),
    ("a Gaussian decoder's mean", lambda: from_prior(linear(), 3, generator=seeded()), lambda: linear().decode(torch.randn(3, 2, generator=seeded()))),
    ("a Gaussian VAE's mean", lambda: from_prior(vae(Gaussian), 3, generator=seeded()), lambda: vae(Gaussian).decode(torch.randn(3, 2, generator=seeded()))),
    ("fewer than none", lambda: from_prior(vae(), -1), Refused("from_prior", "n is -1")),
    ("half an image", lambda: from_prior(vae(), 1.5), Refused("from_prior", "n is 1.5")),
    ("a seed", lambda: from_prior(vae(), 2, generator=3), Refused("from_prior", "generator is a int")),
    ("generator elsewhere", lambda: from_prior(vae().to("meta"), 2, generator=seeded()), Refused("from_prior", "generator is on cpu")),
)  # fmt: skip
def test_from_prior(call, expected):
    try_door(call, expected)


@table(
    ("uint8", lambda: reconstruct(vae(), BYTES), lambda: reconstruct(vae(), X)),
    ("Images", lambda: reconstruct(vae(), Images(BYTES, torch.zeros(3))), lambda: reconstruct(vae(), X)),
    ("flat", lambda: reconstruct(vae(), X.flatten(1)), lambda: reconstruct(vae(), X).flatten(1)),
    ("doubles", lambda: reconstruct(vae(), X.double()), lambda: reconstruct(vae(), X)),
    ("a Gaussian decoder's mean", lambda: reconstruct(linear(), X.flatten(1)), lambda: linear().decode(z_of(linear(), X.flatten(1)))),
    ("a Gaussian VAE's mean", lambda: reconstruct(vae(Gaussian), X), lambda: vae(Gaussian).decode(z_of(vae(Gaussian)))),
    ("a code in a list", lambda: code(type("L", (Shapeless,), {"encode": lambda self, x: [x[:, 0, 0], x[:, 0, 1]]})(), X), lambda: X[:, 0, 0]),
    ("uint8 for a code", lambda: code(vae(), BYTES), lambda: z_of(vae())),
    *((f"reconstruct: {what}", lambda x=x: reconstruct(vae(), x), Refused("reconstruct", *words)) for what, (x, words) in BAD_X.items()),
    *((f"code: {what}", lambda x=x: code(vae(), x), Refused("code", *words)) for what, (x, words) in BAD_X.items()),
    ("a code of three parts", lambda: code(type("T", (Shapeless,), {"encode": lambda self, x: (x, x, x)})(), X), Refused("code", "encode", "3")),
    ("a distribution for a code", lambda: code(type("D", (Shapeless,), {"encode": lambda self, x: torch.distributions.Normal(x, 1.0)})(), X), Refused("code", "encode", "Normal")),
    ("a code for the batch", lambda: code(type("M", (Shapeless,), {"encode": lambda self, x: x.mean(0)})(), X), Refused("code", "encode", "(1, 2, 2)")),
    ("no encode", lambda: code(nn.Linear(4, 2), X), Refused("code", "Linear", "encode")),
)  # fmt: skip
def test_reconstruct_and_code(call, expected):
    try_door(call, expected)


@table(
    ("uint8", lambda: interpolate(vae(), BYTES[0], BYTES[1], 3), lambda: interpolate(vae(), A, B, 3)),
    ("flat", lambda: interpolate(vae(), A.flatten(), B.flatten()[None], 3), lambda: interpolate(vae(), A, B, 3)),
    ("without the axis of one", lambda: interpolate(vae(), A[0], B[0], 3), lambda: interpolate(vae(), A, B, 3)),
    ("two floats", lambda: interpolate(vae(), A.double(), B, 3), lambda: interpolate(vae(), A, B, 3)),
    ("a Gaussian decoder's means", lambda: interpolate(linear(), A.flatten(), B.flatten(), 2), lambda: linear().decode(z_of(linear(), X[:2].flatten(1)))),
    ("a model without a shape", lambda: interpolate(Shapeless(), A, B, 2)[:, :2].sigmoid().shape == (2, 2), lambda: True),
    ("one step", lambda: interpolate(vae(), A, B, 1), Refused("interpolate", "steps is 1")),
    ("half a step", lambda: interpolate(vae(), A, B, 2.5), Refused("interpolate", "steps is 2.5")),
    ("two images", lambda: interpolate(vae(), X[:2], B), Refused("interpolate", "a has shape (2, 1, 2, 2)")),
    ("another size", lambda: interpolate(vae(), A, torch.zeros(1, 3, 3)), Refused("interpolate", "b has shape (1, 3, 3)")),
    ("a list", lambda: interpolate(vae(), A.tolist(), B), Refused("interpolate", "a is a list")),
    ("0 to 255", lambda: interpolate(vae(), A, 255 * B), Refused("interpolate", "b", "/ 255")),
    ("-1 to 1", lambda: interpolate(vae(), 2 * A - 1, B), Refused("interpolate", "a", "(x + 1) / 2")),
    ("NaN", lambda: interpolate(vae(), A, B * math.nan), Refused("interpolate", "b", "not finite")),
)  # fmt: skip
def test_interpolate(call, expected):
    try_door(call, expected)


@table(
    ("one cell", lambda: latent_grid(vae(), 1), lambda: vae().decode(torch.zeros(1, 1, 2)).sigmoid().detach()),
    ("a Gaussian decoder's mean", lambda: latent_grid(linear(), 1), lambda: linear().decode(torch.zeros(1, 1, 2)).detach()),
    ("no side", lambda: latent_grid(vae(), 0), Refused("latent_grid", "side is 0")),
    ("half a side", lambda: latent_grid(vae(), 2.5), Refused("latent_grid", "side is 2.5")),
    ("no extent", lambda: latent_grid(vae(), 3, extent=0), Refused("latent_grid", "extent is 0", "above 0")),
    ("a mirror", lambda: latent_grid(vae(), 3, extent=-3.0), Refused("latent_grid", "extent is -3.0")),
    ("an endless extent", lambda: latent_grid(vae(), 3, extent=math.inf), Refused("latent_grid", "extent is inf")),
    ("two extents", lambda: latent_grid(vae(), 3, extent=(-3, 3)), Refused("latent_grid", "extent is (-3, 3)")),
    ("three latents", lambda: latent_grid(VAE(3, hidden=(4,)), 3), Refused("latent_grid", "3 latent dimensions")),
)  # fmt: skip
def test_latent_grid(call, expected):
    try_door(call, expected)


LOGITS = torch.tensor([[0.0, 0.0], [9.0, 0.0], [1.0, 3.0]])


@table(
    ("uint8", lambda: recognisability(BYTES, lambda x: 9 * x.flatten(1)), lambda: recognisability(X, lambda x: 9 * x.flatten(1))),
    ("as documented", lambda: recognisability(X, lambda x: LOGITS), lambda: LOGITS.softmax(1).max(1).values),
    ("log-probabilities", lambda: recognisability(X, lambda x: LOGITS.log_softmax(1)), lambda: LOGITS.softmax(1).max(1).values),
    ("probabilities", lambda: recognisability(X, lambda x: LOGITS.softmax(1)), Refused("recognisability", "probabilities", "logits")),
    ("labels", lambda: recognisability(X, lambda x: LOGITS.argmax(1)), Refused("recognisability", "returned (3,)")),
    ("a column of labels", lambda: recognisability(X, lambda x: LOGITS.argmax(1)[:, None]), Refused("recognisability", "dtype torch.int64")),
    ("one row", lambda: recognisability(X, lambda x: LOGITS[:1]), Refused("recognisability", "returned (1, 2)")),
    ("a list", lambda: recognisability(X, lambda x: LOGITS.tolist()), Refused("recognisability", "returned a list")),
    ("no function", lambda: recognisability(X, LOGITS), Refused("recognisability", "classify is a Tensor")),
    *((f"images: {what}", lambda x=x: recognisability(x, lambda x: LOGITS), Refused("recognisability", *words))
      for what, (x, words) in BAD_X.items() if what != "another size"),
)  # fmt: skip
def test_recognisability(call, expected):
    try_door(call, expected)
