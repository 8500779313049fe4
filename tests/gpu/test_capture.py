"""A captured step against the eager one, on a GPU: the same bits where the noise is given, and a way back."""

import pytest
import torch

from vae_lab import VAE, LossTerms, fit

pytestmark = pytest.mark.gpu

IMAGES = torch.randint(0, 256, (1000, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class GivenNoise(VAE):
    """The noise is a function of the image: the same whatever the generator does."""

    def loss_terms(self, x, *, eps=None, generator=None):
        eps = torch.sin(1000 * x.flatten(1)[:, : self.latent_dim])
        return super().loss_terms(x, eps=eps)


class ReadsBack(VAE):
    def loss_terms(self, x, *, eps=None, generator=None):
        terms = super().loss_terms(x, eps=eps, generator=generator)
        return LossTerms(terms.reconstruction, terms.kl * (1.0 if terms.kl.sum().item() > -1 else 0.0))


def run(kind, device, **settings):
    torch.manual_seed(0)
    model = kind(latent_dim=4, hidden=(32,))
    history = fit(model, IMAGES, epochs=3, device=device, progress=False, **settings)
    return history, torch.cat([p.detach().flatten() for p in model.parameters()])


def test_with_the_noise_given_captured_and_eager_agree_bit_for_bit(cuda):
    (eager, one), (captured, two) = (run(GivenNoise, cuda, capture=capture) for capture in (False, True))
    assert (eager.how, captured.how) == ("eager", "captured")
    assert torch.equal(one, two)
    assert eager.loss == captured.loss


@pytest.mark.parametrize("binarize", [False, True])
def test_with_drawn_noise_they_agree_in_distribution(cuda, binarize):
    runs = [run(VAE, cuda, capture=capture, binarize=binarize)[0] for capture in (False, True)]
    assert runs[1].how == "captured"
    assert runs[0].loss[-1] == pytest.approx(runs[1].loss[-1], rel=0.01)


def test_a_captured_run_repeats_itself(cuda):
    (one, w1), (two, w2), (other, _) = (run(VAE, cuda, seed=seed) for seed in (1, 1, 2))
    assert one.how == "captured"
    assert torch.equal(w1, w2)
    assert one.loss == two.loss != other.loss


def test_each_replay_draws_new_noise(cuda):
    class Noise(torch.nn.Module):
        likelihood = "bernoulli"

        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(()))

        def loss_terms(self, x, *, eps=None, generator=None):
            drawn = torch.randn(len(x), device=x.device, generator=generator)
            return LossTerms(drawn + 0 * self.w, 0 * drawn)

    history = fit(Noise(), torch.rand(6400, 3), epochs=6, batch_size=64, device=cuda, progress=False)
    assert history.how == "captured"
    assert len(set(history.reconstruction)) == 6
    assert all(abs(mean) < 6 / 80 for mean in history.reconstruction)  # 6,400 draws: nothing replayed twice


def test_a_model_that_reads_a_value_back_stays_eager_with_the_same_result(cuda):
    (plain, one), (tried, two) = (run(ReadsBack, cuda, capture=capture) for capture in (False, True))
    assert plain.how == "eager"
    assert tried.how == "eager: the model reads a value back from the GPU in its step"
    assert torch.equal(one, two)
    assert torch.cuda.get_sync_debug_mode() == 0


def test_a_model_with_hooks_stays_eager(cuda):
    torch.manual_seed(0)
    model, calls = VAE(hidden=(8,)), []
    model.register_forward_hook(lambda *_: calls.append(1))
    history = fit(model, IMAGES, epochs=1, device=cuda, progress=False)
    assert history.how == "eager: the model has hooks, which a replay would not call"
    assert len(calls) == 8


def test_training_goes_on_where_a_captured_run_ended(cuda):
    model = VAE(hidden=(32,))
    first = fit(model, IMAGES, epochs=3, device=cuda, progress=False)
    second = fit(model, IMAGES, epochs=3, device=cuda, progress=False, batch_size=64)
    assert second.loss[0] < first.loss[0]


def test_a_loss_that_is_not_finite_is_found_in_a_captured_run(cuda):
    model = VAE(hidden=(8,))
    with torch.no_grad():
        model.encoder[-1].bias[2:] = 200.0
    with pytest.raises(FloatingPointError, match=r"the kl term is inf.* in epoch 1, step 1"):
        fit(model, IMAGES, device=cuda, progress=False)


def test_a_gpu_with_too_high_a_number_is_said(cuda):
    with pytest.raises(RuntimeError, match="fit: device is 'cuda:99', which is not there"):
        fit(VAE(hidden=(8,)), IMAGES, device="cuda:99", progress=False)
