"""The written-out gradient against autograd's: same number, same slopes, where it is extreme and where it is zero."""

import pytest
import torch

from vae_lab.elbo import bernoulli_log_likelihood
from vae_lab.logits_loss import bernoulli_error

LOGITS = torch.tensor([[-1e4, -800.0, -90.0, -20.0, -1.0, -0.0, 0.0, 1e-30, 3.0, 17.0, 90.0, 800.0, 1e4]])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("pixel", [0.0, 0.3, 1.0])
def test_it_equals_the_likelihood_and_its_gradient(dtype, pixel):
    logits, x = LOGITS.to(dtype).requires_grad_(), torch.full_like(LOGITS, pixel, dtype=dtype)
    for i in range(logits.shape[1]):  # one by one, so that a large one hides no other
        one, two = (
            bernoulli_error(logits[:, i : i + 1], x[:, :1]),
            -bernoulli_log_likelihood(logits[:, i : i + 1], x[:, :1]),
        )
        torch.testing.assert_close(one, two, rtol=1e-6, atol=torch.finfo(dtype).eps)
        slopes = [torch.autograd.grad(value.sum(), logits)[0] for value in (one, two)]
        torch.testing.assert_close(*slopes, rtol=1e-6, atol=torch.finfo(dtype).eps)


def test_derivatives_of_both_orders_and_for_the_pixels():
    torch.manual_seed(0)
    logits, x = torch.randn(3, 4).double().requires_grad_(), torch.rand(3, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(bernoulli_error, (logits, x))
    assert torch.autograd.gradgradcheck(bernoulli_error, (logits, x))


def test_per_image_gradients_by_vmap():
    logits, x = torch.randn(5, 4), torch.rand(5, 4)
    slope = torch.func.vmap(torch.func.grad(lambda row, t: bernoulli_error(row[None], t[None]).sum()))(logits, x)
    torch.testing.assert_close(slope, torch.sigmoid(logits) - x)


def test_it_takes_samples_in_front_and_expanded_pixels():
    logits, x = torch.randn(6, 3, 4), torch.rand(3, 4)
    error = bernoulli_error(logits, x.expand(6, 3, 4), dims=1)
    torch.testing.assert_close(error[2], -bernoulli_log_likelihood(logits[2], x))


@pytest.mark.parametrize("pixels", [1, 7, 8, 9, 784])
def test_any_number_of_pixels_shares_its_logarithms(pixels):
    torch.manual_seed(pixels)
    logits, x = 20 * torch.randn(5, pixels).double(), torch.rand(5, pixels).double()
    torch.testing.assert_close(bernoulli_error(logits, x), -bernoulli_log_likelihood(logits, x))


def test_nan_stays_nan():
    assert bernoulli_error(torch.full((1, 2), torch.nan), torch.zeros(1, 2)).isnan()


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"bernoulli_error: logits has shape \(2, 3\) but x has shape \(2, 4\)"):
        bernoulli_error(torch.zeros(2, 3), torch.zeros(2, 4))
