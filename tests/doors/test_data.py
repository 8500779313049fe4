"""Doors of load_images and of what is shipped."""

import torch
from doors.tried import Refused, table, try_door

from vae_lab import load_images
from vae_lab.pretrained import load_autoencoder, load_classifier


@table(
    ("no such name", lambda: load_images("MNIST"), Refused("load_images", "'MNIST'", "'mnist5k'")),
    ("no name", lambda: load_images(None), Refused("load_images", "None", "'mnist5k'")),
    ("a list of names", lambda: load_images(["mnist"]), Refused("load_images", "['mnist']")),
    ("the part as a word", lambda: load_images(train="test"), Refused("load_images", "train is 'test'", "True or False")),
    ("the part as None", lambda: load_images(train=None), Refused("load_images", "train is None")),
    ("no folder", lambda: load_images("mnist", root=None, download=False), Refused("load_images", "root is None")),
    ("download as a word", lambda: load_images("mnist", download="no"), Refused("load_images", "download is 'no'")),
    ("a classifier on no device", lambda: load_classifier("gpu"), Refused("load_classifier", "device is 'gpu'")),
    ("an autoencoder on no device", lambda: load_autoencoder("gpu"), Refused("load_autoencoder", "device is 'gpu'")),
    ("a classifier of uint8", lambda: load_classifier()(load_images(train=False).images[:3]),
     lambda: load_classifier()(load_images(train=False).images[:3] / 255)),
    ("a classifier of -1 to 1", lambda: load_classifier()(torch.linspace(-1, 1, 784)[None]), Refused("Classifier.forward", "(x + 1) / 2")),
    ("a classifier of another size", lambda: load_classifier()(torch.zeros(3, 30, 30)), Refused("Classifier.forward", "(3, 30, 30)")),
)  # fmt: skip
def test_data(call, expected):
    try_door(call, expected)
