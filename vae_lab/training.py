"""Train a model on images held as one tensor: shuffled slices, Adam, and a history in nats per image."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from tqdm.auto import tqdm

from vae_lab.models import LossTerms


class Trainable(Protocol):
    """What `fit` needs of a model, beside being a torch.nn.Module: each model in `vae_lab.models` has it."""

    likelihood: str

    def loss_terms(
        self, x: Tensor, *, eps: Tensor | None = None, generator: torch.Generator | None = None
    ) -> LossTerms:
        """Reconstruction error and KL, each [B], nats per image."""


@dataclass
class History:
    """Means over each epoch, in nats per image: loss = reconstruction + beta * kl; `seconds` for the whole run."""

    loss: list[float] = field(default_factory=list)
    reconstruction: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    seconds: float = 0.0


def fit(
    model: Trainable,
    images: Tensor,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    beta: float = 1.0,
    binarize: bool = False,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> History:
    """Minimise the mean of -log p(x|z) + beta * KL(q(z|x) || p(z)) over the images, with Adam.

    The images are moved to the device once, as they are, and each batch is scaled there. Sums stay on the device
    until the epoch ends, so that no step waits for a number. The same seed on the same device gives the same run,
    from the same initial weights; torch's default generator is neither read nor changed.

    Args:
        model: has `loss_terms` and parameters, which are changed in place.
        images: uint8 [N, ...], scaled to [0, 1] here, or floating [N, ...], taken as they are.
        epochs: passes over the images.
        batch_size: B; the last batch of an epoch may be smaller.
        learning_rate: Adam's.
        beta: weight of the KL term; 1 is the ELBO.
        binarize: draw each pixel anew from Bernoulli(x) whenever it is used.
        seed: of the shuffling and all noise.
        device: where to train; the model is moved there. Where the model is, if None.
        progress: show a bar with the loss.

    Returns:
        `History(loss, reconstruction, kl, seconds)`, lists with one entry an epoch, nats per image.

    Raises:
        ValueError: for images of no known range, or settings that are not positive.
        RuntimeError: if the device is not there.
        FloatingPointError: if a term of the loss is not finite at the end of an epoch; it names the term.

    Example:
        >>> from vae_lab.models import VAE
        >>> history = fit(VAE(hidden=(8,)), torch.zeros(64, 1, 28, 28), epochs=5, learning_rate=0.01, progress=False)
        >>> len(history.loss), history.loss[-1] < history.loss[0]
        (5, True)

    Source: Kingma & Welling 2014, algorithm 1; lecture 9:58-11:43.
    """
    if epochs < 0 or batch_size < 1 or not learning_rate > 0 or not beta >= 0:
        raise ValueError(
            f"fit: epochs={epochs}, batch_size={batch_size}, learning_rate={learning_rate}, beta={beta}; "
            "wanted epochs >= 0, batch_size >= 1, learning_rate > 0 and beta >= 0."
        )
    if not isinstance(model, torch.nn.Module):
        raise ValueError(f"fit: model is a {type(model).__name__}; wanted a torch.nn.Module with `loss_terms`.")
    _check_images(images, bernoulli=model.likelihood == "bernoulli")
    target = _device(device, model)
    model.to(target)
    images = images.to(target)
    generator = torch.Generator(target).manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)

    history, start = History(), time.perf_counter()
    bar = tqdm(range(epochs), desc="training", unit="epoch", disable=not progress)
    for epoch in bar:
        sums = torch.zeros(2, device=target)
        for index in torch.randperm(len(images), generator=generator, device=target).split(batch_size):
            x = images[index]
            if x.dtype == torch.uint8:
                x = x.float().div_(255)
            if binarize:
                x = torch.bernoulli(x, generator=generator)
            terms = model.loss_terms(x, generator=generator)
            reconstruction, kl = terms.reconstruction.sum(), terms.kl.sum()
            optimizer.zero_grad()
            ((reconstruction + beta * kl) / len(x)).backward()
            optimizer.step()
            sums += torch.stack([reconstruction, kl]).detach()
        reconstruction_mean, kl_mean = (sums / len(images)).tolist()
        _check_finite(epoch, reconstruction=reconstruction_mean, kl=kl_mean)
        history.loss.append(reconstruction_mean + beta * kl_mean)
        history.reconstruction.append(reconstruction_mean)
        history.kl.append(kl_mean)
        bar.set_postfix(loss=f"{history.loss[-1]:.2f} nats")
    history.seconds = time.perf_counter() - start
    return history


def _check_images(images: Tensor, *, bernoulli: bool) -> None:
    if images.ndim < 2 or len(images) == 0:
        raise ValueError(f"fit: images has shape {tuple(images.shape)}; wanted [N, ...] with N >= 1.")
    if images.dtype == torch.uint8:
        return
    if not images.is_floating_point():
        raise ValueError(f"fit: images has dtype {images.dtype}; wanted uint8 in 0..255 or floats in [0, 1].")
    low, high = images.min().item(), images.max().item()
    if not (low > -float("inf") and high < float("inf")):  # NaN fails this, too
        raise ValueError("fit: images holds values that are not finite.")
    if bernoulli and (low < 0 or high > 1):
        raise ValueError(
            f"fit: pixels range from {low:g} to {high:g}, but this model's likelihood needs [0, 1]. "
            "Pass uint8 images as they come, or divide by 255."
        )


def _device(device: torch.device | str | None, model: torch.nn.Module) -> torch.device:
    if device is None:
        return next(model.parameters()).device
    wanted = torch.device(device)
    if wanted.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("fit: device is 'cuda' but torch finds no GPU here; use device='cpu' or leave it out.")
    return wanted


def _check_finite(epoch: int, **terms: float) -> None:
    for name, value in terms.items():
        if not abs(value) < float("inf"):
            raise FloatingPointError(
                f"fit: the {name} term is {value} in epoch {epoch + 1}; a smaller learning rate often helps, "
                "and a logvar that runs away is the usual cause."
            )
