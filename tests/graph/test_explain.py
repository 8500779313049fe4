"""What `explain` says about right samplers, wrong ones, and ones written in an unusual way."""

import random

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from vae_lab.graph import explain

MU, LOGVAR = torch.zeros(4, 2), torch.zeros(4, 2)


# -- right ones, however they are written ------------------------------------------------------------------------------


def plain(mu, logvar):
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)


def minus(mu, logvar):
    return mu - logvar.mul(0.5).exp() * torch.empty_like(mu).normal_()


def with_distribution(mu, logvar):
    return Independent(Normal(mu, (logvar / 2).exp()), 1).rsample()


def by_inverse(mu, logvar):
    u = torch.rand(mu.shape).clamp(1e-6, 1 - 1e-6)
    return Normal(mu, (logvar / 2).exp()).icdf(u)


def row_by_row(mu, logvar):
    rows = []
    for m, lv in zip(mu, logvar, strict=True):
        rows.append(torch.addcmul(m, torch.exp(lv / 2), torch.randn(m.shape)))
    return torch.stack(rows)


def in_place(mu, logvar):
    z = torch.randn_like(mu)
    z *= torch.exp(logvar / 2)
    z += mu
    return z


def noise_from_numpy(mu, logvar):
    return mu + torch.exp(logvar / 2) * torch.from_numpy(np.random.randn(*mu.shape)).float()


def custom_gradient(mu, logvar):
    class Shift(torch.autograd.Function):
        @staticmethod
        def forward(ctx, m, s, e):
            ctx.save_for_backward(e)
            return m + s * e

        @staticmethod
        def backward(ctx, g):
            (e,) = ctx.saved_tensors
            return g, g * e, None

    return Shift.apply(mu, torch.exp(logvar / 2), torch.randn_like(mu))


@pytest.mark.parametrize(
    "f",
    [plain, minus, with_distribution, by_inverse, row_by_row, in_place, noise_from_numpy, custom_gradient],
    ids=lambda f: f.__name__,
)
def test_right_answers(f) -> None:
    report = explain(f, MU, LOGVAR)
    assert report.reached == ["mu", "logvar"]
    assert report.lost == []
    assert report.sentences == [f"The gradient of the result of {f.__name__} reaches mu and logvar."]


# -- wrong ones, and what must be said about them --------------------------------------------------------------------


def torch_normal(mu, logvar):
    std = torch.exp(logvar / 2)
    return torch.normal(mu, std)


def sample(mu, logvar):
    return Normal(mu, torch.exp(logvar / 2)).sample()


def detached_spread(mu, logvar):
    return mu + torch.exp(logvar / 2).detach() * torch.randn_like(mu)


def under_no_grad(mu, logvar):
    with torch.no_grad():
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


@torch.inference_mode()
def in_inference_mode(mu, logvar):
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


def numpy_draw(mu, logvar):
    z = np.random.normal(mu.detach().numpy(), np.exp(logvar.detach().numpy() / 2))
    return torch.tensor(z)


def python_numbers(mu, logvar):
    z = [random.gauss(m.item(), 1.0 + v.item()) for m, v in zip(mu.flatten(), logvar.flatten(), strict=True)]
    return torch.tensor(z).reshape(mu.shape)


def copied(mu, logvar):
    return torch.tensor(mu.tolist()) + torch.exp(logvar / 2) * torch.randn_like(mu)


def through_data(mu, logvar):
    return mu + torch.exp(logvar.data / 2) * torch.randn_like(mu)


def rewrapped(mu, logvar):
    return torch.nn.Parameter(mu + torch.exp(logvar / 2) * torch.randn_like(mu))


@pytest.mark.parametrize(
    ("f", "lost", "says"),
    [
        (torch_normal, ["mu", "logvar"], r"exactly zero at torch.normal \(line \d+: return torch.normal\(mu, std\)\)"),
        (sample, ["mu", "logvar"], r"is cut at Normal.sample \(line \d+: .*\): it draws at random"),
        (detached_spread, ["logvar"], r"to logvar the gradient is cut at detach \(line \d+"),
        (under_no_grad, ["mu", "logvar"], r"while gradients were switched off \(no_grad"),
        (in_inference_mode, ["mu", "logvar"], r"while gradients were switched off \(no_grad"),
        (numpy_draw, ["mu", "logvar"], r"cut at numpy\(\) \(line \d+: z = np.random.normal.*left torch by numpy\(\)"),
        (python_numbers, ["mu", "logvar"], r"cut at item\(\) .*plain numbers, which carry no history"),
        (copied, ["mu"], r"cut at tolist\(\)"),
        (through_data, ["logvar"], r"cut at data \(line \d+"),
        (rewrapped, ["mu", "logvar"], r"is cut|depends on none of the inputs"),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)  # fmt: skip
def test_wrong_answers(f, lost: list[str], says: str) -> None:
    import re

    report = explain(f, MU + 0.3, LOGVAR + 0.2)
    assert report.lost == lost
    assert set(report.reached) == {"mu", "logvar"} - set(lost)
    assert re.search(says, str(report)), str(report)
    for name in lost:
        assert f"a nudge of {name} does change the result: its gradient is lost." in str(report)


def forgets_logvar(mu, logvar):
    return mu + torch.randn_like(mu)


def rounds(mu, logvar):
    return torch.round(mu + torch.exp(logvar / 2) * torch.randn_like(mu))


def dead(mu, logvar):
    return torch.relu(mu - 100) + torch.exp(logvar / 2) * torch.randn_like(mu)


def test_an_input_that_is_not_used_is_not_called_lost() -> None:
    report = explain(forgets_logvar, MU, LOGVAR)
    assert (report.reached, report.lost) == (["mu"], [])
    assert "A nudge of logvar does not change the result at all: there is no gradient to lose." in report.sentences


def test_flat_everywhere_is_told_from_flat_here() -> None:
    assert "becomes exactly zero at torch.round" in str(explain(rounds, MU, LOGVAR))
    assert "it is flat: a small change" in str(explain(rounds, MU, LOGVAR))
    assert "its slope is zero at this point, while other values would let the gradient pass" in str(
        explain(dead, MU, LOGVAR)
    )


def test_several_results_modules_and_other_arguments() -> None:
    encoder = nn.Linear(3, 4)

    def step(encoder: nn.Module, x: Tensor, scale: float, *, temperature: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = encoder(x).chunk(2, -1)
        return mu * scale / temperature, torch.normal(mu, logvar.exp())

    before = [p.clone() for p in encoder.parameters()]
    report = explain(step, encoder, torch.rand(5, 3), 2.0, temperature=torch.tensor(0.5))
    assert report.reached == ["encoder", "x", "temperature"]
    assert any(s.startswith("The gradient of result 1 of step reaches") for s in report.sentences)
    assert any(s.startswith("The gradient of result 2 of step reaches none of its inputs") for s in report.sentences)
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(encoder.parameters(), before, strict=True))


def test_a_module_as_the_function() -> None:
    report = explain(nn.Linear(3, 2), torch.rand(4, 3))
    assert report.reached == ["input"]
    assert "weight" in str(report)


def test_nothing_to_explain() -> None:
    with pytest.raises(TypeError, match="none of the inputs is a floating-point tensor or a module"):
        explain(lambda i: i + 1, torch.tensor([1, 2]))
    report = explain(lambda mu: mu > 0, MU)
    assert "gives back tensors of torch.bool; only a floating-point tensor can hand a gradient" in str(report)
    assert "gives back a ndarray" in str(explain(lambda mu: mu.detach().numpy(), MU))
    assert "gives back a NoneType" in str(explain(lambda mu: None, MU))


def test_random_streams_and_inputs_are_untouched() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    mu = torch.zeros(4, 2, requires_grad=True)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    explain(numpy_draw, mu, LOGVAR)
    explain(python_numbers, mu, LOGVAR)
    explain(torch_normal, mu, LOGVAR)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    assert mu.grad is None
    assert not mu.any()


def test_the_report_shows_itself() -> None:
    html = explain(sample, MU, LOGVAR)._repr_html_()
    assert html.startswith("<ul><li>The gradient of the result of sample")
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="vae-graph"' in html


# -- gradients that are there, and of no use -------------------------------------------------------------------------


def own_backward(gives):
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return gives(g)

    def doubled(mu):
        return Doubled.apply(mu)

    return doubled


@pytest.mark.parametrize(("gives", "said"), [(torch.zeros_like, "exactly zero"), (lambda g: None, "None")])
def test_a_backward_of_ones_own_is_named_as_the_cause(gives, said) -> None:
    report = explain(own_backward(gives), MU)
    assert report.lost == ["mu"]
    assert f"the backward written for it gives {said}" in str(report)


def test_a_constant_of_a_smooth_draw_is_not_said_to_be_a_draw_that_hands_on_zeros() -> None:
    def shares_of_one(mu):
        return torch.distributions.Dirichlet(mu.exp()).rsample().sum()

    report = explain(shares_of_one, MU)
    assert report.reached == []
    assert "its slope is zero at this point" in str(report)
    assert "without an error" not in str(report)


def test_a_gradient_that_is_not_finite_is_reported_where_it_arises() -> None:
    def spread(mu):
        variance = (mu - mu).square()
        sigma = variance.sqrt()  # slope 1 / (2 * 0)
        return (mu + sigma).sum()

    report = explain(spread, MU)
    said = [s for s in report.sentences if "stops being finite" in s]
    assert len(said) == 1
    assert "variance.sqrt()" in said[0]
