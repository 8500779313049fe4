"""One step of training, from the numbers of a batch's images to new weights: the same code eager and captured."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from vae_lab.arguments import kind, place, require_tensor
from vae_lab.models import LossTerms


class Trainable(Protocol):
    """What training needs of a model, beside being a torch.nn.Module: each model in `vae_lab.models` has it.

    An attribute `likelihood` may say "gaussian", if its pixels may be any real numbers; without it they are in [0, 1].
    """

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
        beta: weight of the KL term; a tensor, if it is to change between steps.
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
        beta: float | Tensor = 1.0,
        binarize: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        self.model, self.images, self.beta, self.binarize, self.generator = model, images, beta, binarize, generator
        self.dtype = place(model)[1] or torch.get_default_dtype()
        self.looked_at = False  # the terms of the first step were those of a loss
        parameters = [p for p in model.parameters() if p.requires_grad]  # type: ignore[attr-defined]
        # capturable: Adam's count of steps stays on the GPU, too
        self.optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True, capturable=images.is_cuda)

    def batch(self, index: Tensor) -> Tensor:
        """The images of these numbers, as the model is to see them."""
        x = self.images.index_select(0, index)
        if x.dtype == torch.uint8:
            x = x.to(self.dtype).div_(255)
        if self.binarize:  # a uniform number below x, an event of probability x; torch.bernoulli is slower
            x = torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=self.generator).lt(x).to(x.dtype)
        return x

    def __call__(self, index: Tensor) -> Tensor:
        """Make the step; returns the batch's sums of reconstruction error and KL, [2], nats, on the device."""
        terms = self.model.loss_terms(self.batch(index), generator=self.generator)
        if not self.looked_at:
            self.looked_at = require_terms(terms, len(index))
        reconstruction, kl = (term.sum() for term in terms)
        self.optimizer.zero_grad()
        ((reconstruction + self.beta * kl) / len(index)).backward()
        self.optimizer.step()
        return torch.stack([reconstruction.detach(), kl.detach()])


def require_terms(terms: object, images: int) -> bool:
    """Refuse what is not two numbers for each image, with a gradient; True otherwise.

    Args:
        terms: what `loss_terms` returned.
        images: B.

    Raises:
        TypeError: if they are not two tensors.
        ValueError: if their shapes are not [B], or no weight takes part in them.

    Example:
        >>> require_terms(LossTerms(torch.ones(3, requires_grad=True), torch.zeros(3)), 3)
        True
    """
    if not isinstance(terms, tuple | list) or len(terms) != 2:
        what = f"{len(terms)} things" if isinstance(terms, tuple | list) else kind(terms)
        raise TypeError(f"fit: loss_terms returned {what}; wanted (reconstruction, kl), each [B].")
    for name, term in zip(LossTerms._fields, terms, strict=True):
        require_tensor("fit", f"of loss_terms, {name}", term)
        if tuple(term.shape) != (images,):
            raise ValueError(
                f"fit: of loss_terms, {name} has shape {tuple(term.shape)}; wanted [B], one number for each of the "
                f"{images} images."
            )
    if not any(term.requires_grad for term in terms):
        raise ValueError("fit: what loss_terms returned has no gradient; it was detached, or made under no_grad.")
    return True
