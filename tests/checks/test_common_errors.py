"""Common exceptions in students' code are told in one plain sentence, and "not written yet" by origin, not by type."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from vae_lab.checks import elbo, generation, sampling
from vae_lab.checks.common_errors import CATALOGUE, in_plain_words
from vae_lab.checks.messages import NOT_WRITTEN, CheckFailed, ask
from vae_lab.grading.authoring.run_notebook import in_a_fork

SPREAD = "def std_from_logvar(logvar):\n    return {}"
VAE = """
class VAE(torch.nn.Module):
    def __init__(self, latent_dim, hidden_dim):
        super().__init__()
        self.latent_dim = latent_dim
        self.enc = torch.nn.Linear(784, 2 * latent_dim)
        self.dec = torch.nn.Linear(latent_dim, 784)
    def encode(self, x):
        return self.enc(x).chunk(2, 1)
    def decode(self, z):
        return self.dec(z)
    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu)), mu, logvar
"""
KL = "def kl_to_standard_normal(mu, logvar):\n    return {}"
LIKELIHOOD = "def bernoulli_log_likelihood(logits, x):\n    return {}"
MONTE_CARLO = "def kl_monte_carlo(mu, logvar, n):\n    {}"
FRACTION = """
def recognisable_fraction(decode, latent_dim, n, classify):
    images = torch.sigmoid(decode(torch.randn(n, latent_dim)))
    return {}
"""
GENERATE = "def generate(model, n):\n    return torch.sigmoid({})"
INTERPOLATE = """
def interpolate(model, a, b, steps):
    code_a, code_b = model.encode(a[None]), model.encode(b[None])
    t = torch.linspace(0, 1, steps)[:, None]
    return torch.sigmoid(model.decode((1 - t) * code_a + t * code_b))
"""
SAMPLER = "def reparameterize(mu, logvar):\n    {}"

MISTAKES = [
    (
        sampling.check_std_from_logvar,
        SPREAD.format("torch.exp(logvar / 2)") + "\ntorch = 'torch'",
        "`torch` is no longer the module: some cell gives this name to something of type str",
    ),
    (
        sampling.check_std_from_logvar,
        "F = 0.5\n" + SPREAD.format("(F.softplus(logvar))"),
        "`F` is no longer the module: some cell gives this name to something of type float",
    ),
    (
        sampling.check_std_from_logvar,
        "sum = 0.0\n" + SPREAD.format("torch.exp(logvar / sum([1, 1]))"),
        "`sum` is no longer Python's",
    ),
    (sampling.check_std_from_logvar, SPREAD.format("torch.exp(torch.from_numpy(logvar.numpy()) / 2)"), "stay in torch"),
    (sampling.check_std_from_logvar, SPREAD.format("np.exp(logvar / 2)"), "stay in torch"),
    (sampling.check_std_from_logvar, SPREAD.format("math.exp(logvar / 2)"), "math works on one number"),
    (sampling.check_std_from_logvar, SPREAD.format("float(logvar) ** 0.5"), "want one number"),
    (sampling.check_std_from_logvar, SPREAD.format("logvar.div_(2).exp()"), "changes the caller's tensor"),
    (sampling.check_std_from_logvar, SPREAD.format("logvar.exp ** 0.5"), "brackets are missing"),
    (sampling.check_std_from_logvar, SPREAD.format("torch.expo(logvar)"), "there is no `expo` there"),
    (sampling.check_std_from_logvar, SPREAD.format("F.softplus(logvar)"), "`F` has not been imported"),
    (
        sampling.check_reparameterize,
        SAMPLER.format("return mu + std_from_logvar(logvar)"),
        "know `std_from_logvar` yet",
    ),
    (sampling.check_reparameterize, SAMPLER.format("return mu + torch.randn(3, mu.shape)"), "unpacked with a star"),
    (sampling.check_reparameterize, SAMPLER.format("return mu + torch.randn(3, 5)"), "do not fit"),
    (sampling.check_reparameterize, SAMPLER.format("return D.Normal(mu, logvar).rsample()"), "exp(logvar / 2)"),
    (sampling.check_reparameterize, SAMPLER.format("return mu * print(logvar)"), "without `return` gives None"),
    (elbo.check_kl_to_standard_normal, KL.format("(mu^2 + logvar.exp() - 1 - logvar).sum(-1) / 2"), "xor"),
    (elbo.check_kl_to_standard_normal, KL.format("(mu, logvar).sum()"), "take them apart"),
    (elbo.check_kl_to_standard_normal, KL.format("mu.sum(2)"), "axes count from 0"),
    (elbo.check_bernoulli_log_likelihood, LIKELIHOOD.format("D.Bernoulli(logits=logits).log_prob(x)"), "validate_args"),
    (elbo.check_bernoulli_log_likelihood, LIKELIHOOD.format("-B(logits, x)"), "binary_cross_entropy_with_logits"),
    (elbo.check_kl_monte_carlo, MONTE_CARLO.format("return D.Normal(mu, logvar.exp()).rsample(n)"), "rsample((n,))"),
    (generation.check_recognisable_fraction, FRACTION.format("(classify(images).amax(1) > 2).mean()"), "share of True"),
    (
        generation.check_recognisable_fraction,
        FRACTION.format("(classify(images).max(1) > 2)"),
        ".values are the numbers",
    ),
    (generation.check_generate, GENERATE.format("self.decode(torch.randn(n, 20))"), "outside of a class has none"),
    (generation.check_generate, GENERATE.format("model.decoder(torch.randn(n, 20))"), "has no `decoder`"),
    (sampling.check_reparameterize, SAMPLER.format("return mu + torch.randn(mu)"), "wants a shape"),
    (generation.check_interpolate, INTERPOLATE, "take them apart"),
    (generation.check_vae, VAE.replace("self.enc(x).", "self.enc(torch.nn.ReLU(x))."), "a layer is made first"),
    (generation.check_vae, VAE.replace("forward", "froward"), "calls the method `forward`"),
    (generation.check_vae, VAE.replace("        super().__init__()\n", ""), "super().__init__()"),
    (generation.check_vae, VAE.replace("encode(self, x)", "encode(x)", 1), "first parameter is `self`"),
    (generation.check_vae, VAE.replace("self.encode(x)", "encode(x)"), "write `self.encode`"),
    (
        generation.check_vae,
        VAE.replace("mu, logvar = self.encode(x)", "mu = logvar = self.encode(x)"),
        "take them apart",
    ),
    (generation.check_vae, VAE.replace("Linear(784", "Linear(400"), "has 784 entries in its last axis"),
    (generation.check_vae, VAE.replace("mu, logvar = self", "logits, mu, logvar = self"), "names on the left"),
]


def in_cell(check: Any, source: str) -> str:
    """What a check says of an answer that is typed into a notebook's cell."""
    shell = InteractiveShell.instance()
    shell.reset()
    shell.run_cell("import math\nimport numpy as np\nimport torch\nimport torch.distributions as D\n"
                   "from torch.nn.functional import binary_cross_entropy as B")  # fmt: skip
    shell.run_cell(source)
    name = re.search(r"(?:def|class) (\w+)", source)
    try:
        check(shell.user_ns[name[1]])
    except CheckFailed as failed:
        return str(failed)
    return "passed"


@pytest.mark.parametrize(("check", "source", "plain"), MISTAKES, ids=[textwrap.shorten(m[2], 30) for m in MISTAKES])
def test_a_mistake_is_told_in_plain_words_beside_torchs_own(check, source, plain):
    message = in_a_fork(in_cell, check, source)
    assert plain in message.splitlines()[-1], message
    assert " raised " in message.splitlines()[0]
    assert NOT_WRITTEN not in message


def test_every_pattern_can_be_put_into_words_and_shadows_no_later_one_by_accident():
    for pattern, sentence in CATALOGUE:
        highest = max([int(number) for number in re.findall(r"\\(\d)", sentence)], default=0)
        assert re.compile(pattern).groups >= highest, pattern
        assert "\n" not in sentence


def test_what_is_not_in_the_catalogue_is_left_to_speak_for_itself():
    assert in_plain_words("ZeroDivisionError", "division by zero") == ""
    assert in_plain_words("ValueError", "Unknown label") == ""


def stub(x):
    raise NotImplementedError()


def loud_stub(x):
    raise NotImplementedError("later")


def test_a_stub_is_not_written_yet_and_a_task_that_uses_one_says_which():
    for function in (stub, loud_stub):
        with pytest.raises(CheckFailed, match=f"^{function.__name__}: not written yet"):
            ask(function.__name__, function, 1)
    with pytest.raises(CheckFailed, match=r"^negative_elbo: it uses stub, which is not written yet\.$"):
        ask("negative_elbo", lambda x: stub(x) + 1, 1)


def test_torchs_own_not_implemented_is_no_stub():
    with pytest.raises(CheckFailed, match="raised NotImplementedError"):
        ask("square", lambda x: x ^ 2, torch.ones(3))
    with pytest.raises(CheckFailed, match="missing the required") as caught:
        ask("VAE", torch.nn.Module(), 1)
    assert "not written" not in str(caught.value)
