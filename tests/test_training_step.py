"""One step against Adam's formula, and what a batch holds."""

import pytest
import torch

from vae_lab import VAE, LossTerms
from vae_lab.capture import Captured, reason_against
from vae_lab.training_step import Step


class Line(torch.nn.Module):
    """loss = w * mean(x) + beta * w, so that the gradient is mean(x) + beta."""

    likelihood = "bernoulli"

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(2.0))
        self.still = torch.nn.Parameter(torch.tensor(1.0), requires_grad=False)

    def loss_terms(self, x, *, eps=None, generator=None):
        return LossTerms(self.w * x.mean(1), self.w.expand(len(x)))


def test_the_first_step_of_adam_is_the_learning_rate_and_sums_are_returned():
    model, images = Line(), torch.rand(10, 4)
    sums = Step(model, images, learning_rate=0.25, beta=3.0)(torch.tensor([7, 1]))
    torch.testing.assert_close(sums, torch.stack([2 * images[[7, 1]].mean(1).sum(), torch.tensor(4.0)]))
    assert not sums.requires_grad
    assert model.w.item() == pytest.approx(2 - 0.25, abs=1e-6)
    assert model.w.grad.item() == pytest.approx(images[[7, 1]].mean().item() + 3, rel=1e-6)
    assert model.still.item() == 1


def test_pixels_are_scaled_and_binarised_with_their_own_probability():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).repeat(20_000, 1)
    everything = torch.arange(len(images))
    assert torch.equal(Step(Line(), images).batch(everything)[0], torch.tensor([0.0, 0.2, 1.0]))
    generator = torch.Generator().manual_seed(0)
    drawn = Step(Line(), images, binarize=True, generator=generator).batch(everything)
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    share = drawn.mean(0)
    assert share[0] == 0
    assert share[2] == 1
    assert abs(share[1] - 0.2) < 6 * (0.16 / len(images)) ** 0.5


def test_where_there_is_no_gpu_the_captured_step_is_the_eager_one_and_says_why():
    images, runs = torch.rand(30, 784), []
    for wrap in (lambda step: step, lambda step: Captured(step, 8)):
        torch.manual_seed(0)
        model = VAE(hidden=(8,))
        step = wrap(Step(model, images, generator=torch.Generator().manual_seed(1)))
        for index in torch.arange(30).split(8):
            step(index)
        runs.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(*runs)
    assert step.note == "eager: the images are on cpu"


def test_hooks_speak_against_a_graph(monkeypatch):
    model = VAE(hidden=(8,))
    step = Step(model, torch.rand(3, 784))
    step.images = type("OnGpu", (), {"is_cuda": True})()
    assert reason_against(step) is None
    handle = model.decoder[0].register_forward_hook(lambda *_: None)
    assert reason_against(step) == "decoder.0 has hooks, which a replay would not call"
    handle.remove()
    assert reason_against(step) is None
    with pytest.warns(UserWarning, match="Anomaly"), torch.autograd.detect_anomaly():
        assert reason_against(step) == "anomaly detection is on"
