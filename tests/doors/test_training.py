"""Doors of fit: what it takes as model, images and settings, and how it leaves the model."""

import math

import pytest
import torch
from doors.tried import Refused, table, try_door
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from vae_lab import VAE, Autoencoder, LinearVAE, LossTerms, fit
from vae_lab.data import Images

SHAPE = (1, 2, 2)
BYTES = torch.tensor([[0, 255, 64, 128], [255, 0, 128, 7], [9, 8, 7, 250]], dtype=torch.uint8).reshape(3, *SHAPE)
X = BYTES / 255


def vae(kind=VAE):
    torch.manual_seed(0)
    return kind(2, hidden=(5,), data_shape=SHAPE)


def run(model=None, images=X, **options):
    return fit(vae() if model is None else model, images, **{"epochs": 2, "batch_size": 2, "progress": False} | options)


def losses(*arguments, **options):
    return torch.tensor(run(*arguments, **options).loss, dtype=torch.float64)


class Own(nn.Module):
    """A model of one's own, with nothing but what is documented: parameters and loss_terms."""

    def __init__(self, terms=None):
        super().__init__()
        self.inner, self.terms = vae(), terms

    def loss_terms(self, x, *, eps=None, generator=None):
        found = self.inner.loss_terms(x, eps=eps, generator=generator)
        return found if self.terms is None else self.terms(*found)


class NoTerms(nn.Linear):
    pass


class NoNoise(Own):
    def loss_terms(self, x):
        return self.inner.loss_terms(x)


class NoWeights(nn.Module):
    def loss_terms(self, x, *, eps=None, generator=None):
        return LossTerms(x.sum(1), x.sum(1))


def same():
    return losses()


def terms(function, *words):
    return lambda: run(Own(function)), Refused("fit", "loss_terms", *words)


@table(
    ("uint8", lambda: losses(images=BYTES), same),
    ("Images", lambda: losses(images=Images(BYTES, torch.zeros(3))), same),
    ("doubles", lambda: losses(images=X.double()), same),
    ("flat", lambda: losses(images=X.flatten(1)), same),
    ("no axis of one", lambda: losses(images=X[:, 0]), same),
    ("not contiguous", lambda: losses(images=X.transpose(2, 3).contiguous().transpose(2, 3)), same),
    ("images with a gradient", lambda: losses(images=X.clone().requires_grad_()), same),
    ("in no_grad", lambda: torch.no_grad()(losses)(), same),
    ("a model of one's own", lambda: losses(Own()), same),
    ("terms in a plain pair", lambda: losses(Own(lambda a, b: (a, b))), same),
    ("a batch larger than the data", lambda: losses(batch_size=100).shape == (2,), lambda: True),
    ("no epochs", lambda: losses(epochs=0), lambda: torch.zeros(0, dtype=torch.float64)),
    ("a linear VAE of any real x", lambda: losses(LinearVAE(4, 2), 9 * X.flatten(1) - 4).shape == (2,), lambda: True),
    ("a linear VAE of images", lambda: losses(LinearVAE(4, 2), BYTES).shape == (2,), lambda: True),
    ("beta as a function", lambda: losses(beta=lambda epoch: 1.0), same),
    ("a loader", lambda: run(images=DataLoader(TensorDataset(X))), Refused("fit", "DataLoader", "one tensor", "torch.stack")),
    ("a data set", lambda: run(images=TensorDataset(X)), Refused("fit", "TensorDataset", "one tensor", ".tensors[0]")),
    ("a list", lambda: run(images=list(X)), Refused("fit", "images is a list", "torch.stack")),
    ("an array", lambda: run(images=X.numpy()), Refused("fit", "images is a ndarray", "torch.from_numpy")),
    ("whole numbers", lambda: run(images=BYTES.long()), Refused("fit", "dtype torch.int64")),
    ("bits in bytes", lambda: run(images=(X > 0.5).to(torch.uint8)), Refused("fit", "0 and 1", ".float()")),
    ("another size", lambda: run(images=torch.zeros(3, 1, 3, 3)), Refused("fit", "(3, 1, 3, 3)", "[B, 1, 2, 2]")),
    ("no images", lambda: run(images=X[:0]), Refused("fit", "(0, 1, 2, 2)")),
    ("-1 to 1", lambda: run(images=2 * X - 1), Refused("fit", "(x + 1) / 2")),
    ("-1 to 1 for a model of one's own", lambda: run(Own(), 2 * X - 1), Refused("fit", "(x + 1) / 2", "likelihood = 'gaussian'")),
    ("NaN", lambda: run(images=X * math.nan), Refused("fit", "not finite")),
    ("NaN for a linear VAE", lambda: run(LinearVAE(4, 2), X.flatten(1) * math.nan), Refused("fit", "not finite")),
    ("draws from what is no probability", lambda: run(LinearVAE(4, 2), 9 * X.flatten(1), binarize=True), Refused("fit", "binarize", "[0, 1]")),
    ("a class", lambda: run(VAE), Refused("fit", "class VAE", "VAE()")),
    ("no module", lambda: run(lambda x: x), Refused("fit", "model is a function", "torch.nn.Module")),
    ("no loss_terms", lambda: run(NoTerms(4, 4)), Refused("fit", "NoTerms", "loss_terms")),
    ("no noise", lambda: run(NoNoise()), Refused("fit", "loss_terms", "generator")),
    ("no weights", lambda: run(NoWeights()), Refused("fit", "NoWeights", "no parameter")),
    ("frozen", lambda: run(vae().requires_grad_(False)), Refused("fit", "VAE", "no parameter", "requires_grad")),
    ("one term", *terms(lambda a, b: a + b, "Tensor", "(reconstruction, kl)")),
    ("three terms", *terms(lambda a, b: (a, b, a), "3")),
    ("means", *terms(lambda a, b: (a.mean(), b.mean()), "shape ()", "[B]")),
    ("columns", *terms(lambda a, b: (a[:, None], b), "(2, 1)")),
    ("one kl for all", *terms(lambda a, b: (a, b.mean()), "kl has shape ()")),
    ("floats", *terms(lambda a, b: (a, 0.0), "kl is a float")),
    ("without a gradient", *terms(lambda a, b: (a.detach(), b.detach()), "no gradient")),
    ("epochs below 0", lambda: run(epochs=-1), Refused("fit", "epochs=-1")),
    ("half an epoch", lambda: run(epochs=1.5), Refused("fit", "epochs is 1.5")),
    ("batch 0", lambda: run(batch_size=0), Refused("fit", "batch_size=0")),
    ("batch a word", lambda: run(batch_size="all"), Refused("fit", "batch_size is 'all'")),
    ("no learning", lambda: run(learning_rate=0), Refused("fit", "learning_rate=0")),
    ("endless learning", lambda: run(learning_rate=math.inf), Refused("fit", "learning_rate=inf")),
    ("learning a word", lambda: run(learning_rate="1e-3"), Refused("fit", "learning_rate is '1e-3'")),
    ("beta below 0", lambda: run(beta=-1), Refused("fit", "beta=-1")),
    ("beta NaN", lambda: run(beta=math.nan), Refused("fit", "beta=nan")),
    ("beta None", lambda: run(beta=None), Refused("fit", "beta is None", "function")),
    ("beta a list", lambda: run(beta=[0.0, 1.0]), Refused("fit", "beta is [0.0, 1.0]", "function")),
    ("beta that gives a word", lambda: run(beta=lambda epoch: "1"), Refused("fit", "beta(0) is '1'")),
    ("beta that falls below 0", lambda: run(beta=lambda epoch: -epoch), Refused("fit", "beta(1) is -1")),
    ("binarize a word", lambda: run(binarize="no"), Refused("fit", "binarize is 'no'", "True or False")),
    ("a seed of words", lambda: run(seed="0"), Refused("fit", "seed is '0'")),
    ("no seed", lambda: run(seed=None), Refused("fit", "seed is None")),
    ("a device of no kind", lambda: run(device="gpu"), Refused("fit", "device is 'gpu'")),
    ("a device as a number", lambda: run(device=1.5), Refused("fit", "device is 1.5")),
)  # fmt: skip
def test_fit(call, expected):
    try_door(call, expected)


def test_a_double_model_trains_in_doubles():
    model = vae().double()
    torch.testing.assert_close(losses(model), same(), rtol=1e-4, atol=0)
    assert {p.dtype for p in model.parameters()} == {torch.float64}


def test_nothing_has_changed_where_fit_refuses():
    model = vae().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="beta"):
        run(model, beta=-1)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not model.training


class Dropping(VAE):
    """Counts how often it is used in which mode."""

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)
        self.modes, self.inner = [], nn.Dropout(0.5)

    def loss_terms(self, x, **noise):
        self.modes.append((self.training, self.inner.training))
        return super().loss_terms(x, **noise)


def test_it_trains_in_training_mode_and_puts_each_part_back():
    model = Dropping().eval()
    model.encoder.train()
    run(model)
    assert set(model.modes) == {(True, True)}
    assert not model.training
    assert not model.inner.training
    assert model.encoder.training


def test_the_mode_is_put_back_when_training_fails():
    model = vae().eval()
    with pytest.raises(FloatingPointError):
        run(model, learning_rate=1e30, epochs=50)
    assert not model.training


def test_a_warm_up_is_weighed_epoch_by_epoch():
    asked = []

    def warm_up(epoch):
        asked.append(epoch)
        return min(1.0, epoch / 2)

    history = run(epochs=4, beta=warm_up)
    assert asked == [0, 1, 2, 3]
    assert history.beta == [0.0, 0.5, 1.0, 1.0]
    weighed = [r + b * k for r, b, k in zip(history.reconstruction, history.beta, history.kl, strict=True)]
    assert history.loss == pytest.approx(weighed)


def test_a_warm_up_steers_the_steps_themselves():
    """The first epoch is that of beta 0, and the second goes on from there with beta 1."""
    switched, zero = vae(), vae()
    history = run(switched, beta=lambda epoch: float(epoch > 0), epochs=1)
    none = run(zero, beta=0.0, epochs=1)
    assert history.loss == none.loss
    for one, other in zip(switched.parameters(), zero.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    run(switched, beta=lambda epoch: 1.0, epochs=1)
    run(zero, beta=0.0, epochs=1)
    assert not torch.allclose(switched.encoder[-1].bias, zero.encoder[-1].bias)


def test_an_autoencoder_needs_no_word_about_its_likelihood():
    assert len(run(vae(Autoencoder)).loss) == 2
