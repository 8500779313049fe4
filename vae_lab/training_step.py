"""One step of training, from the numbers of a batch's images to new weights: the same code eager and captured."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from vae_lab.models import LossTerms


class Trainable(Protocol):
    """What training needs of a model, beside being a torch.nn.Module: each model in `vae_lab.models` has it."""

    likelihood: str

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """Reconstruction error and KL, each [B], nats per image."""


class Step:
    """Call it with the numbers of some images, [B], and it makes one Adam step on the mean of error + beta * KL.

    All data lie on the device and nothing is read back, so that steps queue up without waiting.

    Args:
        model: has `loss_terms` and parameters, which are changed in place.
        images: uint8 [N, ...], scaled to [0, 1] batch by batch, or floating [N, ...].
        learning_rate: Adam's.
        beta: weight of the KL term.
        binarize: draw each pixel anew from Bernoulli(x).
        generator: source of all noise.

    Example:
        >>> from vae_lab.models import VAE
        >>> step = Step(VAE(hidden=(8,)), torch.zeros(9, 1, 28, 28))
        >>> step(torch.tensor([3, 1, 4])).shape
        torch.Size([2])

    Source: Kingma & Welling 2014, algorithm 1.
    """

    def __init__(
        self,
        model: Trainable,
        images: Tensor,
        *,
        learning_rate: float = 1e-3,
        beta: float = 1.0,
        binarize: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        self.model, self.images, self.beta, self.binarize, self.generator = model, images, beta, binarize, generator
        parameters = [p for p in model.parameters() if p.requires_grad]  # type: ignore[attr-defined]
        # capturable: Adam's count of steps stays on the GPU, too
        self.optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True, capturable=images.is_cuda)

    def batch(self, index: Tensor) -> Tensor:
        """The images of these numbers, as the model is to see them."""
        x = self.images.index_select(0, index)
        if x.dtype == torch.uint8:
            x = x.float().div_(255)
        if self.binarize:  # a uniform number below x, an event of probability x; torch.bernoulli is slower
            x = torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=self.generator).lt(x).to(x.dtype)
        return x

    def __call__(self, index: Tensor) -> Tensor:
        """Make the step; returns the batch's sums of reconstruction error and KL, [2], nats, on the device."""
        terms = self.model.loss_terms(self.batch(index), generator=self.generator)
        reconstruction, kl = terms.reconstruction.sum(), terms.kl.sum()
        self.optimizer.zero_grad()
        ((reconstruction + self.beta * kl) / len(index)).backward()
        self.optimizer.step()
        return torch.stack([reconstruction.detach(), kl.detach()])
