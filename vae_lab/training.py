"""Train a model on images held as one tensor: shuffled slices, Adam, and a history in nats per image."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm.auto import tqdm

from vae_lab.capture import Captured, run_on_side_stream
from vae_lab.training_step import Step, Trainable


@dataclass
class History:
    """Means over each epoch, in nats per image: loss = reconstruction + beta * kl; `seconds` for the whole run.

    `how` the steps were made: "captured", or "eager", with the reason where a graph was impossible.
    """

    loss: list[float] = field(default_factory=list)
    reconstruction: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    seconds: float = 0.0
    how: str = "eager"


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
    capture: bool = True,
    progress: bool = True,
) -> History:
    """Minimise the mean of -log p(x|z) + beta * KL(q(z|x) || p(z)) over the images, with Adam.

    The images are moved to the device once, as they are, and each batch is scaled there. The terms of the loss stay on
    the device until the epoch ends, so that no step waits for a number. On a GPU the step is recorded as a CUDA graph
    and replayed whole (`vae_lab.capture`). The same seed on the same device gives the same run, from the same initial
    weights; torch's default generator is neither read nor changed.

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
        capture: on a GPU, replay the step from a graph where possible. A replay calls no Python: choose False for a
            model whose `loss_terms` counts its calls, changes beta as it goes, or keeps what it sees.
        progress: show a bar with the loss.

    Returns:
        `History(loss, reconstruction, kl, seconds, how)`, lists with one entry an epoch, nats per image.

    Raises:
        ValueError: for images of no known range, or settings that are not positive.
        RuntimeError: if the device is not there.
        FloatingPointError: at the end of an epoch in which a term of the loss was not finite; it names the term
            that was so first, and the step.

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
    images = images.to(target).contiguous()
    generator = torch.Generator(target).manual_seed(seed)
    eager = Step(model, images, learning_rate=learning_rate, beta=beta, binarize=binarize, generator=generator)
    history = History()
    if not capture or target.type != "cuda":
        _run(eager, eager, history, epochs, batch_size, progress)
        return history
    step = Captured(eager, batch_size)
    run_on_side_stream(lambda: _run(eager, step, history, epochs, batch_size, progress), target)
    history.how = step.note
    return history


def _run(
    eager: Step, step: Callable[[Tensor], Tensor], history: History, epochs: int, batch_size: int, progress: bool
) -> None:
    """Go through the epochs; `step` is `eager`, or its captured form."""
    images, start = eager.images, time.perf_counter()
    bar = tqdm(range(epochs), desc="training", unit="epoch", disable=not progress)
    for epoch in bar:
        order = torch.randperm(len(images), generator=eager.generator, device=images.device)
        batches = order.split(batch_size)
        terms = torch.empty(len(batches), 2, device=images.device)
        for row, index in zip(terms, batches, strict=True):
            row.copy_(step(index))
        _check_finite(epoch, terms)
        reconstruction, kl = (terms.double().sum(0) / len(images)).tolist()
        history.loss.append(reconstruction + eager.beta * kl)
        history.reconstruction.append(reconstruction)
        history.kl.append(kl)
        bar.set_postfix(loss=f"{history.loss[-1]:.2f} nats")
    history.seconds = time.perf_counter() - start


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
    try:
        torch.zeros(1, device=wanted).item()
    except (RuntimeError, NotImplementedError, AssertionError) as error:  # torch's words for it differ by device
        raise RuntimeError(
            f"fit: device is {str(wanted)!r}, which is not there: {str(error).splitlines()[0]}"
        ) from error
    return wanted


def _check_finite(epoch: int, terms: Tensor) -> None:
    """Find the first step of an epoch with a sum that is not finite; terms is [steps, 2], read once."""
    finite = terms.isfinite()
    if finite.all():
        return
    step = int((~finite.all(1)).int().argmax())
    said = ", ".join(
        f"the {name} term is {terms[step, i].item()}"
        for i, name in ((1, "kl"), (0, "reconstruction"))
        if not finite[step, i]
    )
    raise FloatingPointError(
        f"fit: {said} in epoch {epoch + 1}, step {step + 1}; a smaller learning rate often helps, "
        "and a logvar that runs away is the usual cause."
    )
