"""Where a training loop's bookkeeping slips: a batch more or less than there are images for, a step that comes late.

How many images a loop takes at a time is seen first; then it is run with one image more than fill a batch, and with as
many as fill two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from vae_lab.checks.instruments.recording_model import MovableModel, RecordingModel
from vae_lab.checks.instruments.sampler import device
from vae_lab.checks.messages import Misconception, ask, fail

ONCE = Misconception(
    "range(0, len(images), 25), or torch.randperm(len(images)).split(25), cuts so that each image is in one batch.",
    "training",
)
LATE = Misconception(
    "the order is zero_grad, loss, backward, step: a step before backward has the gradient of the batch before.",
    "training",
)
LARGEST = 64
"""Of larger batches, the edges are not looked at: it would take too many images."""


class LateModel(MovableModel):
    """A model whose rows receive no gradient before a certain batch: one sees which step it makes."""

    def __init__(self, latent_dim: int, pixels: int, begins: int) -> None:
        super().__init__(latent_dim, pixels)
        self.begins = begins

    def share(self) -> float:
        """None of it before that batch, then all."""
        return float(len(self.began) > self.begins)


def check_edges(train: Callable[..., Any], latent_dim: int = 2, pixels: int = 12) -> None:
    """Require that each image is in one batch of each epoch, however many there are, and each step follows its batch.

    No statistics: a right answer always passes.

    Args:
        train: the student's function.
        latent_dim: D.
        pixels: number of pixels.

    Raises:
        CheckFailed: if not.
    """
    task, first = "train", RecordingModel(latent_dim, pixels)
    ask(task, train, first, torch.rand(2 * LARGEST + 3, pixels, device=device()), 1, names=("model", "images"))
    size = max((len(x.reshape(-1, pixels)) for x in first.seen), default=0)
    if not 1 < size <= LARGEST or len(first.logits) != len(first.seen):
        return
    for n in (size + 1, 2 * size):
        _check_number(task, train, n, size, latent_dim, pixels)
    _check_order(task, train, size, latent_dim, pixels)


def _check_number(task: str, train: Callable[..., Any], n: int, size: int, latent_dim: int, pixels: int) -> None:
    """Of n images, each is learned from as often as the others, and no batch is empty."""
    model, images = RecordingModel(latent_dim, pixels), torch.rand(n, pixels, device=device())
    ask(task, train, model, images.clone(), 1, names=("model", "images"))
    with_step = [
        x.reshape(-1, pixels).to(images) for x, entry in zip(model.seen, model.logits, strict=False) if entry.came
    ]
    case = f"with {n} images, in batches of {size},"
    if any(not len(x) for x in with_step):
        fail(task, f"{case} a batch without images is trained on.", "Wanted none.", ONCE)
    shown = torch.cat(with_step) if with_step else images[:0]
    times = torch.bincount(torch.cdist(shown, images).argmin(1), minlength=n)
    if int(times.min()) == int(times.max()) > 0:
        return
    rare, often = int((times < times.max()).sum()), int((times > times.min()).sum())
    if rare <= often:
        fail(task, f"{case} images that are learned from too seldom: {rare}.", "Wanted each once.", ONCE)
    fail(task, f"{case} images that are learned from too often: {often}.", "Wanted each once.", ONCE)


def _check_order(task: str, train: Callable[..., Any], size: int, latent_dim: int, pixels: int) -> None:
    """The first gradient comes with the third batch, and so does the first step; the last batch has one, too."""
    model = LateModel(latent_dim, pixels, 2)
    ask(task, train, model, torch.rand(4 * size, pixels, device=device()), 2, names=("model", "images"))
    moves = model.places().diff(dim=0).abs().amax(1)
    if len(moves) != 8 or not bool(moves.any()) or int((moves[3:7] > 0).sum()) < 4:  # no step for each batch
        return
    if moves[2] == 0:
        seen = "the gradient of a batch is first used after the next batch has been shown."
        fail(task, seen, "Wanted a step between the two.", LATE)
    if moves[7] == 0 and moves[6] > 0.3 * moves[3:7].median():  # a step size that goes down to 0 goes there slowly
        fail(task, "the gradient of the last batch is never used.", "Wanted a step for each batch.", LATE)
