"""The labs' checks where their tensors lie on another device: right answers pass, and none leaves a tensor behind."""

import importlib
import pkgutil
import sys

import pytest
import torch
from devices.elsewhere import THERE, gpu_that_is_not_there

import vae_lab.checks
from vae_lab.checks import elbo, sampling


def std(logvar):
    return torch.exp(logvar / 2)


def reparameterize(mu, logvar):
    return mu + std(logvar) * torch.randn_like(mu)


def many(mu, logvar, n):
    return mu + std(logvar) * torch.randn(n, *mu.shape, dtype=mu.dtype, device=mu.device)


def hand_gradients(mu, logvar, eps, upstream):
    return upstream, upstream * std(logvar) * eps / 2


def kl(mu, logvar):
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1)


def likelihood(logits, x):
    return -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def negative_elbo(logits, x, mu, logvar):
    return (kl(mu, logvar) - likelihood(logits, x)).mean()


RIGHT = {
    "std_from_logvar": (sampling.check_std_from_logvar, std),
    "reparameterize": (sampling.check_reparameterize, reparameterize),
    "reparameterize, manners": (sampling.check_reparameterize_manners, reparameterize),
    "reparameterize_many": (sampling.check_reparameterize_many, many),
    "kl_to_standard_normal": (elbo.check_kl_to_standard_normal, kl),
    "bernoulli_log_likelihood": (elbo.check_bernoulli_log_likelihood, likelihood),
    "bernoulli_log_likelihood, far": (elbo.check_far_logits, likelihood),
    "negative_elbo": (elbo.check_negative_elbo, negative_elbo),
}


@pytest.fixture(autouse=True)
def checks_work_there(monkeypatch):
    """`device()` of the checks says THERE, in each of their modules."""
    for found in pkgutil.walk_packages(vae_lab.checks.__path__, "vae_lab.checks."):
        importlib.import_module(found.name)
    for name, module in list(sys.modules.items()):
        if name.startswith("vae_lab.checks") and callable(getattr(module, "device", None)):
            monkeypatch.setattr(module, "device", lambda: THERE)


@pytest.mark.parametrize("task", RIGHT)
def test_a_right_answer_passes_there(task):
    check, answer = RIGHT[task]
    torch.manual_seed(0)
    with gpu_that_is_not_there():
        check(answer)


def test_what_an_answer_leaves_behind_is_found():
    with gpu_that_is_not_there(), pytest.raises(Exception, match="device"):
        sampling.check_reparameterize(lambda mu, logvar: mu + std(logvar) * torch.randn(mu.shape, dtype=mu.dtype))


def test_numbers_go_along_and_devices_do_not_mix():
    with gpu_that_is_not_there():
        there = torch.tensor([1.0, 2.0], device=THERE).requires_grad_()
        assert (there * 3).sum().item() == 9
        (there * 3).sum().backward()
        assert there.grad.device == THERE
        assert there.detach().cpu().tolist() == [1.0, 2.0]
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(2)
        with pytest.raises(RuntimeError, match="device type for generator"):
            torch.randn(2, device=THERE, generator=torch.Generator())
