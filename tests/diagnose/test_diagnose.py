"""What `diagnose` takes, what it leaves as it was, and what only a trained model can have."""

import random
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diagnose.first_half import Convolutions, Methods, Usual, conv_loss, loss_function
from diagnose.patients import digits, flat
from torch import Tensor, nn

from vae_lab import broken, diagnose
from vae_lab.diagnosis.causes import CAUSES


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


WANTED = {
    "VAE": [], "CutSample": ["cut_sample"], "VarianceAsSpread": ["spread"], "NoNoise": ["no_noise"],
    "PixelMean": ["pixel_mean"], "NoKL": ["no_kl"], "KLSignFlipped": ["kl_sign"],
}  # fmt: skip


@pytest.mark.parametrize("kind", broken.GALLERY, ids=lambda k: k.__name__)
def test_the_gallery_of_the_course(kind) -> None:
    torch.manual_seed(0)
    assert diagnose(kind(hidden=(20,), data_shape=(1, 8, 8)), digits()).names == WANTED[kind.__name__]


def test_a_finding_says_cause_measurement_remedy_and_page() -> None:
    said = str(diagnose(Methods("pixel_mean"), digits()))
    assert said.startswith("The reconstruction error is averaged over the pixels, and the KL is not.")
    assert "Measured: the KL weighs 64 times what the ELBO gives it" in said
    assert "Remedy: Sum both terms" in said
    assert "Page: elbo" in said
    assert "<li><b>The reconstruction error" in diagnose(Methods("pixel_mean"), digits())._repr_html_()
    assert all(cause and remedy and page for cause, remedy, page in CAUSES.values())


def test_the_model_and_the_random_streams_are_as_before() -> None:
    model = Convolutions().eval()
    model.decoder[5].train()  # a mode of its own
    modes = [m.training for m in model.modules()]
    state = {k: v.clone() for k, v in model.state_dict().items()}
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)
    streams = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    from_numpy = torch.from_numpy
    x = digits()
    diagnose(model, x, loss=conv_loss)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), streams[0])
    assert (np.random.get_state()[1] == streams[1]).all()
    assert random.getstate() == streams[2]
    assert torch.equal(x, digits())
    assert torch.from_numpy is from_numpy
    assert "decode" not in vars(model)


def test_ways_to_hand_over_the_loss() -> None:
    model = Usual("decodes_mu")
    for loss in (
        loss_function,
        lambda x: loss_function(*[(o := model(x))[0], x, *o[1:]]),
        lambda model, x: loss_function(*[(o := model(x))[0], x, *o[1:]]),
        lambda x, model: loss_function(*[(o := model(x))[0], x, *o[1:]]),
        lambda outputs, target: loss_function(outputs[0], target, outputs[1], outputs[2]),
        lambda x, recon, mean, logvar: loss_function(recon, x, mean, logvar),
    ):
        assert diagnose(model, flat(), loss=loss).names == ["no_noise"]


def test_without_a_loss_the_draw_is_examined_and_the_rest_is_named() -> None:
    said = diagnose(Usual(), flat())
    assert said.names == []
    assert any("the loss: none was given" in line for line in said.not_examined)
    assert "Not examined: the loss" in str(said)


def test_bad_input() -> None:
    with pytest.raises(TypeError, match=re.escape("x is torch.uint8; a tensor of floating-point numbers is wanted")):
        diagnose(Methods(), (255 * digits()).to(torch.uint8))
    with pytest.raises(TypeError, match="x is ndarray"):
        diagnose(Methods(), digits().numpy())
    with pytest.raises(ValueError, match="at least two images"):
        diagnose(Methods(), digits()[:1])
    with pytest.raises(TypeError, match="model is None"):
        diagnose(None, digits())
    with pytest.raises(TypeError, match=re.escape("model is the class Methods; a model is wanted, e.g. Methods()")):
        diagnose(Methods, digits())
    for name in ("encode", "decode", "loss"):
        with pytest.raises(TypeError, match=f"{name} is a str; wanted a function"):
            diagnose(Methods(), digits(), **{name: "bce"})
    spoiled = digits()
    spoiled[0, 0, 0, 0] = float("nan")
    assert diagnose(Methods(), spoiled).names == ["not_finite"]
    assert diagnose(Methods().requires_grad_(False), digits()).names == ["frozen"]


def test_a_model_without_a_z_says_that_it_was_not_examined() -> None:
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.ReLU(), nn.Linear(3, 64))
    said = diagnose(plain, digits(), loss=lambda model, x: F.mse_loss(model(x), x.flatten(1)))
    assert said.findings == []
    assert "no z was found" in str(said)


def trained(model: nn.Module, beta: float = 1.0, steps: int = 400) -> nn.Module:
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        terms = model.loss_terms(digits())
        loss = (terms["reconstruction"] + beta * terms["kl"]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_trained_model_is_sound_and_a_collapsed_one_is_told(seed: int) -> None:
    torch.manual_seed(seed)
    assert diagnose(trained(Methods()), digits()).names == []
    torch.manual_seed(seed)
    assert diagnose(trained(Methods(), beta=300.0), digits()).names == ["collapse"]


def test_running_averages_that_were_never_updated() -> None:
    class Stuck(Methods):
        def __init__(self) -> None:
            super().__init__()
            self.dec = nn.Sequential(nn.Linear(3, 24), nn.BatchNorm1d(24, momentum=0.0), nn.ReLU(), nn.Linear(24, 64))

        def decode(self, z: Tensor) -> Tensor:
            return self.dec(20 * z).unflatten(-1, (1, 8, 8))

    torch.manual_seed(0)
    assert diagnose(trained(Stuck()), digits()).names == ["eval_differs"]


def test_averages_that_are_updated_are_no_mistake_though_the_two_modes_make_other_calls() -> None:
    class Normed(Methods):
        def __init__(self) -> None:
            super().__init__()
            layers = [nn.Linear(3, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 24), nn.BatchNorm1d(24), nn.ReLU()]
            self.dec = nn.Sequential(nn.BatchNorm1d(3), *layers, nn.Linear(24, 64))

    torch.manual_seed(0)
    assert diagnose(trained(Normed()), digits()).names == []
