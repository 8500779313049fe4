"""Recording leaves no trace: results, gradients, random streams, hooks and torch's modes are as without it."""

import copy
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from vae_lab.graph import record


class SmallVAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 6))
        self.decode = nn.Sequential(nn.Linear(3, 8), nn.ReLU(inplace=True), nn.Linear(8, 12))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mu, logvar = self.encode(x).chunk(2, -1)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return self.decode(z), mu, logvar


def train(model: SmallVAE, steps: int, recorded: bool) -> list[float]:
    torch.manual_seed(5)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(steps):
        x = torch.rand(7, 12)

        def step(x: Tensor = x) -> Tensor:
            optimizer.zero_grad()
            logits, mu, logvar = model(x)
            kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum()
            loss = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + kl
            loss.backward()
            optimizer.step()
            return loss

        if recorded:
            with record(x=x, model=model) as graph:
                loss = step()
            assert graph.reaches(loss) >= {"model", "logits"}
        else:
            loss = step()
        losses.append(loss.item())
    return losses


def test_a_recorded_training_run_is_bit_for_bit_the_same() -> None:
    torch.manual_seed(0)
    plain = SmallVAE()
    watched = copy.deepcopy(plain)
    assert train(plain, 4, recorded=False) == train(watched, 4, recorded=True)
    for mine, theirs in zip(plain.state_dict().values(), watched.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs)


def test_random_streams_stay_where_they_are() -> None:
    a = torch.ones(4, requires_grad=True)
    own = torch.Generator().manual_seed(1)
    states = []
    for watched in (False, True):
        torch.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        own.manual_seed(1)

        def draw() -> Tensor:
            noise = torch.randn(4, generator=own) + F.dropout(a, 0.5)
            return torch.normal(a, 1.0).sum() + noise.sum()

        if watched:
            with record(a=a) as graph:
                out = draw()
            graph.to_svg(out)
            graph.describe(out)
        else:
            out = draw()
        numpy_state = np.random.get_state()[1].tolist()
        states.append(
            (out.item(), torch.get_rng_state().tolist(), own.get_state().tolist(), numpy_state, random.random())
        )
    assert states[0] == states[1]


def test_nothing_outlives_the_block_not_even_after_an_error() -> None:
    def modes() -> tuple[int, int]:
        return len(_get_current_function_mode_stack()), len(_get_current_dispatch_mode_stack())

    before = modes(), torch.normal, Tensor.detach, nn.Module.__call__
    with record(a=torch.ones(2)):
        assert modes() != before[0]
    with pytest.raises(ZeroDivisionError), record(a=torch.ones(2)):
        1 / 0  # noqa: B018
    assert (modes(), torch.normal, Tensor.detach, nn.Module.__call__) == before


def test_measuring_touches_no_grad_and_runs_no_hook() -> None:
    a = torch.ones(3, requires_grad=True)
    calls = []
    a.register_hook(calls.append)
    with record(a=a) as graph:
        h = a * 2
        h.register_hook(calls.append)
        out = (h * h).sum()
    graph.gradient(out)
    said = graph.describe(out)
    assert a.grad is None
    assert calls == []
    assert "A hook on a and h may change the gradient" in said
    out.backward()
    assert len(calls) == 2


def test_two_recordings_inside_one_another_see_the_same() -> None:
    a = torch.ones(3, requires_grad=True)
    with record(a=a) as outer:
        with record(a=a) as inner:
            h = a.exp()
        out = h.sum()
    assert inner.gradient(h) == {("a", "h"): "passes"}
    assert outer.gradient(out) == {("a", "h"): "passes", ("h", "out"): "passes"}


def test_the_gradient_is_measured_before_backward_frees_it() -> None:
    a = torch.ones(3, requires_grad=True)
    with record(a=a) as graph:
        h = a * 3
        loss = (h**2).sum()
        loss.backward()
    assert graph.arriving("loss")["h"].tolist() == [6.0, 6.0, 6.0]
    assert graph.gradient("loss") == {("a", "h"): "passes", ("h", "loss"): "passes"}


def test_several_training_steps_in_one_block() -> None:
    layer = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    x = torch.rand(4, 3)
    with record(x=x, phi=layer) as graph:
        for _ in range(3):
            optimizer.zero_grad()
            loss = (layer(x) ** 2).mean()
            loss.backward()
            optimizer.step()
    assert {"loss_1", "loss_2", "loss_3"} <= set(graph.kinds())
    assert graph.picture("loss").output == graph.picture().output == "loss_3"
    assert graph.reaches("loss_1") == graph.reaches("loss") == {"phi"}


def test_values_overwritten_after_their_use_are_reported_as_autograd_reports_them() -> None:
    a = torch.ones(3, requires_grad=True)
    with record(a=a) as graph:
        h = a.exp()
        out = h.sum()
        h += 1
        out = out + h.sum()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.backward(retain_graph=True)
    assert "autograd refuses to go on: one of the variables needed" in graph.describe(out)


def test_random_programs_match_autograd() -> None:
    unary = [torch.tanh, torch.exp, torch.relu, torch.sin, torch.detach, torch.round, lambda t: t[:2].repeat(2)[:3]]
    binary = [
        torch.add,
        torch.mul,
        torch.maximum,
        lambda s, t: torch.where(s > 0, s, t),
        lambda s, t: s[:, None] @ t[None],
    ]
    for seed in range(40):
        rng = random.Random(seed)
        torch.manual_seed(seed)
        leaves = {name: torch.randn(3, dtype=torch.float64, requires_grad=True) for name in "abc"}
        with record(**leaves) as graph:
            pool = list(leaves.values())
            for _ in range(12):
                if rng.random() < 0.4:
                    pool.append(rng.choice(unary)(rng.choice(pool)))
                else:
                    new = rng.choice(binary)(rng.choice(pool), rng.choice(pool))
                    pool.append(new.mean(0) if new.dim() == 2 else new)
                if rng.random() < 0.2 and pool[-1].grad_fn is not None:
                    pool[-1] = pool[-1].clone().mul_(0.5)
            out = sum((t.sum() for t in pool[-4:]), torch.zeros((), dtype=torch.float64))
        if not out.requires_grad:
            continue
        expected = torch.autograd.grad(out, list(leaves.values()), allow_unused=True, retain_graph=True)
        got = graph.arriving(out)
        for name, gradient in zip(leaves, expected, strict=True):
            assert (name in got) == (gradient is not None), (seed, name)
            if gradient is not None:
                torch.testing.assert_close(got[name], gradient, rtol=1e-10, atol=1e-12)
