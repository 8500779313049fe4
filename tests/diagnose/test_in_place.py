"""Models that write into tensors: what a tensor was before, and what it is after, are two values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from diagnose.patients import flat
from diagnose.test_kinds import Plain
from torch import Tensor, nn
from torch.nn import functional as F

from vae_lab.diagnosis import diagnose
from vae_lab.diagnosis.watch import Watch


def by_setitem(mu: Tensor, logvar: Tensor) -> Tensor:
    z = torch.empty_like(mu)
    z[:] = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    return z


def by_augmented(mu: Tensor, logvar: Tensor) -> Tensor:
    eps = torch.randn_like(mu)
    eps *= torch.exp(logvar / 2)
    eps += mu
    return eps


def by_out(mu: Tensor, logvar: Tensor) -> Tensor:
    eps = torch.empty_like(mu)
    torch.randn(mu.shape, out=eps)
    return mu + torch.exp(logvar / 2) * eps


# the code of PyTorch's first example of a VAE, and of its heirs
DRAWS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "exp_": lambda mu, logvar: torch.randn_like(mu).mul(logvar.mul(0.5).exp_()).add_(mu),
    "exp_ first": lambda mu, logvar: logvar.mul(0.5).exp_().mul(torch.randn_like(mu)).add_(mu),
    "normal_": lambda mu, logvar: torch.empty_like(mu).normal_().mul(logvar.mul(0.5).exp_()).add_(mu),
    "mul_": lambda mu, logvar: torch.randn_like(mu).mul_(torch.exp(logvar / 2)).add_(mu),
    "addcmul of exp_": lambda mu, logvar: torch.addcmul(mu, torch.randn_like(mu), (logvar / 2).exp_()),
    "addcmul_": lambda mu, logvar: mu.clone().addcmul_(torch.randn_like(mu), torch.exp(logvar / 2)),
    "setitem": by_setitem,
    "*= and +=": by_augmented,
    "out=": by_out,
}


@pytest.mark.parametrize("form", DRAWS)
def test_a_sound_draw_in_place_is_sound(form: str) -> None:
    torch.manual_seed(0)
    said = diagnose(Plain(draw=DRAWS[form]), flat())
    assert not said.findings, said
    assert said.examined[:2] == [
        "noise is drawn, and the gradient passes the draw",
        "the KL is that of the mean and spread that z really has",
    ]


@pytest.mark.parametrize("form", ["mul(2).exp_()", "exp_()", "mul(0.5).exp_() of ReLU in place"])
def test_a_wrong_spread_in_place_is_named(form: str) -> None:
    spreads = {
        "mul(2).exp_()": lambda logvar: logvar.mul(2).exp_(),
        "exp_()": lambda logvar: logvar.clone().exp_(),
        "mul(0.5).exp_() of ReLU in place": lambda logvar: F.relu(logvar, inplace=True).mul(0.5).exp_(),
    }
    torch.manual_seed(0)
    model = Plain(
        answers=lambda out: (out[:, :4], out[:, 4:]),
        draw=lambda mu, logvar: torch.randn_like(mu).mul(spreads[form](logvar)).add_(mu),
    )
    said = diagnose(model, flat())
    assert said.names == ["one_sided_logvar" if "ReLU" in form else "spread"], said


def test_what_a_tensor_was_stands_in_the_calls_before() -> None:
    a = torch.tensor([1.0, 2.0], requires_grad=True)
    with Watch() as watch:
        b = a * 3
        b.add_(1)
        b[0] = -7
        F.relu(b, inplace=True)
        (b * 2).sum()
    made = [call.outputs[0] for call in watch.calls]
    assert [call.name for call in watch.calls] == ["mul", "add_", "__setitem__", "relu", "mul", "sum"]
    assert [t.tolist() for t in made[:5]] == [[3, 6], [4, 7], [-7, 7], [0, 7], [0, 14]]
    assert all(later.inputs[0] is earlier for later, earlier in zip(watch.calls[1:5], made, strict=False))
    assert watch.after([made[0]]) >= {id(t) for t in made}
    assert id(made[0]) not in watch.after([made[1]])
    (slope,) = torch.autograd.grad(made[5], made[0], retain_graph=True)
    assert slope.tolist() == [0, 2]  # b[0] is overwritten
    assert torch.autograd.grad(made[5], a)[0].tolist() == [0, 6]


def test_numbers_put_in_at_a_call_in_place_reach_who_holds_the_tensor() -> None:
    a = torch.ones(2)
    with Watch({(1, 0): lambda t: torch.full_like(t, 5.0)}):
        b = a * 3
        b.add_(1)  # what it returns is not looked at
    assert b.tolist() == [5, 5]


def test_the_model_computes_what_it_computes_alone() -> None:
    layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2), nn.Dropout(0.0, inplace=True))
    x = torch.randn(5, 3)
    layers(x).square().sum().backward()
    alone = [p.grad.clone() for p in layers.parameters() if p.grad is not None]
    layers.zero_grad()
    with Watch():
        layers(x).square().sum().backward()
    for p, wanted in zip(layers.parameters(), alone, strict=True):
        torch.testing.assert_close(p.grad, wanted, rtol=0, atol=0)
