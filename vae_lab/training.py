"""Train a model on images held as one tensor: shuffled slices, Adam, and a history in nats per image."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm.auto import tqdm

from vae_lab.arguments import (
    kind,
    place,
    require_device,
    require_model,
    require_number,
    require_switch,
    require_whole,
    values_known,
)
from vae_lab.capture import Captured, run_on_side_stream
from vae_lab.pixels import images_to_keep
from vae_lab.training_step import Step, Trainable


@dataclass
class History:
    """Means over each epoch, in nats per image: loss = reconstruction + beta * kl; `seconds` for the whole run.

    `how` the steps were made: "captured", or "eager", with the reason where a graph was impossible; `beta`, the weight
    in each epoch.
    """

    loss: list[float] = field(default_factory=list)
    reconstruction: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    seconds: float = 0.0
    how: str = "eager"
    beta: list[float] = field(default_factory=list)


def fit(
    model: Trainable,
    images: Tensor,
    *,
    epochs: int = 10,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    beta: float | Callable[[int], float] = 1.0,
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
    weights; torch's default generator is neither read nor changed. What is given is looked at once, before the first
    step. The model trains in training mode, and afterwards has the mode that it had.

    Why no DataLoader: all images lie in one tensor, where the data moves once and a batch is one look-up. A loader's
    are `torch.stack([image for image, *_ in loader.dataset])`.

    Args:
        model: a torch.nn.Module with `loss_terms`, whose parameters are changed in place. If it has `data_shape`, the
            images must have it; unless its `likelihood` is "gaussian", they must be in [0, 1].
        images: uint8 [N, ...], scaled to [0, 1] here, or floating [N, ...], taken as they are; or `Images`. They are
            taken in the model's floating type.
        epochs: passes over the images.
        batch_size: B; the last batch of an epoch may be smaller.
        learning_rate: Adam's.
        beta: weight of the KL term; 1 is the ELBO. Or a function of the epoch, 0, 1, ..., for a warm-up:
            `lambda epoch: min(1.0, epoch / 10)`.
        binarize: draw each pixel anew from Bernoulli(x) whenever it is used.
        seed: of the shuffling and all noise.
        device: where to train; the model is moved there. Where the model is, if None.
        capture: on a GPU, replay the step from a graph where possible. A replay calls no Python: choose False for a
            model whose `loss_terms` counts its calls, changes its own weights of the terms, or keeps what it sees.
        progress: show a bar with the loss.

    Returns:
        `History(loss, reconstruction, kl, seconds, how, beta)`, lists with one entry an epoch, nats per image.

    Raises:
        ValueError: for images of no known range or shape, settings that are not positive, or terms of the loss that
            are not one number for each image.
        TypeError: for what is no module, no tensor or no number.
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
    epochs, batch_size = (
        require_whole("fit", name, value, None) for name, value in (("epochs", epochs), ("batch_size", batch_size))
    )
    seed, weigh = require_whole("fit", "seed", seed, None), _weight(beta)
    if epochs < 0 or batch_size < 1 or not _above_zero("learning_rate", learning_rate) or weigh is None:
        raise ValueError(
            f"fit: epochs={epochs}, batch_size={batch_size}, learning_rate={learning_rate}, beta={beta}; "
            "wanted epochs >= 0, batch_size >= 1, learning_rate > 0 and beta >= 0, all of them finite."
        )
    require_switch("fit", "binarize", binarize)
    module = _module(model)
    images = images_to_keep("fit", model, images, draw=binarize)
    if images.is_meta:
        raise ValueError("fit: images is on meta, where tensors have no values; wanted images that have.")
    target = _device(device, module)
    module.to(target)
    images = images.detach().to(target).contiguous()
    generator = torch.Generator(target).manual_seed(seed)
    weight = torch.zeros((), device=target, dtype=place(model)[1]) if callable(beta) else float(beta)
    eager = Step(model, images, learning_rate=learning_rate, beta=weight, binarize=binarize, generator=generator)
    history = History()
    with _training_mode(module), values_known(), torch.enable_grad():
        if not capture or target.type != "cuda":
            _run(eager, eager, history, epochs, batch_size, weigh, progress)
            return history
        step = Captured(eager, batch_size)
        run_on_side_stream(lambda: _run(eager, step, history, epochs, batch_size, weigh, progress), target)
        history.how = step.note
    return history


def _run(
    eager: Step,
    step: Callable[[Tensor], Tensor],
    history: History,
    epochs: int,
    batch_size: int,
    weigh: Callable[[int], float],
    progress: bool,
) -> None:
    """Go through the epochs; `step` is `eager`, or its captured form."""
    images, start = eager.images, time.perf_counter()
    bar = tqdm(range(epochs), desc="training", unit="epoch", disable=not progress)
    for epoch in bar:
        history.beta.append(weigh(epoch))
        if isinstance(eager.beta, Tensor):  # where a captured step looks for it, too
            eager.beta.fill_(history.beta[-1])
        order = torch.randperm(len(images), generator=eager.generator, device=images.device)
        batches = order.split(batch_size)
        terms = torch.empty(len(batches), 2, device=images.device)
        for row, index in zip(terms, batches, strict=True):
            row.copy_(step(index))
        _check_finite(epoch, terms)
        reconstruction, kl = (terms.double().sum(0) / len(images)).tolist()
        history.loss.append(reconstruction + history.beta[-1] * kl)
        history.reconstruction.append(reconstruction)
        history.kl.append(kl)
        bar.set_postfix(loss=f"{history.loss[-1]:.2f} nats")
    history.seconds = time.perf_counter() - start


def _weight(beta: float | Callable[[int], float]) -> Callable[[int], float] | None:
    """The weight in each epoch, or None for a number that is no weight."""
    if callable(beta):
        return lambda epoch: require_number("fit", f"beta({epoch})", beta(epoch), zero=True)
    try:
        number = require_number("fit", "beta", beta, zero=True, also=", or a function of the epoch")
    except ValueError:
        return None
    return lambda epoch: number


def _above_zero(name: str, value: float) -> bool:
    try:
        return require_number("fit", name, value, zero=False) > 0
    except ValueError:
        return False


def _module(model: Trainable) -> torch.nn.Module:
    """The model, if it can be trained."""
    require_model("fit", model)
    if not isinstance(model, torch.nn.Module):
        raise ValueError(f"fit: model is {kind(model)}; wanted a torch.nn.Module with `loss_terms`.")
    require_model("fit", model, "loss_terms")
    signature = inspect.signature(model.loss_terms)
    try:
        signature.bind(None, generator=None)
    except TypeError:
        raise TypeError(
            f"fit: {type(model).__name__} has loss_terms{signature}; it is called as loss_terms(x, generator=...)."
        ) from None
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(f"fit: {type(model).__name__} has no parameter to train; is requires_grad off?")
    return model


@contextmanager
def _training_mode(model: torch.nn.Module) -> Iterator[None]:
    """Train mode for the model and all its parts, and afterwards for each what it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    try:
        yield
    finally:
        for module, was in modes:
            module.training = was


def _device(device: torch.device | str | None, model: torch.nn.Module) -> torch.device:
    wanted = require_device("fit", device)
    if wanted is None:
        return next(model.parameters()).device
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
