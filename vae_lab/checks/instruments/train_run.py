"""Check a training loop by the loss that it minimises, and by what it leaves behind.

The loss is read off by a model that keeps books (`recording_model.py`), exactly. Then a real model is trained, and its
ELBO is measured here, from its own encoder and decoder: the band is wide, for all that is left to find is a loop that
does not optimise (no step, no zero_grad, some of the weights, some of the images).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vae_lab.checks.instruments.losses import gaussian_kl, log_likelihood
from vae_lab.checks.instruments.recording_model import Entry, RecordingModel
from vae_lab.checks.instruments.sampler import device, require_unchanged
from vae_lab.checks.instruments.train_epochs import check_epochs
from vae_lab.checks.messages import Misconception, ask, fail

EPOCHS, LATENT_DIM, HIDDEN_DIM = 12, 4, 64
NATS_WANTED = (46.28, 225.0)
"""Negative ELBO after EPOCHS epochs on 300 images: not below a perfect reconstruction, nor as high as with a fault.

Measured over eight seeds each: the solution ends between 166.7 and 176.3 (mean 171, standard deviation 3), so the limit
is more than ten standard deviations away; without zero_grad a loop ends between 243.7 and 338. What is between (207:
collapsed; 188 to 204: trained without noise) the recorder finds exactly.
"""

NO_STEP = Misconception("no weight has moved: loss.backward() fills .grad, optimizer.step() uses it.", "training")
HALF_TRAINED = Misconception(
    "the optimizer must be given all of the model's parameters, and the gradient must reach them all.", "training"
)
NO_BACKWARD = Misconception(
    "the loss sends no gradient to the model: loss.backward() is missing, or the loss was cut off by detach or item.",
    "training",
)
NO_KL = Misconception("the KL is not in the loss: this trains an autoencoder with noise.", "training")
KL_SIGN = Misconception(
    "the KL has the wrong sign: the loss is -log-likelihood + KL, and both terms are to be small.", "training"
)
CLIMBS = Misconception("the log-likelihood has the wrong sign: the loss is its negative.", "training")
NO_RECONSTRUCTION = Misconception("the reconstruction is not in the loss: nothing ties z to the image.", "training")
KL_TOO_HEAVY = Misconception(
    "both terms are sums over what belongs to one image. A mean over the pixels beside a summed KL makes the KL 784 "
    "times as heavy, and the decoder learns to ignore z.",
    "training",
)
KL_TOO_LIGHT = Misconception(
    "both terms are sums over what belongs to one image, the KL over all D dimensions.", "elbo"
)
NO_NOISE = Misconception("the loop decodes mu; the ELBO decodes a draw of z.", "training")
DETACHED_Z = Misconception(
    "z is cut off from mu and logvar before it is decoded: the reconstruction cannot teach the encoder.",
    "stochastic_nodes",
)
SOME_IMAGES = Misconception("every image is seen once in every epoch, also those of a last, smaller batch.", "training")
OLD_GRADIENTS_OR_FEW_STEPS = Misconception(  # both end between 240 and 340 nats: the number cannot tell them apart
    "it learns too little. Either every step adds to the gradients of all steps before (optimizer.zero_grad(), once "
    "for each batch), or there are too few steps (one for each batch of 25 images).",
    "training",
)
TOO_SLOW = Misconception(
    "it learns too little: one step for each batch of 25 images, Adam with a step size of 4e-3.", "training"
)
DIVERGED = Misconception("the loss grows without bound: is the step size too large, or a sign turned?", "training")


class Nats(NamedTuple):
    """The two terms of the negative ELBO, means over images."""

    reconstruction: float
    kl: float

    @property
    def total(self) -> float:
        """The negative ELBO."""
        return self.reconstruction + self.kl


def measure(model: Any, images: Tensor) -> Nats:
    """Measure the negative ELBO of a model, by one draw of z for each image.

    Args:
        model: has encode and decode.
        images: [N, 784], in [0, 1].

    Returns:
        Both terms, in nats per image.
    """
    with torch.no_grad():
        mu, logvar = (t.detach().double() for t in model.encode(images))
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        logits = model.decode(z.to(images.dtype)).double()
        return Nats(-float(log_likelihood(logits, images.double()).mean()), float(gaussian_kl(mu, logvar).mean()))


def check_train(train: Callable[..., Any], vae: Callable[..., Any], images: Tensor, epochs: int = EPOCHS) -> None:
    """Require a loop that minimises the negative ELBO, moves every weight, and reports the truth.

    Args:
        train: the student's function.
        vae: the student's class VAE(latent_dim, hidden_dim).
        images: about 300, [N, 784], in [0, 1].
        epochs: passes over the images.

    Raises:
        CheckFailed: if not. The loss and the report are compared exactly; the band of the trained model lies more than
            ten standard deviations from where a right loop ends.
    """
    check_loss_of_loop(train)
    check_epochs(train)
    task = "train"
    model = ask("VAE", vae, LATENT_DIM, HIDDEN_DIM).to(images.device)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    start = measure(model, images)
    _require_history(task, ask(task, train, model, images, epochs), epochs)
    still = [name for name, p in model.named_parameters() if torch.equal(p.detach(), before[name])]
    if len(still) == len(before):
        fail(task, "no weight has changed.", "Wanted a trained model.", NO_STEP)
    if still:
        seen = f"{len(still)} of {len(before)} parameters have not moved: {', '.join(still[:4])}."
        fail(task, seen, "Wanted them all trained.", HALF_TRAINED)
    model.eval()
    end = measure(model, images)
    low, high = NATS_WANTED
    if low < end.total < high:
        return
    seen = (
        f"after {epochs} epochs the model has {end.reconstruction:.0f} nats of reconstruction and {end.kl:.2f} of KL."
    )
    wanted = f"Wanted less than {high:.0f} nats in all."
    if not math.isfinite(end.total) or end.total > 10 * start.total:
        fail(task, seen, wanted, DIVERGED)
    if end.total <= low:
        fail(task, seen, "Nothing can be better than a perfect reconstruction, 46.28.")
    fail(task, seen, wanted, TOO_SLOW if end.total > 0.8 * start.total else OLD_GRADIENTS_OR_FEW_STEPS)


def check_loss_of_loop(train: Callable[..., Any], n: int = 45, latent_dim: int = 5, pixels: int = 784) -> None:
    """Require that the loop's loss is the negative ELBO, and its report the mean of it over the images.

    Exact: the gradients of the negative ELBO with respect to logits, mu and logvar are known. A loss whose KL is itself
    estimated by draws passes too; the weight of the KL may be seen 20 % off.

    Args:
        train: the student's function.
        n: number of images.
        latent_dim: D.
        pixels: number of pixels.

    Raises:
        CheckFailed: if not.
    """
    task, recorder, images = "train", RecordingModel(latent_dim, pixels), torch.rand(n, pixels, device=device())
    given = images.clone()
    history = ask(task, train, recorder, given, 2, names=("model", "images"))
    require_unchanged(task, "images", given, images)
    _require_history(task, history, 2)
    if not any(entry.came for book in (recorder.logits, recorder.mu, recorder.logvar) for entry in book):
        fail(task, "no gradient comes back to the model.", "Wanted one for each batch.", NO_BACKWARD)
    _judge_weights(task, recorder)
    for (z, alive), mean in zip(recorder.drawn, recorder.mu, strict=False):
        if z.shape == mean.given.shape and torch.allclose(z.to(mean.given), mean.given):
            fail(task, "what is decoded is mu itself.", "Wanted mu + sigma * eps.", NO_NOISE)
        if not alive and any(entry.came for entry in recorder.logits):
            learning = [flag for (_, flag), entry in zip(recorder.drawn, recorder.logits, strict=False) if entry.came]
            if not any(learning):
                fail(task, "the z that is decoded does not require a gradient.", "Wanted a path.", DETACHED_Z)
    shown = torch.cat([x.reshape(-1, pixels) for x in recorder.seen]).to(images)
    nearest = torch.cdist(images, shown).min(1).values if len(shown) else torch.ones(n)
    if float(nearest.max()) > 0.5:  # two random images are about 16 apart
        fail(task, f"{int((nearest > 0.5).sum())} of {n} images are never shown to the model.", "", SOME_IMAGES)
    mu, logvar = recorder.encode(images)
    kl = float(gaussian_kl(mu.detach().double(), logvar.detach().double()).mean())
    logits = recorder.picture.expand(n, -1).double()
    _judge_report(task, float(history[-1]), Nats(-float(log_likelihood(logits, images.double()).mean()), kl), n, pixels)


def _judge_weights(task: str, recorder: RecordingModel) -> None:
    """The gradients that came back, as multiples of those of the two terms."""
    rows = [
        (x, z.came[0], m, v)
        for x, z, m, v in zip(recorder.seen, recorder.logits, recorder.mu, recorder.logvar, strict=False)
        if z.came
    ]
    if not rows:
        fail(task, "no gradient comes back through the decoder.", "Wanted one.", NO_RECONSTRUCTION)
    scales, weights = [], []
    for x, slope, m, v in rows:
        error = torch.sigmoid(recorder.picture) - x.reshape(-1, len(recorder.picture)).to(slope)
        scale = float((slope * error).sum() / error.square().sum())
        came = torch.cat([_came(m).flatten(), _came(v).flatten()])
        term = torch.cat([m.given.flatten(), torch.expm1(v.given).flatten() / 2])
        scales.append(scale)
        weights.append(float((came * term).sum() / term.square().sum()) / scale if scale else math.inf)
    if sum(scales) <= 0:
        fail(task, "a step makes the reconstruction worse.", "Wanted it better.", CLIMBS)
    weight = sum(weights) / len(weights)
    if abs(weight - 1) <= 0.2:
        return
    seen = f"in the loss, the KL has {weight:.3g} times the weight that it should have."
    near_zero = abs(weight) < 1e-3
    mistake = NO_KL if near_zero else KL_SIGN if weight < 0 else KL_TOO_HEAVY if weight > 1 else KL_TOO_LIGHT
    fail(task, seen, "Wanted 1 beside the sum over pixels.", mistake)


def _came(entry: Entry) -> Tensor:
    return entry.came[0] if entry.came else torch.zeros_like(entry.given)


def _require_history(task: str, history: Any, epochs: int) -> None:
    if not isinstance(history, list | tuple):
        fail(task, f"the result is of type {type(history).__name__}.", "Wanted a list with one number for each epoch.")
    if len(history) != epochs:
        fail(task, f"the result has {len(history)} entries.", f"Wanted one for each of the {epochs} epochs.")
    for entry in history:
        if isinstance(entry, Tensor):
            fail(task, "the list holds tensors.", "Wanted Python numbers: loss.item().")
        if isinstance(entry, bool) or not isinstance(entry, Real):
            fail(task, f"the list holds a {type(entry).__name__}.", "Wanted Python numbers.")


def _judge_report(task: str, last: float, known: Nats, n: int, pixels: int) -> None:
    if abs(last - known.total) <= 1e-2 * known.total:
        return
    guesses = {
        -known.total: "this is the ELBO; the loss is its negative.",
        known.reconstruction: "this is the reconstruction alone; the KL belongs to it.",
        known.kl: "this is the KL alone; the reconstruction belongs to it.",
        known.total / pixels: "this is a mean over pixels: nats per pixel, not per image.",
        known.total * n: "this is a sum over the images; wanted their mean.",
        known.total / n: "this is divided by the number of images twice.",
    }
    close = min(guesses, key=lambda value: abs(value - last) / abs(value))
    near = abs(close - last) <= 1e-2 * abs(close)
    seen = f"an epoch's entry is {last:.4g}, and the mean negative ELBO of that epoch was {known.total:.4g}."
    fail(task, seen, "Wanted the latter.", Misconception(guesses[close], "training") if near else None)
