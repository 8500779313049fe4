"""The reconstruction error of coin-flip pixels again, with its gradient written out: the same number, sooner.

`vae_lab.elbo.bernoulli_log_likelihood` is how one reads it. Training spends a tenth of its time there, most of it in
one logarithm, log(1 + exp(-|l|)), which PyTorch computes slowly on a processor. Three facts spare it:

    log(1 + exp(l)) = max(l, 0) - log sigmoid(|l|),   log a + log b = log ab,
    and d/dl of the error is sigmoid(l) - x.

Eight factors between 1/2 and 1 share a logarithm. One piece of memory serves all steps: more of them would be handed
back to the system and fetched again for each batch, which costs as much as the arithmetic.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vae_lab.pixels import pixels_for

TOGETHER = 8  # factors of one logarithm: 2 ** -8 is far from underflow in any floating type


class _BernoulliError(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, x: Tensor) -> Tensor:
        memory = torch.addcmul(logits.clamp_min(0), logits, x, value=-1)
        error = memory.sum(-1)
        return error - _sum_of_logs(memory.copy_(logits).abs_().sigmoid_())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor | None]:
        logits, x = ctx.saved_tensors
        slope = slope.unsqueeze(-1)
        return slope * (torch.sigmoid(logits) - x), -slope * logits if ctx.needs_input_grad[1] else None


def _sum_of_logs(factors: Tensor) -> Tensor:
    """Sum over the last dimension of log(factors), each between 1/2 and 1."""
    pixels = factors.shape[-1]
    whole = pixels - pixels % TOGETHER
    together = factors[..., :whole].unflatten(-1, (whole // TOGETHER, TOGETHER)).prod(-1)
    return together.log_().sum(-1) + factors[..., whole:].log().sum(-1)


def bernoulli_error(logits: Tensor, x: Tensor, *, dims: int | None = None) -> Tensor:
    """-log p(x|z) of pixels that are independent coin flips with p = sigmoid(logits), summed over the pixels.

    Equal to `-bernoulli_log_likelihood(logits, x)` but for rounding, at most one unit of the floating type a pixel.

    Args:
        logits: log(p / (1 - p)), [B, ...].
        x: pixels in [0, 1], the same shape; it may be expanded; uint8 is scaled from 0..255.
        dims: how many of the last dimensions are pixels; all but the first if None.

    Returns:
        [B], or the dimensions that are no pixels; nats per image; never negative but for rounding.

    Raises:
        ValueError: if the shapes or devices differ, or x holds NaN or pixels outside [0, 1].
        TypeError: if one is no tensor.

    Example:
        >>> bernoulli_error(torch.zeros(1, 3), torch.tensor([[0.0, 1.0, 1.0]]))
        tensor([2.0794])

    Source: Kingma & Welling 2014, appendix C.1.
    """
    x = pixels_for("bernoulli_error", "logits", logits, x, coins=True)
    first = 1 if dims is None else logits.ndim - dims
    return _BernoulliError.apply(logits.flatten(first), x.flatten(first))
