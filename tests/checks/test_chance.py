"""What is said of a wrong answer does not hang on the numbers that were drawn: the same under every seed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import StudentT
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from vae_lab.checks import elbo, sampling
from vae_lab.checks.messages import CheckFailed

SEEDS = range(25)


def drawn(noise: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda mu, logvar: mu + torch.exp(logvar / 2) * noise(mu)


def floored(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Each KL is at least half a nat: most random ones are anyway."""
    kl = (mu.square() + logvar.exp() - 1 - logvar).sum(1) / 2
    rec = binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
    return (rec + kl.clamp(min=0.5)).mean()


def straight(logits: Tensor, x: Tensor) -> Tensor:
    """Softplus, and a line from 3 on: most random logits are below."""
    return (x * logits - torch.where(logits > 3, logits, softplus(logits))).flatten(1).sum(1)


def many_rows(f: Callable[..., Any]) -> None:
    sampling.check_reparameterize(f, batch=8400, dim=1, dtype=torch.float64, calls=2)


NAMED: dict[str, tuple[Callable[..., None], Callable[..., Any], str]] = {
    "a floor that few batches touch": (elbo.check_negative_elbo, floored, "free bits"),
    "a line in place of softplus": (elbo.check_bernoulli_log_likelihood, straight, "the values are wrong. By hand"),
    "a clamp of logvar": (
        sampling.check_reparameterize_far,
        lambda mu, logvar: mu + torch.exp(logvar.clamp(-20, 20) / 2) * torch.randn_like(mu),
        "clamping logvar",
    ),
    "noise held at three": (many_rows, drawn(lambda mu: torch.randn_like(mu).clamp(-3, 3)), "it is not normal"),
    "noise with heavy tails": (
        sampling.check_reparameterize,
        drawn(lambda mu: StudentT(5.0).sample(mu.shape).to(mu) / (5 / 3) ** 0.5),
        "it is not normal",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_mistake_is_named_under_every_seed(name: str) -> None:
    check, answer, words = NAMED[name]
    for seed in SEEDS:
        torch.manual_seed(seed)
        with pytest.raises(CheckFailed, match=words):
            check(answer)


@pytest.mark.parametrize("within", [nullcontext, torch.no_grad])
def test_one_eps_for_everything_is_charged_in_one_place_under_every_seed(within: Callable[[], Any]) -> None:
    for seed in SEEDS:
        torch.manual_seed(seed)
        with within():
            sampling.check_reparameterize_manners(drawn(lambda mu: torch.randn(()).to(mu)))
