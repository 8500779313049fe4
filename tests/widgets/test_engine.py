"""The playground's arithmetic in a real browser against torch: same weights, same noise, same data, step by step."""

import base64
import itertools
import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from widgets.in_page import run_module

from vae_lab.estimators import score_function_gradients
from vae_lab.widgets.interaction import module

ENGINE = module(
    "engine/trainer.js",
    "normal",
    *(f"engine/{part}" for part in ("random", "layers", "losses", "estimators", "optimizer", "vae")),
)
STEPS = 100
# inputs, hidden layers, latent dimensions, batch
SMALL, DIGITS = (2, [16, 16], 2, 32), (64, [24], 3, 16)
# Numbers travel as base64: a million of them as text would take a minute.
TRAIN = """(shape, start, data, noise, settings) => {
  const numbers = (text) => new Float64Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const text = (parts) => btoa(parts.map((part) => {
    const bytes = new Uint8Array(Float64Array.from(part).buffer), found = [];
    for (let i = 0; i < bytes.length; i += 8192) found.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
    return found.join("");
  }).join(""));
  const [inputs, hidden, latent, batch] = shape;
  const vae = smallVae({ inputs, hidden, latent }, Math.random), update = adam(vae.parameters);
  const weights = numbers(start), x = numbers(data), eps = numbers(noise);
  let at = 0;
  for (const { value } of vae.parameters) { value.set(weights.subarray(at, at + value.length)); at += value.length; }
  return settings.map((now, t) => {
    const part = (all, size) => all.slice(t * batch * size, (t + 1) * batch * size);
    const seen = vae.gradients(part(x, inputs), part(eps, latent), batch, now);
    const gradients = vae.parameters.map((p) => p.gradient.slice());
    update(now.learningRate);
    return text([seen.distortion.values, seen.rate.values, ...gradients, ...vae.parameters.map((p) => p.value)]);
  });
}"""


def packed(values):
    return base64.b64encode(values.detach().numpy().astype("<f8").tobytes()).decode()


@pytest.fixture
def page(stage):
    return stage(False)[0]


def network(sizes):
    layers = []
    for n, m in itertools.pairwise(sizes):
        layers += [nn.Linear(n, m, dtype=torch.float64), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


class InTorch:
    """The same model, written down once more with what torch offers: distributions, autograd and its own Adam."""

    def __init__(self, inputs, hidden, latent):
        torch.manual_seed(0)
        self.encoder, self.decoder = network([inputs, *hidden, 2 * latent]), network([latent, *hidden[::-1], inputs])
        self.parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters)

    def step(self, x, eps, beta, decoderSigma, learningRate, estimator):
        mu, logvar = self.encoder(x).chunk(2, 1)
        q = Normal(mu, (logvar / 2).exp())
        z = mu + q.scale * eps
        if estimator != "pathwise":
            z = z.detach()
        distortion = -Normal(self.decoder(z), decoderSigma).log_prob(x).sum(1)
        rate = kl_divergence(q, Normal(torch.zeros_like(mu), 1.0)).sum(1)
        loss = (distortion + beta * rate).mean()
        if estimator == "score":
            others = (distortion.sum() - distortion) / (len(x) - 1)
            loss = loss + ((distortion - others).detach() * q.log_prob(z).sum(1)).mean()
        self.optimizer.zero_grad()
        loss.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = learningRate
        self.optimizer.step()
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in self.parameters]
        return distortion.detach(), rate.detach(), gradients


@pytest.mark.parametrize("estimator", ["pathwise", "cut", "score"])
@pytest.mark.parametrize("shape", [SMALL, DIGITS], ids=["2-D", "digits"])
def test_every_step_is_torchs(page, shape, estimator):
    inputs, hidden, latent, batch = shape
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(STEPS, batch, inputs, generator=generator, dtype=torch.float64)
    eps = torch.randn(STEPS, batch, latent, generator=generator, dtype=torch.float64)
    settings = [  # all of them change on the way
        {"beta": beta, "decoderSigma": sigma, "learningRate": rate, "estimator": estimator}
        for beta, sigma, rate in [(1.0, 0.3, 0.01)] * 40 + [(4.0, 1.0, 0.003)] * 30 + [(0.0, 0.1, 0.02)] * 30
    ]
    there = InTorch(inputs, hidden, latent)
    start = packed(torch.cat([p.flatten() for p in there.parameters]))
    here = run_module(page, ENGINE, TRAIN, shape, start, packed(x), packed(eps), settings)
    for step, found in enumerate(here):
        distortion, rate, gradients = there.step(x[step], eps[step], **settings[step])
        wanted = torch.cat([distortion, rate, *(g.flatten() for g in (*gradients, *there.parameters))]).detach()
        seen = torch.frombuffer(bytearray(base64.b64decode(found)), dtype=torch.float64)
        torch.testing.assert_close(seen, wanted, rtol=1e-5, atol=1e-5)
    begun = torch.frombuffer(bytearray(base64.b64decode(start)), dtype=torch.float64)
    assert (seen[-len(begun) :] - begun).abs().max() > 0.1, "nothing was learned"


def test_the_score_gradients_are_the_packages(page):
    generator = torch.Generator().manual_seed(0)
    mu, sigma = torch.tensor([0.7, -1.2]), torch.tensor([0.6, 1.4])
    eps = torch.randn(50, 2, generator=generator)
    wanted = score_function_gradients(lambda z: z.square().sum(1), mu, sigma, eps, baseline=1.5)
    found = run_module(
        page,
        ENGINE,
        """(distortion, sigma, eps) => {
             const [d, s, e] = [distortion, sigma, eps].map((list) => Float64Array.from(list));
             const seen = scoreGradient({ distortion: d, baseline: d.map(() => 1.5), sigma: s, eps: e });
             return [[...seen.byMu], [...seen.byLogvar]];
           }""",
        (mu + sigma * eps).square().sum(1).tolist(),
        sigma.expand(50, 2).flatten().tolist(),
        eps.flatten().tolist(),
    )
    torch.testing.assert_close(torch.tensor(found[0]).view(50, 2), wanted.mu, rtol=1e-4, atol=1e-4)
    # d/dlogvar = sigma / 2 * d/dsigma
    torch.testing.assert_close(torch.tensor(found[1]).view(50, 2), wanted.sigma * sigma / 2, rtol=1e-4, atol=1e-4)


def test_the_noise_is_normal_and_a_seed_fixes_it(page):
    draw = "(seed, n) => [...normals(n, seeded(seed))]"
    first = torch.tensor(run_module(page, ENGINE, draw, 3, 20_000), dtype=torch.float64)
    assert first.tolist() == run_module(page, ENGINE, draw, 3, 20_000)
    assert first.tolist() != run_module(page, ENGINE, draw, 4, 20_000)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
        assert abs(first.pow(power).mean() - moment) < 5 * math.sqrt(variance / 20_000)


def test_an_epoch_shows_every_example_once(page):
    order = run_module(
        page, ENGINE, "() => { const next = shuffler(10, seeded(0)); return Array.from({ length: 30 }, next); }"
    )
    epochs = [order[start : start + 10] for start in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_a_number_that_runs_away_stops_the_run(page):
    found = run_module(
        page,
        ENGINE,
        """() => {
             const values = normals(40, seeded(0)).map((v) => 1e200 * v);
             const run = trainer({ values, count: 20, inputs: 2 }, { hidden: [8], latent: 2, seed: 0,
               settings: { beta: 1, decoderSigma: 0.1, learningRate: 0.1, estimator: "pathwise" } });
             for (let i = 0; i < 5; i++) run.step();
             const sound = run.vae.parameters.every((p) => p.value.every(Number.isFinite));
             return [run.state.finite, run.state.steps, sound];
           }""",
    )
    assert found == [False, 1, True]
