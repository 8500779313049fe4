"""What an epoch of a training loop is: all the images in a new random order, and a report on all of them.

A model that keeps books is shown images of which one is unlike the rest and costs several times as much, so that the
mean over an epoch is none of its batches' means.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.losses import gaussian_kl, log_likelihood
from vae_lab.checks.instruments.projection import cosine, multiple
from vae_lab.checks.instruments.recording_model import MovableModel
from vae_lab.checks.instruments.sampler import device
from vae_lab.checks.messages import Misconception, ask, fail

NOT_SHUFFLED = Misconception(
    "draw a new order at the beginning of each epoch, torch.randperm(len(images)), and cut that into batches.",
    "training",
)
SAME_ORDER = Misconception(
    "the order was drawn once, before the first epoch; draw a new one inside the loop over epochs.", "training"
)
LAST_BATCH = Misconception(
    "this is the loss of the epoch's last batch: add up over all of its batches, and divide at the end.", "training"
)
NEW_OPTIMIZER = Misconception(
    "make the optimizer once, before the first epoch: Adam remembers the gradients of the batches before, and a new "
    "one has forgotten them.",
    "training",
)
NEVER_RESET = Misconception("the sum goes on from epoch to epoch: set it to 0 at the beginning of each.", "training")
STEPS_LEFT_OUT = Misconception(
    "one step for each batch: optimizer.step() after every backward, with a step size above 0.", "training"
)
RECONSTRUCTION_REPORTED = Misconception("this is the reconstruction alone; the KL belongs to it.", "training")
HALF_TRAINED = Misconception(
    "the optimizer must be given all of the model's parameters, and the gradient must reach them all.", "training"
)
OLD_GRADIENTS = Misconception(
    "every step adds to the gradients of all steps before: optimizer.zero_grad(), once for each batch.", "training"
)
EVALUATING = Misconception(
    "model.eval() turns dropout and batch normalisation to what they do after training; model.train() turns them back, "
    "before the next batch.",
    "training",
)

LATER = 1.5
"""How many times as far out mu lies in the second epoch."""


class UnevenModel(MovableModel):
    """A model that can be moved, for which an image that is all white has a KL far above the others'.

    From the second epoch on, after `epoch` images, mu lies half as far out again, so that no two epochs' means are the
    same. Its `bias` receives the gradient that the decoder's own would.
    """

    def __init__(self, latent_dim: int, pixels: int, epoch: int = 150) -> None:
        super().__init__(latent_dim, pixels)
        self.epoch = epoch
        self.bias = torch.nn.Parameter(torch.zeros(pixels, device=device()))
        self.left: list[Tensor | None] = []

    def decode(self, z: Tensor) -> Tensor:
        """Give out the picture of logits, [B, pixels]; note what is in the rows' .grad as well."""
        self.left.append(None if self.rows.grad is None else self.rows.grad[:, 0].detach().clone())
        return super().decode(z) + (self.bias - self.bias.detach())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give out mu and logvar, [B, D]; mu lies far out for a white image."""
        later = sum(len(batch.reshape(-1, x.shape[-1])) for batch in self.seen) >= self.epoch
        mu, logvar = super().encode(x)
        white = torch.relu(x.detach().mean(-1, keepdim=True) - 0.7) / 0.3
        return (mu + 80 * white.to(mu)) * (LATER if later else 1.0), logvar


def check_epochs(train: Callable[..., Any], n: int = 150, pixels: int = 784, latent_dim: int = 3) -> None:
    """Require that each epoch has its own random order, and that its report is a mean over all of its images.

    The mean of the batches' means passes too. A loop that shows images more than once in an epoch is not judged by
    their order, nor one whose epoch is one batch. No statistics: n! orders make chance impossible.

    Args:
        train: the student's function.
        n: number of images.
        pixels: number of pixels.
        latent_dim: D.

    Raises:
        CheckFailed: if not.
    """
    task, model = "train", UnevenModel(latent_dim, pixels, n)
    images = torch.rand(n, pixels, device=device())
    images[n // 3] = 1.0
    history = ask(task, train, model, images.clone(), 2, names=("model", "images"))
    batches = [x.reshape(-1, pixels).to(images) for x in model.seen]
    orders = [torch.cdist(batch, images).argmin(1) for batch in batches]
    order = torch.cat(orders)
    once = len(batches) > 2 and len(order) == 2 * n and len(order[:n].unique()) == n == len(order[n:].unique())
    if once and _alike(order[:n], torch.arange(n, device=order.device)):
        seen = "the images come in the order in which they were given, or in batches that keep it."
        fail(task, seen, "Wanted a random one.", NOT_SHUFFLED)
    if once and _alike(order[n:], order[:n]):
        seen = "the images come in one order in both epochs, or in the same batches."
        fail(task, seen, "Wanted a new one for each.", SAME_ORDER)
    _judge_modes(task, model)
    _judge_old_gradients(task, model)
    if once:
        _judge_steps(task, model, batches)
        if bool(model.rows.any()) and not bool(model.bias.any()):
            fail(task, "the model's bias has not moved, and other weights have.", "Wanted all trained.", HALF_TRAINED)
        _judge_optimizer(task, model, sum(end <= n for end in accumulate(map(len, batches))))
    _judge_report(task, float(history[-1]), model, images, orders[len(orders) // 2 :])


def _judge_modes(task: str, model: UnevenModel) -> None:
    """What is learned from is seen in training mode, in which the model was given."""
    learned = [mode for entry, mode in zip(model.mu, model.modes, strict=True) if entry.came]
    if not all(learned):
        seen = f"{learned.count(False)} of {len(learned)} batches are learned from in evaluation mode."
        fail(task, seen, "Wanted training mode, in which the model comes.", EVALUATING)


def _judge_old_gradients(task: str, model: UnevenModel) -> None:
    """What is in .grad when a batch comes is nothing, or what was added since the step before the last.

    It is compared in direction, so that a clipped gradient is as good as another. Two batches' gradients have a cosine
    of about 0.95, and a sum of two with the second of them one of 0.98.
    """
    came = [
        entry.came[0].reshape(-1, len(model.bias)).sum(0) if entry.came else torch.zeros_like(model.bias.detach())
        for entry in model.logits
    ]
    began = 0  # the first batch since the last step but one
    for k in range(1, len(came)):
        if torch.equal(model.began[k], model.began[k - 1]):
            continue
        left, since = model.left[k], torch.stack(came[began:k]).sum(0)
        if left is not None and bool(left.any()) and cosine(left, since) < 0.995:
            older = [torch.stack(came[start:k]).sum(0) for start in range(began)]
            if any(cosine(left, total) > 0.9999 for total in older):
                seen = "a step is made with the gradients of earlier batches beside its own."
                fail(task, seen, "Wanted those of its own batch.", OLD_GRADIENTS)
        began = k


def _judge_steps(task: str, model: UnevenModel, batches: list[Tensor]) -> None:
    """A batch whose gradient came back is followed by a step; a step size that begins at 0 may leave out a few.

    A batch may be cut into parts whose gradients add up to one step, for want of memory.
    """
    places = model.places()
    if len(places) == len(batches) + 1 == len(model.logits) + 1:
        still = places.diff(dim=0).abs().amax(1) == 0
        without = int((still & torch.tensor([bool(entry.came) for entry in model.logits], device=still.device)).sum())
        if 3 * without > len(batches) and not _parts_of_batches(model, batches, still):
            seen = f"after {without} of {len(batches)} batches, no step is made."
            fail(task, seen, "Wanted one for each batch.", STEPS_LEFT_OUT)


def _parts_of_batches(model: UnevenModel, shown: list[Tensor], still: Tensor) -> bool:
    """Whether what comes between two steps are the parts of one batch: fewer images than half of them, and weighed so.

    An image of a part weighs as much as one of the whole batch does, 1 in a sum or one over its size in a mean. Who
    leaves out a step gives each the weight that it has in a batch of its own.
    """
    began = 0
    for k in range(len(shown)):
        if bool(still[k]) and k + 1 < len(shown):
            continue
        parts = range(began, k + 1)
        began = k + 1
        for j in parts if len(parts) > 1 else ():
            if not model.logits[j].came:
                return False
            wanted = torch.sigmoid(model.picture) - shown[j]
            times = multiple(model.logits[j].came[0].reshape(wanted.shape), wanted) * len(shown[j])
            if abs(times - 1) < 0.01:
                return False
        if sum(len(shown[j]) for j in parts) > model.epoch / 2:
            return False
    return True


def _judge_optimizer(task: str, model: UnevenModel, batches: int) -> None:
    """A first step of Adam (or RMSprop, or Adagrad) moves every number by one and the same amount; no later one does.

    Args:
        task: its name.
        model: after the loop.
        batches: in the first epoch.
    """
    places = model.places()
    if len(places) != 2 * batches + 1:  # a batch that is decoded twice, or not at all
        return
    sizes = places.diff(dim=0).abs()
    moved = sizes.amin(1) > 0
    even = moved & (sizes.amax(1) <= 1.001 * sizes.amin(1))
    if batches > 2 and bool(even.all()):
        seen = "every step moves all of the model's numbers by the same amount, as an optimizer's first step does."
        fail(task, seen, "Wanted one optimizer for all steps.", NEW_OPTIMIZER)
    if batches > 1 and even[0] and even[batches] and bool((moved & ~even)[1:batches].all()):
        seen = "the first step of each epoch moves all numbers by the same amount, as an optimizer's first step does."
        fail(task, seen, "Wanted one optimizer for all epochs.", NEW_OPTIMIZER)


def _judge_report(task: str, last: float, model: UnevenModel, images: Tensor, epoch: list[Tensor]) -> None:
    mu, logvar = (t.detach().double() for t in model.encode(images))
    rise = float((gaussian_kl(mu, logvar) - gaussian_kl(mu / LATER, logvar)).mean())  # from the epoch before
    logits = model.picture.expand(len(images), -1).double()
    each = gaussian_kl(mu, logvar) - log_likelihood(logits, images.double())
    means = torch.stack([each[batch].mean() for batch in epoch])

    def near(value: Tensor) -> bool:
        return abs(last - float(value)) <= 0.01 * float(value)

    if near(each.mean()) or near(means.mean()):
        return
    seen = f"an epoch's entry is {last:.4g}; the mean over its {len(images)} images was {float(each.mean()):.4g}."
    guesses = {
        float(means[-1]): LAST_BATCH,
        float(-log_likelihood(logits, images.double()).mean()): RECONSTRUCTION_REPORTED,
        float(each.mean()) - rise / 2: NEVER_RESET,
        2 * float(each.mean()) - rise: NEVER_RESET,
    }
    close = min(guesses, key=lambda value: abs(value - last))  # the two may lie near each other
    exact = abs(close - last) <= 1e-4 * abs(close)
    fail(task, seen, "Wanted the mean over the epoch.", guesses[close] if exact else None)


def _alike(order: Tensor, other: Tensor) -> bool:
    """Whether most images come right after the one that they come after in the other order, batches moved or not."""
    after = torch.empty_like(other)
    after[other[:-1]], after[other[-1]] = other[1:], -1
    return float((after[order[:-1]] == order[1:]).double().mean()) > 0.5
